"""The load predictors of Dynamo's planner: from the values so far to the next one. See dynamo.py for the sources."""

import importlib
import warnings
from collections import deque
from collections.abc import Callable
from math import expm1, log1p
from typing import Any, Protocol

import numpy as np

from cynosure.model.signals import Floats

_FEWEST_VALUES = 5
_MOST_VALUES = 480
"""Of ARIMA: the forecast of a low order does not depend on older ones."""


class Predictor(Protocol):
    def observe(self, value: float) -> None: ...

    def next(self) -> float: ...


class Constant:
    """The last value."""

    def __init__(self) -> None:
        self._last = 0.0

    def observe(self, value: float) -> None:
        self._last = value

    def next(self) -> float:
        return self._last


class Kalman:
    """A local linear trend; the state is level and trend, both random walks, observed with noise."""

    def __init__(self, q_level: float = 1.0, q_trend: float = 0.1, r: float = 10.0, *, log: bool = False) -> None:
        self._noise, self._r, self._log = np.diag([q_level, q_trend]), r, log
        self._state: Floats | None = None
        self._spread = np.eye(2) * 1000.0

    def observe(self, value: float) -> None:
        z = log1p(max(0.0, value)) if self._log else value
        if self._state is None:
            self._state = np.array([z, 0.0])
            return
        state, spread = self._ahead(self._state)
        gain = spread[:, 0] / (spread[0, 0] + self._r)
        self._state = state + gain * (z - state[0])
        self._spread = spread - np.outer(gain, spread[0])

    def next(self) -> float:
        if self._state is None:
            return 0.0
        level = float(self._ahead(self._state)[0][0])
        return max(0.0, expm1(level)) if self._log else level

    def _ahead(self, state: Floats) -> tuple[Floats, Floats]:
        step = np.array([[1.0, 1.0], [0.0, 1.0]])
        return step @ state, step @ self._spread @ step.T + self._noise


class Arima:
    """Automatic ARIMA of statsforecast: the order is found once, later values only move the fitted model on.

    Where the order collapses to (0, d, 0) it is fitted anew to log(1 + y). Without statsforecast: the last value.
    """

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=_MOST_VALUES)
        self._fitted: Any = None
        self._log = False
        try:
            self._library: Any = importlib.import_module("statsforecast.arima")
        except ImportError:
            self._library = None

    def observe(self, value: float) -> None:
        self._values.append(max(0.0, value))

    def next(self) -> float:
        recent = list(self._values)
        if self._library is None or len(recent) < _FEWEST_VALUES or min(recent) == max(recent):
            return recent[-1] if recent else 0.0
        try:
            return self._forecast(np.array(recent))
        except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError):
            return recent[-1]

    def _forecast(self, values: Any) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self._fitted is None:
                self._fitted = self._fit(values)
            moved = self._library.forward_arima(self._fitted, np.log1p(values) if self._log else values)
            ahead = float(self._library.predict_arima(moved, 1)[0][0])
        if not np.isfinite(ahead):
            raise ArithmeticError("no finite forecast")
        return max(0.0, expm1(ahead) if self._log else ahead)

    def _fit(self, values: Any) -> Any:
        fitted = self._library.auto_arima_f(values, seasonal=False)
        if fitted["arma"][0] == fitted["arma"][1] == 0:
            self._log = True
            fitted = self._library.auto_arima_f(np.log1p(values), seasonal=False)
        return fitted


PREDICTORS: dict[str, Callable[[], Predictor]] = {"constant": Constant, "arima": Arima, "kalman": Kalman}
