"""French."""

VOCABULARY = """
verb scale: redimensionne | mets à l ' échelle | passe à l ' échelle | scale
verb autoscale: autoscale | mets à l ' échelle automatiquement
verb pause: en pause | suspends | suspendre | gèle | geler | arrête l ' autoscaling de | interromps
verb resume: reprends | reprendre | relance l ' autoscaling de | réactive | continue
verb explain: explique | expliquer | pourquoi | que se passe t il avec | que s ' est il passé avec | comment va |
    raison | justifie
verb undo: annule | annuler | reviens en arrière | défais
verb prefer: préfère | préférer | privilégie | privilégier | optimise | optimiser | minimise | minimiser | maximise
    | maximiser | économise | priorise | favorise
verb schedule: planifie | programme
verb deploy: déploie | déployer | installe | lance
verb delete: supprime | supprimer | efface | désinstalle
verb migrate: déplace | déplacer | migre | migrer | transfère
verb defragment: défragmente | défragmenter
automation: autoscaling | l ' autoscaling | mise à l ' échelle automatique
on: active | activer | démarre
hint: mets | met | mettre | fixe | fixer | règle | configure | change | doit | doivent | devrait | il faut | faut |
    veux | voudrais | assure | garantis | laisse | fais | peut | peuvent | a besoin de | donne | passe
hint keep: garde | garder | maintiens | maintenir | conserve | reste | rester
up: augmente | augmenter | accrois | monte
up add: ajoute | ajouter | rajoute
down: réduis | réduire | diminue | diminuer | baisse | abaisse
down take: retire | retirer | enlève | enlever
upper bare: sous | en dessous de | au dessous de | moins de | inférieur à | inférieure à | inférieurs à |
    plus petit que | en moins de | plus vite que
upper: au plus | au maximum | maximum | maximal | pas plus de | ne pas dépasser | ne dépasse pas |
    ne doit pas dépasser | ne doit jamais dépasser | ne peut pas dépasser | limite | limite à | limiter à | limiter
    | plafonne | plafonne à | plafond
upper upto: jusqu ' à
lower bare: plus de | au dessus de | supérieur à | supérieure à | supérieurs à | dépasse | dépasser | excède |
    excéder
lower: au moins | au minimum | minimum | minimal | pas moins de
negation: pas | jamais | sans | évite | aucun | aucune
more: supplémentaire | supplémentaires | de plus | en plus | autre | autres
fewer: de moins | en moins
factor 2: double | doubler | deux fois plus de
factor 3: triple | tripler
factor 0.5: divise par deux | réduis de moitié | de moitié | la moitié de
metric ttft: temps jusqu ' au premier token | temps au premier token | premier token | premier jeton |
    latence du premier token | ttft
metric tpot: temps par token | temps par token de sortie | latence par token | temps entre les tokens | tpot
metric e2e: de bout en bout | bout en bout | latence totale | temps total de réponse | e2e
latency e2e: latence | latences | temps de réponse | répondre | répond | réponde | réponse
metric cost_per_hour: coût | coûts | coûte | coûter | dépense | dépenses | dépenser | budget | prix
metric watts: puissance | consommation électrique | électricité
metric error_rate: taux d ' erreur | taux d ' erreurs | erreurs | échouer | échecs
metric attainment: respect du slo | slo | conformité
objective energy: énergie | l ' énergie | d ' énergie | efficacité énergétique | consommation d ' énergie
objective throughput: débit
objective cost: argent
objective fairness: équité
weight: poids | avec un poids de | avec poids
unit ms: ms | milliseconde | millisecondes
unit s: s | seconde | secondes
unit min: minute | minutes
unit h: h | heure | heures
unit d: jour | jours
unit w: semaine | semaines
unit usd: usd | $ | dollar | dollars
unit eur: eur | € | euro | euros
unit foreign: livre | livres | yens | francs
unit W: w | watt | watts
unit kW: kw | kilowatt | kilowatts
unit gpus: gpu | gpus | cartes
unit replicas: réplica | réplicas | replica | replicas | réplique | répliques | instance | instances | copie |
    copies | pod | pods | nombre de réplicas | le nombre de réplicas
unit percent: % | pour cent | pourcent
unit times: fois | x
period hour: par heure | de l ' heure | l ' heure | à l ' heure | / h | / heure | horaire
period day: par jour
period month: par mois
everything: tout | tous | toutes | tous les services | toute la flotte | la flotte | au total | tous les modèles
confidential: confidentiel | confidentiels | confidentielles | gpus confidentiels
namespace: espace de noms | namespace | dans l ' espace de noms
node: nœud | noeud | le nœud | nœuds
zone: zone | la zone
partition: partition | partitions | la partition
between: entre
from: depuis
to to: à | jusqu ' au | au
to as: comme
to: de | du | des | en | dans | sur | vers | est | soit | : | = | d | l
by: par
by factor: par un facteur de | d ' un facteur de
for: pendant | pour | pour les prochaines | pendant les prochaines | durant
until: jusqu ' au | jusque
and: et | & | ainsi que
separator comma: ,
separator dash: - | \u2013
separator: ; | . | ! | ? | mais | puis | ensuite | aussi | cependant
intent: intention | l ' intention
vague stop: arrête | arrêter | stoppe | éteins | désactive
vague restart: redémarre | redémarrer
vague amount: plus rapide | rapide | moins cher | meilleur | quelques | un peu | demain | plusieurs
vague condition: si | quand | lorsque
vague or: ou | peut être
vague except: sauf | excepté | à part
instead: au lieu de | plutôt que
daypart: la nuit | le matin | le soir | l ' après midi
filler a: un | une
filler name: nommé | nommée | appelé | appelée
filler requests: requêtes | des requêtes | demandes
filler: le | la | les | l | ' | ce | se | qu | que | il | elle | on | s | son | sa | ses | leur | je | tu | nous |
    vous | s ' il te plaît | s ' il vous plaît | plaît | service | services | modèle | merci | bonjour | maintenant
    | toujours | utiliser | utilise | consommer | chacun | chacune | avec | lent | lente | si lent | centile |
    valeur | dernier | dernière | changement | être | avoir | ait | aller | tourner | heures précises | t
days mon: lundi | lundis | le lundi
days tue: mardi | mardis | le mardi
days wed: mercredi | mercredis | le mercredi
days thu: jeudi | jeudis | le jeudi
days fri: vendredi | vendredis | le vendredi
days sat: samedi | samedis | le samedi
days sun: dimanche | dimanches | le dimanche
days mon,tue,wed,thu,fri: en semaine | jours ouvrés | les jours ouvrés | jours ouvrables
days sat,sun: le week end | week end | week ends | les week ends
days mon,tue,wed,thu,fri,sat,sun: tous les jours | chaque jour
month 01: janvier
month 02: février
month 03: mars
month 04: avril
month 05: mai
month 06: juin
month 07: juillet
month 08: août
month 09: septembre
month 10: octobre
month 11: novembre
month 12: décembre
number 0: zéro
number 2: deux
number 3: trois
number 4: quatre
number 5: cinq
number 6: six
number 7: sept
number 8: huit
number 9: neuf
number 10: dix
number 11: onze
number 12: douze
number 15: quinze
number 20: vingt
number 30: trente
number 50: cinquante
number 100: cent
negation half: ne | n
everything each: chaque service
"""
