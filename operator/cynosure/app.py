"""``cynosure run``: the operator, wired together."""

import argparse
import asyncio
import logging
import socket
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import kopf

from cynosure import handlers
from cynosure.act.publish import Publisher
from cynosure.act.write import Writer
from cynosure.clock import system_clock
from cynosure.errors import Unavailable
from cynosure.intents.dry_run import WhatIf
from cynosure.intents.verification import Window
from cynosure.kube.caches import Caches
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.credentials import load_credentials
from cynosure.kube.fence import Fenced
from cynosure.kube.informer import ObjectKey
from cynosure.kube.port import INTENT_APPROVALS, SCALING_INTENTS, TRAFFIC_REPLAYS, KubeApi, Resource
from cynosure.model.bounds import Bounds
from cynosure.model.forecast import Forecast
from cynosure.model.plan import Plan
from cynosure.model.service import ServiceKey
from cynosure.model.snapshot import Snapshot
from cynosure.observe.attainment import Attainment
from cynosure.observe.prometheus import Prometheus
from cynosure.observe.signals import SURGE_SHARE, Signals
from cynosure.observe.world import World
from cynosure.plan import Tuning, plan_cluster
from cynosure.reconcile.diagnosis import Diagnosis, Knowledge
from cynosure.reconcile.forecasting import Forecaster
from cynosure.reconcile.lease import Lease
from cynosure.reconcile.lifecycle import Lifecycle, LiveEvidence, Timing, Usage, by_language
from cynosure.reconcile.limits import Limits
from cynosure.reconcile.loop import Hands, Loop, Senses
from cynosure.reconcile.probes import Probes, serve
from cynosure.reconcile.replays import Replays
from cynosure.reconcile.replays.simulations import Play, Twin
from cynosure.reconcile.result import PassResult
from cynosure.reconcile.wakeup import Wakeup
from cynosure.settings import Settings, read_settings, variable
from cynosure.telemetry import Telemetry, configure_logging
from cynosure.twin.apart import replayed_apart
from cynosure.twin.site import site_of
from llm_engine import ModelSettings

log = logging.getLogger(__name__)

STOP_SECONDS = 20.0
"""For the pass that runs at SIGTERM; the pod is given 30."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("run", help="run the operator", description="Run the operator until SIGTERM.")
    parser.add_argument("--context", help="context of the kubeconfig (else CYNOSURE_CONTEXT, or the pod's account)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 after SIGTERM; 1 when going on would be unsafe, such as without the lease."""
    settings = read_settings()
    if args.context:
        settings = replace(settings, kubernetes=replace(settings.kubernetes, context=args.context))
    configure_logging(settings.server.log_level)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(operate(settings))


async def operate(settings: Settings) -> int:
    credentials = load_credentials(settings.kubernetes.context)
    stop = asyncio.Event()
    async with HttpKubeApi(credentials, settings.kubernetes) as api:
        operator = Operator(api, settings, stop)
        registry = handlers.registry(operator.wake.fire, credentials)
        kopf.on.startup(registry=registry, id="start")(_ignoring(operator.start))
        kopf.on.cleanup(registry=registry, id="stop")(_ignoring(operator.stop))
        await kopf.operator(registry=registry, clusterwide=True, standalone=True, stop_flag=stop)
    return 1 if operator.failed else 0


class Operator:
    """Everything that runs beside kopf. ``stop_flag`` is set when it ends by itself, which it does only in need."""

    def __init__(self, api: KubeApi, settings: Settings, stop_flag: asyncio.Event) -> None:
        loop = settings.loop
        self.failed = False
        self.wake = Wakeup[str](idle=loop.idle_seconds, longest=loop.longest_seconds, resync=loop.resync_seconds)
        self.telemetry = Telemetry()
        self.lease = Lease(api, settings.lease, settings.lease.identity or _identity())
        self.caches = Caches(api, self._changed)
        self._settings = settings
        self._stop_flag = stop_flag
        self._halted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sense(settings)
        self._plan = planner(settings)
        fenced = Fenced(api, lambda: self.lease.held)
        knowledge = Knowledge(
            lambda: self.loop.latest,
            self.caches,
            self.prometheus,
            self.attainment,
            self.forecaster.history,
            self._plan,
            self.limits.policy,
        )
        self.diagnosis = Diagnosis(fenced, knowledge, settings.diagnosis)
        self.loop = Loop(
            Senses(self.caches, self.world, self.forecaster.latest, self.limits.in_force, self.diagnosis.latest),
            self._hands(fenced, settings),
            self._plan,
            self.wake,
            settings,
            self.telemetry,
        )
        self.lifecycle = self._intents(fenced, settings)
        self.replays = Replays(
            fenced, self.caches, self.prometheus, simulator(lambda: self.loop.latest, settings), system_clock, settings
        )

    def _changed(self, resource: Resource, key: ObjectKey) -> None:
        self.wake.fire(f"{resource.plural}/{key.namespace}/{key.name}")
        if resource in (SCALING_INTENTS, INTENT_APPROVALS):
            self.lifecycle.wake()
        if resource == TRAFFIC_REPLAYS:
            self.replays.wake()

    def _intents(self, api: KubeApi, settings: Settings) -> Lifecycle:
        window = Window(settings.intents.verify_grace_seconds, settings.intents.verify_window_seconds)
        evidence = LiveEvidence(self.prometheus, self.usage, settings.loop.resync_seconds)
        timing = Timing(window=window, move_seconds=settings.intents.move_seconds)
        drafter = by_language(system_clock, language_model(settings))
        return Lifecycle(api, drafter, self._what_if, evidence, system_clock, timing)

    def _snapshot(self) -> Snapshot | None:
        return self.loop.latest.snapshot if self.loop.latest else None

    def _what_if(self) -> WhatIf | None:
        """Plans over what the last pass saw, so that only the bounds differ."""
        seen = self.loop.latest
        return (lambda bounds: self._plan(seen.snapshot, seen.forecasts, bounds)) if seen else None

    async def _sample_usage(self) -> None:
        while True:
            self.usage.sample()
            await asyncio.sleep(self._settings.loop.resync_seconds)

    def _sense(self, settings: Settings) -> None:
        prometheus = self.prometheus = Prometheus(settings.prometheus)
        self.usage = Usage(self._snapshot)
        self.limits = Limits(self.caches, system_clock)
        self.signals = Signals(prometheus, settings.prometheus, system_clock, lambda: self.world.targets())
        self.attainment = Attainment(prometheus, settings.forecast, system_clock, lambda: self.world.promised())
        self.world = World(self.caches, self.signals, settings, system_clock, self.attainment.of)
        self.forecaster = Forecaster(
            prometheus,
            settings.forecast,
            system_clock,
            lambda: self.world.services(),
            rate_window_seconds=settings.prometheus.rate_window_seconds,
        )

    def _hands(self, api: KubeApi, settings: Settings) -> Hands:
        publisher = Publisher(
            api,
            self.caches,
            system_clock,
            status_seconds=settings.loop.status_seconds,
            reporter=self.lease.identity,
        )
        return Hands(api, Writer(api, self.caches, settings.workload), publisher)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="cynosure")

    async def stop(self) -> None:
        """Let the pass that runs finish, give the lease back, end the rest."""
        self._halted.set()
        self.loop.halt()
        if self._task:
            await asyncio.wait({self._task}, timeout=STOP_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        probes = Probes(self.caches, self.loop, self.lease, self.telemetry, self._settings.loop.ready_seconds)
        runner = await serve(probes, self._settings.server)
        try:
            async with asyncio.TaskGroup() as group:
                background = [
                    group.create_task(self.caches.run(), name="watch"),
                    group.create_task(self.attainment.run(), name="attainment"),
                    group.create_task(self.signals.run(lambda: self.wake.fire("signals")), name="signals"),
                    group.create_task(self.forecaster.run(lambda key: self.wake.fire("forecasts")), name="forecasts"),
                ]
                await self._lead()
                for task in background:
                    task.cancel()
        except BaseExceptionGroup as failures:
            self.failed = True
            for error in _leaves(failures):
                log.critical("the operator ends", extra={"error": str(error)}, exc_info=error)
        finally:
            await runner.cleanup()
            self._stop_flag.set()

    async def _lead(self) -> None:
        """Wait for the lease, then pass until halted. Whoever loses the lease ends."""
        waiting = asyncio.create_task(self.lease.acquire(), name="lease")
        halted = asyncio.create_task(self._halted.wait(), name="halt")
        await asyncio.wait({waiting, halted}, return_when=asyncio.FIRST_COMPLETED)
        halted.cancel()
        if not waiting.done():
            waiting.cancel()
            return
        await waiting
        self.wake.fire("lease")
        try:
            async with asyncio.TaskGroup() as group:
                beside = [
                    group.create_task(self.lease.keep(), name="lease"),
                    group.create_task(self.lifecycle.run(), name="intents"),
                    group.create_task(self.replays.run(), name="replays"),
                    group.create_task(self.diagnosis.run(lambda: self.wake.fire("findings")), name="diagnosis"),
                    group.create_task(self._sample_usage(), name="usage"),
                ]
                await self.loop.run()
                for task in beside:
                    task.cancel()
        finally:
            await self.lease.release()


def planner(
    settings: Settings,
) -> Callable[[Snapshot, Mapping[ServiceKey, Forecast], Bounds], Plan]:
    """``plan_cluster`` with the tuning of the settings."""
    tuned = tuning(settings)
    return lambda snapshot, forecasts, bounds: plan_cluster(snapshot, forecasts, bounds, tuned)


def simulator(latest: Callable[[], PassResult | None], settings: Settings) -> Twin:
    """The twin, with services where the last pass saw them."""

    def take(keys: Sequence[ServiceKey]) -> Play:
        seen = latest()
        if seen is None:
            raise Unavailable("no planning pass has ended yet, so it is not known what there is")
        sites = [site_of(seen.snapshot, key, seen.bounds, tuning(settings), settings) for key in keys]
        limit = settings.replays.replay_simulation_seconds
        return lambda schedule, seed: replayed_apart(sites, schedule, seed, limit)

    return take


def tuning(settings: Settings) -> Tuning:
    """What the settings say about planning; the settings' defaults are the planner's."""
    planning = settings.planning
    return Tuning(
        upscale_level=planning.upscale_level,
        downscale_level=planning.downscale_level,
        lean_levels=(planning.lean_upscale_level, planning.lean_downscale_level),
        stabilisation_seconds=planning.stabilisation_seconds,
        pass_seconds=settings.loop.resync_seconds,
        settle_seconds=planning.settle_seconds,
        correction_seconds=planning.correction_seconds,
        backlog_seconds=planning.backlog_seconds,
        latency_headroom=planning.latency_headroom,
        rate_window_seconds=settings.prometheus.rate_window_seconds,
        surge_window_seconds=settings.prometheus.rate_window_seconds / SURGE_SHARE,
    )


def language_model(settings: Settings) -> ModelSettings | None:
    """The model behind sentences; None without an address: the grammar alone reads them."""
    model = settings.language_model
    if not model.language_model_url:
        return None
    name = model.language_model_name or "local"
    return ModelSettings(model.language_model_url, name, api_key_variable=variable("language_model_api_key"))


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _ignoring(step: Callable[[], Any]) -> Callable[..., Any]:
    """Kopf passes a dozen keywords to each handler."""

    async def handler(**_: Any) -> None:
        await step()

    return handler


def _identity() -> str:
    """Another one for each process: a lease of a dead namesake is not ours to go on with."""
    return f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform != "linux":
        return None
    import uvloop

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
