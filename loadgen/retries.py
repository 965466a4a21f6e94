"""Whether and when a failed request is sent again: after growing waits, and never so often that it makes a storm."""

from dataclasses import dataclass

import numpy as np

from loadgen.errors import BadLoadInput

_LONGEST_BACKOFF_SECONDS = 60.0
_BURST = 10.0


@dataclass(frozen=True, slots=True)
class Retries:
    """At most ``most`` further attempts, the first after up to ``backoff_seconds``, each later one after up to twice.

    ``budget_share``: retries are at most this share of requests, and ten at once, by each worker (the retry budget of
    Finagle; gRPC proposal A6 throttles alike). It is what keeps a target that is down from getting a multiple of its
    load.
    """

    most: int = 3
    backoff_seconds: float = 0.5
    budget_share: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 10:
            raise BadLoadInput(f"retries: {self.most} is outside 1 to 10; such as 3")
        if not 0 < self.backoff_seconds <= _LONGEST_BACKOFF_SECONDS:
            raise BadLoadInput(
                f"retry backoff: {self.backoff_seconds:g} s is outside 0 to {_LONGEST_BACKOFF_SECONDS:g} s; such as 0.5"
            )
        if not 0 <= self.budget_share <= 1:
            raise BadLoadInput(f"retry budget: {self.budget_share:g} is outside 0 to 1 of the requests; such as 0.2")

    def wait_seconds(self, number: int, attempts: int) -> float:
        """Draw the wait after so many attempts of a request: evenly up to the backoff, which is called full jitter.

        As in Brooker, Exponential Backoff and Jitter (2015); by the seed and the number of the request in the whole
        schedule, so that it is the same in every shard.
        """
        most = min(_LONGEST_BACKOFF_SECONDS, self.backoff_seconds * 2.0 ** (attempts - 1))
        return most * float(np.random.default_rng([self.seed, number, attempts]).random())


class RetryBudget:
    """What is left to retry of one worker."""

    def __init__(self, retries: Retries) -> None:
        self._share = retries.budget_share
        self._left = _BURST

    def earn(self) -> None:
        """For a request sent for the first time. What was saved up is no more than a burst."""
        self._left = min(_BURST, self._left + self._share)

    def spend(self) -> bool:
        """Take one retry, if there is one."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
