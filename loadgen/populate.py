"""Who sends the requests of a schedule: what each user does is drawn here, once, for all engines and all shards."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.mix import RequestClass, drawn
from loadgen.schedule import Kind, Schedule
from loadgen.users import Users

_PATIENCE_STREAM, _MIX_STREAM = 1, 2
"""Streams of their own: users who wait less ask the same at the same times."""


def populated(schedule: Schedule, users: Users, seed: int) -> Schedule:
    """Return the schedule with the behaviour of its users; the same one for the same schedule, users and seed.

    BadLoadInput for a mix of token lengths where images are asked for.
    """
    changes: dict[str, Any] = _mixed(schedule, users.mix, seed) if users.mix else {}
    said: dict[str, Any] = {"mix": [each.to_json() for each in users.mix]} if users.mix else {}
    if users.patience is not None:
        random = np.random.default_rng([seed, _PATIENCE_STREAM])
        changes["patience_seconds"] = users.patience.draw(len(schedule), random)
        said["patience"] = asdict(users.patience)
    if users.retries is not None:
        changes["retries"] = replace(users.retries, seed=seed)
        said["retries"] = {name: value for name, value in asdict(users.retries).items() if name != "seed"}
    if not said:
        return schedule
    tokens = {"tokens": {"source": "the mix"}} if users.mix else {}
    provenance = {**schedule.provenance, **tokens, "users": {**said, "seed": seed}}
    return replace(schedule, **changes, provenance=provenance)


def _mixed(schedule: Schedule, mix: Sequence[RequestClass], seed: int) -> dict[str, Any]:
    if np.any(schedule.kind != Kind.COMPLETION):
        raise BadLoadInput("mix: classes differ in tokens, and a request for a classification has none; leave it out")
    which, inputs, outputs = drawn(mix, len(schedule), np.random.default_rng([seed, _MIX_STREAM]))
    return {"classes": tuple(mix), "request_class": which, "input_tokens": inputs, "output_tokens": outputs}
