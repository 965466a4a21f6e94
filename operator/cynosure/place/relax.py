"""Choosing partitions for many rates at once: prices for partitions, a proven bound, and a choice close to it.

The layouts join the services only through how many partitions of each profile there are. With a price for each of those
few profiles the services fall apart: each takes the cheapest partitions that serve its rate. For prices at which no
layout is worth more than its GPU costs, what the services pay in sum is a bound (Lagrange; the same as that of Dantzig
and Wolfe's columns). The best prices are found by cutting planes (Kelley, 1960), in as many dimensions as there are
profiles. At those many services have several cheapest choices; they are mixed such that the sums come close to the best
mix that the cuts prove.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from cynosure.highs import QuietHighs
from cynosure.model.signals import Floats
from cynosure.place.choices import Kind, Label, choices
from cynosure.place.need import Need
from cynosure.place.prices import Prices

Ways = np.ndarray[tuple[int], np.dtype[np.intp]]
"""The way of each need, as a row of ``_Covers``."""

_MOST_CUTS = 120
_PRECISION = 1e-4
"""Of a bound, relative."""
_ROUNDING = 1 - 1e-9
_SMALL = 36
"""Partitions; a need of more of its smallest has the most part of it served by one profile."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """``bound`` on the cost of GPUs and chosen partitions; ``chosen`` partitions by service and profile."""

    bound: float
    chosen: Mapping[Label, int]


@dataclass(frozen=True, slots=True)
class _Covers:
    """Ways to serve each need, one below the other: ``counts`` by profile; the ways of each need begin at ``first``.

    ``cost`` is the price that a way has by itself, ``loss`` what counts besides, ``own`` the price of each profile.
    ``is_open``: there are other ways, bounded by ``rates``: the amount of each need in partitions of each profile,
    parts allowed, not a number where it cannot be served by them.
    """

    counts: Floats
    cost: Floats
    loss: Floats
    first: Ways
    is_open: np.ndarray[tuple[int], np.dtype[np.bool_]]
    rates: Floats
    own: Floats


def relax(
    needs: Sequence[Need], fixed: Mapping[str, int], prices: Prices, standing: Mapping[Label, int], worth_keeping: float
) -> Relaxed:
    """Return bound and choice for needs of one product that leave one, beside ``fixed`` partitions by profile.

    ``worth_keeping``: a partition that stands and is not chosen counts like so many GPUs, but not for the bound.
    """
    product = needs[0].product
    names = tuple(sorted({*fixed, *(profile for need in needs for profile in need.choices)}))
    layouts = np.array([[c.counts.get(n, 0) for n in names] for c in choices(Kind(product), names)], dtype=np.float64)
    own = np.array([prices.of_partition(product, name) for name in names])
    stands = np.array([[float(standing.get((need.service, name), 0)) for name in names] for need in needs])
    covers = _covers(needs, names, own, stands, worth_keeping * prices.of_gpu(product))
    beside = np.array([float(fixed.get(name, 0)) for name in names])
    bound, cuts, weights = _cutting_planes(covers, beside, layouts, prices.of_gpu(product))
    counts = covers.counts[_mixed(covers, cuts, weights)]
    chosen = {
        (need.service, name): int(count)
        for need, row in zip(needs, counts, strict=True)
        for name, count in zip(names, row, strict=True)
        if count
    }
    return Relaxed(bound, chosen)


def _covers(needs: Sequence[Need], names: tuple[str, ...], own: Floats, stands: Floats, keeping: float) -> _Covers:
    blocks = [_ways(np.array([need.worth.get(name, 0.0) for name in names]), need.amount) for need in needs]
    counts = np.concatenate(blocks)
    first = np.cumsum([0, *(len(block) for block in blocks[:-1])], dtype=np.intp)
    is_open = np.array([need.amount > _SMALL * min(need.worth.values()) for need in needs])
    rates = np.array([[need.amount / need.worth.get(name, np.nan) for name in names] for need in needs])
    lost = np.concatenate([np.maximum(s - block, 0.0).sum(axis=1) for s, block in zip(stands, blocks, strict=True)])
    return _Covers(counts, counts @ own, keeping * lost, first, is_open, rates, own)


def _ways(worth: Floats, amount: float) -> Floats:
    """Return what serves ``amount`` and would not with one partition less; of a large one, most by one profile."""
    enough = _SMALL * worth[worth > 0].min()
    if amount <= enough:
        return _least(worth, amount)
    ways = []
    for profile in np.flatnonzero(worth):
        below = np.zeros(len(worth))
        below[profile] = (amount - enough / 2) // worth[profile]
        ways.append(below + _least(worth, amount - float(below @ worth)))
    return np.concatenate(ways)


def _least(worth: Floats, amount: float) -> Floats:
    """Every such way: all counts of the larger profiles, and as many of the smallest as are lacking then."""
    smallest, *larger = sorted(np.flatnonzero(worth).tolist(), key=lambda profile: worth[profile])
    counts, lacking = np.zeros((1, len(worth))), np.array([amount * _ROUNDING])
    for profile in larger:
        # One profile after the other, never more of it than is lacking: few of all combinations are left then.
        options = np.ceil(np.maximum(lacking, 0.0) / worth[profile]).astype(np.intp) + 1
        ends = np.cumsum(options)
        counts = np.repeat(counts, options, axis=0)
        counts[:, profile] = np.arange(ends[-1]) - np.repeat(ends - options, options)
        lacking = amount * _ROUNDING - counts @ worth
    counts[:, smallest] = np.ceil(np.maximum(lacking, 0.0) / worth[smallest])
    spare = counts @ worth - amount * _ROUNDING
    return counts[np.all((counts == 0) | (worth > spare[:, None]), axis=1)]


def _cutting_planes(
    covers: _Covers, beside: Floats, layouts: Floats, gpu_price: float
) -> tuple[float, list[Ways], Floats]:
    """Return the best bound, the ways that the needs took at each price, and the weights of those in the best mix."""
    size = layouts.shape[1]
    model = _prices_model(layouts, gpu_price)
    best = bound = -np.inf
    taken: list[Ways] = []
    while len(taken) < _MOST_CUTS:
        model.run()
        solution = model.getSolution()
        price, hoped = np.array(solution.col_value[:size]), solution.col_value[size]
        ways, paid, least = _cheapest_ways(covers, price)
        best, bound = max(best, paid + float(beside @ price)), max(bound, least + float(beside @ price))
        if hoped - best <= _PRECISION * max(1.0, best):
            break
        taken.append(ways)
        total, cost = covers.counts[ways].sum(axis=0) + beside, float((covers.cost + covers.loss)[ways].sum())
        model.addRow(-np.inf, cost, size + 1, np.arange(size + 1, dtype=np.int32), np.append(-total, 1.0))
    duals = np.abs(np.array(model.getSolution().row_dual[len(layouts) :]))[: len(taken)]
    return bound, taken, duals / max(duals.sum(), 1e-9)


def _prices_model(layouts: Floats, gpu_price: float) -> highspy.Highs:
    """Maximise what is paid (the last column), at prices at which no layout is worth more than its GPU."""
    model, size = QuietHighs(), layouts.shape[1]  # type: ignore[no-untyped-call]
    model.setOptionValue("threads", 1)
    for _ in range(size):
        model.addVar(0.0, gpu_price)
    model.addVar(-np.inf, 1e9)
    model.changeColCost(size, -1.0)
    for layout in layouts:
        model.addRow(-np.inf, gpu_price, size, np.arange(size, dtype=np.int32), layout)
    return model


def _cheapest_ways(covers: _Covers, price: Floats) -> tuple[Ways, float, float]:
    """Return the cheapest known way of each need, what those cost, and what any ways cost at least, losses apart."""
    plain = covers.counts @ price + covers.cost
    costs = plain + covers.loss
    ends = np.append(covers.first[1:], len(costs))
    ways = np.array([f + int(np.argmin(costs[f:e])) for f, e in zip(covers.first, ends, strict=True)], dtype=np.intp)
    parts = np.nanmin(covers.rates * (price + covers.own), axis=1)
    least = np.minimum.reduceat(plain, covers.first)
    return ways, float(costs[ways].sum()), float(np.where(covers.is_open, np.minimum(least, parts), least).sum())


def _mixed(covers: _Covers, cuts: Sequence[Ways], weights: Floats) -> Ways:
    """Choose one way for each need such that the sums so far stay close to those of the mix."""
    used = [(ways, weight) for ways, weight in zip(cuts, weights, strict=True) if weight > _PRECISION]
    ahead, chosen = np.zeros(covers.counts.shape[1]), []
    for number in range(len(covers.first)):
        options = np.array([ways[number] for ways, _ in used], dtype=np.intp)
        rows = covers.counts[options]
        ahead = ahead + np.array([weight for _, weight in used]) @ rows
        best = int(np.argmin(((ahead - rows) ** 2).sum(axis=1)))
        ahead = ahead - rows[best]
        chosen.append(options[best])
    return np.array(chosen, dtype=np.intp)
