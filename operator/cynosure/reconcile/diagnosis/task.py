"""The rounds of the diagnosis: read, look at every service off the planning pass, tell, and propose."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cynosure.api import ScalingIntent
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.api.inference_status import FindingStatus
from cynosure.diagnose import Evidence, Finding, SloStep, diagnose
from cynosure.errors import CynosureError, Fatal
from cynosure.kube.caches import Caches
from cynosure.kube.port import SCALING_INTENTS, KubeApi
from cynosure.model.service import ServiceKey
from cynosure.model.signals import AbsenceReason, Series
from cynosure.model.snapshot import Observation
from cynosure.observe.attainment import Attainment
from cynosure.observe.parsed import Parsed
from cynosure.observe.prometheus import Metrics
from cynosure.observe.world import Picture
from cynosure.reconcile.diagnosis import facts, gauges
from cynosure.reconcile.diagnosis.fragmentation import Fragmentation
from cynosure.reconcile.diagnosis.proposals import Proposals
from cynosure.reconcile.diagnosis.told import MOST_FINDINGS, status_of
from cynosure.reconcile.diagnosis.windows import Windows
from cynosure.reconcile.result import PassResult, Planner
from cynosure.reconcile.works import rivals
from cynosure.settings import DiagnosisSettings

log = logging.getLogger(__name__)

_FEWEST = 6
"""Samples before it is said that nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Where a diagnosis looks: everything here is filled by other tasks."""

    latest: Callable[[], PassResult | None]
    caches: Caches
    metrics: Metrics
    attainment: Attainment
    history: Callable[[ServiceKey], Series | None]
    plan: Planner
    policy: Callable[[], AutomationPolicySpec]


class Diagnosis:
    """Looks at all services every ``diagnosis_seconds``; ``latest`` is what a pass tells in their status."""

    def __init__(self, kube: KubeApi, know: Knowledge, settings: DiagnosisSettings) -> None:
        self._know = know
        self._settings = settings
        self._windows = Windows(settings.diagnosis_window_seconds)
        self._proposals = Proposals(kube, settings.proposal_seconds, settings.fragmented_pause_seconds)
        self._fragmentation = Fragmentation(know.plan, know.policy, settings)
        self._intents = Parsed(ScalingIntent)
        self._latest: Mapping[ServiceKey, tuple[FindingStatus, ...]] = {}

    def latest(self) -> Mapping[ServiceKey, tuple[FindingStatus, ...]]:
        """The findings of every service that could be looked at; none of one that is too new to say."""
        return self._latest

    async def run(self, changed: Callable[[], None]) -> None:
        """Until cancelled; ``Fatal`` goes through, and anything else ends a round only."""
        while True:
            try:
                await self.round()
                changed()
            except Fatal:
                raise
            except CynosureError as error:
                log.warning("no diagnosis in this round", extra={"error": str(error)})
            except Exception:
                log.exception("the diagnosis failed in this round; please report it")
            await asyncio.sleep(self._settings.diagnosis_seconds)

    async def round(self) -> None:
        seen = self._know.latest()
        if seen is None or seen.picture is None:
            return
        parsed = self._intents.of(self._know.caches.store(SCALING_INTENTS).items()).values()
        intents = [one for one in parsed if isinstance(one, ScalingIntent)]
        prices = {key: _prices(seen, _currency(seen.picture, key)) for key in seen.picture.services}
        self._windows.sample(seen, _per_gpu(seen, prices), await gauges.gpu_readings(self._know.metrics))
        series = await self._series(seen)
        await self._fragmentation.look(seen)
        evidence = list(self._evidence(seen, seen.picture, intents, prices, series))
        found = await asyncio.to_thread(lambda: {e.service.key: diagnose(e) for e in evidence})
        told = {e.service.key: self._told(e, found[e.service.key]) for e in evidence}
        self._latest = {key: findings for key, findings in told.items() if findings is not None}
        if self._settings.proposals and not seen.bounds.stop:
            await self._proposals.draft(found, intents, seen.snapshot.now_seconds)

    def _told(self, evidence: Evidence, found: tuple[Finding, ...]) -> tuple[FindingStatus, ...] | None:
        if not found and len(evidence.samples) < _FEWEST:
            return None
        return tuple(status_of(finding, evidence.now_seconds) for finding in found[:MOST_FINDINGS])

    async def _series(self, seen: PassResult) -> Mapping[ServiceKey, frozenset[str] | None]:
        """Asked for only where Prometheus answers and knows nothing of what it should."""
        missing = [o.service.key for o in seen.snapshot.observations if _is_missing(o)]
        return {key: await gauges.series_of(self._know.metrics, key) for key in missing}

    def _evidence(
        self,
        seen: PassResult,
        picture: Picture,
        intents: list[ScalingIntent],
        prices: Mapping[ServiceKey, tuple[tuple[str, float], ...]],
        series: Mapping[ServiceKey, frozenset[str] | None],
    ) -> Iterator[Evidence]:
        decided, said = {d.service: d for d in seen.plan.decisions}, dict(seen.plan.conditions)
        holes = self._fragmentation.standing()
        now = seen.snapshot.now_seconds
        for observation in seen.snapshot.observations:
            key = observation.service.key
            service = picture.services[key]
            standing = [picture.adopted[key]] if key in picture.adopted else picture.deployments.get(key, [])
            yield Evidence(
                observation=observation,
                now_seconds=now,
                decision=decided.get(key),
                conditions=facts.conditions_of(service, said.get(key, ())),
                bounds=seen.bounds,
                profile=seen.snapshot.profiles.get(observation.service.profile),
                profiles=tuple(sorted(seen.snapshot.profiles)),
                gpus=seen.snapshot.gpus,
                classes=seen.snapshot.classes,
                samples=self._windows.of(key),
                slo=self._slo(key, now),
                history=self._know.history(key),
                pods=tuple(facts.pod_of(body) for body in picture.pods.get(key, ())),
                engine=facts.engine_of(standing, service),
                rivals=rivals(picture, key),
                expired=tuple(facts.expired_of(intents, key, now)),
                series=series.get(key),
                prices=prices[key] if service.spec.budget else None,
                fragmented=holes.get(key),
                window_seconds=self._settings.diagnosis_window_seconds,
            )

    def _slo(self, key: ServiceKey, now: float) -> tuple[SloStep, ...]:
        since = now - 4 * self._settings.diagnosis_window_seconds
        rows = [
            SloStep(at, target, requests, within)
            for target, steps in self._know.attainment.steps(key, since)
            for at, requests, within in steps.tolist()
        ]
        return tuple(sorted(rows, key=lambda step: step.at_seconds))


def _is_missing(observation: Observation) -> bool:
    absent = observation.load.absent
    return absent is not None and absent.reason is AbsenceReason.MISSING and observation.ready > 0


def _currency(picture: Picture, key: ServiceKey) -> str:
    budget = picture.services[key].spec.budget
    return budget.currency if budget else ""


def _prices(seen: PassResult, currency: str) -> tuple[tuple[str, float], ...]:
    """Of a whole GPU per hour by product: those that planning goes by."""
    known = seen.snapshot.classes.items()
    return tuple((product, found.prices[currency]) for product, found in known if currency in found.prices)


def _per_gpu(
    seen: PassResult, prices: Mapping[ServiceKey, tuple[tuple[str, float], ...]]
) -> Mapping[ServiceKey, float]:
    """The price of what each service stands on, where it is known."""
    decided = ((d.service, d.option.gpu_product) for d in seen.plan.decisions)
    found = ((key, dict(prices.get(key, ())).get(product)) for key, product in decided)
    return {key: price for key, price in found if price is not None}
