"""How much load to be ready for: what is forecast for when a decision takes effect, and never less than is here."""

from dataclasses import dataclass
from math import sqrt

from cynosure.model.signals import Load, Reading, Signal
from cynosure.plan.budget import levels, spent_share
from cynosure.plan.case import Case
from cynosure.plan.tuning import Tuning
from cynosure.size.options import Needs


@dataclass(frozen=True, slots=True)
class Demand:
    """Rates in requests/s. ``forecast_rps`` is None without a forecast; ``peak_rps`` is the scale-down's view."""

    present_rps: float
    forecast_rps: float | None
    peak_rps: float | None
    input_tokens: float
    output_tokens: float
    upscale_level: float
    """Quantile of the forecast that ``forecast_rps`` is."""
    spent: float | None
    """Share of the error budget that was spent over the last day; None where it is not known."""

    @property
    def rps(self) -> float:
        return max(self.present_rps, self.forecast_rps or 0.0)

    def needs(self, rps: float) -> Needs:
        return Needs(rps, self.input_tokens, self.output_tokens)


def demand_of(case: Case) -> Demand:
    """Return the demand; signals that are absent count as nothing known, so callers check ``load.absent`` first."""
    observation, forecast, now, tuning = case.observation, case.forecast, case.now_seconds, case.tuning
    load = observation.load
    spent = spent_share(load, case.targets, tuning)
    up, down = levels(spent, tuning)
    ready_by = case.ready_by_seconds
    ahead = peak = None
    if forecast is not None:
        ahead = forecast.peak_rps(up, now, ready_by)
        peak = forecast.peak_rps(down, now, ready_by + tuning.stabilisation_seconds)
    present = _present(load, ahead, tuning)
    if observation.ready >= len(observation.replicas):  # what starts was ordered for what waits
        present += _value(load.waiting) / max(tuning.backlog_seconds, observation.lead_time_seconds)
    return Demand(present, ahead, peak, _value(load.input_tokens), _value(load.output_tokens), up, spent)


def _present(load: Load, forecast_rps: float | None, tuning: Tuning) -> float:
    """Return the arrivals that speak for more replicas.

    The forecast knows how arrivals scatter; against it counts only what a window of that length does not show by
    chance (a Poisson count has the variance of its mean).
    """
    rate = _value(load.arrival_rps)
    if forecast_rps is None:
        return rate
    surge = _certain(_value(load.surge_rps), tuning.surge_window_seconds, tuning)
    return max(min(rate, forecast_rps), _certain(rate, tuning.rate_window_seconds, tuning), surge)


def _certain(rps: float, window_seconds: float, tuning: Tuning) -> float:
    return rps - tuning.surprise_deviations * sqrt(rps / window_seconds)


def _value(signal: Signal) -> float:
    return signal.value if isinstance(signal, Reading) else 0.0
