"""``cynosure backtest`` and ``simulate``: what an autoscaler would have cost and missed on a known load."""

import argparse
import importlib.util
import math
from pathlib import Path
from typing import Any

from cynosure.errors import BadInput

_SCENARIOS = ("plain", "metrics-vanish", "traffic-stops", "step-x5")


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backtest = commands.add_parser("backtest", help="compare autoscalers on a trace", description=__doc__)
    _add_load_options(backtest)
    backtest.add_argument(
        "--policy", default="cynosure,static,hpa", metavar="NAME,...", help="which to compare (all: every one)"
    )
    backtest.add_argument("--seeds", type=int, default=1, metavar="N", help="draw the load N times, for intervals")
    backtest.add_argument("--processes", type=int, metavar="N", help="at once (default: as many as there are CPUs)")
    backtest.set_defaults(run=run_backtest)
    simulate = commands.add_parser("simulate", help="one autoscaler on a trace, decision by decision")
    _add_load_options(simulate)
    simulate.add_argument("--policy", default="cynosure", metavar="NAME")
    simulate.add_argument("--timeline", type=Path, metavar="FILE", help="write rate, replicas and attainment as CSV")
    simulate.set_defaults(run=run_simulate)


def _add_load_options(parser: argparse.ArgumentParser) -> None:
    """The load, the SLO and the cluster: what both commands ask for."""
    load = parser.add_argument_group("load")
    load.add_argument("--trace", metavar="FILE", help="requests or rates as CSV (.gz too)")
    load.add_argument("--tokens", type=Path, metavar="FILE", help="a request trace to draw token lengths from")
    load.add_argument("--speedup", type=_positive, metavar="X", help="compress time X-fold")
    load.add_argument("--duration-seconds", type=_positive, metavar="S", help="only the first S seconds")
    load.add_argument("--peak-rps", type=_positive, metavar="R", help="scale the largest 60 s mean to R")
    load.add_argument("--start-fraction", type=float, default=0.0, metavar="F", help="what comes before is history")
    load.add_argument("--seed", type=int, default=0)
    load.add_argument("--scenario", choices=_SCENARIOS, default="plain", help="what goes wrong in the middle of it")
    past = parser.add_argument_group("history from Prometheus or Thanos, instead of a trace")
    past.add_argument("--prometheus", metavar="URL", help="token, tenant, CA, deduplication: by CYNOSURE_PROMETHEUS_*")
    past.add_argument("--service", metavar="NAMESPACE/NAME")
    past.add_argument("--days", type=_positive, default=7.0, metavar="N")
    past.add_argument("--query", metavar="PROMQL", help="requests/s, where the metrics are not vLLM's or ours")
    service = parser.add_argument_group("service and cluster")
    service.add_argument("--slo", required=True, metavar="SLO", help='a file, or "ttft_p95_ms=400,tpot_p95_ms=40"')
    service.add_argument("--profile", metavar="FILE|NAME", help="a ModelProfile, or the name of a built-in one")
    service.add_argument("--gpu", metavar="PRODUCT", help="such as A100-80GB (default: that of the profile)")
    service.add_argument("--gpus", type=int, metavar="N", help="how many there are (default: no limit)")
    service.add_argument("--partition", metavar="NAME", help="the only one that may be used, such as 3g.40gb")
    service.add_argument("--gpu-cost-per-hour", type=_positive, default=1.0, metavar="C", help="of a whole GPU")
    service.add_argument("--lead-seconds", type=float, default=60.0, metavar="S", help="from decision to ready replica")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run_backtest(arguments: argparse.Namespace) -> int:
    """Return 1 when the policy ``cynosure`` misses the objective. :raises BadInput: for what cannot be used."""
    return int(_loaded("cynosure.twin.comparison").compare(arguments))


def run_simulate(arguments: argparse.Namespace) -> int:
    """Return 1 when the objective is missed. :raises BadInput: for what cannot be used."""
    return int(_loaded("cynosure.twin.single").run_one(arguments))


def _loaded(module: str) -> Any:
    """Import what is compiled, which other commands need not wait for; uncompiled, a back-test takes hours."""
    if importlib.util.find_spec("numba") is None:
        raise BadInput("the twin needs numba, which is not installed; pip install 'cynosure[twin]'")
    return importlib.import_module(module)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"got {text}; must be above 0")
    return value
