"""The core: hands requests to replicas and lets each work, at a few microseconds a request."""

from typing import NamedTuple

from cynosure.model.signals import Floats
from cynosure.twin import classifying, decoding
from cynosure.twin.compiled import compiled
from cynosure.twin.curves import Curves
from cynosure.twin.machines import Machines, take_slot
from cynosure.twin.tally import INPUT_TOKENS, OFFERED, OUTPUT_TOKENS, Integers, Tally, drop

_submit_text, _submit_image = decoding.submit, classifying.submit
_advance_text, _advance_images = decoding.advance, classifying.advance


class Arrivals(NamedTuple):
    """Requests in order of time. ``route`` is uniform in [0, 1): which replica, whatever their number."""

    at_seconds: Floats
    input_tokens: Integers
    output_tokens: Integers
    route: Floats


@compiled
def serve(
    m: Machines,
    curves: Curves,
    tally: Tally,
    arrivals: Arrivals,
    first: int,
    until: float,
    ready: Integers,
    least_loaded: bool,
) -> int:
    """Hand the arrivals from index ``first`` on to ready replicas, those before ``until``.

    Return the index of the first that was not handed over; it is earlier than ``until`` only when no request slot is
    left. A request is dropped when no replica is ready, or when the replica's KV cache could never hold it.
    """
    n = first
    while n < len(arrivals.at_seconds) and arrivals.at_seconds[n] < until and m.free[-1] > 0:
        number = tally.counts[OFFERED]
        now, inputs, outputs = arrivals.at_seconds[n], arrivals.input_tokens[n], arrivals.output_tokens[n]
        tally.counts[OFFERED] += 1
        tally.counts[INPUT_TOKENS] += inputs
        tally.counts[OUTPUT_TOKENS] += outputs
        row = _route(m, curves, tally, ready, arrivals.route[n], now, least_loaded)
        n += 1
        if row < 0 or inputs + outputs > curves.kv_cache_tokens[m.replicas[row].kind]:
            drop(tally, number)
            continue
        slot = take_slot(m.free)
        request = m.requests[slot]
        request.number = number
        request.arrived = now
        request.input_tokens = request.prompt_left = inputs
        request.output_tokens = outputs
        _advance(m, curves, tally, row, now)
        if curves.is_text:
            _submit_text(m, curves, row, slot, now)
        else:
            _submit_image(m, curves, row, slot, now)
    return n


@compiled
def settle(m: Machines, curves: Curves, tally: Tally, rows: Integers, until: float) -> None:
    """Let replicas work up to a time without new requests."""
    for row in rows:
        _advance(m, curves, tally, row, until)


@compiled
def _advance(m: Machines, curves: Curves, tally: Tally, row: int, until: float) -> None:
    if curves.is_text:
        _advance_text(m, curves, tally, row, until)
    else:
        _advance_images(m, curves, tally, row, until)


@compiled
def _route(
    m: Machines, curves: Curves, tally: Tally, ready: Integers, route: float, now: float, least_loaded: bool
) -> int:
    """Uniformly at random, as kube-proxy does; or to the one with the fewest requests, ties at random."""
    if len(ready) == 0:
        return -1
    start = int(route * len(ready))
    if not least_loaded:
        return int(ready[start])
    best, fewest = -1, 0
    for n in range(len(ready)):
        row = ready[(start + n) % len(ready)]
        _advance(m, curves, tally, row, now)
        requests = m.replicas[row].running + m.replicas[row].queued
        if best < 0 or requests < fewest:
            best, fewest = row, requests
    return best
