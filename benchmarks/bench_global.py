"""Would one model of all services forecast better than each service's own portfolio? WAPE over the last fifth.

LightGBM (quantile boosting at the median) and DLinear (Zeng et al., Are Transformers Effective for Time Series
Forecasting?, AAAI 2023), which is linear, so that its weights are solved by least squares here, without torch. Each is
learned from the first four fifths of the series that choices inside the product were made on and read on the others and
the other way round (*strangers*), and from the first four fifths of all (*all*). Needs the extra `learn` for LightGBM,
and benchmarks/results/forecast.json of `make bench-forecast`, whose portfolio and last value it is compared with.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from bench_forecast import LEADS, RESULTS
from cynosure.forecast.fit import wape
from cynosure.forecast.windows import Indices, at, centred_mean, filled, trailing_mean
from cynosure.model.signals import Floats
from forecast_newcomers import geometric_mean
from forecast_series import DATA, Case, cases, trimmed

OWN: Final = Path(__file__).resolve().parent / "results" / "global.json"
_KNOWN: Final = 0.8
_MOST_ROWS: Final = 3000
"""Of each series and distance, so that none drowns the others."""
_FLOOR: Final = 0.05
"""Of the level of a day, added before the logarithm is taken."""
_WINDOW: Final = 96


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    case: Case
    values: Floats

    @property
    def leads(self) -> tuple[int, ...]:
        return LEADS[round(self.case.step_seconds)]

    def origins(self, lead: int) -> Indices:
        """Where the model learns from: moments of which the outcome lies in the first four fifths."""
        moments = np.arange(_WINDOW, round(_KNOWN * len(self.values)) - lead)
        return moments[:: len(moments) // _MOST_ROWS + 1]


class Model(Protocol):
    name: str

    def rows(self, values: Floats, origins: Indices, lead: int, day: int) -> Floats: ...

    def learn(self, rows: Floats, moves: Floats) -> None: ...

    def moves(self, rows: Floats) -> Floats: ...


class Boosted:
    """Lags, means, what came a day and a week ago, scatter, the time of day, the step and the distance."""

    name = "LightGBM"

    def rows(self, values: Floats, origins: Indices, lead: int, day: int) -> Floats:
        known, smooth, level = filled(values), centred_mean(values, max(1, day // 96)), _level(values, day)
        here = _log(known[origins], level[origins])
        lags = [at(known, origins - lag) for lag in range(1, 9)]
        means = [trailing_mean(known, width)[origins] for width in (3, 6, 12, 24, 48, 96)]
        seasons = [
            at(series, origins + ahead - back)
            for back in (day, 2 * day, 7 * day, 14 * day)
            for series, ahead in ((smooth, lead), (smooth, 0), (known, lead))
        ]
        jumps = np.abs(np.diff(_log(known, level), prepend=np.nan))
        scatter = [trailing_mean(jumps, width)[origins] for width in (12, day)]
        clock = [(origins + lead) % day / day, np.full(len(origins), float(lead)), np.full(len(origins), 86400 / day)]
        relative = [_log(column, level[origins]) - here for column in (*lags, *means, *seasons)]
        return np.stack([*relative, *scatter, here - np.log(level[origins]), *clock], axis=1)

    def learn(self, rows: Floats, moves: Floats) -> None:
        import lightgbm

        options = {"objective": "l1", "num_leaves": 31, "learning_rate": 0.04, "min_data_in_leaf": 300, "lambda_l2": 10}
        quiet = {"verbose": -1, "num_threads": 1, "seed": 1, "bagging_fraction": 0.7, "bagging_freq": 1}
        self._trees = lightgbm.train(options | quiet, lightgbm.Dataset(rows, moves), 400)

    def moves(self, rows: Floats) -> Floats:
        return np.asarray(self._trees.predict(rows))


class DLinear:
    """The window before, apart into trend and rest, each with weights of its own; one set of weights for a distance."""

    name = "DLinear"

    def rows(self, values: Floats, origins: Indices, lead: int, day: int) -> Floats:
        level = _level(values, day)
        logs = _log(filled(values), level)
        window = np.stack([at(logs, origins - back) for back in range(_WINDOW)], axis=1) - logs[origins][:, None]
        trend = np.stack([trailing_mean(row, 25) for row in np.nan_to_num(window)])
        return np.concatenate([np.full((len(origins), 1), float(lead)), trend, np.nan_to_num(window) - trend], axis=1)

    def learn(self, rows: Floats, moves: Floats) -> None:
        self._weights = {}
        for lead in np.unique(rows[:, 0]).tolist():
            own = rows[:, 0] == lead
            inputs, ridge = rows[own, 1:], 10.0 * np.eye(rows.shape[1] - 1)
            self._weights[lead] = np.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ moves[own])

    def moves(self, rows: Floats) -> Floats:
        nearest = [min(self._weights, key=lambda known: abs(known - lead)) for lead in rows[:, 0].tolist()]
        return np.array([row[1:] @ self._weights[lead] for row, lead in zip(rows, nearest, strict=True)])


def _level(values: Floats, day: int) -> Floats:
    return np.maximum(trailing_mean(filled(values), day), 1e-9)


def _log(values: Floats, level: Floats) -> Floats:
    return np.log(np.maximum(values, 0) + _FLOOR * level)


def learned(model: Model, series: Sequence[Known]) -> Model:
    rows, moves = [], []
    for known in series:
        for lead in known.leads:
            origins, day = known.origins(lead), known.case.day_steps
            level = _level(known.values, day)[origins]
            move = _log(known.values[origins + lead], level) - _log(filled(known.values)[origins], level)
            told = np.isfinite(move)
            rows.append(model.rows(known.values, origins[told], lead, day))
            moves.append(move[told])
    model.learn(np.concatenate(rows), np.concatenate(moves))
    return model


def error(model: Model, known: Known, lead: int) -> float:
    values, day = known.values, known.case.day_steps
    targets = np.arange(round(_KNOWN * len(values)), len(values))
    targets = targets[np.isfinite(values[targets])]
    origins = targets - lead
    level = _level(values, day)[origins]
    moved = _log(filled(values)[origins], level) + np.clip(model.moves(model.rows(values, origins, lead, day)), -4, 4)
    return wape(values[targets], np.maximum(np.exp(moved) - _FLOOR * level, 0))


def measured(series: Sequence[Known]) -> Iterator[dict[str, Any]]:
    for kind in (Boosted, DLinear):
        for tuned in (True, False):
            own = [known for known in series if known.case.tuned == tuned]
            others = [known for known in series if known.case.tuned != tuned]
            for learned_from, taught in (("strangers", others), ("all", list(series))):
                model = learned(kind(), taught)
                for known in own:
                    for lead in known.leads:
                        yield {
                            "model": model.name, "from": learned_from, "series": known.case.name, "tuned": tuned,
                            "horizon_steps": lead, "wape": round(error(model, known, lead), 4),
                        }  # fmt: skip


def summary(rows: Sequence[dict[str, Any]], forecasts: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Errors over those of the last value, as geometric means."""
    last = {(row["series"], row["horizon_steps"]): row["baselines"]["last_value"] for row in forecasts}
    ours = {(row["series"], row["horizon_steps"]): row["wape"] for row in forecasts}
    for tuned, label in ((True, "tuned"), (False, "held out")):
        own = {(row["series"], row["horizon_steps"]) for row in rows if row["tuned"] == tuned}
        yield f"{'portfolio of each':22} {label:9} {geometric_mean(ours[key] / last[key] for key in sorted(own)):.3f}"
        for name in dict.fromkeys((row["model"], row["from"]) for row in rows):
            part = [row for row in rows if (row["model"], row["from"]) == name and row["tuned"] == tuned]
            ratios = (row["wape"] / last[row["series"], row["horizon_steps"]] for row in part)
            yield f"{name[0]:9} from {name[1]:9} {label:9} {geometric_mean(ratios):.3f}"


def main() -> int:
    if not DATA.is_dir() or not RESULTS.is_file():
        print(f"{DATA} and {RESULTS} are needed: the public traces, and `make bench-forecast`", file=sys.stderr)
        return 2
    began = time.monotonic()
    rows = list(measured([Known(case, trimmed(case.read())) for case in cases()]))
    lines = list(summary(rows, json.loads(RESULTS.read_text())["series"]))
    report = {"wall_seconds": round(time.monotonic() - began, 1), "summary": lines, "rows": rows}
    OWN.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(*lines, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
