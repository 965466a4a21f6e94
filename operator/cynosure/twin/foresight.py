"""The operator's forecasts of the load that is seen, made anew as often as there."""

import numpy as np

from cynosure.forecast import Horizon, Learner
from cynosure.model.forecast import Forecast
from cynosure.model.signals import Series
from cynosure.settings import ForecastSettings
from cynosure.twin.port import Seen


class Foresight:
    """``start_seconds`` is the Unix time at which simulated time begins."""

    def __init__(self, settings: ForecastSettings, start_seconds: float) -> None:
        self._settings, self._start = settings, start_seconds
        self._learner = Learner(Horizon(settings.step_seconds, settings.horizon_seconds, settings.season_seconds))
        self._forecast: Forecast | None = None

    def at(self, seen: Seen) -> Forecast | None:
        """Return the newest one; None as long as there is too little to learn from."""
        made_at = self._forecast.made_at_seconds if self._forecast else -np.inf
        now = self._start + seen.now_seconds
        if now - made_at >= self._settings.refit_seconds:
            self._forecast = self._learner.forecast(self._history(seen, now), now) or self._forecast
        return self._forecast

    def _history(self, seen: Seen, now: float) -> Series:
        rates, step = seen.history, seen.history_step_seconds
        times = self._start + seen.history_until_seconds - step * np.arange(len(rates) - 1, -1, -1.0)
        known = np.isfinite(rates) & (times > now - self._settings.history_seconds)
        return Series(times[known], rates[known])
