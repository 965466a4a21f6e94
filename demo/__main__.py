"""``python -m demo up|down``."""

import argparse
import sys
from pathlib import Path

from cynosure.errors import CynosureError

from demo.kubectl import StepFailed
from demo.run import Outcome, run
from demo.scenario import Scenario
from demo.stage import REPOSITORY
from demo.venue import leave
from testbed.progress import timed_progress


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("action", choices=("up", "down"))
    parser.add_argument("--out", type=Path, default=REPOSITORY / "demo-out", help="folder of the report")
    parser.add_argument(
        "--day-seconds", type=float, default=Scenario().day_seconds, help="real time of the replayed day"
    )
    arguments = parser.parse_args()
    progress = timed_progress()
    scenario = Scenario(day_seconds=arguments.day_seconds)
    try:
        if arguments.action == "down":
            leave(scenario, progress)
            return 0
        outcome = run(scenario, progress, arguments.out)
    except (StepFailed, CynosureError) as error:
        print(f"demo: {error}", file=sys.stderr)  # noqa: T201
        return 2 if isinstance(error, ValueError) else 1
    print(summary(outcome))  # noqa: T201
    return 0 if outcome.is_met and outcome.is_verified else 1


def summary(outcome: Outcome) -> str:
    """Return the last lines: attainment, GPU-hours, and where to look."""
    record = outcome.record
    lines = [
        f"{s.name}: attainment {s.attainment:.2%} (objective {s.objective:.0%}: {s.slo}), {s.sent} requests, "
        f"{s.failed} failed"
        for s in record.services
    ]
    return "\n".join(
        [
            *lines,
            f"cost of the day: {record.cost()}",
            f"SLO: {'met' if outcome.is_met else 'MISSED'}",
            f"sentence: {'applied and verified' if outcome.is_verified else 'NOT verified'}",
            f"report: {outcome.report}",
            f"kubeconfig: {outcome.kubeconfig}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
