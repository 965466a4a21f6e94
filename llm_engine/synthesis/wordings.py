"""How people word a directive, by language: {s} is the service, other braces are fields or what they look like."""

from collections.abc import Mapping, Sequence
from typing import Final

Wordings = Mapping[str, Sequence[str]]
"""By shape, which is a verb and the fields that are said."""

ENGLISH: Final[Wordings] = {
    "scale replicas": (
        "scale {s} to {replicas} replicas", "set {s} to {replicas} replicas", "run {replicas} replicas of {s}",
        "I need {replicas} replicas for {s}", "{s} should have {replicas} replicas", "put {s} at {replicas} replicas",
        "bring {s} to {replicas} pods", "the {s} service needs exactly {replicas} instances",
    ),
    "scale min": (
        "keep at least {min} replicas of {s}", "{s} must never go below {min} replicas",
        "never run fewer than {min} replicas of {s}", "set the minimum of {s} to {min} replicas",
        "{s} needs {min} replicas or more", "no less than {min} pods for {s}",
    ),
    "scale max": (
        "{s} may have at most {max} replicas", "never run more than {max} replicas of {s}",
        "cap {s} at {max} replicas", "limit {s} to {max} replicas", "set the maximum of {s} to {max} replicas",
        "do not let {s} grow above {max} pods",
    ),
    "scale min max": (
        "autoscale {s} between {min} and {max} replicas", "keep {s} between {min} and {max} replicas",
        "let {s} run with {min} to {max} replicas", "{s}: min {min}, max {max} replicas",
        "{s} needs at least {min} and at most {max} replicas",
    ),
    "scale delta": (
        "add {delta} replicas to {s}", "give {s} {delta} more replicas", "scale {s} up by {delta} replicas",
        "{delta} additional replicas for {s}", "increase {s} by {delta} replicas",
    ),
    "bound latency": (
        "keep the p{percentile} {name} of {s} under {value} {unit}",
        "{s}'s p{percentile} {name} must stay below {value} {unit}",
        "the {percentile}th percentile of {s}'s {name} should be at most {value} {unit}",
        "{s}: {name} p{percentile} <= {value}{unit}",
        "ensure a p{percentile} {name} of no more than {value} {unit} for {s}",
        "make sure {s} has a {name} below {value} {unit} at p{percentile}",
        "{name} of {s} may not exceed {value} {unit} at the {percentile}th percentile",
    ),
    "bound cost": (
        "{s} may cost at most {value} {money} per hour", "never spend more than {value} {money} an hour on {s}",
        "keep the cost of {s} below {value} {money} per hour", "limit the spending on {s} to {value} {money} an hour",
        "cap {s} at {value} {money} hourly", "the budget of {s} is {value} {money} per hour",
    ),
    "bound watts": (
        "{s} must not draw more than {value} {unit}", "keep {s} below {value} {unit}", "limit {s} to {value} {unit}",
        "the power of {s} should stay under {value} {unit}", "at most {value} {unit} for {s}",
    ),
    "bound gpus": (
        "{s} may use at most {value} GPUs", "never use more than {value} GPUs for {s}", "limit {s} to {value} GPUs",
        "{s} gets no more than {value} GPUs", "cap the GPUs of {s} at {value}",
    ),
    "bound errors": (
        "the error rate of {s} must stay below {value}%", "keep errors of {s} under {value} percent",
        "{s} may fail at most {value}% of its requests",
    ),
    "prefer": (
        "prefer {objective} for {s}", "{s} should prefer {objective}", "prioritise {objective} on {s}",
        "optimise {s} for {objective}", "for {s}, {objective} matters most",
    ),
    "schedule min": (
        "from {from} to {to} on {days} keep at least {min} replicas of {s}",
        "{s} needs at least {min} replicas on {days} between {from} and {to}",
        "on {days} from {from} until {to}, never run fewer than {min} replicas of {s}",
    ),
    "schedule max": (
        "on {days} from {from} to {to} limit {s} to {max} replicas",
        "{s} may have at most {max} replicas on {days}, {from} to {to}",
    ),
    "migrate partition": (
        "move {s} to {partition}", "migrate {s} to a {partition} partition", "put {s} on {partition} slices",
        "run {s} on {partition}", "{s} should run on {partition}",
    ),
    "pause": ("pause {s}", "stop scaling {s}", "suspend {s}", "put {s} on hold", "freeze {s}", "hold {s}"),
    "resume": ("resume {s}", "unpause {s}", "start scaling {s} again", "continue scaling {s}", "unfreeze {s}"),
    "explain": (
        "why was {s} scaled?", "explain {s}", "explain the last decision on {s}", "what happened to {s}?",
        "why does {s} have so many replicas?",
    ),
    "delete": ("delete {s}", "remove the service {s}", "decommission {s}", "get rid of {s}", "uninstall {s}"),
}  # fmt: skip

GERMAN: Final[Wordings] = {
    "scale replicas": ("skaliere {s} auf {replicas} Replikate", "setze {s} auf {replicas} Replikate"),
    "scale min": ("{s} soll mindestens {min} Replikate haben", "halte mindestens {min} Replikate von {s}"),
    "scale max": ("{s} darf höchstens {max} Replikate haben", "begrenze {s} auf höchstens {max} Replikate"),
    "bound watts": ("{s} darf höchstens {value} {unit} verbrauchen", "halte {s} unter {value} {unit}"),
    "pause": ("pausiere {s}",),
    "explain": ("erkläre {s}", "warum wurde {s} skaliert?"),
}

SPANISH: Final[Wordings] = {
    "scale replicas": ("escala {s} a {replicas} réplicas", "pon {s} en {replicas} réplicas"),
    "scale min": ("{s} debe tener al menos {min} réplicas", "mantén al menos {min} réplicas de {s}"),
    "scale max": ("{s} puede tener como máximo {max} réplicas", "limita {s} a {max} réplicas"),
    "bound gpus": ("{s} puede usar como máximo {value} GPUs", "nunca uses más de {value} GPUs para {s}"),
    "pause": ("pausa {s}",),
    "explain": ("explica {s}", "¿por qué se escaló {s}?"),
}

FRENCH: Final[Wordings] = {
    "scale replicas": ("mets {s} à {replicas} réplicas", "passe {s} à {replicas} réplicas"),
    "scale min": ("garde au moins {min} réplicas de {s}", "{s} doit avoir au moins {min} réplicas"),
    "scale max": ("{s} peut avoir au plus {max} réplicas", "limite {s} à {max} réplicas"),
    "pause": ("mets {s} en pause",),
    "explain": ("explique {s}",),
}

CHINESE: Final[Wordings] = {
    "scale replicas": ("将 {s} 设置为 {replicas} 个副本", "把 {s} 扩容到 {replicas} 个副本"),
    "scale min": ("{s} 至少 {min} 个副本", "{s} 保持至少 {min} 个副本"),
    "scale max": ("{s} 最多 {max} 个副本", "{s} 不超过 {max} 个副本"),
    "pause": ("暂停 {s}",),
    "resume": ("恢复 {s}",),
    "explain": ("解释 {s}",),
}

LANGUAGES: Final[Mapping[str, Wordings]] = {
    "en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH, "zh": CHINESE,
}  # fmt: skip
BEFORE: Final = (
    "please", "could you", "hi team,", "as discussed,", "from now on,", "I want you to", "urgent:", "we need you to",
)  # fmt: skip
AFTER: Final = ("please", "thanks", "for now", "asap", "if possible", "- thanks a lot!")
NAMES: Final[Mapping[str, Sequence[str]]] = {
    "ttft": ("TTFT", "time to first token", "first-token latency"),
    "tpot": ("TPOT", "time per output token", "inter-token latency"),
    "e2e": ("end-to-end latency", "latency", "response time", "e2e latency"),
}
UNITS: Final[Mapping[str, Sequence[str]]] = {
    "ms": ("ms", "milliseconds", "msec"), "s": ("s", "seconds", "sec"), "W": ("W", "watts"), "kW": ("kW", "kilowatts"),
}  # fmt: skip
MONEY: Final[Mapping[str, Sequence[str]]] = {
    "eur": ("euro", "EUR", "euros"), "usd": ("dollars", "USD", "$"),
}  # fmt: skip
DAYS: Final[Mapping[str, Sequence[str]]] = {
    "mon,tue,wed,thu,fri": ("weekdays", "working days", "Monday to Friday", "Mon-Fri"),
    "sat,sun": ("weekends", "Saturdays and Sundays"),
    "mon,tue,wed,thu,fri,sat,sun": ("every day", "all days"),
    "mon": ("Mondays", "Monday"),
    "fri": ("Fridays",),
}
IMPERATIVE: Final = frozenset(
    words[0] for shapes in ENGLISH.values() for words in map(str.split, shapes) if words[0].isalpha()
) - {"no", "the", "at", "on", "from", "for", "why", "what"}
"""First words before which a polite phrase may stand."""
