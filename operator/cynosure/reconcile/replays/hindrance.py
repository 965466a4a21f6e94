"""Why a replay cannot start: raised where it is found, and said in a condition."""

from cynosure.api.conditions import Reason, Type
from cynosure.errors import CynosureError

LASTING = frozenset({Reason.TRACE_INVALID, Reason.TRACE_TOO_LARGE})
"""Found by building the whole schedule, which is not done again and again for the same spec."""


class Hindered(CynosureError):
    """One line: what is wrong, where, the limit, and the nearest thing that works."""

    def __init__(self, type_: Type, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.type = type_
        self.reason = reason


def trace(reason: Reason, message: str) -> Hindered:
    return Hindered(Type.TRACE_FOUND, reason, message)


def start(reason: Reason, message: str) -> Hindered:
    return Hindered(Type.STARTED, reason, message)
