"""The words and phrases of the grammar, each with the concept it stands for."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """The concepts of the grammar."""

    VERB = "verb"
    HINT = "hint"  # a verb that only says that something follows: keep, set
    UP = "up"
    DOWN = "down"
    UPPER = "upper"
    LOWER = "lower"
    NEGATION = "negation"
    MORE = "more"
    FEWER = "fewer"
    FACTOR = "factor"
    METRIC = "metric"
    LATENCY = "latency"  # unqualified: end to end, unless the clause says more
    OBJECTIVE = "objective"
    WEIGHT = "weight"
    UNIT = "unit"
    NUMBER = "number"
    QUANTITY = "quantity"  # a number with its unit, if it has one
    RANGE = "range"
    EXPIRES = "expires"
    PERIOD = "period"
    PERCENTILE = "percentile"
    SERVICE = "service"
    EVERYTHING = "everything"
    NAMESPACE = "namespace"
    MODEL = "model"
    PARTITION = "partition"
    GPU = "gpu"
    NODE = "node"
    ZONE = "zone"
    CONFIDENTIAL = "confidential"
    DAYS = "days"
    CLOCK = "clock"
    TIME_ZONE = "time zone"
    CRON = "cron"
    DATE = "date"
    BETWEEN = "between"
    FROM = "from"
    TO = "to"
    BY = "by"
    FOR = "for"
    UNTIL = "until"
    AND = "and"
    SEPARATOR = "separator"
    INTENT = "intent"
    VAGUE = "vague"  # asks for something that needs a number or a choice
    FILLER = "filler"
    WORD = "word"  # not known


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_PHRASES: Mapping[tuple[Kind, str], str] = {
    (Kind.VERB, "scale"): "scale|rescale|resize|scaling|scaled",
    (Kind.VERB, "autoscale"): "autoscale|auto scale|let scale",
    (Kind.VERB, "pause"): "pause|suspend|freeze|put on hold|stop scaling|stop autoscaling|"
    "stop managing|stop touching|"
    "stop automation for|stop automation of|stop the automation of|stop the automation for|"
    "halt scaling|halt autoscaling|hold off",
    (Kind.VERB, "resume"): "resume|unpause|unfreeze|continue|un pause|take off hold|start scaling|start autoscaling|"
    "start managing|restart scaling|restart autoscaling|re enable|reenable",
    (Kind.VERB, "explain"): "explain|why|how come|what happened|what is happening|whats happening|what is going on|"
    "give me the reason|tell me the reason|show me the reason|justify|describe",
    (Kind.VERB, "undo"): "undo|revert|roll back|rollback|take back|reverse",
    (Kind.VERB, "prefer"): "prefer|prioritise|prioritize|favour|favor|optimise|optimize|optimise for|optimize for|"
    "emphasise|emphasize|weigh|minimise|minimize|maximise|maximize|save|focus on",
    (Kind.VERB, "schedule"): "schedule",
    (Kind.VERB, "deploy"): "deploy|install|launch|roll out",
    (Kind.VERB, "delete"): "delete|uninstall|tear down|decommission|undeploy|get rid of",
    (Kind.VERB, "migrate"): "migrate|move|relocate|transfer|shift|migration",
    (Kind.VERB, "defragment"): "defragment|defrag|defragmentation|compact",
    (Kind.HINT, "keep"): "keep|hold|maintain|ensure|guarantee|make sure|set|change|adjust|configure|put|have|must be|"
    "should be|has to be|must stay|should stay|stay|stays|remain|remains|must|should|shall|has to|"
    "have to|needs to|"
    "make|want|bound|allow|bring|get",
    (Kind.UP, ""): "up|increase|raise|grow|bump|scale up|scale out|scaling up|expand|add|lift|give|upscale|boost",
    (
        Kind.DOWN,
        "",
    ): "down|reduce|decrease|lower|shrink|scale down|scale in|scaling down|cut|drop|remove|take away|trim|downscale",
    (Kind.UPPER, ""): "under|below|beneath|less than|fewer than|lower than|smaller than|within|at most|at the most|"
    "no more than|not more than|maximum|max|maximal|up to|cap|cap at|capped at|limit|limit to|"
    "limited to|restrict|ceiling|no higher than|"
    "no greater than|no longer than|no slower than|not exceed|not to exceed|<|<=|\u2264|inside|"
    "faster than|cheaper than|"
    "upper bound|upper limit|as a maximum|as maximum|tops|no over",
    (
        Kind.LOWER,
        "",
    ): "above|over|more than|greater than|higher than|larger than|longer than|slower than|at least|"
    "at the least|no less than|"
    "no fewer than|not less than|not fewer than|no lower than|minimum|min|minimal|floor|>|>=|\u2265|"
    "exceed|exceeds|exceeding|beyond|"
    "lower bound|lower limit|as a minimum|as minimum|surpass|in excess of|go past|past",
    (
        Kind.NEGATION,
        "",
    ): "never|not|don't|dont|do not|doesn't|does not|no|without|cannot|can't|can not|must not|mustn't|"
    "shouldn't|won't|avoid|prevent|from going|from getting|from rising|from falling|from exceeding|"
    "stop from|nor|neither",
    (Kind.MORE, ""): "more|additional|extra|another|further",
    (Kind.FEWER, ""): "fewer|less",
    (Kind.FACTOR, "2"): "double|twice|doubling|double up",
    (Kind.FACTOR, "3"): "triple|thrice|treble",
    (Kind.FACTOR, "4"): "quadruple",
    (Kind.FACTOR, "0.5"): "halve|halving|cut in half|in half|by half|to half|half of",
    (
        Kind.METRIC,
        "ttft",
    ): "time to first token|ttft|first token|first token latency|first token time|latency to first token|"
    "time until first token|time to the first token|time to 1st token|prefill latency",
    (
        Kind.METRIC,
        "tpot",
    ): "time per output token|tpot|time per token|inter token latency|intertoken latency|itl|token latency|"
    "per token latency|time between tokens|per output token|latency per token|per token|"
    "latency per output token",
    (
        Kind.METRIC,
        "e2e",
    ): "end to end|e2e|end to end latency|e2e latency|total latency|full response time|overall latency|"
    "end to end response time|end to end time|request latency",
    (
        Kind.LATENCY,
        "e2e",
    ): "latency|latencies|response time|response times|respond|responds|answer|answers|reply|replies|"
    "response|responses|answer time|tail latency|tail",
    (
        Kind.METRIC,
        "cost_per_hour",
    ): "cost|costs|spend|spending|budget|pay|bill|price|expense|expenses|spends|hourly cost|"
    "cost per hour|cost an hour|expenditure",
    (
        Kind.METRIC,
        "watts",
    ): "power|power draw|power consumption|electricity|draw|power usage|power use|energy consumption|power budget",
    (
        Kind.METRIC,
        "error_rate",
    ): "error rate|errors|failure rate|failures|error|failed requests|error ratio|error percentage",
    (Kind.METRIC, "attainment"): "attainment|slo attainment|slo compliance|attain|slo|goodput",
    (Kind.OBJECTIVE, "energy"): "energy|energy efficiency|energy saving|energy use|efficiency|greenness",
    (Kind.OBJECTIVE, "throughput"): "throughput|requests per second|tokens per second",
    (Kind.OBJECTIVE, "fairness"): "fairness|fair sharing",
    (Kind.WEIGHT, ""): "weight|with weight|with a weight of|weight of|at weight|weighted",
    (Kind.UNIT, "ms"): "ms|millisecond|milliseconds|msec|msecs|millis|milli seconds",
    (Kind.UNIT, "s"): "s|sec|secs|second|seconds",
    (Kind.UNIT, "min"): "min.|minute|minutes|mins",
    (Kind.UNIT, "h"): "h|hour|hours|hrs|hr",
    (Kind.UNIT, "d"): "day|days",
    (Kind.UNIT, "w"): "week|weeks",
    (Kind.UNIT, "usd"): "usd|$|dollar|dollars|us dollars|us dollar|bucks",
    (Kind.UNIT, "eur"): "eur|\u20ac|euro|euros",
    (Kind.UNIT, "foreign"): "gbp|\u00a3|pound|pounds|jpy|\u00a5|yen|chf|francs|cents|rupees",
    (Kind.UNIT, "W"): "w|watt|watts",
    (Kind.UNIT, "kW"): "kw|kilowatt|kilowatts",
    (Kind.UNIT, "odd"): "mw|megawatt|megawatts|us|\u00b5s|microseconds|microsecond|kwh|joules|gb|gib|rps|qps|tps",
    (Kind.UNIT, "gpus"): "gpu|gpus|graphics cards|graphics card|cards",
    (
        Kind.UNIT,
        "replicas",
    ): "replica|replicas|pod|pods|instance|instances|copy|copies|replica count|number of replicas|replicas count",
    (Kind.UNIT, "percent"): "%|percent|per cent|pct",
    (Kind.UNIT, "times"): "x|times|\u00d7|fold|times as many|times as much|times the replicas",
    (
        Kind.PERIOD,
        "hour",
    ): "per hour|an hour|a hour|each hour|every hour|hourly|/h|/ h|/hour|/ hour|/hr|/ hr|ph|per h|per hr",
    (
        Kind.PERIOD,
        "other",
    ): "per day|a day|daily|/day|/ day|per month|a month|monthly|/month|/ month|per week|a week|weekly|"
    "per minute|"
    "a minute|per year|a year|/ d|yearly",
    (
        Kind.EVERYTHING,
        "",
    ): "everything|all|all services|every service|all of them|all the services|each service|the fleet|"
    "whole fleet|the whole fleet|entire fleet|all models|every model|across the board|in total|total|"
    "overall|altogether|"
    "cluster wide|fleet wide|the cluster|the whole cluster|the entire cluster|whole cluster|"
    "all my services|all our services|fleet|*|each of them|"
    "any service|in all|combined|across all services",
    (
        Kind.CONFIDENTIAL,
        "",
    ): "confidential|confidential gpu|confidential gpus|confidential computing|confidential hardware",
    (Kind.NAMESPACE, ""): "namespace|in namespace|in the namespace|ns",
    (Kind.NODE, ""): "node",
    (Kind.ZONE, ""): "zone",
    (Kind.PARTITION, ""): "partition|slice|mig partition|mig slice",
    (Kind.BETWEEN, ""): "between",
    (Kind.FROM, ""): "from",
    (Kind.TO, ""): "to|at|of|into|onto|on|as|is|are|=|:|until reaching",
    (Kind.BY, ""): "by|by a factor of|a factor of|factor",
    (Kind.FOR, ""): "for|for the next|during the next|over the next",
    (Kind.UNTIL, ""): "until|till|expires|expiring|expires on|expire on",
    (Kind.AND, ""): "and|&|plus|as well as|along with",
    (Kind.SEPARATOR, ""): ";|.|!|?|but|then|also|while|whilst|yet|though|however|,|with|-|\u2014|\u2013",
    (Kind.INTENT, ""): "intent|the intent",
    (Kind.VAGUE, "stop"): "stop|halt|shut down|kill|turn off|switch off|disable",
    (Kind.VAGUE, "restart"): "restart|reboot|redeploy|bounce|reset",
    (
        Kind.VAGUE,
        "amount",
    ): "faster|slower|quicker|snappier|better|cheaper|bigger|smaller|more responsive|a bit|somewhat|"
    "slightly|some|a few|several|a couple of|a lot|soon|later|enough|reasonable|fast|slow|quick|"
    "average|mean|at night|overnight|tonight|tomorrow|approximately|about|around|roughly",
    (Kind.VAGUE, "condition"): "if|when|unless|whenever|in case|once",
    (Kind.VAGUE, "or"): "or|either|maybe|perhaps",
    (
        Kind.FILLER,
        "",
    ): "low|high|both|across|what|how|where|may|might|cron|meet|meets|kindly|the|a|i|we|you|us|me|my|our|your|it|"
    "please|its|it's|their|them|they|this|"
    "that|these|those|would|could|can|will|'s|\u2019s|'|\u2019|like|"
    "need|needs|i'd|we'd|i want|so|be|being|been|let|lets|let's|use|uses|using|run|runs|running|go|"
    "goes|going|get|gets|rise|rises|fall|falls|"
    "drop|drops|service|services|model|in|there|here|now|right now|immediately|currently|always|"
    "again|just|only|ever|hey|hi|hello|ok|okay|thanks|thank|"
    "cynosure|want|wants|any|itself|autoscaling|automation|automatic|automatically|latest|last|"
    "previous|most recent|one that|request|requests|its own|"
    "and the|to be|also the|too|within the slo|of all|each|at all times|at any time|all times|at all|"
    "usage|use of|count|number|level|target|"
    "time|total number|strictly|absolutely|possible|if possible|asap|today|want to|going to|\"|(|)|'|"
    "`|\u201c|\u201d|which|who|whose|"
    "do|does|did|has|was|were|am|used|consume|consumes|cost of|value|limits|limit of|permitted|"
    "allowed|allow|tokens|token|everyone|finish|finishes|complete|served|"
    "over time|per|given|happen|happens|hard|strict|change|changes|action|decision|thing|happy|team|"
    "folks|dear|really|basically|actually|rate|"
    "percentile|percentiles|every|made|you made|applied|you did|we did|new|existing|production|user|"
    "users|see|gpu time|operation|managing|scaling|back|exactly|precisely|"
    "take|takes|taking|nothing|objective|goal|priority|reach|reaches|ask|asking|called|named|"
    "under the name|name|instead|all the time|for now|for us|for me|serving|automated",
}

# Limits and denials of other languages: the grammar does not read those, but it checks by them
# what a model makes of them.
_ABROAD: Mapping[Kind, str] = {
    Kind.UPPER: "por debajo de|debajo de|menos de|como m\u00e1ximo|m\u00e1ximo|inferior a|unter|"
    "h\u00f6chstens|weniger als|maximal|"
    "au plus|moins de|sous|en dessous de|au maximum|\u4f4e\u4e8e|\u4e0d\u8d85\u8fc7|\u81f3\u591a",
    Kind.LOWER: "por encima de|al menos|como m\u00ednimo|m\u00ednimo|m\u00e1s de|superior a|"
    "\u00fcber|mindestens|mehr als|"
    "au moins|plus de|au-dessus de|au minimum|\u81f3\u5c11|\u9ad8\u4e8e",
    Kind.NEGATION: "nunca|jam\u00e1s|sin|ni|nicht|nie|niemals|kein|keine|ohne|pas|jamais|sans|"
    "\u4e0d|\u522b|\u4e0d\u8981",
    Kind.BETWEEN: "entre|zwischen",
    Kind.AND: "y|und|et",
}


def _entries() -> Iterator[tuple[tuple[str, ...], tuple[Kind, str]]]:
    for concept, phrases in _PHRASES.items():
        for phrase in phrases.split("|"):
            yield _words_of(phrase), concept
    for kind, phrases in _ABROAD.items():
        for phrase in phrases.split("|"):
            yield _words_of(phrase), (kind, "")
    for number, day in enumerate(_DAY_NAMES):
        for name in (day, day + "s", _DAYS[number]):
            yield (name,), (Kind.DAYS, _DAYS[number])
    yield ("tues",), (Kind.DAYS, "tue")
    yield ("thurs",), (Kind.DAYS, "thu")
    for phrase in ("weekdays", "weekday", "working days", "work days", "workdays"):
        yield _words_of(phrase), (Kind.DAYS, ",".join(_DAYS[:5]))
    for phrase in ("weekends", "weekend", "the weekend"):
        yield _words_of(phrase), (Kind.DAYS, ",".join(_DAYS[5:]))
    for phrase in ("every day", "each day", "all days", "everyday"):
        yield _words_of(phrase), (Kind.DAYS, ",".join(_DAYS))


def _words_of(phrase: str) -> tuple[str, ...]:
    return tuple(phrase.replace("/", " / ").split())


_FIRST_WINS: dict[tuple[str, ...], tuple[Kind, str]] = {}
for _phrase, _concept in _entries():
    _FIRST_WINS.setdefault(_phrase, _concept)

PHRASES: Mapping[tuple[str, ...], tuple[Kind, str]] = MappingProxyType(_FIRST_WINS)
LONGEST = max(len(phrase) for phrase in PHRASES)

_SMALL = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|eighteen|nineteen"
)
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
NUMBER_WORDS: Mapping[str, int] = MappingProxyType(
    {word: value for value, word in enumerate(_SMALL.split("|"))}
    | {word: 10 * tens for tens, word in enumerate(_TENS.split("|"), start=2)}
    | {"hundred": 100, "thousand": 1000, "dozen": 12}
    | {"fifth": 5, "eighth": 8, "ninth": 9, "fiftieth": 50, "ninetieth": 90}  # of percentiles
)

WORDS = (
    frozenset(word for phrase in PHRASES for word in phrase)
    | frozenset(NUMBER_WORDS)
    | {"half", "th", "st", "am", "pm", "median", "utc", "gmt"}
)

_HARMFUL = frozenset(
    {"delete", "uninstall", "undo", "revert", "decommission", "undeploy", "deploy", "install", "rollback", "reverse"}
)
"""A misspelt word is never taken for one of these."""

CORRECTABLE = frozenset(word for word in WORDS if len(word) >= 4 and word.isalpha()) - _HARMFUL
