"""The rounds of the replays: each is taken as far as it can go now, by what the cluster says of it.

The order of the writes makes it safe to die between any two. The start comes first into the status, from which on the
API server keeps the spec as it is; then the schedule, then the Jobs, then "Sending", from which on no Job is made.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime

from cynosure.api import AutomationPolicy, Invalid, TrafficReplay, parse
from cynosure.api.conditions import Reason
from cynosure.api.slo import Slo
from cynosure.api.traffic_replay import Progress
from cynosure.clock import Clock
from cynosure.errors import BadInput, Conflict, CynosureError, Fatal, NotFound, Refused, Unavailable
from cynosure.kube.caches import Caches
from cynosure.kube.informer import ObjectKey
from cynosure.kube.owners import is_owned_by
from cynosure.kube.port import AUTOMATION_POLICIES, CONFIG_MAPS, JOBS, TRAFFIC_REPLAYS, Body, KubeApi, Resource
from cynosure.model.service import ServiceKey
from cynosure.observe.parsed import Parsed
from cynosure.observe.prometheus import Metrics
from cynosure.reconcile.lifecycle.progress import moment, status_body
from cynosure.reconcile.replays import children, results, schedules, workers
from cynosure.reconcile.replays.aims import Aim, Subject, aims_of, subjects_of
from cynosure.reconcile.replays.course import Course
from cynosure.reconcile.replays.hindrance import Hindered, start, trace
from cynosure.reconcile.replays.results import Results, Side, Worker
from cynosure.reconcile.replays.simulations import Simulation, Simulations, Twin
from cynosure.reconcile.replays.sources import Sources
from cynosure.settings import Settings
from loadgen.errors import BadLoadInput, ScheduleTooLarge
from loadgen.report import check_measurable
from loadgen.schedule import Schedule

log = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
"""The longest time between two rounds; a change of a TrafficReplay makes the next one at once."""
_GONE = "the Job is gone, and all that it knew"


class Replays:
    """Drives all TrafficReplays."""

    def __init__(
        self, kube: KubeApi, caches: Caches, metrics: Metrics, twin: Twin, clock: Clock, settings: Settings
    ) -> None:
        self._kube = kube
        self._caches = caches
        self._clock = clock
        self._settings = settings
        self._sources = Sources(kube, metrics, settings)
        self._wake = asyncio.Event()
        self._twin = twin
        self._parsed = Parsed(TrafficReplay)
        self._simulations = Simulations(self.wake)
        self._starting = asyncio.Lock()
        """One at a time: a schedule of two million requests takes some hundred megabytes while it is built."""

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; ``Fatal`` goes through."""
        try:
            while True:
                self._wake.clear()
                await self.round()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ROUND_SECONDS):
                        await self._wake.wait()
        finally:
            self._simulations.keep(())

    async def round(self) -> None:
        """All at once, so that the next round waits for the slowest only: a cancellation takes seconds."""
        if not self._caches.synced:
            return
        found = self._parsed.of(self._caches.store(TRAFFIC_REPLAYS).items()).values()
        replays = [r for r in found if not isinstance(r, Invalid) and r.metadata.deletion_timestamp is None]
        self._simulations.keep([replay.metadata.uid for replay in replays])
        try:
            async with asyncio.TaskGroup() as group:
                for replay in replays:
                    group.create_task(self._guarded(replay))
        except BaseExceptionGroup as failures:
            if fatal := failures.subgroup(Fatal):
                raise Fatal(str(fatal.exceptions[0])) from failures
            raise

    async def _guarded(self, replay: TrafficReplay) -> None:
        """What goes wrong with one replay is not the others' concern."""
        name = f"{replay.metadata.namespace}/{replay.metadata.name}"
        course = Course(replay, moment(self._clock()))
        try:
            await self._advance(course)
        except Fatal:
            raise
        except (Unavailable, Conflict, NotFound) as error:
            log.info("replay %s: again in the next round: %s", name, error)
        except CynosureError as error:
            log.warning("replay %s: %s", name, error)
        except Exception:
            log.exception("replay %s: unexpected; please report it", name)

    async def _advance(self, course: Course) -> None:
        if course.is_over:
            await self._expire(course)
        elif course.replay.spec.cancel:
            await self._cancel(course)
        elif (simulation := self._simulations.of(course.replay.metadata.uid)) is not None:
            await self._listen(course, simulation)
        elif course.is_sending and not course.is_simulated:
            await self._look(course)
        elif not course.is_given_up:
            await self._start(course)

    async def _start(self, course: Course) -> None:
        try:
            if self._is_stopped:
                raise start(Reason.STOPPED, "AutomationPolicy.spec.stop; it starts when that is false again")
            async with self._starting:
                schedules.check_supported(course.replay)
                if course.is_simulated:
                    await self._simulate(course)
                else:
                    await self._launch(course, *await self._wanted(course.replay))
        except Hindered as hindrance:
            course.hindered(hindrance)
        except Refused as error:
            course.hindered(start(Reason.APPLY_REFUSED, str(error)))
        await self._save(course)

    async def _wanted(self, replay: TrafficReplay) -> tuple[tuple[Aim, ...], Schedule]:
        """A schedule that was written before a restart is the one that is sent."""
        aims = aims_of(replay, self._find, self._settings.replays.replay_hosts)
        _check_measurable(replay, aims)
        written = await self._own(CONFIG_MAPS, children.schedule_name(replay), replay)
        if written is not None:
            return aims, await asyncio.to_thread(schedules.read_schedule, written)
        return aims, await self._sources.schedule(replay, aims[0].kind)

    async def _simulate(self, course: Course) -> None:
        """Also after a restart of the operator, which took the last one along."""
        replay = course.replay
        subjects = subjects_of(replay, self._find)
        _check_measurable(replay, subjects)
        try:
            play = self._twin([ServiceKey(replay.metadata.namespace, subject.name) for subject in subjects])
        except BadInput as error:
            raise start(Reason.NOT_SUPPORTED, f"engine: twin: {error}") from error
        schedule = await self._sources.schedule(replay, subjects[0].kind)
        schedules.check_size(schedule, self._settings.replays.replay_simulation_requests)
        await self._own(CONFIG_MAPS, children.report_name(replay), replay)
        whom = " and ".join(subject.name for subject in subjects)
        course.simulating(_told(schedule), f"to {whom} as it is now, in the twin; nothing is sent")
        scheduled = Progress(scheduled=len(subjects) * len(schedule))
        course.set(started_at=course.status.started_at or course.now, progress=scheduled)
        await self._save(course)
        slo, seed = _slo(replay, subjects), replay.spec.seed
        self._simulations.begin(replay.metadata.uid, lambda: play(schedule, seed), slo)

    async def _listen(self, course: Course, simulation: Simulation) -> None:
        if not simulation.task.done():
            return
        at = moment(self._clock())
        if (error := simulation.task.exception()) is None:
            outcomes = zip(course.replay.spec.targets, simulation.task.result(), strict=True)
            sides = [Side(target.service or "", (Worker("the twin", each),)) for target, each in outcomes]
            found = await asyncio.to_thread(results.results_of, sides, simulation.slo)
            await self._end(course, found, Reason.SIMULATED, f"in the twin: {results.summary(found)}", at)
        else:
            log.warning("replay %s: the twin: %s", course.replay.metadata.name, error)
            course.ended(Reason.SIMULATION_FAILED, f"in the twin: {error or type(error).__name__}", at)
            await self._save(course)
        self._simulations.end(course.replay.metadata.uid)

    async def _launch(self, course: Course, aims: Sequence[Aim], schedule: Schedule) -> None:
        replay = course.replay
        made = [await self._own(JOBS, name, replay) for name in _job_names(replay)]
        await self._own(CONFIG_MAPS, children.report_name(replay), replay)
        try:
            carrier = await asyncio.to_thread(children.config_map, replay, schedule)
        except ScheduleTooLarge as error:
            raise trace(Reason.TRACE_TOO_LARGE, _shorter(error)) from error
        lacking = [(number, aim) for number, aim in enumerate(aims) if made[number] is None]
        for number, aim in lacking:  # what the server refuses must be known before the start is said
            await self._kube.apply(JOBS, self._job(course, aim, number, schedule), dry_run=True)
        if course.status.started_at is None or not any(made):
            await self._set_start(course, schedule, len(aims))
        await self._kube.apply(CONFIG_MAPS, carrier)
        for number, aim in lacking:
            await self._kube.apply(JOBS, self._job(course, aim, number, schedule, _slo(replay, aims)))
        course.sending(f"to {' and '.join(aim.name for aim in aims)}, from {course.status.started_at:%H:%M:%S} UTC")

    def _job(self, course: Course, aim: Aim, number: int, schedule: Schedule, slo: Slo | None = None) -> Body:
        starts_at = (course.status.started_at or course.now).timestamp()
        return children.job(course.replay, aim, number, schedule, slo, starts_at, self._settings)

    async def _set_start(self, course: Course, schedule: Schedule, targets: int) -> None:
        """As long as no Job was made, nothing was sent, and the start may still move."""
        course.prepared(_told(schedule), f"{course.replay.spec.workers} workers for each target are being made")
        begin = moment(self._clock() + self._settings.replays.replay_lead_seconds)
        course.set(started_at=begin, progress=Progress(scheduled=targets * len(schedule)))
        await self._save(course)

    async def _look(self, course: Course) -> None:
        jobs = await self._jobs(course.replay)
        ends = [workers.end_of(job) for job in jobs if job is not None]
        if any(end is None for end in ends):
            return
        sides = [await self._told(course.replay, number, job) for number, job in enumerate(jobs)]
        found = await self._judged(course.replay, sides, jobs)
        at = max((end[0] for end in ends if end), default=course.now)
        if found.missing:
            message = f"in part: {results.summary(found)}; missing: {found.lacking}"
            await self._end(course, found, Reason.WORKER_FAILED, message, at)
        else:
            await self._end(course, found, Reason.FINISHED, results.summary(found), at)

    async def _told(self, replay: TrafficReplay, number: int, job: Body | None) -> Side:
        target = _name(replay, number)
        if job is None:
            return Side(target, (Worker(children.job_name(replay, number), lack=_GONE),))
        return await workers.told(self._kube, job, target, replay.spec.workers, self._clock())

    async def _cancel(self, course: Course) -> None:
        replay = course.replay
        self._simulations.end(replay.metadata.uid)
        if course.is_simulated:
            course.ended(Reason.CANCELLED, "spec.cancel: before the twin had an answer", course.now)
            await self._save(course)
            return
        jobs = [] if course.status.started_at is None else await self._jobs(replay)
        standing = [job for job in jobs if job is not None]
        if standing and all(workers.end_of(job) for job in standing):
            await self._look(course)  # too late: all was sent
            return
        if not standing:
            lost = _GONE if course.is_sending else "before anything was sent"
            course.ended(Reason.CANCELLED, f"spec.cancel: {lost}", course.now)
            await self._save(course)
            return
        found = await self._judged(replay, await self._stopped(replay, jobs), jobs, cut_short=True)
        missing = f"; missing: {found.lacking}" if found.missing else ""
        message = f"spec.cancel: {results.summary(found)}{missing}"
        await self._end(course, found, Reason.CANCELLED, message, moment(self._clock()))

    async def _stopped(self, replay: TrafficReplay, jobs: Sequence[Body | None]) -> list[Side]:
        """Listen first, then stop: a worker tells what it has when it is told to end."""
        count = replay.spec.workers
        numbered = [(number, job) for number, job in enumerate(jobs) if job is not None]
        heard = [workers.Listening(self._kube, job, _name(replay, number), count) for number, job in numbered]
        try:
            await asyncio.gather(*(listening.attach() for listening in heard))
            for _, job in numbered:
                metadata = job["metadata"]
                await self._kube.delete(JOBS, metadata["name"], namespace=metadata["namespace"], uid=metadata["uid"])
            return list(await asyncio.gather(*(listening.side() for listening in heard)))
        finally:
            for listening in heard:
                listening.close()

    async def _judged(
        self, replay: TrafficReplay, sides: Sequence[Side], jobs: Sequence[Body | None], *, cut_short: bool = False
    ) -> Results:
        first = next((job for job in jobs if job is not None), None)
        slo = children.slo_in(first) if first else replay.spec.slo
        return await asyncio.to_thread(results.results_of, sides, slo, cut_short=cut_short)

    async def _end(self, course: Course, found: Results, reason: Reason, message: str, at: datetime) -> None:
        """The report before the status that names it. One that cannot be kept is no reason never to end."""
        scheduled = course.status.progress.scheduled if course.status.progress else 0
        document = results.document(found)
        if document is not None:
            course.set(progress=results.progress(found, scheduled))
            try:
                await self._own(CONFIG_MAPS, children.report_name(course.replay), course.replay)
                await self._kube.apply(CONFIG_MAPS, children.report_map(course.replay, document))
                course.set(report=children.report_name(course.replay))
            except (Hindered, Refused) as error:
                message = f"{message}; no report: {error}"
        course.set(**results.status_fields(found))
        course.ended(reason, message, at)
        await self._save(course)

    async def _expire(self, course: Course) -> None:
        metadata = course.replay.metadata
        if course.is_expired and not self._is_stopped:
            await self._kube.delete(TRAFFIC_REPLAYS, metadata.name, namespace=metadata.namespace, uid=metadata.uid)

    async def _save(self, course: Course) -> None:
        after = course.finished()
        if after == course.replay.status:
            return
        body = await self._kube.apply(TRAFFIC_REPLAYS, dict(status_body(course.replay, after)), subresource="status")
        self._caches.store(TRAFFIC_REPLAYS).wrote(body)
        saved = parse(TrafficReplay, body)
        if isinstance(saved, TrafficReplay):
            course.replay = saved

    async def _jobs(self, replay: TrafficReplay) -> list[Body | None]:
        """Of each target, as far as they still are; one of somebody else is none of ours."""
        found: list[Body | None] = []
        for name in _job_names(replay):
            try:
                found.append(await self._own(JOBS, name, replay))
            except Hindered:
                found.append(None)
        return found

    async def _own(self, resource: Resource, name: str, replay: TrafficReplay) -> Body | None:
        """None when there is none; an apply would merge ours into one that somebody else has made."""
        try:
            body = await self._kube.get(resource, name, replay.metadata.namespace)
        except NotFound:
            return None
        if not is_owned_by(body, replay.metadata.uid):
            what = f"{resource.plural} {name} in namespace {replay.metadata.namespace}"
            raise start(Reason.NAME_TAKEN, f"{what} belongs to somebody else; delete it, or name the replay otherwise")
        return body

    @property
    def _is_stopped(self) -> bool:
        policies = (parse(AutomationPolicy, body) for body in self._caches.store(AUTOMATION_POLICIES).items())
        return any(isinstance(policy, AutomationPolicy) and policy.spec.stop for policy in policies)

    def _find(self, resource: Resource, key: ObjectKey) -> Body | None:
        return self._caches.store(resource).get(key)


def _slo(replay: TrafficReplay, subjects: Sequence[Subject]) -> Slo | None:
    """One for both targets, or they could not be compared."""
    return replay.spec.slo or subjects[0].slo


def _check_measurable(replay: TrafficReplay, subjects: Sequence[Subject]) -> None:
    try:
        check_measurable(children.slo_of(_slo(replay, subjects)), {subject.kind for subject in subjects})
    except BadLoadInput as error:
        raise start(Reason.NOT_SUPPORTED, str(error)) from error


def _told(schedule: Schedule) -> str:
    source = str(schedule.provenance.get("trace", "a schedule"))
    return f"{source}: {len(schedule)} requests in {schedule.duration_seconds:g} s"


def _job_names(replay: TrafficReplay) -> list[str]:
    return [children.job_name(replay, number) for number in range(len(replay.spec.targets))]


def _name(replay: TrafficReplay, number: int) -> str:
    target = replay.spec.targets[number]
    return target.service or str(target.url)[:253]


def _shorter(error: ScheduleTooLarge) -> str:
    """Without the volume, which only Python code can give."""
    return str(error).replace("put the file on a volume (replay_job with volume=...), or shorten it", "shorten it")
