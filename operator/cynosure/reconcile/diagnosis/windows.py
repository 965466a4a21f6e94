"""The last hours of each service, as passes saw them. Lost on restart and filled anew, never invented."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cynosure.diagnose import Sample, sample_of
from cynosure.model.service import ServiceKey
from cynosure.reconcile.diagnosis.gauges import GpuReading
from cynosure.reconcile.result import PassResult

_KEPT_WINDOWS = 8
_LOOKS = 30
"""In a window."""


@dataclass(slots=True)
class Windows:
    """``window_seconds`` is what is called a window; eight are kept, each of about thirty samples."""

    window_seconds: float
    _samples: dict[ServiceKey, deque[Sample]] = field(default_factory=dict)

    def of(self, key: ServiceKey) -> tuple[Sample, ...]:
        return tuple(self._samples.get(key, ()))

    def sample(self, seen: PassResult, prices: Mapping[ServiceKey, float], gpus: Mapping[str, GpuReading]) -> None:
        """Remember a pass, unless the last one that was remembered is too near."""
        now, decided = seen.snapshot.now_seconds, {d.service: d for d in seen.plan.decisions}
        for gone in self._samples.keys() - {o.service.key for o in seen.snapshot.observations}:
            del self._samples[gone]
        readings = _by_service(gpus, seen)
        for observation in seen.snapshot.observations:
            key = observation.service.key
            kept = self._samples.setdefault(key, deque())
            if kept and now - kept[-1].at_seconds < self.window_seconds / _LOOKS:
                continue
            reading = readings.get(key)
            kept.append(
                sample_of(
                    observation,
                    decided.get(key),
                    now,
                    price_per_gpu_hour=prices.get(key),
                    watts=reading.watts if reading else None,
                    throttled=reading.throttled if reading else None,
                )
            )
            while kept[0].at_seconds < now - _KEPT_WINDOWS * self.window_seconds:
                kept.popleft()


def _by_service(gpus: Mapping[str, GpuReading], seen: PassResult) -> dict[ServiceKey, GpuReading]:
    """Of the GPUs that a service stands on: its share of their power by partitions; none where one is not measured."""
    slots = [r.slot for o in seen.snapshot.observations for r in o.replicas if r.slot]
    taken = Counter(slot.gpu for slot in (*slots, *seen.snapshot.foreign))
    own: dict[ServiceKey, list[str]] = {}
    for slot in slots:
        if slot.service is not None:
            own.setdefault(slot.service, []).append(slot.gpu)
    return {key: _sum(gpus, on, taken) for key, on in own.items() if gpus.keys() >= set(on)}


def _sum(gpus: Mapping[str, GpuReading], on: Sequence[str], taken: Mapping[str, int]) -> GpuReading:
    """``on`` has a GPU once for each partition, and so many are taken of each."""
    known, hot = [gpus[uuid].watts for uuid in on], [gpus[uuid].throttled for uuid in on]
    watts = None if None in known else sum((gpus[uuid].watts or 0.0) / taken[uuid] for uuid in on)
    return GpuReading(watts, None if None in hot else any(hot))
