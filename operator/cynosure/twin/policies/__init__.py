"""The autoscalers that can be compared. Each is made from the same Setting and sees the same metrics."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from cynosure.twin.policies.hpa import Hpa
from cynosure.twin.port import Policy, Setting

POLICIES: Mapping[str, Callable[[Setting], Policy]] = MappingProxyType(
    {
        "hpa": Hpa,
    }
)
"""By the name that ``cynosure backtest --policy`` takes."""
