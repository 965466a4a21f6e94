"""Public traces turned into load, sent in an open loop, and measured honestly.

`readers` read a trace (`formats` says of what form), `transforms` and `what_if` shape it, `arrivals` and `build` make a
`Schedule` of it; an engine (`engine`, `k6` or `stress`) plays the schedule and yields `Outcomes`, which `report` judges
against an SLO and `comparison` sets against another's. `burn` keeps a pod as busy as a schedule says, `closeness` and
`costs` compare what it used and say what a request takes. `command` and `traces_command` are what a person types, `job`
what a cluster runs, `manifests` the objects that carry both there. Nothing here knows the control plane.
"""

from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes
from loadgen.schedule import Schedule
from loadgen.slo import Slo
from loadgen.trace import RateSeries, RequestTrace

__all__ = ["BadLoadInput", "Outcomes", "RateSeries", "RequestTrace", "Schedule", "Slo"]
