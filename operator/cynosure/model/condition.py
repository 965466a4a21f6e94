"""A condition of a custom resource, before it becomes JSON."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """``reason`` is a documented constant of ``cynosure.api.conditions``; ``message`` is for people."""

    type: str
    status: Status
    reason: str
    message: str
