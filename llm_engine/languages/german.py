"""German."""

VOCABULARY = """
verb scale: skaliere | skalieren | skaliert
verb autoscale: autoskaliere | skaliere automatisch | automatisch skalieren
verb pause: pausiere | pausieren | pausiert | friere ein | unterbrich | setze aus | stoppe das autoscaling von |
    stoppe die automatik von
verb resume: fort | fortsetzen | fortfahren | wieder aufnehmen | nimm wieder auf | aktiviere das autoscaling von
verb explain: erkläre | erklär | erklären | warum | wieso | weshalb | was ist mit | was ist los mit | wie geht es |
    begründe | was passiert mit
verb undo: rückgängig | mache rückgängig | mach rückgängig | widerrufe | nimm zurück
verb prefer: bevorzuge | bevorzugen | priorisiere | priorisieren | optimiere | optimieren | minimiere | minimieren |
    maximiere | maximieren | spare | sparen
verb schedule: plane | einplanen
verb deploy: deploye | installiere | stelle bereit | bereitstellen
verb delete: lösche | löschen | entferne den dienst | deinstalliere
verb migrate: verschiebe | verschieben | migriere | migrieren | verlege | verlegen | ziehe um | bewege
verb defragment: defragmentiere | defragmentieren
automation: autoscaling | autoskalierung | das autoscaling | die automatik | automatik
on: aktiviere | starte | schalte ein | einschalten
hint: setze | setz | stelle | stell | sorge dafür | soll | sollen | sollte | muss | müssen | darf | dürfen | braucht
    | benötigt | brauche | möchte | will | lass | lasse | gib | füge | füg | nimm | mache | mach | konfiguriere |
    ändere
hint keep: halte | halten | halt | behalte | bleiben | bleibt | bleibe
up: erhöhe | erhöhen | steigere | steigern | vergrößere | hoch | rauf
up add: hinzu | hinzufügen | ergänze | dazu
down: verringere | verringern | reduziere | reduzieren | senke | senken | verkleinere | runter | herunter
down take: entferne | entfernen | weg
upper bare: unter | unterhalb | unterhalb von | weniger als | kleiner als | geringer als | niedriger als |
    schneller als
upper: höchstens | maximal | maximum | nicht mehr als | nicht über | nicht überschreiten | nicht übersteigen |
    begrenze | begrenze auf | beschränke | beschränke auf | obergrenze | limit | maximale | nicht länger als
upper upto: bis zu
lower bare: über | oberhalb | oberhalb von | mehr als | größer als | höher als | überschreiten | übersteigen |
    langsamer als
lower: mindestens | wenigstens | minimal | minimum | nicht weniger als | nicht unter | mindestanzahl | minimale
negation: nicht | nie | niemals | kein | keine | keinen | ohne | vermeide
more: weitere | weiteres | zusätzliche | zusätzliches | mehr
fewer: weniger
factor 2: verdopple | verdoppeln | verdoppele | doppelt so viele
factor 3: verdreifache | verdreifachen
factor 0.5: halbiere | halbieren | um die hälfte | die hälfte
metric ttft: zeit bis zum ersten token | erstes token | ersten token | erste token | latenz des ersten tokens | ttft
metric tpot: zeit pro token | zeit pro ausgabetoken | latenz pro token | tpot
metric e2e: ende zu ende | gesamtlatenz | gesamtantwortzeit | e2e
latency e2e: latenz | latenzen | antwortzeit | antwortzeiten | antworten | antwortet | antwort | reaktionszeit
metric cost_per_hour: kosten | kostet | ausgaben | ausgeben | budget | preis
metric watts: leistung | leistungsaufnahme | stromverbrauch | strom
metric error_rate: fehlerrate | fehlerquote | fehler | fehlschlagen
metric attainment: slo | erfüllung | slo erfüllung | einhaltung
objective energy: energie | energieeffizienz | energieverbrauch
objective throughput: durchsatz
objective cost: geld
objective fairness: fairness | gerechtigkeit
weight: gewicht | mit gewicht | mit einem gewicht von | gewichtung
unit ms: ms | millisekunde | millisekunden
unit s: s | sekunde | sekunden
unit min: minute | minuten
unit h: h | stunde | stunden
unit d: tag | tage | tagen
unit w: woche | wochen
unit usd: usd | $ | dollar
unit eur: eur | € | euro | euros
unit foreign: pfund | yen | franken
unit W: w | watt
unit kW: kw | kilowatt
unit gpus: gpu | gpus | grafikkarten | karten
unit replicas: replikat | replikate | replikaten | replika | replikas | replica | replicas | repliken | instanz |
    instanzen | kopien | pod | pods | anzahl der replikate
unit percent: % | prozent
unit times: mal | fache | x
period hour: pro stunde | je stunde | die stunde | in der stunde | / h | / stunde | stündlich
period day: pro tag | am tag
period month: pro monat | im monat
everything: alles | alle | alle dienste | alle services | die ganze flotte | die flotte | insgesamt | alle modelle
confidential: vertraulich | vertrauliche | vertraulichen | vertrauliche gpus
namespace: namensraum | namespace | im namensraum | im namespace
node: knoten | den knoten
zone: zone | die zone
partition: partition | partitionen | die partition
between: zwischen
from: vom
to to: auf | nach | zu | zum
to as: als
to: von | in | an | bei | ist | sind | : | = | im | am
by: um
by factor: um den faktor | um das
for: für | für die nächsten | während der nächsten | in den nächsten | während
until: bis | bis zum | bis einschließlich
and: und | & | sowie
separator comma: ,
separator dash: - | \u2013
separator: ; | . | ! | ? | aber | dann | danach | außerdem | jedoch
intent: absicht | die absicht
vague stop: stoppe | halte an | schalte ab | schalte aus | deaktiviere
vague restart: starte neu | neustarten
vague amount: schneller | billiger | günstiger | besser | einige | ein paar | etwas | morgen | viele
vague condition: wenn | falls | sobald
vague or: oder | vielleicht
vague except: außer | ausgenommen
instead: statt | anstatt | anstelle von
daypart: nachts | in der nacht | morgens | abends | vormittags | nachmittags
filler a: ein | eine | einen | einem | einer
filler name: namens | genannt | mit dem namen
filler requests: anfragen | der anfragen | aller anfragen
filler: der | die | das | den | dem | des | es | sich | bitte | ich | wir | dienst | service | modell | danke |
    hallo | jetzt | immer | werden | wird | haben | hat | benutzen | nutzen | verwenden | verwendet | verbrauchen |
    betragen | jeweils | mit | langsam | so | uhr | perzentil | wert | letzte | letzten | änderung | mir | uns |
    dass | liegen | sein | laufen | lassen | jemals | brauchen
days mon: montag | montags
days tue: dienstag | dienstags
days wed: mittwoch | mittwochs
days thu: donnerstag | donnerstags
days fri: freitag | freitags
days sat: samstag | samstags | sonnabend
days sun: sonntag | sonntags
days mon,tue,wed,thu,fri: werktags | an werktagen | wochentags | an wochentagen
days sat,sun: am wochenende | wochenende | wochenenden | an wochenenden
days mon,tue,wed,thu,fri,sat,sun: jeden tag | täglich
month 01: januar
month 02: februar
month 03: märz
month 04: april
month 05: mai
month 06: juni
month 07: juli
month 08: august
month 09: september
month 10: oktober
month 11: november
month 12: dezember
number 0: null
number 1: eins
number 2: zwei
number 3: drei
number 4: vier
number 5: fünf
number 6: sechs
number 7: sieben
number 8: acht
number 9: neun
number 10: zehn
number 11: elf
number 12: zwölf
number 15: fünfzehn
number 20: zwanzig
number 30: dreißig
number 50: fünfzig
number 100: hundert
everything each: jeder dienst | jeden dienst
"""
