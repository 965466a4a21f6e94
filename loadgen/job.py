"""``python -m loadgen.job``: what runs in a pod. Progress goes to stderr, the outcomes to stdout as one line.

Exit codes: 0 the whole schedule was played (whatever the verdict), 1 ended early or in part, 2 bad input.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from loadgen.engine import OpenLoop
from loadgen.errors import BadLoadInput
from loadgen.options import add_engine_options, engine_options_of, targets_of
from loadgen.outcomes import Outcomes, Status
from loadgen.play import play_to_the_end
from loadgen.report import check_measurable, report_of, write_report
from loadgen.schedule import Schedule
from loadgen.slo import Slo
from loadgen.travel import to_line


def main(argv: Sequence[str] | None = None) -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    arguments = _parser().parse_args(argv)
    try:
        outcomes = _play(arguments)
        sys.stdout.write(to_line(outcomes) + "\n")
    except (BadLoadInput, OSError) as error:
        sys.stderr.write(f"loadgen: {error}\n")
        return 2
    partly = (outcomes.status == Status.UNSENT) | (outcomes.status == Status.UNFINISHED)
    return 1 if partly.any() else 0


def _play(arguments: argparse.Namespace) -> Outcomes:
    schedule = Schedule.from_bytes(arguments.schedule.read_bytes(), str(arguments.schedule)).shard(*arguments.shard)
    targets, options, slo = targets_of(arguments), engine_options_of(arguments), Slo.parse(arguments.slo)
    check_measurable(slo, set(targets))
    logging.info("%d requests in %.0f s", len(schedule), schedule.duration_seconds)
    outcomes = play_to_the_end(OpenLoop(schedule, targets, options), options.max_connections, arguments.start_at)
    if arguments.report:
        write_report(report_of(outcomes, slo), arguments.report)
    return outcomes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadgen.job", description=__doc__)
    parser.add_argument("--schedule", type=Path, required=True, metavar="FILE")
    parser.add_argument("--start-at", type=float, metavar="UNIX_SECONDS", help="common start; at once when left out")
    parser.add_argument("--report", type=Path, metavar="FILE")
    parser.add_argument("--shard", type=_shard, default=(0, 1), metavar="I/N", help="every N-th request from the I-th")
    add_engine_options(parser)
    return parser


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    return int(index), int(count)


if __name__ == "__main__":
    sys.exit(main())
