"""Continuous batching of a text generator, as a machine that is stepped with the time given to it.

The engine works in iterations, as Orca (Yu et al., OSDI 2022, section 4) and vLLM do: between two iterations
finished requests leave and waiting ones join, first come first served, while the batch and the KV cache have room.
An iteration gives each running request one token. Prompts are prefilled in chunks along with it (Sarathi-Serve,
Agrawal et al., OSDI 2024, and vLLM's default); an iteration with a chunk lasts as long as the chunk takes.
"""

from collections import deque
from dataclasses import dataclass

from serving.timing import DecoderTiming

PREFILL_TOKENS_PER_ITERATION = 2048
"""The chunk: vLLM's max_num_batched_tokens. A longer prompt takes several iterations, short ones share one."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A request: its prompt and exactly ``output_tokens`` new tokens, whose KV cache is reserved on admission."""

    id: str
    prompt_tokens: int
    output_tokens: int

    @property
    def kv_cache_tokens(self) -> int:
        return self.prompt_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Progress:
    """A request got its next token (or, for a classifier, its answer)."""

    id: str
    at_seconds: float
    finished: bool


@dataclass(slots=True)
class _Sequence:
    request: Generation
    prompt_left: int
    generated: int = 0


class ContinuousBatch:
    """The scheduler. Times are seconds on whatever clock the caller reads; they must not go back.

    ``slowdown`` stretches what begins from then on.
    """

    def __init__(self, timing: DecoderTiming, slowdown: float = 1.0) -> None:
        self.timing = timing
        self.slowdown = slowdown
        self._waiting: deque[Generation] = deque()
        self._running: dict[str, _Sequence] = {}
        self._reserved_tokens = 0
        self._ends_at: float | None = None
        self._has_prefill = False
        self._prefilling: _Sequence | None = None  # the one whose prompt may go on in the next iteration

    @property
    def next_event(self) -> float | None:
        """When the iteration in flight ends; None while idle."""
        return self._ends_at

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def kv_cache_usage(self) -> float:
        """Share of the KV cache that holds tokens, 0 to 1; reserved but unwritten room does not count."""
        held = sum(s.request.prompt_tokens - s.prompt_left + s.generated for s in self._running.values())
        return held / self.timing.kv_cache_tokens

    def submit(self, request: Generation, now: float) -> None:
        """Queue a request, which the caller knows to fit the KV cache. It joins a decode iteration in flight."""
        self._waiting.append(request)
        if self._ends_at is None:
            self._begin(now)
        elif not self._has_prefill and (prompt_tokens := self._schedule_prefill()):
            self._has_prefill = True
            self._ends_at = max(self._ends_at, now + self._prefill_seconds(prompt_tokens))

    def cancel(self, request_id: str, now: float) -> None:
        """Forget a request wherever it stands; unknown and finished ones are no matter."""
        if sequence := self._running.pop(request_id, None):
            self._reserved_tokens -= sequence.request.kv_cache_tokens
            sequence.prompt_left = 0
        else:
            self._waiting = deque(r for r in self._waiting if r.id != request_id)
        if not self._running and self._ends_at is not None:
            self._begin(now)

    def advance(self, now: float) -> list[Progress]:
        """What happened up to ``now``. The next iteration starts where one ended, so lateness does not add up."""
        happened: list[Progress] = []
        while self._ends_at is not None and self._ends_at <= now:
            happened.extend(self._finish(self._ends_at))
            self._begin(self._ends_at)
        return happened

    def postpone(self, until: float) -> None:
        """The iteration in flight ends no earlier than ``until``: the engine stood still."""
        if self._ends_at is not None:
            self._ends_at = max(self._ends_at, until)

    def _begin(self, now: float) -> None:
        prompt_tokens = self._schedule_prefill()
        self._has_prefill = prompt_tokens > 0
        if not self._running:
            self._ends_at = None
            return
        step = self.timing.step_seconds(len(self._running)) * self.slowdown
        self._ends_at = now + max(step, self._prefill_seconds(prompt_tokens))

    def _finish(self, at: float) -> list[Progress]:
        happened: list[Progress] = []
        for key, sequence in list(self._running.items()):
            if sequence.prompt_left:
                continue
            sequence.generated += 1
            finished = sequence.generated == sequence.request.output_tokens
            happened.append(Progress(key, at, finished))
            if finished:
                self._reserved_tokens -= self._running.pop(key).request.kv_cache_tokens
        return happened

    def _schedule_prefill(self) -> int:
        """Fill this iteration's chunk, admitting waiting requests as long as there is room; its prompt tokens."""
        room = PREFILL_TOKENS_PER_ITERATION
        while room and (sequence := self._next_to_prefill()):
            taken = min(room, sequence.prompt_left)
            sequence.prompt_left -= taken
            room -= taken
        return PREFILL_TOKENS_PER_ITERATION - room

    def _next_to_prefill(self) -> _Sequence | None:
        if self._prefilling is not None and self._prefilling.prompt_left:
            return self._prefilling
        self._prefilling = None
        if self._waiting and self._has_room(self._waiting[0]):
            request = self._waiting.popleft()
            self._prefilling = self._running[request.id] = _Sequence(request, request.prompt_tokens)
            self._reserved_tokens += request.kv_cache_tokens
        return self._prefilling

    def _has_room(self, request: Generation) -> bool:
        return (
            len(self._running) < self.timing.max_concurrency
            and self._reserved_tokens + request.kv_cache_tokens <= self.timing.kv_cache_tokens
        )

    def _prefill_seconds(self, tokens: int) -> float:
        return self.timing.prefill_seconds(tokens, len(self._running)) * self.slowdown if tokens else 0.0
