"""How closely pods used the CPU that was intended, from the counters that a kubelet serves."""

from dataclasses import dataclass

import numpy as np

from loadgen.errors import BadLoadInput
from loadgen.trace import Floats


@dataclass(frozen=True, slots=True)
class Closeness:
    """Measured against intended, over the steps where both are known.

    rmse: after min-max normalisation of each of the two by its own least and most, as studies of workloads do, which
    hides a wrong scale. rmse_of_range: both by the least and most that were intended, which does not. wape: of the
    unscaled CPU. peak_error: of the busiest intended step, as a share of it. steps: how many were compared.
    """

    rmse: float
    rmse_of_range: float
    wape: float
    peak_error: float
    steps: int


def used_per_step(at_seconds: Floats, cpu_seconds: Floats, edges: Floats) -> Floats:
    """Return the mean cores used between neighbouring ``edges``, NaN where no sample lies at or beyond both.

    Samples of a counter, in order of time; between two of them it is taken to have risen evenly. One that falls was
    set back by a restart, and counts from there.
    """
    if len(at_seconds) < 2:
        return np.full(len(edges) - 1, np.nan)
    rises = np.diff(cpu_seconds)
    total = np.append(0.0, np.cumsum(np.where(rises < 0, cpu_seconds[1:], rises)))
    known: Floats = np.interp(edges, at_seconds, total, left=np.nan, right=np.nan)
    cores: Floats = np.diff(known) / np.diff(edges)
    return cores


def closeness(intended: Floats, measured: Floats) -> Closeness:
    """Compare the steps of one pod. :raises BadLoadInput: fewer than two are known, or the intended ones are flat."""
    known = ~(np.isnan(intended) | np.isnan(measured))
    aim, got = intended[known], measured[known]
    if len(aim) < 2 or not np.ptp(aim):
        raise BadLoadInput(
            f"{len(aim)} of {len(intended)} steps are known and intended, and they must differ; nothing can be compared"
        )
    apart = got - aim
    span = np.ptp(got) or 1.0
    busiest = int(aim.argmax())
    return Closeness(
        rmse=_rms((got - got.min()) / span - (aim - aim.min()) / np.ptp(aim)),
        rmse_of_range=_rms(apart / np.ptp(aim)),
        wape=float(np.abs(apart).sum() / aim.sum()),
        peak_error=float(apart[busiest] / aim[busiest]),
        steps=len(aim),
    )


def overall(pods: list[Closeness]) -> Closeness:
    """Return what holds over all pods: root mean square by their steps, the mean WAPE, and the worst peak."""
    weights = [pod.steps for pod in pods]
    return Closeness(
        rmse=float(np.sqrt(np.average([pod.rmse**2 for pod in pods], weights=weights))),
        rmse_of_range=float(np.sqrt(np.average([pod.rmse_of_range**2 for pod in pods], weights=weights))),
        wape=float(np.average([pod.wape for pod in pods], weights=weights)),
        peak_error=max((pod.peak_error for pod in pods), key=abs),
        steps=sum(weights),
    )


def _rms(errors: Floats) -> float:
    return float(np.sqrt(np.mean(errors**2)))
