"""When holes between partitions are worth moving replicas for."""

from collections.abc import Iterator
from dataclasses import replace

from cynosure.api.directive import Directive, Verb
from cynosure.diagnose.causes import Cause, Symptom
from cynosure.diagnose.evidence import Fragmented, Worth
from cynosure.diagnose.finding import Clue, Finding, Proposal
from cynosure.diagnose.view import View
from cynosure.model.repacking import Defragmentation

_CERTAIN = 0.95


def fragmented(
    before: Fragmented | None, found: Defragmentation, now_seconds: float, worth: Worth
) -> Fragmented | None:
    """Return the state after another look; None where too little is to be gained by moving.

    It has to last before it is asked about: services shrink for an hour, and grow again.
    """
    if not found.repacking:
        return None
    state = Fragmented(before.since_seconds if before else now_seconds, found, before is not None and before.stands)
    if state.stands:
        return state
    if state.freed < worth.fewest_gpus and not state.makes_room:
        return None
    lasting = worth.room_seconds if state.makes_room else worth.gpus_seconds
    return replace(state, stands=now_seconds - state.since_seconds >= lasting)


def holes(view: View) -> Iterator[Finding]:
    """What was seen of the whole namespace, told of one service."""
    state = view.evidence.fragmented
    if state is None or not state.stands:
        return
    namespace, found, clues = view.evidence.service.key.namespace, state.defragmentation, list[Clue]()
    if (room := found.acceptance) is not None:
        value = f"{room.before} of {room.partitions}, {room.after} once moved"
        clues.append(Clue("likely next partitions that find room", value, str(room.partitions)))
    clues.append(Clue("GPUs that replicas stand on", str(found.gpus_before), str(found.gpus_after)))
    moves = len(found.repacking.moves)
    gains = [f"free {state.freed} of {found.gpus_before} GPUs"] if state.freed else []
    if room is not None and state.makes_room:
        gains += [f"leave room for {room.after - room.before} more of the partitions that are likely wanted next"]
    message = f"{moves} moves in namespace {namespace} would {' and '.join(gains)}"
    fix = Proposal(Directive(verb=Verb.DEFRAGMENT, namespace=namespace), automatic=state.automatic)
    symptom = Symptom.AT_RISK if state.makes_room else Symptom.SCATTERED
    yield Finding(Cause.GPUS_FRAGMENTED, symptom, message, tuple(clues), fix, _CERTAIN)
