"""Spanish."""

VOCABULARY = """
verb scale: escala | escalar | escale | reescala | redimensiona | dimensiona
verb autoscale: autoescala | autoescalar | autoescale
verb pause: pausa | pausar | pause | suspende | suspender | congela | congelar | detén el autoescalado de |
    desactiva el autoescalado de | deja de escalar | pon en pausa | en pausa
verb resume: reanuda | reanudar | reanude | continúa | continúe | retoma | descongela | reactiva |
    activa el autoescalado de
verb explain: explica | explicar | explícame | por qué | porqué | por que | qué pasa con | qué ha pasado con |
    qué pasó con | qué ocurre con | cómo está | cómo va | motivo | razón | describe
verb undo: deshaz | deshacer | deshaga | revierte | revertir | anula
verb prefer: prefiere | preferir | prioriza | priorizar | priorice | optimiza | optimizar | minimiza | minimizar |
    maximiza | maximizar | favorece | ahorra | ahorrar | da prioridad a
verb schedule: programa | programar | planifica
verb deploy: despliega | desplegar | despliegue | instala | lanza
verb delete: borra | borrar | elimina | eliminar | elimine | suprime | desinstala
verb migrate: mueve | mover | mueva | migra | migrar | migre | traslada | trasladar
verb defragment: desfragmenta | desfragmentar | compacta
automation: autoescalado | el autoescalado | escalado automático
on: activa | activar | enciende | arranca | inicia
hint: pon | poner | ponga | fija | fijar | establece | configura | ajusta | cambia | deja | dejar | haz | haga |
    debe | deben | debería | tiene que | tienen que | necesita | necesitan | quiero | queremos | asegura | asegúrate
    | garantiza | permite | puede | pueden
hint keep: mantén | mantener | mantenga | mantenme | conserva | sostén
up: sube | subir | aumenta | aumentar | aumente | incrementa | incrementar | amplía | crece
up add: añade | añadir | añada | agrega | agregar | suma
down: baja | bajar | reduce | reducir | reduzca | disminuye | disminuir | recorta | rebaja
down take: quita | quitar | resta | retira
upper bare: por debajo de | debajo de | menos de | inferior a | inferiores a | menor que | menor de | bajo |
    en menos de
upper: como máximo | a lo sumo | no más de | sin superar | no superar | no supere | no puede superar |
    no debe superar | nunca debe superar | no exceder | no exceda | no debe exceder | no puede exceder | límite |
    limita a | limita | limitar | tope | máximo | máxima | un máximo de | no puede pasar de | no pase de
upper upto: hasta un máximo de
lower bare: por encima de | encima de | más de | superior a | superiores a | mayor que | mayor de | supere | superar
    | exceda | exceder | pasar de
lower: al menos | por lo menos | como mínimo | no menos de | mínimo | mínima | un mínimo de
negation: no | nunca | jamás | sin | evita | ni
more: más | adicional | adicionales | extra | otra | otro
fewer: menos
factor 2: duplica | duplicar | dobla | doblar | el doble de | el doble
factor 3: triplica | triplicar | el triple de
factor 0.5: a la mitad | reduce a la mitad | la mitad de
metric ttft: tiempo hasta el primer token | tiempo al primer token | primer token | latencia del primer token | ttft
metric tpot: tiempo por token | tiempo por token de salida | tiempo entre tokens | latencia por token | tpot
metric e2e: de extremo a extremo | extremo a extremo | latencia total | tiempo total de respuesta | e2e
latency e2e: latencia | latencias | tiempo de respuesta | tiempos de respuesta | responder | responda | responde |
    respuesta | contestar
metric cost_per_hour: coste | costo | costes | cuesta | costar | cueste | gasto | gastar | gaste | gastes |
    presupuesto | precio
metric watts: potencia | consumo eléctrico | electricidad | consumo de potencia
metric error_rate: tasa de errores | tasa de error | errores | fallos | fallar
metric attainment: cumplimiento | slo
objective energy: energía | la energía | eficiencia energética | consumo de energía
objective throughput: rendimiento | throughput | caudal
objective cost: dinero
objective fairness: equidad
weight: peso | con un peso de | con peso | peso de
unit ms: ms | milisegundo | milisegundos
unit s: s | segundo | segundos
unit min: minuto | minutos
unit h: h | hora | horas
unit d: día | días
unit w: semana | semanas
unit usd: usd | $ | dólar | dólares
unit eur: eur | € | euro | euros
unit foreign: libra | libras | yenes | pesos
unit W: w | vatio | vatios | watts
unit kW: kw | kilovatio | kilovatios
unit gpus: gpu | gpus | tarjetas
unit replicas: réplica | réplicas | replica | replicas | instancia | instancias | copia | copias | pods | pod |
    número de réplicas
unit percent: % | por ciento | porciento
unit times: veces | x
period hour: por hora | a la hora | la hora | cada hora | / h | / hora
period day: por día | al día | diarios
period month: al mes | por mes | mensuales
everything: todo | todos | todas | todos los servicios | todos los modelos | toda la flota | la flota | en total
confidential: confidencial | confidenciales | gpus confidenciales
namespace: espacio de nombres | namespace | en el espacio de nombres
node: nodo | al nodo | nodos
zone: zona | a la zona
partition: partición | particiones | la partición
between: entre
from: desde
to to: a | al | hasta
to as: como
to: en | de | del | es | sea | : | =
by: por | en un
by factor: por un factor de | por
for: durante | para | por los próximos | durante los próximos | durante las próximas
until: hasta el | hasta la
and: y | e | &
separator comma: ,
separator dash: - | \u2013
separator: ; | . | ! | ? | pero | luego | después | también | mientras | además
intent: intención | la intención
vague stop: detén | para el | apaga | desactiva
vague restart: reinicia | reiniciar
vague amount: más rápido | rápido | barato | más barato | lento | mejor | algunas | algunos | unas | unos | pocas |
    unos pocos | mañana | un poco
vague condition: si | cuando
vague or: o | quizás | tal vez
vague except: excepto | salvo | menos el
instead: en lugar de | en vez de
daypart: por la noche | de noche | por la mañana | por la tarde
filler a: un | una | uno
filler name: llamado | llamada | con el nombre
filler requests: peticiones | solicitudes | las peticiones | las solicitudes
filler: el | la | los | las | que | se | su | sus | lo | le | por favor | favor | me | nos | servicio | servicios |
    modelo | gracias | hola | ahora | siempre | está | están | ser | usar | uses | use | usa | utilizar | utilice |
    cada una | cada uno | con | lento | lenta | tan | percentil | nivel | valor | último | última | cambio | uso |
    consumo | consumir | estar | quede | quedar | tener | tenga
days mon: lunes | los lunes
days tue: martes | los martes
days wed: miércoles | los miércoles
days thu: jueves | los jueves
days fri: viernes | los viernes
days sat: sábado | sábados | los sábados
days sun: domingo | domingos | los domingos
days mon,tue,wed,thu,fri: entre semana | días laborables | los días laborables | de lunes a viernes
days sat,sun: fines de semana | los fines de semana | fin de semana
days mon,tue,wed,thu,fri,sat,sun: todos los días | cada día | a diario
month 01: enero
month 02: febrero
month 03: marzo
month 04: abril
month 05: mayo
month 06: junio
month 07: julio
month 08: agosto
month 09: septiembre
month 10: octubre
month 11: noviembre
month 12: diciembre
number 0: cero
number 2: dos
number 3: tres
number 4: cuatro
number 5: cinco
number 6: seis
number 7: siete
number 8: ocho
number 9: nueve
number 10: diez
number 11: once
number 12: doce
number 15: quince
number 20: veinte
number 30: treinta
number 40: cuarenta
number 50: cincuenta
number 100: cien
filler modal: va | van
everything each: cada servicio
"""
