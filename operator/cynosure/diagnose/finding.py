"""What a diagnosis says."""

from dataclasses import dataclass

from cynosure.api.directive import Directive
from cynosure.diagnose.causes import Cause, Symptom


@dataclass(frozen=True, slots=True)
class Clue:
    """``source`` is a series or the field of an object; ``limit`` is what ``value`` should have been."""

    source: str
    value: str
    limit: str = ""

    def __str__(self) -> str:
        return f"{self.source} is {self.value}" + (f" (limit: {self.limit})" if self.limit else "")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A fix that the operator may draft as a ScalingIntent; a person approves it.

    ``automatic``: what the AutomationPolicy lets be done without one.
    """

    directive: Directive
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A fix that only people make: ``field`` of ``subject`` from ``before`` to ``after``."""

    subject: str
    field: str
    after: str
    before: str = ""

    def __str__(self) -> str:
        was = f" (now {self.before})" if self.before else ""
        return f"{self.subject} {self.field}: {self.after}{was}"


Fix = Proposal | FieldChange


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause with its evidence. ``confidence`` from 0 to 1 is the share of the window that shows it, or near 1."""

    cause: Cause
    symptom: Symptom
    message: str
    clues: tuple[Clue, ...]
    fix: Fix
    confidence: float
