"""Classes of requests in one load, such as short chats and long documents: how many of each, how long, how fast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml

from loadgen.errors import BadLoadInput
from loadgen.slo import Slo
from loadgen.trace import Integers

MOST_CLASSES = 16
MOST_TOKENS = 131_072
_NORMAL_P95 = 1.6448536269514722
_FORM = (
    "{name: chat, weight: 70, inputTokens: {p50: 300, p95: 1500}, outputTokens: {p50: 150, p95: 600}, "
    "slo: ttft_p95_ms=400}"
)
_FIELDS = {"name", "weight", "inputTokens", "outputTokens", "slo"}


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of a log-normal distribution with this median and 95th percentile; all the same when they are equal."""

    p50: int
    p95: int

    def __post_init__(self) -> None:
        if not 1 <= self.p50 <= self.p95 <= MOST_TOKENS:
            raise BadLoadInput(
                f"tokens: p50 {self.p50} and p95 {self.p95} are not in order within 1 to {MOST_TOKENS}; such as "
                f"{{p50: 300, p95: 1500}}"
            )

    def draw(self, count: int, random: np.random.Generator) -> Integers:
        """Return ``count`` lengths, at most ``MOST_TOKENS`` each."""
        sigma = np.log(self.p95 / self.p50) / _NORMAL_P95
        drawn = random.lognormal(np.log(self.p50), sigma, count)
        return np.clip(np.rint(drawn), 1, MOST_TOKENS).astype(np.int64)


@dataclass(frozen=True, slots=True)
class RequestClass:
    """``weight`` of all weights is its share of the requests. With ``slo`` it is judged by that, and by no other."""

    name: str
    weight: float
    input_tokens: Lengths
    output_tokens: Lengths
    slo: Slo = field(default_factory=Slo)

    def __post_init__(self) -> None:
        if not 0 < self.weight < np.inf or not 1 <= len(self.name) <= 63:
            raise BadLoadInput(
                f"mix: class {self.name!r} of weight {self.weight:g}; a name of 1 to 63 characters and a weight above "
                f"0 work, such as {_FORM}"
            )

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote, or a person; BadLoadInput for anything else."""
        try:
            if strange := set(entry) - _FIELDS:
                raise ValueError(f"{min(strange)} is unknown")
            tokens = entry["inputTokens"], entry["outputTokens"]
            inputs, outputs = (Lengths(int(each["p50"]), int(each["p95"])) for each in tokens)
            slo = Slo.parse(str(entry.get("slo") or ""))
            return cls(str(entry["name"]), float(entry["weight"]), inputs, outputs, slo)
        except BadLoadInput:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise BadLoadInput(f"mix: {entry!r} cannot be read ({error}); write {_FORM}") from None

    def to_json(self) -> dict[str, Any]:
        """Return ready for JSON what `from_json` reads."""
        return {
            "name": self.name,
            "weight": self.weight,
            "inputTokens": {"p50": self.input_tokens.p50, "p95": self.input_tokens.p95},
            "outputTokens": {"p50": self.output_tokens.p50, "p95": self.output_tokens.p95},
            "slo": str(self.slo),
        }


def classes_from_json(entries: Any) -> tuple[RequestClass, ...]:
    """BadLoadInput unless it is a list of 1 to ``MOST_CLASSES`` classes with names of their own."""
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not 1 <= len(entries) <= MOST_CLASSES:
        raise BadLoadInput(f"mix: is no list of 1 to {MOST_CLASSES} classes; write - {_FORM}")
    classes = tuple(RequestClass.from_json(entry) for entry in entries)
    names = [each.name for each in classes]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BadLoadInput(f"mix: {min(twice)!r} is there twice; give each class a name of its own")
    return classes


def check_classes(classes: Sequence[RequestClass], request_class: Integers) -> None:
    """ValueError when a request is of a class that is not there."""
    if len(request_class) and not 0 <= int(request_class.min()) <= int(request_class.max()) < len(classes):
        raise ValueError(f"a class beyond {len(classes)}")


def read_mix(path: Path) -> tuple[RequestClass, ...]:
    """Read a YAML or JSON list of classes; BadLoadInput with the name of the file for anything else."""
    try:
        return classes_from_json(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, BadLoadInput, UnicodeDecodeError, OSError) as error:
        raise BadLoadInput(f"{path}: {' '.join(str(error).split())}") from None


def drawn(
    classes: Sequence[RequestClass], count: int, random: np.random.Generator
) -> tuple[Integers, Integers, Integers]:
    """Return the class, the input and the output length of each of ``count`` requests."""
    weights = np.array([each.weight for each in classes])
    which = random.choice(len(classes), count, p=weights / weights.sum()).astype(np.int64)
    inputs, outputs = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for index, each in enumerate(classes):
        mine = which == index
        inputs[mine] = each.input_tokens.draw(int(mine.sum()), random)
        outputs[mine] = each.output_tokens.draw(int(mine.sum()), random)
    return which, inputs, outputs
