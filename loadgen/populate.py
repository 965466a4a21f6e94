"""Who sends the requests of a schedule: what each user does is drawn here, once, for all engines and all shards."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from loadgen.schedule import Schedule
from loadgen.users import Users

_PATIENCE_STREAM = 1
"""Streams of their own: users who wait less ask the same at the same times."""


def populated(schedule: Schedule, users: Users, seed: int) -> Schedule:
    """Return the schedule with the behaviour of its users; the same one for the same schedule, users and seed."""
    changes: dict[str, Any] = {}
    said: dict[str, Any] = {}
    if users.patience is not None:
        random = np.random.default_rng([seed, _PATIENCE_STREAM])
        changes["patience_seconds"] = users.patience.draw(len(schedule), random)
        said["patience"] = asdict(users.patience)
    if users.retries is not None:
        changes["retries"] = replace(users.retries, seed=seed)
        said["retries"] = {name: value for name, value in asdict(users.retries).items() if name != "seed"}
    if not said:
        return schedule
    return replace(schedule, **changes, provenance={**schedule.provenance, "users": {**said, "seed": seed}})
