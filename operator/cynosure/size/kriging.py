"""Interpolation between scattered measurements, with its own uncertainty: kriging (Gaussian process regression).

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006): prediction by algorithm 2.1, the kernel is
Matérn's of order 3/2 (equation 4.17), and range and noise are those that predict each point best from the others
(leave-one-out in closed form, section 5.4.2).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from cynosure.model.signals import Floats

_RANGES = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
_NOISES = (1e-3, 1e-2, 0.1, 1.0)
"""Of a measurement, relative to the variance of what is interpolated."""


@dataclass(frozen=True, slots=True)
class Kriging:
    """``places`` (n x d) were measured; values far from all of them are 0, with the standard deviation of all.

    ``left_out`` are the errors at the places when each is predicted from the others.
    """

    places: Floats
    weights: Floats
    inverse: Floats
    reach: float
    noise: float
    deviation: float
    left_out: Floats

    @classmethod
    def fit(cls, places: Floats, values: Floats) -> "Kriging":
        """Interpolate ``values`` (n) of ``places`` (n x d), in which distances along every axis count alike."""
        fits = (_fit(places, values, reach, noise) for reach, noise in product(_RANGES, _NOISES))
        _, best = min(fits, key=lambda fit: fit[0])
        return best

    def at(self, places: Floats) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of a new measurement at each of ``places`` (m x d)."""
        likeness = _likeness(places, self.places, self.reach)
        known = (likeness @ self.inverse * likeness).sum(axis=1)
        return likeness @ self.weights, self.deviation * np.sqrt(np.maximum(1 + self.noise - known, self.noise))


def _fit(places: Floats, values: Floats, reach: float, noise: float) -> tuple[float, Kriging]:
    likeness = _likeness(places, places, reach) + noise * np.eye(len(values))
    inverse = np.asarray(np.linalg.inv(likeness), dtype=np.float64)
    weights, precision = inverse @ values, np.diag(inverse)
    left_out = weights / precision
    deviation = float(np.sqrt(np.mean(left_out**2 * precision)))
    return float(np.mean(np.abs(left_out))), Kriging(places, weights, inverse, reach, noise, deviation, left_out)


def _likeness(some: Floats, others: Floats, reach: float) -> Floats:
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None, :] - 2 * some @ others.T
    distance = np.sqrt(3 * np.maximum(squares, 0)) / reach
    return np.asarray((1 + distance) * np.exp(-distance))
