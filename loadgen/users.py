"""How users behave: what each asks, how long it waits, and whether it tries again."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.mix import RequestClass
from loadgen.retries import Retries
from loadgen.trace import Floats

Distribution = Literal["fixed", "exponential", "log-normal"]
_LONGEST_PATIENCE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Patience:
    """``mean_seconds`` on average, and for each user the same, or drawn.

    ``exponential`` as in the Erlang-A model (Palm 1957); ``log-normal`` with a coefficient of variation of 1, where
    hardly anybody goes away at once (shape as in Brown et al. 2005, JASA 100(469)).
    """

    mean_seconds: float
    distribution: Distribution = "exponential"

    def __post_init__(self) -> None:
        if not 0 < self.mean_seconds <= _LONGEST_PATIENCE_SECONDS:
            raise BadLoadInput(
                f"patience: {self.mean_seconds:g} s is outside 0 to {_LONGEST_PATIENCE_SECONDS:g} s; such as 10"
            )

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """Return ``count`` times in seconds."""
        if self.distribution == "fixed":
            return np.full(count, self.mean_seconds)
        if self.distribution == "exponential":
            return random.exponential(self.mean_seconds, count)
        sigma = np.sqrt(np.log(2.0))
        return random.lognormal(np.log(self.mean_seconds) - sigma**2 / 2, sigma, count)


@dataclass(frozen=True, slots=True)
class Users:
    """Those of one replay.

    ``patience`` None waits as long as the time-out of the engine; ``retries`` None has none; without a ``mix`` the
    lengths of requests stay as they are.
    """

    patience: Patience | None = None
    retries: Retries | None = None
    mix: tuple[RequestClass, ...] = ()
