"""The autoscalers that can be compared. Each is made from the same Setting and sees the same metrics."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from cynosure.twin.policies.aibrix_apa import AibrixApa
from cynosure.twin.policies.crane_dsp import CraneDsp
from cynosure.twin.policies.cynosure import Cynosure
from cynosure.twin.policies.dynamo import Dynamo
from cynosure.twin.policies.hpa import Hpa
from cynosure.twin.policies.keda import Keda
from cynosure.twin.policies.knative_kpa import KnativeKpa
from cynosure.twin.policies.kthena import Kthena
from cynosure.twin.policies.phpa import Phpa
from cynosure.twin.policies.wva import Wva
from cynosure.twin.policies.wva_slo import WvaSlo
from cynosure.twin.port import Policy, Setting

POLICIES: Mapping[str, Callable[[Setting], Policy]] = MappingProxyType(
    {
        "cynosure": Cynosure,
        "hpa": Hpa,
        "keda": Keda,
        "knative-kpa": KnativeKpa,
        "aibrix-apa": AibrixApa,
        "wva": Wva,
        "wva-slo": WvaSlo,
        "kthena": Kthena,
        "crane-dsp": CraneDsp,
        "phpa": Phpa,
        "dynamo": Dynamo,
    }
)
"""By the name that ``cynosure backtest --policy`` takes."""
