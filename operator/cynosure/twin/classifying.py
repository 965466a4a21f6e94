"""An image classifier that batches what comes: one batch at a time, as Triton's dynamic batcher works.

A batch starts when it is full, or when its oldest image has waited for the batching window.
"""

from typing import Final

from cynosure.twin.compiled import compiled
from cynosure.twin.curves import Curves
from cynosure.twin.machines import IDLE, NONE, PREFILLING, Machines, count_until, dequeue, enqueue, give_slot
from cynosure.twin.tally import Tally, record

WINDOW_SECONDS: Final = 0.002


@compiled
def submit(m: Machines, curves: Curves, row: int, slot: int, now: float) -> None:
    """Queue an image. The replica is advanced to ``now``."""
    enqueue(m.replicas[row], m.requests, slot)
    _begin_if_due(m, curves, row, now)


@compiled
def advance(m: Machines, curves: Curves, tally: Tally, row: int, until: float) -> None:
    """Let a replica work up to a time."""
    r = m.replicas[row]
    while r.mode != IDLE or r.queued > 0:
        at = r.ends_at if r.mode != IDLE else m.requests[r.head].arrived + WINDOW_SECONDS
        if at > until:
            break
        count_until(r, curves.kv_cache_tokens[r.kind], curves.watts[r.kind, r.running], at)
        if r.mode != IDLE:
            _finish(m, tally, row, at)
        _begin_if_due(m, curves, row, at)
    count_until(r, curves.kv_cache_tokens[r.kind], curves.watts[r.kind, r.running], until)


@compiled
def _finish(m: Machines, tally: Tally, row: int, now: float) -> None:
    r = m.replicas[row]
    slot = r.fresh
    while slot != NONE:
        request = m.requests[slot]
        record(tally, request.number, request.arrived, now, now, 1)
        give_slot(m.free, slot)
        slot = m.requests[slot].following
    r.fresh = NONE
    r.running = 0
    r.mode = IDLE
    r.idle_since = now


@compiled
def _begin_if_due(m: Machines, curves: Curves, row: int, now: float) -> None:
    r = m.replicas[row]
    if r.mode != IDLE or r.queued == 0:
        return
    if r.queued < curves.largest_batch[r.kind] and now < m.requests[r.head].arrived + WINDOW_SECONDS:
        return
    size = min(r.queued, curves.largest_batch[r.kind])
    for _ in range(size):
        slot = dequeue(r, m.requests)
        m.requests[slot].following = r.fresh
        r.fresh = slot
    r.running = size
    r.mode = PREFILLING
    r.ends_at = now + curves.step_seconds[r.kind, size]
