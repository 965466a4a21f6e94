"""A text generator with continuous batching, moved from event to event instead of from token to token.

Between two iterations finished requests leave and waiting ones join, first come first served, while the batch and the
KV cache have room (Orca, OSDI 2022, section 4). Prompts go in chunks along with the tokens of the others, and stretch
the iteration to the time they take (Sarathi-Serve, OSDI 2024). As long as nobody comes or goes all iterations last
equally long, so that a run of them is one multiplication.
"""

from cynosure.size.text import CHUNK_TOKENS
from cynosure.twin.compiled import compiled
from cynosure.twin.curves import Curves
from cynosure.twin.machines import (
    DECODING,
    IDLE,
    NONE,
    PREFILLING,
    Machines,
    Record,
    Records,
    count_until,
    dequeue,
    enqueue,
    give_slot,
    pop_due,
    push_due,
)
from cynosure.twin.tally import Tally, record


@compiled
def submit(m: Machines, curves: Curves, row: int, slot: int, now: float) -> None:
    """Queue a request; it joins an iteration in flight that has no prompt yet. The replica is advanced to ``now``."""
    r = m.replicas[row]
    enqueue(r, m.requests, slot)
    if r.mode == IDLE:
        _begin(m, curves, row, now)
    elif r.mode == DECODING:
        tokens = _schedule_prompts(m, curves, row)
        if tokens > 0:
            r.mode = PREFILLING
            done = now + tokens * curves.prompt_seconds[r.kind, r.running]
            r.ends_at = max(r.began_at + r.step_seconds, done)


@compiled
def advance(m: Machines, curves: Curves, tally: Tally, row: int, until: float) -> None:
    """Let a replica work up to a time."""
    r = m.replicas[row]
    while r.mode != IDLE:
        if r.mode == PREFILLING:
            end, iterations = r.ends_at, 1
            if end > until:
                break
        else:
            needed = m.due[row, 0] - r.iterations
            fitting = int((until - r.began_at) / r.step_seconds)
            iterations = min(needed, fitting)
            end = r.began_at + iterations * r.step_seconds
            if fitting < needed:
                _run(r, curves, iterations, end)
                r.began_at = end
                break
        _run(r, curves, iterations, end)
        _finish(m, tally, row, end)
        _begin(m, curves, row, end)
    count_until(r, curves.kv_cache_tokens[r.kind], curves.watts[r.kind, r.running], until)


@compiled
def _run(r: Record, curves: Curves, iterations: int, until: float) -> None:
    """Give every decoding request so many tokens; over the run the KV cache holds the mean of before and after."""
    written = iterations * r.decoding
    r.held += written / 2
    count_until(r, curves.kv_cache_tokens[r.kind], curves.watts[r.kind, r.running], until)
    r.held += written / 2
    r.iterations += iterations


@compiled
def _finish(m: Machines, tally: Tally, row: int, now: float) -> None:
    r = m.replicas[row]
    slot = r.fresh
    while slot != NONE:
        m.requests[slot].first_at = now
        slot = m.requests[slot].following
    r.fresh = NONE
    while r.decoding > 0 and m.due[row, 0] <= r.iterations:
        slot = pop_due(m.due[row], m.due_slot[row], r.decoding)
        request = m.requests[slot]
        tokens = request.input_tokens + request.output_tokens
        r.decoding -= 1
        r.running -= 1
        r.reserved -= tokens
        r.held -= tokens
        record(tally, request.number, request.arrived, request.first_at, now, request.output_tokens)
        give_slot(m.free, slot)


@compiled
def _begin(m: Machines, curves: Curves, row: int, now: float) -> None:
    r = m.replicas[row]
    tokens = _schedule_prompts(m, curves, row)
    if r.running == 0:
        r.mode = IDLE
        r.idle_since = now
        return
    r.began_at = now
    r.step_seconds = curves.step_seconds[r.kind, r.running]
    r.mode = PREFILLING if tokens else DECODING
    r.ends_at = now + max(r.step_seconds, tokens * curves.prompt_seconds[r.kind, r.running])


@compiled
def _schedule_prompts(m: Machines, curves: Curves, row: int) -> int:
    """Fill the chunk of this iteration, admitting requests as long as there is room; return its prompt tokens."""
    r, requests = m.replicas[row], m.requests
    room = CHUNK_TOKENS
    while room > 0 and (r.prompting != NONE or _admits(r, requests, curves)):
        if r.prompting == NONE:
            r.prompting = dequeue(r, requests)
            r.running += 1
            r.reserved += requests[r.prompting].input_tokens + requests[r.prompting].output_tokens
        request = requests[r.prompting]
        taken = min(room, request.prompt_left)
        room -= taken
        request.prompt_left -= taken
        r.held += taken
        if request.prompt_left == 0:
            push_due(m.due[row], m.due_slot[row], r.decoding, r.iterations + request.output_tokens, r.prompting)
            r.decoding += 1
            request.following = r.fresh
            r.fresh = r.prompting
            r.prompting = NONE
    return CHUNK_TOKENS - room


@compiled
def _admits(r: Record, requests: Records, curves: Curves) -> bool:
    """Whether there is a next one in the queue, and room for it."""
    if r.head == NONE or r.running >= curves.largest_batch[r.kind]:
        return False
    tokens = r.reserved + requests[r.head].input_tokens + requests[r.head].output_tokens
    return bool(tokens <= curves.kv_cache_tokens[r.kind])
