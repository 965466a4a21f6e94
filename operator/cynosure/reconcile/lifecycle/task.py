"""The rounds of the lifecycle: each intent is taken as far as it can go now, by what its status says.

A round never waits for a language model or for an approval, and a planning pass never waits for a round.
"""

import asyncio
import logging
from dataclasses import dataclass, field, replace

from cynosure.api import IntentApproval, ScalingIntent, parse
from cynosure.api.conditions import Reason, Type
from cynosure.clock import Clock
from cynosure.errors import Conflict, CynosureError, Fatal, NotFound, Unavailable
from cynosure.intents.approval import Ruling, judge
from cynosure.intents.bounds import has_expired, is_applied, taken_back_by, takes_back
from cynosure.intents.dry_run import draft_of
from cynosure.intents.moves import repacking_of
from cynosure.intents.phase import CLOSED
from cynosure.intents.services import leaving as leavers
from cynosure.intents.verification import EvidenceSource, Window
from cynosure.kube.port import INTENT_APPROVALS, SCALING_INTENTS, KubeApi
from cynosure.model.condition import Condition, Status
from cynosure.reconcile.lifecycle import applying, leaving, moving, planning, verifying
from cynosure.reconcile.lifecycle.drafting import Drafter, Drafts
from cynosure.reconcile.lifecycle.events import announce
from cynosure.reconcile.lifecycle.picture import Picture, is_open, key, read
from cynosure.reconcile.lifecycle.progress import Progress, moment, status_body, stored

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """``round_seconds`` is the longest time between two rounds; a wake-up makes the next one at once.

    ``move_seconds`` is what the move of one replica may take before it is called off.
    """

    round_seconds: float = 5.0
    window: Window = field(default_factory=Window)
    move_seconds: float = 600.0


class Lifecycle:
    """Drives all ScalingIntents. Everything it needs to know survives in their status, so it can be killed any time."""

    def __init__(
        self,
        kube: KubeApi,
        drafter: Drafter,
        forecasts: planning.Forecasts,
        evidence: EvidenceSource,
        clock: Clock,
        timing: Timing | None = None,
    ) -> None:
        self._kube = kube
        self._forecasts = forecasts
        self._evidence = evidence
        self._clock = clock
        self._timing = timing or Timing()
        self._wake = asyncio.Event()
        self.drafts = Drafts(drafter, self.wake)

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. A round that fails is made again; ``Fatal`` goes through."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self.round()
                except Unavailable as error:
                    log.warning("intents wait: %s", error)
                await self._pause()
        finally:
            await self.drafts.close()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._timing.round_seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def round(self) -> None:
        picture = await read(self._kube)
        for intent in list(picture.intents.values()):
            await self._guarded(intent, picture)
        await self._close_approvals(picture)

    async def _guarded(self, intent: ScalingIntent, picture: Picture) -> None:
        """What goes wrong with one intent is not the others' concern."""
        try:
            await self._advance(Progress(intent, moment(self._clock())), picture)
        except Fatal:
            raise
        except (Unavailable, Conflict, NotFound) as error:
            log.info("intent %s/%s: again in the next round: %s", *key(intent), error)
        except CynosureError as error:
            log.warning("intent %s/%s: %s", *key(intent), error)
        except Exception:
            log.exception("intent %s/%s: unexpected; please report it", *key(intent))

    async def _advance(self, progress: Progress, picture: Picture) -> None:
        if is_applied(progress.intent):
            await self._hold(progress, picture)
        elif not is_open(progress.intent):
            return
        elif progress.is_(Type.APPLIED, Status.UNKNOWN, Reason.APPLYING):
            await self._apply(progress, picture)
        else:
            await self._propose(progress, picture)
        await self._save(progress, picture)

    async def _propose(self, progress: Progress, picture: Picture) -> None:
        if ending := self._ending(progress, picture):
            progress.put(replace(ending, type=Type.APPROVED))
            return
        grounded = planning.understand(progress, picture, self.drafts)
        proposal = await planning.plan(progress, grounded, picture, self._forecasts, self._kube) if grounded else None
        if proposal is None:
            return
        ruling = judge(
            progress.intent.model_copy(update={"status": progress.status}),
            proposal,
            picture.approvals,
            picture.policy,
            progress.now.timestamp(),
            picture.stamped_since,
        )
        progress.put(ruling.approved)
        await self._answer(ruling, picture)
        if ruling.approved.status is not Status.TRUE:
            progress.back_to(Type.APPROVED)
        elif picture.policy.stop:
            progress.say(Type.APPLIED, Status.FALSE, Reason.STOPPED, "AutomationPolicy.spec.stop; approved, and waits")
        else:
            await self._commit(progress, picture, ruling.approver)

    async def _commit(self, progress: Progress, picture: Picture, approver: str | None) -> None:
        """The undo record is saved before anything is written: from here on a restart carries on."""
        ended = planning.ended_by(progress, picture)
        draft = draft_of(progress.intent, progress.status.directives, ended, picture.facts)
        progress.set(approved_by=approver)
        applying.record(progress, draft.writes, draft.services)
        await self._save(progress, picture)
        await self._apply(progress, picture)

    async def _apply(self, progress: Progress, picture: Picture) -> None:
        if picture.policy.stop:
            return
        await applying.finish(progress, self._kube, picture)
        if progress.is_(Type.APPLIED, Status.TRUE):
            self._begin(progress)

    async def _hold(self, progress: Progress, picture: Picture) -> None:
        """While applied: does it end, and does it have its effect? Under the emergency stop nothing is taken back."""
        ending = self._ending(progress, picture)
        if ending is not None and ending.reason != Reason.EXPIRED:
            self._mark(progress, picture, ending)
        elif picture.policy.stop:
            moving.rest(progress)
            if any(progress.is_(Type.VERIFIED, Status.UNKNOWN, why) for why in (Reason.MEASURING, Reason.GRACE_PERIOD)):
                progress.say(Type.VERIFIED, Status.UNKNOWN, Reason.STOPPED, "begins anew once the stop is lifted")
        elif ending is not None:
            await applying.take_back(progress, self._kube, picture, ending)
        else:
            await self._verify(progress, picture)

    def _begin(self, progress: Progress) -> None:
        if repacking_of(progress.status.plan):
            moving.begin(progress)
        elif leavers(progress.status.undo):
            leaving.begin(progress)
        else:
            verifying.begin(progress, self._timing.window)

    async def _verify(self, progress: Progress, picture: Picture) -> None:
        is_new = progress.status.verification is None and not progress.is_(Type.VERIFIED, Status.TRUE)
        if is_new or progress.is_(Type.VERIFIED, Status.UNKNOWN, Reason.STOPPED):
            self._begin(progress)
        await verifying.look(progress, self._evidence, self._timing.window)
        await moving.look(progress, self._forecasts(), self._evidence, picture.policy, self._timing.move_seconds)
        await leaving.look(progress, self._kube, picture)
        breach = verifying.breach(progress)
        if breach is not None:
            await self._save(progress, picture)
            await applying.take_back(progress, self._kube, picture, breach)

    def _ending(self, progress: Progress, picture: Picture) -> Condition | None:
        """How the intent ends now; an earlier one whose every field was written anew has been replaced as well."""
        others = [i for i in picture.intents.values() if is_applied(i) and key(i) != key(progress.intent)]
        by = taken_back_by(progress.intent, others) or applying.overwritten_by(progress.intent, others)
        if by is not None:
            undone = progress.intent.metadata.name in takes_back(by) and by.spec.supersedes != key(progress.intent)[1]
            reason = Reason.UNDONE if undone else Reason.SUPERSEDED
            return Condition(Type.APPLIED, Status.FALSE, reason, f"by {by.metadata.name}")
        if has_expired(progress.intent, progress.now.timestamp()):
            return Condition(Type.APPLIED, Status.FALSE, Reason.EXPIRED, "its time is over")
        return None

    def _mark(self, progress: Progress, picture: Picture, ending: Condition) -> None:
        """The other intent has written what it wanted; nothing is restored over it."""
        progress.put(ending)
        undo = progress.status.undo
        if undo is not None:
            by = ending.message.removeprefix("by ")
            progress.set(undo=undo.model_copy(update={"undone_by": by, "undone_at": progress.now}))

    async def _save(self, progress: Progress, picture: Picture) -> None:
        before, after = progress.intent, progress.finished()
        if before.status == after.status:
            return
        body = await self._kube.apply(SCALING_INTENTS, dict(status_body(after, after.status)), subresource="status")
        saved = parse(ScalingIntent, body)
        if isinstance(saved, ScalingIntent):
            progress.intent = saved
            picture.put_intent(saved)
        await announce(self._kube, before, after)

    async def _answer(self, ruling: Ruling, picture: Picture) -> None:
        accepted = dict(ruling.accepted)
        for approval in picture.approvals:
            condition = accepted.get(approval.metadata.name)
            if condition is not None:
                await self._accept(approval, condition, picture)

    async def _close_approvals(self, picture: Picture) -> None:
        """Tell approvals that came too late, or for an intent that is not there."""
        for approval in picture.approvals:
            if approval.status.conditions:
                continue
            intent = picture.intents.get((approval.metadata.namespace, approval.spec.intent))
            if intent is None:
                message = f"there is no ScalingIntent {approval.spec.intent} in namespace {approval.metadata.namespace}"
                await self._accept(approval, _unaccepted(Reason.INTENT_MISSING, message), picture)
            elif is_applied(intent) or intent.status.phase in CLOSED:
                message = f"{approval.spec.intent} is {intent.status.phase} already"
                await self._accept(approval, _unaccepted(Reason.INTENT_CLOSED, message), picture)

    async def _accept(self, approval: IntentApproval, condition: Condition, picture: Picture) -> None:
        generation, now = approval.metadata.generation, moment(self._clock())
        conditions = stored([condition], approval.status, generation, now)
        status = approval.status.model_copy(update={"conditions": conditions, "observed_generation": generation})
        if status != approval.status:
            body = dict(status_body(approval, status))
            picture.put_approval(await self._kube.apply(INTENT_APPROVALS, body, subresource="status"))


def _unaccepted(reason: Reason, message: str) -> Condition:
    return Condition(Type.ACCEPTED, Status.FALSE, reason, message)
