"""Looks whether moving would free GPUs or make room: at one namespace in a round, as each costs a planning pass."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.directive import Verb
from cynosure.diagnose import Fragmented, Worth, fragmented
from cynosure.model.repacking import Defragmentation, Scope
from cynosure.model.service import ServiceKey
from cynosure.reconcile.result import PassResult, Planner
from cynosure.settings import DiagnosisSettings


@dataclass(slots=True)
class Fragmentation:
    """Lost on restart and seen anew: then it has to last again before anything is proposed."""

    plan: Planner
    policy: Callable[[], AutomationPolicySpec]
    settings: DiagnosisSettings
    _looked_at: dict[str, float] = field(default_factory=dict)
    _states: dict[str, Fragmented] = field(default_factory=dict)

    async def look(self, seen: PassResult) -> None:
        """Take the turn of the namespace that was looked at longest ago."""
        present = {o.service.key.namespace for o in seen.snapshot.observations}
        present -= set(self.policy().protected_namespaces)
        self._states = {name: state for name, state in self._states.items() if name in present}
        self._looked_at = {name: at for name, at in self._looked_at.items() if name in present}
        if not present or seen.bounds.stop:
            return
        turn, now = min(sorted(present), key=lambda name: self._looked_at.get(name, 0.0)), seen.snapshot.now_seconds
        asked = replace(seen.bounds, defragment=Scope(turn))
        plan = await asyncio.to_thread(self.plan, seen.snapshot, seen.forecasts, asked)
        self._looked_at[turn] = now
        self._remember(turn, plan.defragmentation or Defragmentation(), now)

    def _remember(self, namespace: str, found: Defragmentation, now: float) -> None:
        own = self.settings
        worth = Worth(own.fragmented_gpus, own.fragmented_seconds, own.diagnosis_window_seconds)
        state = fragmented(self._states.pop(namespace, None), found, now, worth)
        if state is not None:
            self._states[namespace] = state

    def standing(self) -> Mapping[ServiceKey, Fragmented]:
        """What is worth asking about: at most one for each namespace, told of the first service that would be moved."""
        policy = self.policy()
        most = (policy.max_moves or 0) if Verb.DEFRAGMENT in policy.automatic_verbs else 0
        found = {}
        for state in self._states.values():
            moves = state.defragmentation.repacking.moves
            if state.stands:
                found[min(move.service for move in moves)] = replace(state, automatic=len(moves) <= most)
        return found
