"""The state of all replicas and of the requests in flight, as arrays of records that compiled code works on."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cynosure.twin.compiled import compiled
from cynosure.twin.tally import Integers

NONE: Final = -1
"""No request: the end of a list."""
IDLE, DECODING, PREFILLING = range(3)
"""What a replica is doing. A batch of images counts as prefilling: its end is known, and nothing joins it."""

_REPLICA: Final = np.dtype(
    [
        ("kind", "i8"),  # partition, as a row of the curves
        ("mode", "i8"),
        ("began_at", "f8"),  # of the iteration in flight
        ("step_seconds", "f8"),  # how long it lasts without a prompt
        ("ends_at", "f8"),  # if it has a prompt
        ("idle_since", "f8"),
        ("iterations", "i8"),  # done so far: each gave every decoding request a token
        ("running", "i8"),
        ("decoding", "i8"),  # those of the running whose prompt is done
        ("reserved", "i8"),  # tokens of the KV cache that the running may come to need
        ("held", "f8"),  # tokens that are in it
        ("queued", "i8"),
        ("head", "i8"),
        ("tail", "i8"),
        ("prompting", "i8"),  # the request whose prompt goes on in the next iteration
        ("fresh", "i8"),  # list of the requests that this iteration gives the first token
        ("counted_at", "f8"),  # until when the sums over time below are
        ("running_seconds", "f8"),
        ("waiting_seconds", "f8"),
        ("kv_usage_seconds", "f8"),
        ("busy_seconds", "f8"),
        ("joules", "f8"),
    ]
)
_REQUEST: Final = np.dtype(
    [
        ("number", "i8"),  # counted from the first one offered
        ("arrived", "f8"),
        ("first_at", "f8"),
        ("input_tokens", "i8"),
        ("output_tokens", "i8"),
        ("prompt_left", "i8"),
        ("following", "i8"),  # the next one in the same list
    ]
)

Records = NDArray[Any]
Record = Any


class Machines(NamedTuple):
    """All replicas, and all requests in flight in slots that are used again.

    ``iterations`` is the clock of a replica: every running request gets one token in each, so that when a request will
    have all of its tokens is known the moment it starts. ``due`` and ``due_slot`` are a heap by that.
    """

    replicas: Records
    due: Integers
    """(replica, batch)"""
    due_slot: Integers
    requests: Records
    free: Integers
    """Stack of unused slots of ``requests``; its last entry is how many there are."""


def machines(replicas: int, largest_batch: int, slots: int) -> Machines:
    """Return room for so many replicas, requests in a batch, and requests in flight."""
    return Machines(
        np.zeros(replicas, _REPLICA).view(np.recarray),
        np.zeros((replicas, largest_batch), np.int64),
        np.zeros((replicas, largest_batch), np.int64),
        np.zeros(slots, _REQUEST).view(np.recarray),
        np.append(np.arange(slots), slots),
    )


def with_more_slots(old: Machines) -> Machines:
    """Return the same state with room for twice as many requests in flight."""
    slots, unused = len(old.requests), int(old.free[-1])
    free = np.zeros(2 * slots + 1, np.int64)
    free[:unused] = old.free[:unused]
    free[unused : unused + slots] = np.arange(slots, 2 * slots)
    free[-1] = unused + slots
    return old._replace(requests=_doubled(old.requests), free=free)


def with_more_replicas(old: Machines) -> Machines:
    return old._replace(replicas=_doubled(old.replicas), due=_doubled(old.due), due_slot=_doubled(old.due_slot))


def _doubled(array: Records) -> Records:
    return np.concatenate([array, np.zeros_like(array)])


def reset(state: Machines, row: int, kind: int, now_seconds: float) -> None:
    """Make a row a new replica without any request."""
    state.replicas[row] = 0
    for name, value in (
        *((name, NONE) for name in ("head", "tail", "prompting", "fresh")),
        ("kind", kind),
        ("idle_since", now_seconds),
        ("counted_at", now_seconds),
    ):
        state.replicas[name][row] = value


@compiled
def count_until(r: Record, kv_cache_tokens: float, watts: float, until: float) -> None:
    """Add what was the case since the last count to the sums. Called before anything changes."""
    seconds = until - r.counted_at
    if seconds <= 0:
        return
    r.counted_at = until
    r.running_seconds += r.running * seconds
    r.waiting_seconds += r.queued * seconds
    r.kv_usage_seconds += r.held / kv_cache_tokens * seconds
    if r.running > 0:
        r.busy_seconds += seconds
    r.joules += watts * seconds


@compiled
def enqueue(r: Record, requests: Records, slot: int) -> None:
    requests[slot].following = NONE
    if r.head == NONE:
        r.head = slot
    else:
        requests[r.tail].following = slot
    r.tail = slot
    r.queued += 1


@compiled
def dequeue(r: Record, requests: Records) -> int:
    slot = int(r.head)
    r.head = requests[slot].following
    r.queued -= 1
    return slot


@compiled
def take_slot(free: Integers) -> int:
    free[-1] -= 1
    return int(free[free[-1]])


@compiled
def give_slot(free: Integers, slot: int) -> None:
    free[free[-1]] = slot
    free[-1] += 1


@compiled
def push_due(due: Integers, slots: Integers, size: int, at: int, slot: int) -> None:
    """Add to a binary heap of ``size``."""
    n = size
    while n > 0 and due[(n - 1) // 2] > at:
        parent = (n - 1) // 2
        due[n], slots[n] = due[parent], slots[parent]
        n = parent
    due[n], slots[n] = at, slot


@compiled
def pop_due(due: Integers, slots: Integers, size: int) -> int:
    """Take the earliest of a heap of ``size`` and return its slot."""
    slot = int(slots[0])
    left = size - 1
    at, last = due[left], slots[left]
    n = 0
    while 2 * n + 1 < left:
        child = 2 * n + 1
        if child + 1 < left and due[child + 1] < due[child]:
            child += 1
        if due[child] >= at:
            break
        due[n], slots[n] = due[child], slots[child]
        n = child
    due[n], slots[n] = at, last
    return slot
