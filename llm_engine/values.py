"""What a text was taken to mean. The JSON form is the contract of ``cynosure ask --json``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Value = str | int | float | bool | tuple[str, ...]
Source = Literal["stated", "inferred", "default"]
Span = tuple[int, int]
"""Code points of the text, the end exclusive."""

_BOUND = frozenset({"metric", "value", "unit", "percentile"})
_SCALE = frozenset({"replicas", "min", "max", "factor", "delta"})
_COMMON = frozenset({"verb", "service", "namespace", "expires"})

FIELDS: Mapping[str, frozenset[str]] = {
    "deploy": _COMMON | _BOUND | _SCALE | {"model"},
    "delete": _COMMON,
    "migrate": _COMMON | {"partition", "gpu", "node", "zone", "confidential"},
    "scale": _COMMON | _SCALE,
    "bound": _COMMON | _BOUND,
    "prefer": _COMMON | {"objective", "weight"},
    "schedule": _COMMON | {"cron", "days", "from", "to", "timeZone", "min", "max", "replicas"},
    "pause": _COMMON,
    "resume": _COMMON,
    "explain": _COMMON,
    "undo": frozenset({"verb", "intent", "expires"}),
    "defragment": _COMMON | {"node", "gpu"},
}
"""The fields that a directive of each verb may have."""

UNITS: Mapping[str, tuple[str, ...]] = {
    "ttft": ("ms", "s"),
    "tpot": ("ms", "s"),
    "e2e": ("ms", "s"),
    "cost_per_hour": ("usd", "eur"),
    "watts": ("W", "kW"),
    "gpus": ("count",),
    "error_rate": ("percent",),
    "attainment": ("percent",),
}
"""The units that the value of each metric may have."""

LATENCIES = frozenset({"ttft", "tpot", "e2e"})


class Reason:
    """Why a text is refused, in order of precedence: the first that holds is the answer."""

    UNSAFE_REQUEST = "UnsafeRequest"
    PROTECTED_NAMESPACE = "ProtectedNamespace"
    UNKNOWN_SERVICE = "UnknownService"
    UNKNOWN_MODEL = "UnknownModel"
    UNKNOWN_PARTITION = "UnknownPartition"
    NOT_AN_INTENT = "NotAnIntent"
    CONTRADICTION = "Contradiction"
    OUTSIDE_LIMITS = "OutsideLimits"
    INFEASIBLE = "Infeasible"


PRECEDENCE = tuple(value for name, value in vars(Reason).items() if name.isupper())


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: str
    message: str
    nearest: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {"reason": self.reason, "message": self.message, "nearest": self.nearest}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of one field comes from."""

    source: Source
    span: Span | None = None


INFERRED = Origin("inferred")


@dataclass(frozen=True)
class Directive:
    """One instruction: flat fields, and where each comes from."""

    fields: Mapping[str, Value]
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)

    @property
    def verb(self) -> str:
        return str(self.fields["verb"])

    def get(self, name: str) -> Value | None:
        return self.fields.get(name)

    def having(self, name: str, value: Value, origin: Origin) -> "Directive":
        return replace(self, fields={**self.fields, name: value}, origins={**self.origins, name: origin})

    def as_json(self) -> dict[str, object]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self.fields.items()}

    def __str__(self) -> str:
        parts = (f"{name} {_shown(value)}" for name, value in self.fields.items() if name != "verb")
        return " ".join((self.verb, *parts))


def _shown(value: Value) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, slots=True)
class Provenance:
    directive: int
    field: str
    source: Source
    span: Span | None


@dataclass(frozen=True)
class Draft:
    """Directives, or one question, or a refusal.

    ``model_available`` is None where no model was asked, else whether it answered; ``model_reason`` says why not.
    """

    directives: tuple[Directive, ...] = ()
    question: str | None = None
    refusal: Refusal | None = None
    engine: str = "grammar"
    seconds: float = 0.0
    model_available: bool | None = None
    model_reason: str | None = None

    @property
    def outcome(self) -> Literal["directives", "question", "refusal"]:
        if self.refusal is not None:
            return "refusal"
        return "question" if self.question is not None else "directives"

    @property
    def provenance(self) -> Iterator[Provenance]:
        for index, directive in enumerate(self.directives):
            for name in directive.fields:
                origin = directive.origins.get(name, INFERRED)
                yield Provenance(index, name, origin.source, origin.span)

    def as_json(self) -> dict[str, object]:
        """The document of ``cynosure ask --json``."""
        notes = {"model_available": self.model_available, "model_reason": self.model_reason}
        return {
            "outcome": self.outcome,
            "directives": [directive.as_json() for directive in self.directives],
            "question": self.question,
            "refusal": self.refusal.as_json() if self.refusal else None,
            "engine": self.engine,
            "seconds": round(self.seconds, 6),
            "provenance": [
                {
                    "directive": p.directive,
                    "field": p.field,
                    "source": p.source,
                    "span": list(p.span) if p.span else None,
                }
                for p in self.provenance
            ],
            **(notes if self.model_available is not None else {}),
        }


class Refused(Exception):
    """Raised while reading, where the first thing that is wrong ends it."""

    def __init__(self, reason: str, message: str, nearest: str | None = None) -> None:
        super().__init__(message)
        self.refusal = Refusal(reason, message, nearest)


class Unclear(Exception):
    """Raised while reading, where only the author of the text can say what is meant: one short question."""
