"""Which GPUs and partitions serve requests of several sizes at the least cost: an integer program.

Mélange (Griggs et al., arXiv:2404.14527) puts requests into buckets by size and measures the largest rate θ_bk at
which kind k of GPU serves bucket b within the SLO; a rate r then loads it by r / θ_bk. Its slices of a bucket are
whole; here a bucket may be split at any rate, which can only cost less:

    min Σ_k c_k·n_k   such that   Σ_k x_bk = r_b,   Σ_b x_bk / θ_bk <= n_k,   x_bk >= 0,   n_k whole numbers

Of the splits that the cheapest GPUs allow, the one is given whose fullest kind is the least full. That loads add up is
an approximation of Mélange's: it holds when requests of different sizes do not slow each other down.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from cynosure.highs import quiet_highs
from cynosure.model.signals import Floats

_TIME_LIMIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Mixture:
    """``counts`` of each kind, ``rates`` (buckets x kinds, requests/s) and ``loads`` of each kind, 0 to 1."""

    counts: tuple[int, ...]
    rates: Floats
    loads: tuple[float, ...]
    cost: float
    optimal: bool


def cheapest_mixture(rates_rps: Sequence[float], throughput_rps: Floats, costs: Sequence[float]) -> Mixture | None:
    """Solve for ``throughput_rps`` (buckets x kinds, 0 where the SLO cannot be met); None when a bucket fits nowhere.

    Buckets without load are served by nobody. Among equal costs the fewest GPUs are taken.
    """
    rates, able = np.asarray(rates_rps, dtype=float), np.asarray(throughput_rps, dtype=float)
    if any(rate > 0 and not row.any() for rate, row in zip(rates, able, strict=True)):
        return None
    program = _Program(rates, able)
    counts = program.cheapest(costs)
    split = program.evenest(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        loads = np.where(split > 0, split / able, 0.0).sum(axis=0) / np.maximum(counts, 1)
    cost = float(np.dot(counts, costs))
    return Mixture(tuple(counts), split, tuple(loads.tolist()), cost, program.optimal)


class _Program:
    """The constraints, for two goals one after the other. Loads are shares of a bucket, so all numbers are near 1."""

    def __init__(self, rates: Floats, able: Floats) -> None:
        self.rates, self.able, self.optimal = rates, able, False

    def cheapest(self, costs: Sequence[float]) -> list[int]:
        model = _quiet()
        fewer = 1e-6 * min(costs)
        counts = [model.addIntegral(0, highspy.kHighsInf, cost + fewer) for cost in costs]
        self._serve(model, counts)
        model.minimize()
        self.optimal = model.getModelStatus() == highspy.HighsModelStatus.kOptimal
        values = model.getSolution().col_value
        return [round(values[count.index]) for count in counts]

    def evenest(self, counts: Sequence[int]) -> Floats:
        model = _quiet()
        fullest = model.addVariable(0, highspy.kHighsInf, 1.0)
        shares = self._serve(model, [count * fullest for count in counts])
        model.minimize()
        values = model.getSolution().col_value
        split = np.zeros_like(self.able)
        for (bucket, kind), share in shares.items():
            split[bucket, kind] = self.rates[bucket] * max(0.0, values[share.index])
        return split

    def _serve(
        self, model: highspy.Highs, room: Sequence[highspy.highs_var | highspy.highs_linear_expression]
    ) -> dict[tuple[int, int], highspy.highs_var]:
        served = [bucket for bucket, rate in enumerate(self.rates) if rate > 0]
        kinds = range(self.able.shape[1])
        shares = {(b, k): model.addVariable(0, 1) for b in served for k in kinds if self.able[b, k] > 0}
        for bucket in served:
            model.addConstr(model.qsum(share for (b, _), share in shares.items() if b == bucket) == 1)
        for kind in kinds:
            load = ((self.rates[b] / self.able[b, k]) * share for (b, k), share in shares.items() if k == kind)
            model.addConstr(model.qsum(load) <= room[kind])
        return shares


def _quiet() -> highspy.Highs:
    return quiet_highs(time_limit=_TIME_LIMIT_SECONDS, mip_rel_gap=0.0)
