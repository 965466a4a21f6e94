"""The bounds of a pass, from the intents that are applied and the automation policy."""

import logging
from collections.abc import Callable

from cynosure.api import AutomationPolicy, Invalid, ScalingIntent
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.intents.bounds import bounds_in_force
from cynosure.kube.caches import Caches
from cynosure.kube.port import AUTOMATION_POLICIES, SCALING_INTENTS
from cynosure.model.bounds import Bounds
from cynosure.observe.parsed import Parsed

log = logging.getLogger(__name__)


class Limits:
    def __init__(self, caches: Caches, clock: Callable[[], float]) -> None:
        self._caches = caches
        self._clock = clock
        self._intents = Parsed(ScalingIntent)
        self._policies = Parsed(AutomationPolicy)

    def policy(self) -> AutomationPolicySpec:
        """The policy ``default``. One that cannot be read stops everything: it may have been meant to."""
        for policy in self._policies.of(self._caches.store(AUTOMATION_POLICIES).items()).values():
            if isinstance(policy, Invalid):
                log.error("the AutomationPolicy is invalid, so nothing is changed", extra={"error": policy.message})
                return AutomationPolicySpec(stop=True)
            return policy.spec
        return AutomationPolicySpec()

    def in_force(self) -> Bounds:
        parsed = self._intents.of(self._caches.store(SCALING_INTENTS).items()).values()
        intents = [intent for intent in parsed if isinstance(intent, ScalingIntent)]
        return bounds_in_force(intents, self.policy(), self._clock())
