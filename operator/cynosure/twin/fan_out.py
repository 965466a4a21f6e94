"""Every policy and every seed in a process of its own."""

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.progress import Progress

from cynosure.twin.backtest import Result, run_policy
from cynosure.twin.calibration import Bench
from cynosure.twin.simulation import Experiment


def run_all(
    names: Sequence[str], experiments: Sequence[Experiment], bench: Bench, processes: int
) -> list[list[Result]]:
    """Return a row for each name, with one result for each experiment.

    What is found does not depend on how many processes there are.
    """
    jobs = [(name, n) for name in names for n in range(len(experiments))]
    with (
        Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar,
        ProcessPoolExecutor(
            min(processes, len(jobs)), multiprocessing.get_context("fork"), _remember, (experiments, bench)
        ) as pool,
    ):
        task = bar.add_task("simulating", total=len(jobs))
        runs = [pool.submit(_run, *job) for job in jobs]
        for run in runs:
            run.add_done_callback(lambda _: bar.advance(task))
        results = iter([run.result() for run in runs])
    return [[next(results) for _ in experiments] for _ in names]


_known: tuple[Sequence[Experiment], Bench]


def _remember(experiments: Sequence[Experiment], bench: Bench) -> None:
    """A forked process shares what its parent holds; sending a large trace with each job would copy it."""
    global _known
    _known = experiments, bench


def _run(name: str, n: int) -> Result:
    experiments, bench = _known
    return run_policy(name, experiments[n], bench)
