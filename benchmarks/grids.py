"""The small grid of settings on which each autoscaler is tuned; the first entry of each is the published default.

Utilisations are of what one replica serves within the SLO. A grid varies what its own documentation tells users to
tune: the target, how long scale-down waits, and the window or the model behind the metric.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any

from cynosure.twin.policies import POLICIES
from cynosure.twin.policies.crane_dsp import ESTIMATORS, Highest
from cynosure.twin.policies.phpa import Model
from cynosure.twin.policies.recommend import UTILISATION, Behaviour, Load
from cynosure.twin.port import Policy, Setting

Make = Callable[[Setting], Policy]

_TARGETS = (0.5, 0.6, UTILISATION, 0.8, 0.9)


def _grid(name: str, **choices: tuple[Any, ...]) -> dict[str, Make]:
    """Every combination, by a label that shows what differs from the default."""
    combinations = (dict(zip(choices, values, strict=True)) for values in product(*choices.values()))
    tuned = {_label(one): partial(POLICIES[name], **one) for one in combinations}
    return {"default": POLICIES[name], **tuned}


def _label(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in settings.items())


def _short(value: Any) -> str:
    if isinstance(value, Behaviour):
        return f"down {value.down_window_seconds:g} s"
    return f"{len(value)} estimators" if isinstance(value, tuple) else str(value)


_BEHAVIOURS = (Behaviour(down_window_seconds=120), Behaviour(), Behaviour(down_window_seconds=900))

GRIDS: Mapping[str, Mapping[str, Make]] = {
    "hpa": _grid("hpa", utilisation=_TARGETS, behaviour=_BEHAVIOURS),
    "keda": _grid("keda", utilisation=_TARGETS, load=tuple(Load), min_replicas=(1,)),
    "knative-kpa": _grid(
        "knative-kpa", utilisation=_TARGETS, load=tuple(Load), stable_seconds=(60.0, 300.0), min_replicas=(1,)
    ),
    "aibrix-apa": _grid("aibrix-apa", utilisation=_TARGETS, load=tuple(Load), down_cooldown_seconds=(0.0, 300.0)),
    "wva": _grid("wva", kv_spare_trigger=(0.1, 0.3, 0.5, 0.6), queue_spare_trigger=(3.0, 4.5)),
    "wva-slo": _grid("wva-slo", margin=(0.05, 0.1, 0.2, 0.4)),
    "kthena": _grid("kthena", utilisation=_TARGETS, load=tuple(Load)),
    "crane-dsp": _grid("crane-dsp", utilisation=_TARGETS, estimators=(ESTIMATORS, (*ESTIMATORS, Highest(0.0)))),
    "phpa": {
        **_grid("phpa", utilisation=_TARGETS),
        **_grid("phpa", utilisation=_TARGETS, model=(Model.LINEAR,), look_ahead_seconds=(120.0,), stored_values=(40,)),
    },
    "dynamo": _grid("dynamo", predictor=("constant", "kalman"), margin=(0.05, 0.1, 0.2, 0.4), load_loop=(False, True)),
}
