"""Who may come in: nobody while the model loads, nobody new while the pod drains, and sometimes a fault instead."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from serving.refusal import Refusal


class Phase(StrEnum):
    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"


class Faults(BaseModel):
    """What ``PUT /fault`` sets; fields left out are without fault."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    slow_factor: float = Field(default=1.0, ge=0.01, le=1000, allow_inf_nan=False)
    error_rate: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    hang: bool = False


class Gate:
    """Counts the requests inside, so that draining knows when the last one has left."""

    def __init__(
        self,
        load_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        random_source: random.Random | None = None,
    ) -> None:
        self.faults = Faults()
        self._clock = clock
        self._ready_at = clock() + load_seconds
        self._random = random_source or random.Random(0)  # noqa: S311  (chooses injected faults, nothing secret)
        self._inside = 0
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def phase(self) -> Phase:
        if self._draining:
            return Phase.DRAINING
        return Phase.READY if self._clock() >= self._ready_at else Phase.LOADING

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Stay inside while a request is worked on. Raises Refusal 503 with Retry-After unless ready."""
        if (phase := self.phase) is not Phase.READY:
            raise Refusal(503, f"the engine is {phase}", code=phase, retry_after_seconds=self._retry_after_seconds())
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    def raise_injected_error(self) -> None:
        if self._random.random() < self.faults.error_rate:
            raise Refusal(500, "an injected fault (PUT /fault)", code="injected_fault")

    async def drain(self, timeout_seconds: float) -> int:
        """Let nobody in any more and wait for those inside; how many are still there at the timeout."""
        self._draining = True
        try:
            await asyncio.wait_for(self._empty.wait(), timeout_seconds)
        except TimeoutError:
            return self._inside
        return 0

    def _retry_after_seconds(self) -> int:
        return 1 if self._draining else max(1, math.ceil(self._ready_at - self._clock()))
