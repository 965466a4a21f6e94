"""The digest of a plan: what an approver has seen, and nothing that changes by itself."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from cynosure.api.intent_status import GroundedDirective, ServiceChange
from cynosure.intents.facts import Facts, key_of
from cynosure.intents.services import identity
from cynosure.intents.writes import Write
from cynosure.model.gpu import Slot
from cynosure.model.repacking import Repacking
from cynosure.model.service import ServiceKey


def plan_digest(
    intent_uid: str,
    directives: Sequence[GroundedDirective],
    services: Iterable[ServiceKey],
    writes: Iterable[Write],
    ended: Iterable[str],
    facts: Facts,
    repacking: Repacking,
    changes: Iterable[ServiceChange] = (),
) -> str:
    """The SHA-256 of canonical JSON: keys and lists sorted, no spaces.

    In it are

    - the uid of the intent, so that an approval never counts for another one of the same name;
    - the grounded directives, without their provenance: every number that was made absolute is in it;
    - each service that they concern, with uid and generation: somebody who changes its spec makes the plan stale;
    - each write with the value before and after, and the names of the intents that it ends;
    - each service that it makes or deletes, with its whole spec, and the time of grace;
    - each move with both places, in order, and the GPUs that are free afterwards.

    Not in it: the load, the forecast, the estimates, texts and times. They are different a second later, and no
    approval would ever be in time.
    """
    content = {
        "intent": intent_uid,
        "directives": _sorted(d.model_copy(update={"provenance": ()}).body() for d in directives),
        "services": _sorted(_identity(key, facts) for key in set(services)),
        "writes": _sorted([str(w.service), w.path, w.before, w.after] for w in writes),
        "ends": sorted(set(ended)),
        "moves": [[_at(move.origin), _at(move.target)] for move in repacking.moves],
        "frees": sorted(repacking.frees),
        "objects": _sorted(identity(change) for change in changes),
    }
    return f"sha256:{hashlib.sha256(_canonical(content).encode()).hexdigest()}"


def _identity(key: ServiceKey, facts: Facts) -> list[str | int]:
    found = next((service for service in facts.services if key_of(service) == key), None)
    return [str(key), found.metadata.uid, found.metadata.generation] if found else [str(key)]


def _at(slot: Slot) -> list[str | int]:
    return [str(slot.service), slot.partition, slot.gpu, slot.start]


def _sorted(values: Iterable[Any]) -> list[Any]:
    return sorted(values, key=_canonical)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
