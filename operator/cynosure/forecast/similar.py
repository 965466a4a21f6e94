"""Seasons that went like the present one: a Monday is forecast from Fridays rather than from Sunday, if they are alike.

Of one season of history this is the seasonal naive method; of more, a nearest-neighbour forecast (Yakowitz, Journal of
Time Series Analysis 8(2), 1987) whose neighbours stand at the same phase.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from cynosure.forecast.windows import Indices, at, centred_mean, filled, trailing_mean
from cynosure.model.signals import Floats

Level = Literal["as_is", "scaled", "shifted"]

_MOST_SEASONS: Final = 14
_SHARPNESS: Final = 2.0
"""A season that differs twice as much has a quarter of the weight."""
_MOST_SCALED: Final = 3.0
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class SimilarSeasons:
    """The mean of past seasons, weighed by how near they are to the last ``compared`` steps; smoothed by ``half``.

    They are taken as they are, or brought to the level of the last ``level_window`` steps by a ratio or a difference.
    """

    season: int
    half: int
    level_window: int
    level: Level
    name: str = "similar_seasons"

    @property
    def compared(self) -> int:
        return max(3, self.season // 4)

    def paths(self, values: Floats, origins: Indices, leads: Indices) -> Floats:
        known, smooth = filled(values), centred_mean(values, self.half)
        total, weights = np.zeros((len(origins), len(leads))), np.zeros((len(origins), len(leads)))
        level = trailing_mean(known, self.level_window)
        now = level[origins][:, None]
        for back, distance in self._distances(known, smooth, origins, leads):
            past = at(smooth, origins[:, None] + leads[None, :] - back)
            past = self._brought(past, now, at(level, origins - back)[:, None])
            usable = np.isfinite(past) & np.isfinite(distance)[:, None] & (leads + self.half <= back)[None, :]
            weight = np.where(usable, ((distance + _TINY) ** -_SHARPNESS)[:, None], 0.0)
            total += weight * np.where(usable, past, 0.0)
            weights += weight
        said: Floats = np.where(weights > 0, total / np.maximum(weights, 1e-300), np.nan)
        return np.maximum(said, 0.0)

    def _distances(
        self, known: Floats, smooth: Floats, origins: Indices, leads: Indices
    ) -> Iterator[tuple[int, Floats]]:
        """Yield how many steps back a season is, and how far (origins) it was from the steps before each origin."""
        nearest = -(-(int(leads[0]) + self.half) // self.season)
        farthest = -(-(int(leads[-1]) + self.half) // self.season) + _MOST_SEASONS
        steps = np.arange(max(int(origins[0]) - self.compared, 0), int(origins[-1]) + 1)
        for seasons in range(nearest, farthest):
            back = seasons * self.season
            if back + self.compared > origins[-1]:
                return
            apart = trailing_mean(np.abs(known[steps] - at(smooth, steps - back)), self.compared)[origins - steps[0]]
            yield back, np.where(origins >= back + self.compared, apart, np.nan)

    def _brought(self, past: Floats, now: Floats, before: Floats) -> Floats:
        match self.level:
            case "as_is":
                return past
            case "scaled":
                return past * np.clip(now / np.maximum(before, _TINY), 1 / _MOST_SCALED, _MOST_SCALED)
            case "shifted":
                return past + (now - before)
