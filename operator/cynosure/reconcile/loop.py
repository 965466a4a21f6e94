"""The loop: one picture, one plan, the writes that are missing. It survives what is unexpected, not what is unsafe."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cynosure.act.publish import Publisher
from cynosure.act.steer import steer
from cynosure.act.work import Work
from cynosure.act.write import Writer
from cynosure.api.inference_status import FindingStatus
from cynosure.errors import Conflict, CynosureError, Fatal, NotFound
from cynosure.kube.caches import Caches
from cynosure.kube.port import KubeApi
from cynosure.model.bounds import Bounds
from cynosure.model.forecast import Forecast
from cynosure.model.service import ServiceKey
from cynosure.observe.world import Picture, World
from cynosure.reconcile.backoff import Backoff
from cynosure.reconcile.report import Reporter
from cynosure.reconcile.result import PassResult, Planner
from cynosure.reconcile.wakeup import Wakeup
from cynosure.reconcile.works import works
from cynosure.settings import Settings
from cynosure.telemetry import Telemetry

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 30.0
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Senses:
    """Where a pass looks: everything here is filled by tasks of its own and only looked up."""

    caches: Caches
    world: World
    forecasts: Callable[[], Mapping[ServiceKey, Forecast]]
    bounds: Callable[[], Bounds]
    findings: Callable[[], Mapping[ServiceKey, tuple[FindingStatus, ...]]] = dict


@dataclass(frozen=True, slots=True)
class Hands:
    """What a pass acts with. ``api`` refuses to write once the lease is lost."""

    api: KubeApi
    writer: Writer
    publisher: Publisher


class Loop:
    """``latest`` is the last pass, whole. ``halt`` lets the pass that runs finish, and then ends ``run``."""

    def __init__(
        self,
        senses: Senses,
        hands: Hands,
        plan: Planner,
        wake: Wakeup[str],
        settings: Settings,
        telemetry: Telemetry,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.latest: PassResult | None = None
        self.passed_at = monotonic()
        """When a pass last ended well; before the first, when the loop was made."""
        self._senses = senses
        self._hands = hands
        self._plan = plan
        self._wake = wake
        self._settings = settings
        self._telemetry = telemetry
        self._monotonic = monotonic
        self._reporter = Reporter(telemetry)
        self._backoff = Backoff[str](FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        self._slots = asyncio.Semaphore(settings.kubernetes.write_concurrency)
        self._halted = False

    def halt(self) -> None:
        self._halted = True
        self._wake.fire(EVERYTHING)

    async def run(self) -> None:
        """Until halted. Raises ``Fatal``, and nothing else."""
        while True:
            age = self._wake.age_seconds
            keys = await self._wake.batch()
            if self._halted:
                return
            self._telemetry.queue_age.set(age)
            self._telemetry.batch_keys.set(len(keys))
            await self._guarded_pass()

    async def _guarded_pass(self) -> None:
        started = self._monotonic()
        try:
            async with asyncio.timeout(self._settings.loop.pass_deadline_seconds):
                await self.once()
        except Fatal:
            raise
        except Exception as error:
            outcome = "timeout" if isinstance(error, TimeoutError) else "error"
            delay = self._backoff.failed(EVERYTHING)
            log.exception("the pass failed, trying again", extra={"seconds": delay})
            self._wake.fire_later(EVERYTHING, delay)
        else:
            outcome = "done"
            self._backoff.succeeded(EVERYTHING)
            self.passed_at = self._monotonic()
            self._telemetry.last_pass.set_to_current_time()
        self._telemetry.passes.labels(outcome).inc()
        self._telemetry.pass_seconds.observe(self._monotonic() - started)

    async def once(self) -> None:
        """One pass. Nothing is planned from half a picture."""
        if not self._senses.caches.synced:
            log.info("waiting for", extra={"kinds": sorted(self._senses.caches.missing())})
            return
        picture = self._senses.world.picture()
        forecasts, bounds = self._senses.forecasts(), self._senses.bounds()
        started = self._monotonic()
        # Planning is arithmetic for tenths of seconds; the lease and the probes must not wait for it.
        plan = await asyncio.to_thread(self._plan, picture.snapshot, forecasts, bounds)
        self._telemetry.plan_seconds.observe(self._monotonic() - started)
        self.latest = PassResult(picture.snapshot, forecasts, bounds, plan, picture.invalid, picture)
        self._reporter.report(self.latest)
        await self._act(picture, works(picture, plan, forecasts, self._senses.findings()))

    async def _act(self, picture: Picture, all_work: Sequence[Work]) -> None:
        steered = [work for work in all_work if work.is_act_wanted]
        for error in await self._steer(steered, all_work):
            self._failed(EVERYTHING, error)
        try:
            async with asyncio.TaskGroup() as group:
                for work in all_work:
                    group.create_task(self._converge(work))
                for key, message in picture.invalid.items():
                    group.create_task(self._say_invalid(picture, key, message))
        except BaseExceptionGroup as failures:
            if fatal := failures.subgroup(Fatal):
                raise Fatal(str(fatal.exceptions[0])) from failures
            raise

    async def _steer(self, acting: Sequence[Work], all_work: Sequence[Work]) -> tuple[CynosureError, ...]:
        """Not while anybody is stopped: the labels of services that must not be touched would be taken off."""
        if len(acting) < len(all_work):
            return ()
        return await steer(self._hands.api, self._senses.caches, acting)

    async def _converge(self, work: Work) -> None:
        key = f"{work.namespace}/{work.name}"
        async with self._slots:
            failures = await self._hands.writer.act(work)
            try:
                await self._hands.publisher.publish(work, failures)
            except Fatal:
                raise
            except CynosureError as error:
                failures = (*failures, error)
        if not failures:
            self._backoff.succeeded(key)
            return
        for failure in failures:
            self._failed(key, failure)
        self._wake.fire_later(key, self._backoff.failed(key))

    async def _say_invalid(self, picture: Picture, key: ServiceKey, message: str) -> None:
        async with self._slots:
            try:
                await self._hands.publisher.publish_invalid(picture.bodies[key], message)
            except Fatal:
                raise
            except CynosureError as error:
                self._failed(str(key), error)

    def _failed(self, key: str, error: CynosureError) -> None:
        self._telemetry.apply_errors.labels(type(error).__name__).inc()
        # Somebody was faster, or the cache is a moment behind: the next pass sees it.
        ordinary = isinstance(error, NotFound) or (isinstance(error, Conflict) and not error.owners)
        log.log(logging.INFO if ordinary else logging.WARNING, "write failed", extra={"key": key, "error": str(error)})
