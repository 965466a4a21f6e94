"""The instants at which requests are sent: as recorded, or drawn around a rate that changes with time."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.trace import PEAK_WINDOW_SECONDS, Floats, RateSeries, RequestTrace

Arrivals = Literal["exact", "poisson", "gamma", "mmpp", "sessions"]
_MOST_BINS_PER_SPAN = 60


@dataclass(frozen=True, slots=True)
class Bursts:
    """The two states of a Markov-modulated Poisson process (Fischer, Meier-Hellstern 1993, Performance Evaluation 18).

    ``times`` the rate for ``share`` of the time, in bursts of ``seconds`` on average; the rest of the time is as much
    slower as keeps the mean.
    """

    times: float = 4.0
    share: float = 0.1
    seconds: float = 10.0

    def __post_init__(self) -> None:
        if not (0 < self.share < 1 and 1 < self.times <= 1 / self.share and self.seconds > 0):
            raise BadLoadInput(
                f"bursts: {self.times:g} times the rate for {self.share:g} of the time in {self.seconds:g} s at once "
                f"cannot keep the mean; times x share may reach 1, as in 4:0.1:10"
            )

    def modulated(self, series: RateSeries, random: np.random.Generator) -> RateSeries:
        """Return the series with its rates multiplied by a path of the two states, begun in the stationary state."""
        calm = self.seconds * (1 - self.share) / self.share
        begins_bursting = bool(random.random() < self.share)
        means = (self.seconds, calm) if begins_bursting else (calm, self.seconds)
        visits = 2 * int((series.until_seconds - series.from_seconds) / (self.seconds + calm)) + 64
        switches = series.from_seconds + np.cumsum(random.exponential(np.tile(means, visits)))
        inside = switches[switches < series.until_seconds]
        edges = np.unique(np.concatenate([series.starts, series.ends, inside]))
        middles = (edges[:-1] + edges[1:]) / 2
        bursting = (np.searchsorted(switches, middles) % 2 == 0) == begins_bursting
        rps = series.at(middles) * np.where(bursting, self.times, (1 - self.times * self.share) / (1 - self.share))
        known = ~np.isnan(rps)
        return replace(series, starts=edges[:-1][known], ends=edges[1:][known], rps=rps[known])


@dataclass(frozen=True, slots=True)
class Sessions:
    """Users who come, ask, think and ask again: ``turns`` requests on average, ``think_seconds`` apart on average.

    A Poisson cluster process (Daley and Vere-Jones, An Introduction to the Theory of Point Processes, sec. 6.3): users
    come as Poisson does at the rate over ``turns``, turns are geometric, and thinking (with the answer) exponential.
    The rate is kept on average, later by the thinking. What would fall behind the end comes in at the start; what would
    fall into a gap, or where the rate is zero, is not asked.
    """

    turns: float = 4.0
    think_seconds: float = 20.0

    def __post_init__(self) -> None:
        if not (1 <= self.turns <= 1000 and self.think_seconds > 0):
            raise BadLoadInput(
                f"sessions: {self.turns:g} turns {self.think_seconds:g} s apart are none; 1 to 1000 turns, such as 4:20"
            )

    def arrivals(self, series: RateSeries, random: np.random.Generator) -> Floats:
        users = _poisson(replace(series, rps=series.rps / self.turns), random)
        turns = random.geometric(1 / self.turns, len(users))
        first = np.cumsum(turns) - turns
        waits = random.exponential(self.think_seconds, int(turns.sum()))
        waits[first] = 0.0
        since_start = np.cumsum(waits)
        at = np.repeat(users - since_start[first], turns) + since_start
        span = series.until_seconds - series.from_seconds
        at = np.sort(series.from_seconds + np.mod(at - series.from_seconds, span))
        return at[series.at(at) > 0]


USUAL_BURSTS = Bursts()
USUAL_SESSIONS = Sessions()


def arrival_seconds(
    series: RateSeries,
    arrivals: Arrivals,
    cv: float,
    random: np.random.Generator,
    bursts: Bursts = USUAL_BURSTS,
    sessions: Sessions = USUAL_SESSIONS,
) -> Floats:
    """Draw arrivals around the rates of a series, in its own time.

    A renewal process of rate 1 is mapped through the inverse of the expected count (Cinlar, Introduction to Stochastic
    Processes, sec. 4.7), so that a gap or a rate of zero gets nothing. Intervals there are exponential (``poisson``),
    gamma with coefficient of variation ``cv``, or all 1 (``exact``: evenly spaced along the expected count). ``mmpp``
    is Poisson around rates that ``bursts`` modulates; ``sessions`` are users who ask several times.
    """
    if arrivals == "sessions":
        return sessions.arrivals(series, random)
    if arrivals == "mmpp":
        series = bursts.modulated(series, random)
    return _mapped(series, arrivals, cv, random)


def _poisson(series: RateSeries, random: np.random.Generator) -> Floats:
    return _mapped(series, "poisson", 1.0, random)


def _mapped(series: RateSeries, arrivals: Arrivals, cv: float, random: np.random.Generator) -> Floats:
    expected = float(series.counted_until(np.array([series.until_seconds]))[0])
    due = _renewals(expected, arrivals, cv, random)
    if not len(due):
        return due
    starts, ends = series.starts[series.rps > 0], series.ends[series.rps > 0]
    edges = np.column_stack([starts, ends]).ravel()
    return np.interp(due, series.counted_until(edges), edges)


def _renewals(expected: float, arrivals: Arrivals, cv: float, random: np.random.Generator) -> Floats:
    if arrivals == "exact":
        return np.arange(0.5, expected)
    if arrivals == "gamma" and not 0 < cv < 100:
        raise BadLoadInput(f"cv: {cv:g} is outside 0 to 100; 1 is as bursty as Poisson")
    shape = cv**-2 if arrivals == "gamma" else 1.0
    due = np.zeros(0)
    while not due.size or due[-1] < expected:
        chunk = random.gamma(shape, 1 / shape, max(64, int(expected * 1.1)))
        due = np.concatenate([due, np.cumsum(chunk) + (due[-1] if due.size else 0.0)])
    return due[due < expected]


def rates_of(trace: RequestTrace) -> RateSeries:
    """Return the rates of a request trace in bins of a minute, or a sixtieth of the trace where that is finer."""
    span = trace.until_seconds - trace.from_seconds
    return trace.rates(min(PEAK_WINDOW_SECONDS, span / _MOST_BINS_PER_SPAN))


def own_cv(trace: RateSeries | RequestTrace) -> float | None:
    """Return the coefficient of variation of the intervals between requests, apart from the changes of the rate.

    That of a file which tells it, or of a request trace in rescaled time (Brown et al. 2002, Neural Computation 14(2)):
    each interval is measured in requests expected during it, at rates that hold for a bin of `rates_of`. None for rates
    that tell none.
    """
    if isinstance(trace, RateSeries):
        return trace.cv
    if len(trace.at_seconds) < 3:
        return None
    intervals = np.diff(rates_of(trace).counted_until(trace.at_seconds))
    return float(intervals.std() / intervals.mean()) if intervals.any() else None
