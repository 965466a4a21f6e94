"""``cynosure forecast``: how well the product's forecasts would have fitted a known series."""

import argparse
import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from cynosure.errors import BadInput
from cynosure.forecast.calibrate import LEVELS
from cynosure.forecast.evaluate import Protocol, Scores, evaluate
from cynosure.forecast.fit import Horizon, wape
from cynosure.forecast.series_file import read_series
from cynosure.model.signals import Series
from cynosure.settings import ForecastSettings

_DAY_SECONDS = 86400.0
_SHOWN_LEVELS = (0.5, 0.9, 0.99)


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("forecast", help="evaluate forecasts on a known series", description=__doc__)
    parser.add_argument("--series", type=Path, required=True, metavar="FILE", help="CSV with a header (.gz too)")
    parser.add_argument("--time-column", default="timestamp", metavar="NAME")
    parser.add_argument("--value-column", default="value", metavar="NAME")
    parser.add_argument("--horizon-steps", type=int, required=True, metavar="H", help="forecast so many steps ahead")
    parser.add_argument("--season-steps", type=int, metavar="N", help="the period of the load (default: one day)")
    parser.add_argument("--start-fraction", type=float, default=0.8, metavar="F", help="what comes before is history")
    parser.add_argument("--stride", type=int, default=1, metavar="N", help="forecast every N-th step only")
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="write every forecast as CSV")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the scores. :raises BadInput: for a file or an option that cannot be used."""
    _check(arguments)
    series = read_series(arguments.series, arguments.time_column, arguments.value_column)
    protocol = _protocol(series, arguments)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("forecasting", total=1.0)
        scores = evaluate(series, protocol, lambda share: bar.update(task, completed=share))
    if arguments.predictions:
        _write(scores, arguments.predictions)
    answer = _answer(scores, arguments)
    sys.stdout.write(json.dumps(answer, allow_nan=False) + "\n" if arguments.json else _summary(answer))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    for option, least in (("horizon_steps", 1), ("stride", 1), ("season_steps", 2)):
        value = getattr(arguments, option)
        if value is not None and value < least:
            raise BadInput(f"--{option.replace('_', '-')}: got {value}; must be at least {least}")
    if not 0 < arguments.start_fraction < 1:
        raise BadInput(f"--start-fraction: got {arguments.start_fraction:g}; must be between 0 and 1, such as 0.8")


def _protocol(series: Series, arguments: argparse.Namespace) -> Protocol:
    """The grid is the median spacing; choosing again and remembering are as in the operator."""
    step, product = series.median_step_seconds, ForecastSettings()
    season = arguments.season_steps * step if arguments.season_steps else max(_DAY_SECONDS, 2 * step)
    return Protocol(
        horizon=Horizon(step, arguments.horizon_steps * step, season),
        start_fraction=arguments.start_fraction,
        stride=arguments.stride,
        history_steps=max(round(product.history_seconds / step), 14 * round(season / step)),
    )


def _answer(scores: Scores, arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "series": str(arguments.series),
        "steps": len(scores.actual),
        "horizon_steps": arguments.horizon_steps,
        "wape": scores.wape,
        "quantile_loss": scores.quantile_loss,
        "coverage": {f"{level:g}": scores.coverage(level) for level in _SHOWN_LEVELS},
        "baselines": {
            "last_value": {"wape": wape(scores.actual, scores.last_value)},
            "seasonal_naive": {"wape": wape(scores.actual, scores.seasonal_naive)},
        },
        "method_share": scores.method_share,
        "fit_seconds": scores.fit_seconds,
        "predict_seconds_p99": scores.predict_seconds_p99,
    }


def _summary(answer: dict[str, Any]) -> str:
    baselines = ", ".join(f"{name} {scored['wape']:.1%}" for name, scored in answer["baselines"].items())
    covered = ", ".join(f"{share:.1%} at or below the {level} quantile" for level, share in answer["coverage"].items())
    shares = ", ".join(f"{name} {share:.0%}" for name, share in answer["method_share"].items())
    return (
        f"{answer['steps']} forecasts {answer['horizon_steps']} steps ahead: WAPE {answer['wape']:.1%} ({baselines})\n"
        f"{covered}; methods: {shares}\n"
    )


def _write(scores: Scores, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", "actual", *(f"q{level:g}" for level in LEVELS)])
        for time, actual, row in zip(scores.times, scores.actual, scores.quantiles, strict=True):
            stamp = datetime.fromtimestamp(float(time), UTC).isoformat()
            writer.writerow([stamp, float(actual), *(float(value) for value in row)])
