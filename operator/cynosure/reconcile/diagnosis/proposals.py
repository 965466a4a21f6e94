"""Drafts of the operator: a directive that would mend a fault, as a ScalingIntent that somebody has to approve.

The operator asks in its own name and can approve nothing, so a draft takes the same way as everybody's intent. There is
one for each service and cause at a time, and none again for what a person has denied or taken back, unless by now much
more is needed. A defragmentation is of a whole namespace: none is drafted beside anybody's that is open, nor for a
while after one has ended.
"""

import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cynosure.api import API_VERSION, ScalingIntent
from cynosure.api.directive import Directive, Verb
from cynosure.api.intent_status import Phase
from cynosure.api.scaling_intent import Approval
from cynosure.diagnose import Cause, Finding, Proposal
from cynosure.errors import CynosureError, Fatal, NotFound, Refused
from cynosure.intents.bounds import is_applied
from cynosure.intents.phase import CLOSED
from cynosure.kube.labels import CAUSE, MANAGED_BY, MANAGER, SERVICE
from cynosure.kube.port import SCALING_INTENTS, Body, KubeApi, Resource
from cynosure.model.service import ServiceKey

log = logging.getLogger(__name__)

SELF_SUBJECT_REVIEWS = Resource("authentication.k8s.io", "v1", "selfsubjectreviews", namespaced=False)
_NUMBERS = ("replicas", "min", "max", "value")
_MATERIAL = 0.5
"""A number that is as much larger or smaller is another question than the one that was answered."""
_SETTLED = frozenset({Phase.EXPIRED, Phase.SUPERSEDED})
"""Nobody has said no."""

Draft = tuple[ServiceKey, str]


@dataclass(slots=True)
class Proposals:
    """``made`` are drafts of what is still found: the watch may not show one yet, or somebody has deleted it."""

    kube: KubeApi
    seconds: float
    pause_seconds: float = 0.0
    """After a defragmentation, however it ended."""
    made: dict[Draft, tuple[str, Directive]] = field(default_factory=dict)
    _user: str | None = None

    async def draft(
        self, found: Mapping[ServiceKey, Iterable[Finding]], intents: Iterable[ScalingIntent], now_seconds: float
    ) -> None:
        """May raise ``Fatal``; what else goes wrong with one draft is logged, and tried again in the next round."""
        known = list(intents)
        standing = {_draft(key, finding) for key, findings in found.items() for finding in findings}
        self.made = {draft: made for draft, made in self.made.items() if draft in standing}
        for key, findings in found.items():
            for finding in findings:
                if isinstance(finding.fix, Proposal):
                    about = [intent for intent in known if _is_about(intent, _draft(key, finding))]
                    await self._guarded(key, finding, finding.fix, about, now_seconds)
        await self._settle(intent for intent in known if CAUSE in intent.metadata.labels)

    async def _guarded(
        self, key: ServiceKey, finding: Finding, fix: Proposal, about: list[ScalingIntent], now_seconds: float
    ) -> None:
        directive, draft = fix.directive, _draft(key, finding)
        name, asked = self.made.get(draft, ("", None))
        is_shown = asked is None or any(intent.metadata.name == name for intent in about)
        if not self._is_due(directive, about, now_seconds) or not (is_shown or (asked and _differs(directive, asked))):
            return
        try:
            body = await self._body(key, finding, fix, about, now_seconds)
            await self.kube.create(SCALING_INTENTS, body)
        except Fatal:
            raise
        except CynosureError as error:
            log.warning("no draft", extra={"service": str(key), "cause": finding.cause, "error": str(error)})
        else:
            self.made[draft] = body["metadata"]["name"], directive
            log.info("drafted", extra={"service": str(key), "cause": finding.cause, "intent": body["metadata"]["name"]})

    def _is_due(self, directive: Directive, about: list[ScalingIntent], now_seconds: float) -> bool:
        if directive.verb is Verb.DEFRAGMENT:
            return is_rested(about, now_seconds, self.pause_seconds)
        return is_worth_asking(directive, about)

    async def _body(
        self, key: ServiceKey, finding: Finding, fix: Proposal, about: list[ScalingIntent], now_seconds: float
    ) -> Body:
        spec: Body = {
            "directives": [fix.directive.body()],
            "approval": (Approval.AUTOMATIC if fix.automatic else Approval.MANUAL).value,
            "expires": datetime.fromtimestamp(int(now_seconds + self.seconds), UTC).isoformat(),
        }
        if user := await self._own_name():
            spec["requestedBy"] = user
        held = [intent.metadata.name for intent in about if is_applied(intent)]
        if held and fix.directive.verb is not Verb.DEFRAGMENT:  # what was moved is not taken back
            spec["supersedes"] = held[-1]
        labels = {SERVICE: key.name, CAUSE: finding.cause.value, MANAGED_BY: MANAGER}
        name = f"diagnosis-{key.name}-{uuid.uuid4().hex[:8]}"
        metadata = {"name": name, "namespace": key.namespace, "labels": labels}
        return {"apiVersion": API_VERSION, "kind": "ScalingIntent", "metadata": metadata, "spec": spec}

    async def _own_name(self) -> str | None:
        """Filled in by admission where mutating policies are served; elsewhere one has to write one's own name."""
        if self._user is None:
            body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}}
            try:
                review = await self.kube.create(SELF_SUBJECT_REVIEWS, body)
            except (NotFound, Refused):
                return None
            self._user = review["status"]["userInfo"]["username"]
        return self._user

    async def _settle(self, own: Iterable[ScalingIntent]) -> None:
        """The expiry is of the draft: what somebody has approved holds until it is undone."""
        for intent in own:
            if not is_applied(intent) or intent.spec.expires is None:
                continue
            metadata = intent.metadata
            try:
                await self.kube.patch(
                    SCALING_INTENTS, metadata.name, {"spec": {"expires": None}}, namespace=metadata.namespace
                )
            except Fatal:
                raise
            except CynosureError as error:
                log.warning("its expiry stays", extra={"intent": metadata.name, "error": str(error)})


def is_worth_asking(directive: Directive, about: Iterable[ScalingIntent]) -> bool:
    """Given all drafts that there were for this service and cause."""
    return all(_allows(directive, earlier) for earlier in about)


def is_rested(about: Iterable[ScalingIntent], now_seconds: float, pause_seconds: float) -> bool:
    """Given all defragmentations that there were in a namespace: none is open, and the last ended long enough ago."""
    over = CLOSED | {Phase.VERIFIED}
    return all(i.status.phase in over and now_seconds - _since_seconds(i) >= pause_seconds for i in about)


def _since_seconds(intent: ScalingIntent) -> float:
    """When its state last changed."""
    return max((c.last_transition_time.timestamp() for c in intent.status.conditions), default=0.0)


def _draft(key: ServiceKey, finding: Finding) -> Draft:
    is_wide = finding.cause is Cause.GPUS_FRAGMENTED
    return ServiceKey(key.namespace, "") if is_wide else key, finding.cause.value


def _is_about(intent: ScalingIntent, draft: Draft) -> bool:
    key, cause = draft
    if cause == Cause.GPUS_FRAGMENTED:
        directives = intent.status.directives or intent.spec.directives or ()
        moves = any(directive.verb is Verb.DEFRAGMENT for directive in directives)
        return moves and intent.metadata.namespace == key.namespace
    return (_key(intent), intent.metadata.labels.get(CAUSE)) == draft


def _allows(directive: Directive, earlier: ScalingIntent) -> bool:
    phase = earlier.status.phase
    if phase in _SETTLED:
        return True
    is_open = phase in (Phase.PENDING, Phase.PLANNED, Phase.APPROVED, Phase.QUESTION)
    return not is_open and any(_differs(directive, old) for old in earlier.spec.directives or ())


def _differs(new: Directive, old: Directive) -> bool:
    """Another verb or target, or a number that is half as large again."""
    fields = ("verb", "service", "intent", "metric")
    if any(getattr(new, name) != getattr(old, name) for name in fields):
        return True
    pairs = ((getattr(new, name), getattr(old, name)) for name in _NUMBERS)
    return any((a is None) != (b is None) or (a and b and abs(a / b - 1) >= _MATERIAL) for a, b in pairs)


def _key(intent: ScalingIntent) -> ServiceKey:
    return ServiceKey(intent.metadata.namespace, intent.metadata.labels.get(SERVICE, ""))
