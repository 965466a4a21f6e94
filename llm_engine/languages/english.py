"""English, as people write it to a cluster."""

from llm_engine.languages.asides import ASIDES

_MODALS = ("must be", "should be", "has to be", "have to be", "needs to be", "need to be", "ought to be", "shall be",
    "is to be", "can be", "may be", "could be", "to be", "please be", "be", "get", "gets")  # fmt: skip
_ACTS = {"pause": "paused", "resume": "resumed", "delete": "deleted", "undo": "undone", "explain": "explained",
    "migrate": "moved", "deploy": "deployed"}  # fmt: skip
_PASSIVES = "\n".join(
    f"verb {verb}: {' | '.join(f'{modal} {done}' for modal in _MODALS)}" for verb, done in _ACTS.items()
)

VOCABULARY = f"""
{_PASSIVES}
verb scale: scale | rescale | resize | scaling | scaled | scales
verb autoscale: autoscale | auto scale | let scale | autoscaled | autoscaling between | autoscales
verb pause: pause | pausing | suspend | freeze | put on hold | on hold | stop scaling | stop autoscaling | stop
    managing | stop touching | halt scaling | hands off | halt autoscaling | hold off | hold off on | quit scaling |
    cease scaling
verb resume: resume | resuming | unpause | unfreeze | un pause | un freeze | take off hold | off hold |
    start scaling | start autoscaling | continue scaling | continue autoscaling | continue | start managing |
    restart scaling | restart autoscaling | unsuspend | carry on scaling | carry on with | lift the pause |
    lift the pause on | end the pause | end the pause of | remove the pause | stop the pause | cancel the pause |
    cancel the pause of | lift the freeze | end the freeze | lift the hold | lift the hold on | release the hold |
    remove the freeze | end the suspension | lift the suspension | let the autoscaler manage |
    let the autoscaler handle | let the autoscaler run | let autoscaling manage | be resumed
verb explain: explain | explanation | why | how come | what happened | what is happening | what 's happening |
    whats happening | what is going on | what 's going on | whats going on | what did you do | what have you done |
    what was done | what 's wrong | what is wrong | what 's up | what caused | what is the reason |
    what 's the reason | the reason | reason | reasons | what made | for what reason | justify | describe |
    status of | the status of | clarify | reasoning | what has been done | what is the status | what are the reasons
    | what is the matter | status | who scaled | who changed | who paused | when was | when were | when did |
    why was | why did
verb undo: undo | revert | roll back | rollback | take back | reverse | undoing | cancel | cancels | roll that back
    | remove the intent | drop the intent | delete the intent | withdraw the intent | withdraw
    | roll it back | roll this back | take that back | take it back | undo it | undo this | undo that | revert that
    | revert it | revert this
verb prefer: prefer | prefers | prioritise | prioritize | favour | favor | optimise | optimize | optimise for |
    optimize for | emphasise | emphasize | weigh | minimise | minimize | maximise | maximize | save | conserve |
    focus on | give priority to | priority on | priority for | priority in | tuned for | optimised for | optimized for |
    geared towards | biased towards | give preference to | put first | matters more | matters most | is more important |
    more important | most important | aim for | go for | lean towards | economise on | economize on | value most |
    tune for | bias towards | tune | matters more than | is more important than | more important than
verb schedule: schedule
verb deploy: deploy | deploys | deployed | install | launch | roll out | spin up | stand up | start serving | host |
    set up | setup
verb delete: delete | deletes | uninstall | tear down | tear it down | decommission | undeploy | get rid of | retire |
    take down | destroy
verb migrate: migrate | migrates | move | moves | relocate | transfer | shift | migration | rehost | reassign |
    switch to
verb defragment: defragment | defrag | tidy up the fragmentation | tidy up the gpu fragmentation |
    tidy up fragmentation | fix the fragmentation | fix fragmentation | reduce the fragmentation |
    reduce fragmentation | clean up the fragmentation | clean up fragmentation | clean up fragmented gpus |
    clean up the fragmented gpus | defragmentation | defragmenting | compact | consolidate | repack
automation: autoscaling | auto scaling | automation | autoscaler | automatic scaling | automated scaling
on: enable | re enable | reenable | turn on | turn back on | switch on | switch back on | activate | reactivate |
    start | back on | on again | restore
up: up | out | increase | increases | raise | grow | bump | scale up | scale out | scaling up | expand | lift |
    upscale | boost | bump up | ramp up | enlarge | beef up | increment
down: down | reduce | reduces | decrease | lower | shrink | scale down | scale in | scaling down | cut | drop | trim
    | downscale | ramp down | scale back | cut back | cut down | decrement | slim down | dial back
upper bare: under | below | beneath | less than | fewer than | lower than | smaller than | within | inside | < |
    faster than | quicker than | sooner than | shorter than | cheaper than | no over | underneath | going below |
    going under | go below | go under | fall below | falls below | fall under | sink below | dip below | drop below
    | drops below | dropping below | drop under | stay below | stay under | remains below
upper: at most | be at most | at the most | no more than | not more than | cap | caps | cap at | capped | capped at |
    limit | limit to | limited | limited to | restrict | restrict to | ceiling | no higher than | not higher than | no
    greater than | no longer than | not longer than | no slower than | no later than | no above | not exceed | not to
    exceed | <= | ≤ | or less | or fewer | upper bound | upper limit | tops | never exceed | never exceeds | never
    exceeding | from exceeding | from surpassing | is the most | less than or equal to | lower than or equal to |
    fewer than or equal to | under or equal to | at or below | at or under | no bigger than | no larger than | not
    bigger than | not larger than | not above | not over | not beyond | not past | at the outside | at the very most |
    upper bound of | upper limit of | a maximum | a max of | a limit of | a cap of | cap of | ceiling of | capped to |
    topping out at | max of | or better | or quicker
lower bare: above | over | more than | greater than | higher than | larger than | longer than | slower than |
    bigger than | exceed | exceeds | exceeding | beyond | surpass | surpasses | in excess of | go past | past | > |
    upwards of | crosses | breaches | going over | going above | going beyond | go over | go above | go beyond |
    rise above | rises above | climb above | climb over | run over
lower: at least | be at least | at the least | no less than | no fewer than | not less than | not fewer than | no
    lower than | not lower than | floor | >= | ≥ | or more | or higher | lower bound | lower limit | no below |
    greater than or equal to | more than or equal to | higher than or equal to | at or above | at or over | no smaller
    than | not smaller than | not below | not under | at the very least | lower bound of | lower limit of | a minimum
    | a min of | a floor of | floor of | min of | starting at | from at least
negation: never | never ever | not | don't | dont | do not | doesn't | does not | no | without | can't | can not |
    must not | mustn't | shouldn't | won't | avoid | prevent | stop from | neither | stop going | stop using |
    under no circumstances | in no case | on no account | by no means | at no time | at no point | in no event |
    not ever | may not | should not | shall not | ought not | needn't | isn't | aren't | wouldn't | couldn't |
    shan't | mightn't | don't ever | do not ever | don't let | do not let | do not allow | don't allow |
    refrain from | no longer | none | none of | not one | not any | didn't | did not | hasn't | haven't | wasn't |
    weren't | hadn't | can never | must never | should never | shall never | will never | may never
more: more | additional | extra | another | further | added
fewer: fewer | less
factor 2: double | doubles | twice | doubling | double up | twofold | two fold | twice as many | twice as much |
    twice the
factor 3: triple | triples | thrice | treble | threefold | tripling | three fold
factor 4: quadruple | fourfold | quadrupling | four fold
factor 0.5: halve | halves | halving | cut in half | in half | by half | to half | half of | half the | half as many
    | half as much | half its
metric ttft: time to first token | start answering | starts answering | start responding | starts responding | start
    replying | begin answering | begins answering | begin to answer | begin responding | ttft | ttfts | time to first
    byte | first token delay | first token | first token latency | first token time | latency to first token | time
    until first token | time to the first token | time to 1 st token | prefill latency
metric tpot: time per output token | tpot | time per token | inter token latency | intertoken latency | itl |
    token latency | per token latency | time between tokens | per output token | latency per token | per token |
    latency per output token
metric e2e: end to end | e2e | endtoend | total response time | complete response time | end to end latency |
    e2e latency | total latency | full response time | overall latency | end to end response time | end to end time
    | request latency
metric cost_per_hour: cost | costs | costing | spend | spending | cost of | costs of | budget | pay | bill | price |
    expense | expenses | spends | hourly cost | cost per hour | cost an hour | expenditure
metric watts: power | power draw | powers | power limit | power cap | wattage | electricity use | power envelope |
    power consumption | electricity | draw | power usage | power use | power budget
metric error_rate: error rate | error rates | errors | failure rate | failures | error | failed requests |
    failing requests | error ratio | error percentage | fail | fails | failed | failing | failure | error out |
    errored | share of errors | errored requests
metric attainment: attainment | slo attainment | slo compliance | attain | attains | slo | slos | goodput | sla |
    slo success rate | compliance | service level objective | service level
latency e2e: latency | latencies | response time | response times | respond | responds | responded | answer |
    answers | answered | reply | replies | replied | response | responses | answer time | tail latency | tail |
    delay | delays | responding | answering | speed | request time | processing time | service time | turnaround |
    turnaround time
objective energy: energy | energy efficiency | energy saving | energy savings | energy use | energy usage |
    energy consumption | efficiency | greenness | sustainability | low power | low energy | lower energy |
    lower power | low energy use
objective cost: money | cost efficiency | cost savings | low cost | low costs | lower cost | lower costs | cheapness
objective latency: responsiveness | low latency | lower latency
objective throughput: throughput | requests per second | tokens per second
objective fairness: fairness | fair sharing | fair share | equal treatment
weight: weight | weights | with weight | with a weight of | weight of | a weight of | at weight | weighted |
    weighting
unit ms: ms | millisecond | milliseconds | msec | msecs | millis | milli seconds | milisecond | miliseconds
unit s: s | sec | secs | second | seconds
unit min: min. | minute | minutes | mins
unit h: h | hour | hours | hrs | hr
unit d: day | days
unit w: week | weeks
unit usd: usd | usds | $ | us $ | dollar | dollars | us dollars | us dollar | american dollars | bucks
unit eur: eur | € | euro | euros
unit foreign: gbp | £ | pound | pounds | jpy | ¥ | yen | chf | francs | cents | rupees
unit W: w | watt | watts | watts of power
unit kW: kw | kws | kilowatt | kilowatts | kilo watts
unit odd: mw | megawatt | megawatts | us | µs | microseconds | microsecond | kwh | joules | gb | gib | rps | qps |
    tps
unit gpus: gpu | gpus | graphics cards | graphics card | cards | accelerators | accelerator
unit replicas: replica | replicas | pod | pods | instance | instances | copy | copies | replica count |
    number of replicas | replicas count | number of pods | number of instances | pod count | instance count |
    number of copies | workers | worker
unit percent: % | percent | per cent | pct
unit times: x | times | \u00d7 | fold | times as many | times as much | times the | times more
period hour: per hour | an hour | a hour | each hour | every hour | hourly | /h | / h | /hour | / hour | /hr | / hr
    | ph | per h | per hr
everything: everything | all | all services | all the running services | all together | all services together |
    all services combined | all services in total | all of them | all the services | the fleet | whole fleet |
    the whole fleet | entire fleet | all models | across the board | in total | total | overall | altogether |
    cluster wide | fleet wide | the cluster | the whole cluster | the entire cluster | whole cluster |
    all my services | all our services | fleet | * | in all | combined | across all services
confidential: confidential | confidential gpu | confidential gpus | confidential computing | confidential hardware
namespace: namespace | in namespace | in the namespace | ns
node: node | nodes
zone: zone | zones | availability zone
partition: partition | partitions | slice | slices | mig partition | mig partitions | mig slice | mig slices |
    mig profile
between: between
from: from | off | off of | starting from | out of
to: at | of | into | onto | on | is | are | = | : | equal to | equals | be at | to be | exactly
by: by
for: for | for the next | during the next | over the next | in the next | within the next | for another | during
until: until | till | expires | expiring | expires on | expire on | up until | until the end of | ending on |
    ends on | valid until
and: and | & | plus | as well as | along with | and also | together with | and then
separator: ; | . | ! | ? | then | also | while | whilst | yet | though | however | \u2014 | afterwards | after that
    | additionally | next | finally
intent: intent | the intent | intents
vague stop: stop | halt | shut down | shutdown | shut off | kill | turn off | switch off | disable | deactivate |
    power off | end
vague restart: restart | reboot | redeploy | bounce | reset | reload | recreate | the pause | the freeze |
    the suspension | the move | the migration | the rollback | the deletion | the hold | a hold
vague amount: faster | slower | quicker | snappier | better | cheaper | bigger | smaller | more responsive | a bit |
    somewhat | slightly | some | a few | several | a couple of | a lot | soon | later | reasonable | fast | slow |
    quick | average | mean | tonight | tomorrow | approximately | about | around | roughly | nearly | almost | low |
    high | cheap | as few | as low | as high | as little | as much | as many | as fast | as possible | a little |
    many | much | most of | half of the services | few | lots of | plenty | optimal | quickly | other | different |
    similar | appropriate | suitable | slightly more | whatever | somewhere | something | anything | peak |
    for a while | a while | for some time | for a bit | for long | for a moment | for a few hours | for a few days |
    more or less | ridiculous | outrageous | excessive | insane | absurd | unacceptable | terrible | awful | bad
    | poor | worse | laggy | sluggish | overprovisioned | underprovisioned |
    oversized | undersized | overloaded | underused | idle
vague condition: if | when | unless | whenever | in case | once | as soon as | as long as | provided | should the |
    after | before | assuming
vague needless: no longer needed | no longer in use | no longer used | not needed anymore | not needed any more |
    not used anymore | not used any more | obsolete | unused
vague or: or | nor | either | maybe | perhaps | possibly | probably | and or
vague except: except | except for | excepting | all but | everything but | every service but | other than |
    apart from | excluding | besides | aside from | with the exception of | save for
instead: instead of | rather than | and not
daypart: at night | overnight | at nights | mornings | evenings | afternoons | nights | night | in the morning |
    in the mornings | in the afternoon | in the evening | in the evenings | during the day | during the night |
    by night | by day | during business hours | business hours | during office hours | office hours | working hours
    | during working hours | nightly | at daytime | in the day
filler: both | pull | pulls | pulling | anything else | everything else | streaming | sum of | the sum of | across |
    what | how | where | cron | meet | meets | kindly | the | you | me | my | our | your | please | its | their | them
    | 's | ' | i'd | we'd | i want | so | be | being | been | let | lets | let's | use | uses | using | run | runs |
    running | ran | go | goes | going | rise | rises | fall | falls | drops | service | services | model | in | here |
    with | for the service | by the service | now | right now | immediately | currently | always | again | just | only
    | ever | respectively | capacity | a total of | total of | total number of | arrive | arrives | arriving | come |
    comes | deliver | delivers | delivered | return | returns | returned | produce | handle | handles | handled |
    process | processed | served | serves | anymore | any longer | too long | ever again | from now on | starting now
    | effective immediately | as of now | i think | think | going forward | in future | in the future | as follows |
    following | size | scale of | workload | workloads | deployment | app | application | endpoint | inference |
    system | platform | accordingly | thereby | thus | therefore | hence | busy | cannot wait | important | urgently |
    urgent | ensure that | such that | in order to | mind | could you | kind | favor me | appreciate | appreciated |
    grateful | cheers | greetings | morning | good morning | good afternoon | good evening | sure | certainly | must
    always | every time | each time | each request | every request | per request | per service | every one | apiece |
    maintaining | keeping | having | making | setting | doing | getting | spent | per se | i am | you're | let us | we
    need | wish | hope | in terms of | regarding | concerning | with respect to | with regard to | as for | when it
    comes to | hardware | machine | machines | devices | compute | resource | resources | consumption | itself |
    themselves | under load | under any circumstances | in any case | no matter what | ideally | preferably | today |
    hey | hi | hello | ok | okay | thanks | thank | cynosure | any | automatic | automatically | latest | last |
    previous | most recent | one that | its own | too | within the slo | each | at all times | at any time | all times
    | at all | usage | use of | count | number | level | total number | strictly | absolutely | possible | if possible
    | asap | want to | going to | " | ( | ) | ` | “ | ” | which | who | whose | do | does | did | has | was | were |
    am | used | consume | consumes | consuming | value | limits | limit of | permitted | allowed | tokens | token |
    finish | finishes | complete | over time | per | given | happen | happens | hard | strict | changes | action |
    decision | thing | happy | team | folks | dear | really | basically | actually | rate | percentile | percentiles |
    every | made | you made | applied | you did | we did | new | existing | production | user | see | gpu time |
    operation | managing | back | precisely | takes | taking | nothing | objective | goal | priority | reach | reaches
    | ask | asking | instead | all the time | for now | for us | for me | serving | automated | how many | how much |
    i would like | i'd like | would like | 'd like | appreciate it if | i 'd appreciate it if | would appreciate it if
    | would be great if | be great if | be nice if | would be nice if | be good if | would be good if | grateful if |
    see if | see if you can | possible to | is it possible to | would it be possible to | would you mind | do me a
    favour and | do me a favor and | go ahead and | feel free to | i need you to | i want you to | i would like you to
    | i'd like you to | we need you to | it is important that | it's important that | important that | it is essential
    that | it is critical that | critical that | make certain | make certain that | see to it that | be sure to | be
    sure that | don't forget to | do not forget to | remember to | please note that | note that | fyi | btw | by the
    way | as requested | as discussed | as agreed | as usual | as before | as planned | if you can | if you could | if
    you don't mind | if you would | if you please | when you can | when you get a chance | when possible | where
    possible | whenever you can | as soon as you can | right away | straight away | at once | instantly | this week |
    this month | this morning | this afternoon | this evening | for today | today only | someone | somebody | anyone |
    anybody | anywhere | everywhere | first | firstly | secondly | thirdly | lastly | at first | to begin with | to
    start | to start with | for starters | in general | generally | overall load | normally | usually | typically | at
    the moment | for the moment | for the time being | until further notice | permanently | temporarily | briefly |
    continuously | constantly | consistently | reliably | safely | gently | carefully | gradually | silently |
    properly | correctly | definitely | surely | simply | merely | alright | okay then | yes | yeah | yep | yo | guys
    | everyone there | regards | best regards | kind regards | many thanks | thank you | thank you very much | thanks
    a lot | thanks in advance | pls | plz | thx | gonna | wanna | lemme | gimme | gotta | expecting | expect |
    expected | peak time | busier | circumstances | case | kept | held | stays put | remains at | sits | sit | sitting
    | stand | stands | standing | living | sticks | sticking | owns | get to | gets to | end up | ends up | turn out |
    happen to | aims | aiming | intend | intends | intended | plan to | plans to | planning | trying | tries | tried |
    wants to | wanted | wishes | desired | desire | required | requirement | requirements | necessary | needed |
    acceptable | sufficient | suffices | suffice | suitable for | at hand | in use | in service | in production |
    available | running replicas | up and running | alive | serving replicas | simultaneous | simultaneously |
    concurrent | concurrently | in parallel | together | jointly | individually | separately | independently | every
    single | every one of them | one by one | respective | corresponding | relevant | particular | specific | certain
    | current | own service | its service | the one | ones | one called | sort of | instance type | whole | total of
    the | amounts | amounting | quantity | quantities | size of | sized | equal | same | as many as | number of the |
    counts | per second of | that is | which is | which are | who is | whose is | where it is | what it is | being
    served | being used | that runs | that serves | which runs | which serves | running on | powered by | backed by |
    using the | with the model | based on | on top of | via | through the | across the | throughout | within reason |
    among | amongst | between them | beside | behind | beneath it | above all | after all | all right | once more |
    once again | yet again | over again | another time | this time | next time | last time | last night | yesterday |
    recently | lately | earlier | previously | a moment ago | just now | so far | by now | already | still | even |
    also please | either way | anyway | anyhow | regardless | nonetheless | nevertheless | moreover | furthermore |
    besides that | in addition | on top | at least for now | black friday | christmas | the campaign | a campaign | a
    spike | spikes in | a surge | a rush | the rush | the holidays | a sale | the sale | an event | the event | a
    launch | the launch | a peak | peaks in | great thanks | well | kind of | right | achieve | achieves | achieved |
    hit | hits | hitting | offer | offers | sustain | sustains | exhibit | exhibits | show | shows | report | reports
    | experience | experiences | incur | incurs | rack up | racks up | burn | burns | burn through | eat | eats | eat
    up | occupy | occupies | hog | grab | grabs | claim | claims | reserve | reserves | accumulate | exhaust |
    generate | generates | emit | emits | perform | performs | operate at | operates | clock in | clocks in | come in
    | comes in | come back | lie | lies | land | lands | time zone | timezone | time-zone | local | clock | o'clock |
    hrs local | resulting | measured | observed | entire | full | main | primary | valid | lasting | lasts | last for
    | duration of | a period of | period of | window | time window | slot | time frame | timeframe | interval | over
    to | over at | over on | around the clock | nonstop | non stop | itself only | by itself | at any given time | at
    any one time | at any moment | at once please | of late | any more | mandatory | optional | preferred | ideal |
    desirable | meant to | meaning | let me | help me | help us | assist | can you | could i | may i | might i | have
    to be | has got to | have got to | had better | got to | needs to be | is required to | are required to | is
    allowed to | are allowed to | is permitted to | is supposed to | range | range of | scaling range | autoscaling
    range | wants | up to speed | up to date | up to scratch | up to par | under control | under pressure | under way
    | underway | over night | over the air | past experience | more than happy | more than ever | afford | rather | i
    would rather | i'd rather | we would rather | float | floats | fluctuate | vary | varies | move around | decide |
    decided | choose | chose | chosen | pick | picked | determine | determined | calculate | calculated | arrive at |
    come up with | managed | manage | would be enough | is enough | are enough | will be enough | will do | would do |
    should do | should be enough | be enough | recent | newest | running costs | operating | operated | scaled to |
    respecting | respect | respects | honour | honor | comply with | abide by | stick to | adhere to | conform to |
    reaching | in size | in number | in count | in all cases | altogether fine | people say | per the slo | end user |
    end users | callers | consumers | callers' | visitor | visitors | audience | response for | answers for |
    completion | completions
negation from: from going | from getting | from rising | from falling | from dropping | from growing | from using |
    from scaling | from consuming | from spending | from costing | from drawing | from taking | from having |
    from running | from being | from becoming | from climbing | from sinking
hint: ensure | guarantee | make sure | set | change | adjust | configure | put | have | must be | should be |
    has to be | must stay | should stay | must | should | has to | have to | needs to | make | want | bound | allow
    | get | tighten | relax | loosen | fix | pin | fixed | adapt | modify | update | cannot | aim | try | target |
    require | requires | enforce | hard limit | assign | provide | operate | start with | ought to | is to | are to
    | supposed to | give | grant | gives | give me | give us | create | provision | serve | make me |
    position | situate | upgrade | downgrade | allot | allocate | dedicate | devote | commit | supply | furnish |
    equip | arrange | rehome | confine | constrain | regulate | govern | settle | establish | specify | define |
    apply | impose | introduce | install a limit of | prescribe | agree on | decide on
to to: to | onto | and onto | . . | … | through | thru | - > | = > | \u2192
to as: as
by factor: by a factor of | a factor of | factor | by factor | factor of | by the factor
separator dash: - | \u2013
separator comma: ,
upper named: maximum | max | maximal | maximally | maximum of | at max | at maximum | at the maximum | as a maximum
    | as maximum | max out at
lower named: minimum | min | minimal | minimally | minimum of | at min | at minimum | at a minimum | at the minimum
    | as a minimum | as minimum
upper upto: up to
hint turn: turn | switch
up add: add | adding | throw | toss | chuck | attach | tack on
down take: remove | removing | subtract | take away | away | shed | lose | ditch | shave off | knock off | drop off
    | chop
filler a: a | an
filler name: called | named | name | under the name
filler requests: cases | request | requests | calls | queries | users | time | prompts | clients
period day: per day | a day | /day | / day | / d
period daily: daily
period month: per month | a month | monthly | /month | / month
period week: per week | a week | weekly
period minute: per minute | a minute
period year: per year | a year | yearly
number 0: zero
number 1: one | single
number 2: two
number 3: three
number 4: four
number 5: five | fifth
number 6: six
number 7: seven
number 8: eight | eighth
number 9: nine | ninth
number 10: ten
number 11: eleven
number 12: twelve | dozen
number 13: thirteen
number 14: fourteen
number 15: fifteen
number 16: sixteen
number 17: seventeen
number 18: eighteen
number 19: nineteen
number 20: twenty
number 30: thirty
number 40: forty
number 50: fifty | fiftieth
number 60: sixty
number 70: seventy
number 80: eighty
number 90: ninety | ninetieth
number 100: hundred
number 1000: thousand
days mon: monday | mondays | mon
days tue: tuesday | tuesdays | tue | tues
days wed: wednesday | wednesdays | wed
days thu: thursday | thursdays | thu | thurs | thur
days fri: friday | fridays | fri
days sat: saturday | saturdays | sat
days sun: sunday | sundays | sun
days mon,tue,wed,thu,fri: weekdays | weekday | working days | working day | work days | workdays | workday |
    business days
days sat,sun: weekends | weekend | the weekend
days mon,tue,wed,thu,fri,sat,sun: every day | each day | all days | everyday | every single day | seven days a week
    | every night | each night
month 01: january | jan
month 02: february | feb
month 03: march
month 04: april | apr
month 06: june | jun
month 07: july | jul
month 08: august | aug
month 09: september | sep
month 10: october | oct
month 11: november | nov
month 12: december | dec
hint keep: keep | maintain | stay | stays | remain | remains
filler modal: may | might | can | could | will | would | need | needs | gets | shall
filler subject: we | i | it | there | this | that | they | these | those | everyone | traffic | load | demand |
    we're | i'm | it's | there's | that's | we've | i've | since | because | given that | due to | so that | as we |
    our users | the users | users are | everybody | because of | owing to | in view of | thanks to | they're |
    it has | we have
hint bring: take | bring
vague advice: should i | should we | shall i | would it help to | is it wise to | is it better to |
    does it make sense to | is it safe to | can i safely | what happens if | how about | shall we
everything each: every service | each service | every single service | each and every service | any service |
    each of them | every model
separator but: but
hint hold: hold
hint leave: leave
{ASIDES}"""
