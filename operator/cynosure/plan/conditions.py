"""The conditions of a service that follow from deciding."""

from cynosure.api.conditions import Reason, Type
from cynosure.model.condition import Condition, Status
from cynosure.model.forecast import Forecast
from cynosure.model.plan import Placement
from cynosure.model.service import Service, Target
from cynosure.model.signals import Load, Reading, Signal

_FINE = Status.TRUE


def metrics_available(load: Load) -> Condition:
    absent = load.absent
    if absent is None:
        return Condition(Type.METRICS_AVAILABLE, _FINE, Reason.METRICS_FOUND, "every signal that sizing needs is fresh")
    return Condition(Type.METRICS_AVAILABLE, Status.FALSE, Reason(absent.reason.value), absent.message)


def forecast_ready(forecast: Forecast | None) -> Condition:
    if forecast is None:
        message = "no history of the load was found; sizing follows the present load"
        return Condition(Type.FORECAST_READY, Status.FALSE, Reason.HISTORY_MISSING, message)
    if forecast.history_seconds < forecast.wanted_seconds / 2:
        return Condition(
            Type.FORECAST_READY,
            Status.FALSE,
            Reason.HISTORY_SHORT,
            f"{forecast.history_seconds:.0f} s of history; one season of {forecast.wanted_seconds / 2:.0f} s is needed "
            f"to see it, two to trust it; {forecast.reason}",
        )
    return Condition(Type.FORECAST_READY, _FINE, Reason.FORECAST_FITTED, forecast.reason)


def slo_met(load: Load, targets: tuple[Target, ...]) -> Condition:
    measured = [(target, _of(load, target)) for target in targets]
    missed = [(t, m) for t, m in measured if isinstance(m, Reading) and m.value > t.milliseconds]
    if missed:
        told = "; ".join(f"{target}, measured {reading.value:.0f} ms" for target, reading in missed)
        return Condition(Type.SLO_MET, Status.FALSE, Reason.SLO_MISSED, told)
    if unknown := [target for target, signal in measured if not isinstance(signal, Reading)]:
        told = f"not measured: {'; '.join(map(str, unknown))}"
        return Condition(Type.SLO_MET, Status.UNKNOWN, Reason.LATENCY_UNKNOWN, told)
    told = "; ".join(f"{t}, measured {m.value:.0f} ms" for t, m in measured if isinstance(m, Reading))
    return Condition(Type.SLO_MET, _FINE, Reason.WITHIN_SLO, told or "the SLO has no latency target")


def placed(service: Service, placement: Placement, ready: int, wanted: int, has_gpus: bool) -> Condition:
    if not has_gpus:
        products = ", ".join(service.gpu_products) or "any product"
        confidential = " that a GPUClass says is confidential" if service.confidential else ""
        message = f"the cluster has no GPU of {products}{confidential}; a node needs a GPU driver that publishes it"
        return Condition(Type.PLACED, Status.FALSE, Reason.NO_GPUS, message)
    if lacking := [u.message for u in placement.unplaced if u.service == service.key]:
        return Condition(Type.PLACED, Status.FALSE, Reason.NO_ROOM, "; ".join(lacking))
    if ready < wanted:
        message = f"{ready} of {wanted} partitions are in use, the others have their place"
        return Condition(Type.PLACED, _FINE, Reason.PLACING, message)
    return Condition(Type.PLACED, _FINE, Reason.ALL_PLACED, f"all {wanted} partitions stand")


def unreachable(message: str) -> Condition:
    return Condition(Type.PLACED, Status.FALSE, Reason.SLO_UNREACHABLE, message)


def profile_known(name: str, problem: str | None, *, missing: bool = False) -> Condition:
    if problem is None:
        return Condition(Type.PROFILE_KNOWN, _FINE, Reason.PROFILE_FOUND, f"profile {name}")
    reason = Reason.PROFILE_MISSING if missing else Reason.NO_USABLE_POINT
    return Condition(Type.PROFILE_KNOWN, Status.FALSE, reason, problem)


def unpriced(message: str) -> Condition:
    told = f"{message}; the limit on cost is kept by adding no replica; apply a GPUClass with this price"
    return Condition(Type.WITHIN_BUDGET, Status.UNKNOWN, Reason.PRICE_UNKNOWN, told)


def within_budget(wanted: int, most: int, because: str, *, is_budget: bool) -> Condition:
    if wanted <= most:
        return Condition(Type.WITHIN_BUDGET, _FINE, Reason.BUDGET_FITS, f"{wanted} of at most {most} replicas")
    reason = Reason.BUDGET_LIMITS if is_budget else Reason.REPLICAS_LIMITED
    return Condition(
        Type.WITHIN_BUDGET, Status.FALSE, reason, f"the SLO needs {wanted} replicas, {because} allows {most}; raise it"
    )


def _of(load: Load, target: Target) -> Signal | None:
    """The measured percentile; a bound may ask for other milliseconds of the same one."""
    same = (signal for t, signal in load.latency if (t.metric, t.percentile) == (target.metric, target.percentile))
    return next(same, None)
