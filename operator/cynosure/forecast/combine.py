"""Weigh the methods by how well each did lately, from the past only, and let the middle of them speak."""

from typing import Final

import numpy as np

from cynosure.forecast.windows import Indices
from cynosure.model.signals import Floats

_POWER: Final = 12.0
"""A method whose error is a tenth larger gets a third of the weight."""
_WINDOWS: Final = (0.1, 0.5, 1.0, 3.0)
"""In seasons. The short ones see that the load has changed, the long ones are not taken in by luck."""
_TEMPER: Final = 0.75
"""Errors count by this power, so that one burst that a method met by luck does not decide for a day."""
_TRIMMED: Final = 0.3
"""So much of the weight is left out at either end."""
_FEWEST: Final = 24
_DOUBT: Final = 3.0
"""Until proven, a method is as good as the last value: so many errors of that size are counted beforehand."""
_BORROWED: Final = 6.0
"""What other services found a method to be worth counts as so many errors."""


def tempered(said: Floats, actual: Floats) -> Floats:
    """Return the errors (methods, origins, leads) as they count; NaN where nothing was said, or ``actual`` is missing.

    ``said`` (methods, origins, leads) has the baseline first; ``actual`` (origins, leads).
    """
    errors: Floats = np.abs(said - actual) ** _TEMPER
    return errors


def weights(
    said: Floats, errors: Floats, delays: Indices, season: int, handicaps: Floats, borrowed: Floats | None = None
) -> Floats:
    """Return the weight (methods, origins, leads) of each method; those of one forecast sum to 1.

    ``said`` (methods, origins, leads) has the baseline first, which always speaks; NaN is "cannot say" and weighs
    nothing. ``errors`` are those of ``said``, `tempered`; each is known ``delays`` (leads) origins later. ``season`` is
    counted in origins. The error of a method is multiplied by its handicap (methods).
    ``borrowed`` (methods, leads) is the `worth` that other services found, NaN where they do not know.
    """
    found = np.full((len(said), said.shape[2]), np.nan) if borrowed is None else borrowed
    ratios = _relative_errors(errors, delays, season, found) * handicaps[:, None, None]
    best = ratios.min(axis=0)
    raw = np.where(np.isfinite(said), (best / ratios) ** _POWER, 0.0)
    total: Floats = raw / raw.sum(axis=0)
    return total


def worth(errors: Floats) -> Floats:
    """Return each method's error (methods, leads) as a share of the baseline's on the same forecasts; NaN of none.

    ``errors`` (methods, origins, leads) are `tempered`.
    """
    own, base = (np.where(np.isfinite(errors), row, 0.0).sum(axis=1) for row in (errors, errors[:1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base > 0, own / base, np.nan) ** (1 / _TEMPER)


def combined(said: Floats, share: Floats) -> Floats:
    """Return the mean (origins, leads) of the middle of the methods by weight; where nothing is said, the baseline.

    A mean over all would let one method that took a spike for a new level pull the others along.
    """
    usable = np.where(np.isfinite(said), share, 0.0)
    total = usable.sum(axis=0)
    order = np.argsort(np.where(usable > 0, said, np.inf), axis=0, kind="stable")
    rising, weight = (np.take_along_axis(row, order, axis=0) for row in (said, usable / np.where(total > 0, total, 1)))
    upto = np.cumsum(weight, axis=0)
    inner = np.clip(upto, _TRIMMED, 1 - _TRIMMED) - np.clip(upto - weight, _TRIMMED, 1 - _TRIMMED)
    mean: Floats = np.where(inner > 0, rising * inner, 0.0).sum(axis=0) / (1 - 2 * _TRIMMED)
    return np.where(total > 0, mean, said[0])


def _relative_errors(errors: Floats, delays: Indices, season: int, borrowed: Floats) -> Floats:
    """Return the geometric mean over the windows of each method's error as a share of the baseline's."""
    judged = np.isfinite(errors)
    own, base = (
        _known(np.where(judged, row, 0.0), delays) for row in (errors, np.broadcast_to(errors[:1], errors.shape))
    )
    usual = base[0, :, :] / np.maximum(_known(judged[:1].astype(np.float64), delays)[0], 1.0)
    is_known = np.isfinite(borrowed)
    doubt = np.where(is_known, _BORROWED, _DOUBT)[:, None, :] * np.maximum(usual, 1e-12)
    believed = np.where(is_known, borrowed, 1.0)[:, None, :] ** _TEMPER * doubt
    logs = np.zeros(errors.shape)
    for share in _WINDOWS:
        window = max(round(share * season), _FEWEST)
        logs += np.log((_last(own, window) + believed) / (_last(base, window) + doubt))
    return np.exp(logs / len(_WINDOWS) / _TEMPER)


def _known(rows: Floats, delays: Indices) -> Floats:
    """Return the sum over the forecasts whose outcome is known at each origin."""
    sums = np.cumsum(rows, axis=1)
    known = np.zeros(rows.shape)
    for lead, delay in enumerate(delays.tolist()):
        known[:, delay:, lead] = sums[:, : max(rows.shape[1] - delay, 0), lead]
    return known


def _last(sums: Floats, window: int) -> Floats:
    before = np.zeros(sums.shape)
    before[:, window:] = sums[:, :-window]
    return sums - before
