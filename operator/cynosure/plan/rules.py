"""How many replicas, of what, and why. The first rule that has an opinion decides."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from cynosure.model.plan import Option
from cynosure.model.service import Mode, Target
from cynosure.model.signals import Reading
from cynosure.plan.allowed import Allowed, allowed
from cynosure.plan.case import Case
from cynosure.plan.demand import Demand, demand_of
from cynosure.plan.reasons import Why
from cynosure.size.batch_job import size_batch_job
from cynosure.size.options import Sizing, option_for, price, size_service


@dataclass(frozen=True, slots=True)
class Choice:
    """``option`` with the replicas to have; ``needed`` is what the load asks for, whatever the limits."""

    option: Option
    why: Why
    message: str
    needed: int
    runner_up: Option | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A case with what was worked out about it: the demand, the ways to serve it, and the one to go on with."""

    case: Case
    demand: Demand
    sizing: Sizing
    option: Option
    allowed: Allowed
    surplus: Option | None
    """The same partition sized for the peak over the stabilisation window; None without a forecast."""

    @property
    def replicas(self) -> int:
        """What there is of this partition."""
        standing = self.case.standing
        return self.case.replicas if standing and standing.partition == self.option.partition else 0


_ENOUGH_MISSES = 10.0
"""In a window, for its percentile to be known well."""

Rule = Callable[[Question], Choice | None]


def held(case: Case) -> Choice | None:
    """Reasons not to decide at all: a person's word, somebody else's field."""
    standing = case.standing
    if standing is None:
        return None
    workload = case.workload
    if case.bounds.stop:
        return Choice(standing, Why.STOPPED, "stop: true in the AutomationPolicy; nothing changes", standing.replicas)
    if case.service.mode is Mode.PAUSED:
        return Choice(standing, Why.PAUSED, "spec.mode is Paused; nothing changes", standing.replicas)
    if workload is not None and workload.foreign_owner is not None:
        message = f"{workload.foreign_owner} sets the replicas ({workload.replicas}); they are left alone"
        return Choice(standing, Why.FOREIGN, message, standing.replicas)
    return None


def ask(case: Case) -> Question | Sizing | None:
    """Work out the ways to serve the demand; the bare Sizing when there is none, None without a profile."""
    if case.profile is None:
        return None
    demand = demand_of(case)
    sizing = _sized(case, demand, demand.rps)
    if not sizing.options:
        return sizing
    ahead = _sized(case, demand, max(demand.rps, demand.peak_rps)) if demand.peak_rps is not None else None
    option = _partition(case, sizing, ahead)
    surplus = next((o for o in ahead.options if o.partition == option.partition), None) if ahead else None
    return Question(case, demand, sizing, option, allowed(case.service, case.bounds, option, case.now), surplus)


def choose(question: Question) -> Choice:
    """Return the word of the first rule that applies, within the limits."""
    for rule in RULES:
        if (choice := rule(question)) is not None:
            return choice
    raise AssertionError("the last rule always applies")


def _sized(case: Case, demand: Demand, rps: float) -> Sizing:
    assert case.profile is not None  # noqa: S101  (ask() looks first)
    if case.job is not None:
        return size_batch_job(case.service, case.profile, case.job.images, case.job.deadline_seconds, case.products)
    needs = demand.needs(rps)
    return size_service(case.service, case.profile, needs, case.sizing_targets, case.products)


def _partition(case: Case, sizing: Sizing, ahead: Sizing | None) -> Option:
    """Stay with the present partition unless it cannot be used or another is clearly cheaper, now and at the peak."""
    best, standing = sizing.options[0], case.standing
    if standing is not None and case.observation.load.absent is not None:
        return standing  # without the load nothing is known of what would serve it
    same = next((o for o in sizing.options if standing and o.partition == standing.partition), None)
    if same is None:
        return best
    if ahead is None or case.is_migrating:
        return same
    then = {option.partition: price(case.service, option) for option in ahead.options}
    gain = 1 - case.tuning.switch_gain
    cheaper = price(case.service, best) < gain * price(case.service, same)
    stays_so = then.get(best.partition, float("inf")) < gain * then.get(same.partition, 0.0)
    return best if cheaper and stays_so else same


def _result(question: Question, replicas: int, why: Why, message: str) -> Choice:
    others = [o for o in question.sizing.options if o.partition != question.option.partition]
    runner_up = others[0] if others else None
    return Choice(option_for(question.option, replicas), why, message, question.option.replicas, runner_up)


def _pinned(question: Question) -> Choice | None:
    pinned = question.allowed.pinned
    if pinned is None:
        return None
    return _result(question, pinned, Why.PINNED, f"{pinned} replicas are pinned by spec.scale.replicas or an intent")


def _deadline(question: Question) -> Choice | None:
    """A job is as large as it was said to be, whatever the load of the moment."""
    job = question.case.job
    if job is None:
        return None
    replicas = _clamped(question, question.option.replicas)
    message = (
        f"{question.option.replicas} x {question.option.partition} do {job.images} images within "
        f"{job.deadline_seconds:g} s of its creation, {question.option.batch} at a time"
    )
    return _result(question, replicas, Why.DEADLINE, message)


def _absent(question: Question) -> Choice | None:
    absent = question.case.observation.load.absent
    if absent is None:
        return None
    replicas = _clamped(question, max(question.case.replicas, 1))
    why = Why.NO_METRICS if question.case.standing else Why.FIRST
    return _result(question, replicas, why, f"{replicas} replicas stay: {absent.message}")


def _new(question: Question) -> Choice | None:
    if question.case.standing is not None:
        return None
    replicas = _clamped(question, question.option.replicas)
    return _result(question, replicas, Why.FIRST, f"{replicas} x {question.option.partition} to begin with")


def _other_partition(question: Question) -> Choice | None:
    standing = question.case.standing
    if standing is None or standing.partition == question.option.partition:
        return None
    replicas = _clamped(question, max(question.option.replicas, question.surplus.replicas if question.surplus else 0))
    unfit = all(o.partition != standing.partition for o in question.sizing.options)
    why = Why.UNFIT if unfit else Why.CHEAPER
    told = "cannot be used or meet the SLO any more" if unfit else f"would take {_same_load(question)}"
    message = (
        f"{replicas} x {question.option.partition} replace {standing.replicas} x {standing.partition}, which {told}"
    )
    return _result(question, replicas, why, message)


def _more(question: Question) -> Choice | None:
    replicas = _clamped(question, question.option.replicas)
    if replicas <= question.replicas:
        return None
    if question.option.replicas < replicas:
        return _result(question, replicas, Why.LIMIT, f"{question.replicas} → {replicas}: the minimum is {replicas}")
    forecast = question.demand.forecast_rps
    ahead = forecast is not None and forecast >= question.demand.present_rps
    return _result(question, replicas, Why.FORECAST if ahead else Why.PRESENT, _growth(question, replicas, ahead))


def _correction(question: Question) -> Choice | None:
    """A measured miss with everything ready: the model was wrong for this load, so add one and see."""
    case, missed = question.case, _missed(question, certain=True)
    since = case.now_seconds - (case.observation.capacity_gained_at_seconds or 0.0)
    replicas = _clamped(question, question.replicas + 1)
    settled = case.observation.ready >= question.replicas and since >= case.tuning.correction_seconds
    if not missed or not settled or replicas <= question.replicas:
        return None
    return _result(question, replicas, Why.CORRECTION, f"{question.replicas} → {replicas}: {missed}")


def _limit(question: Question) -> Choice | None:
    if question.replicas <= question.allowed.most:
        return None
    message = f"{question.replicas} → {question.allowed.most}: {question.allowed.because} allows no more"
    return _result(question, question.allowed.most, Why.LIMIT, message)


def _fewer(question: Question) -> Choice | None:
    """Take away only what the forecast for the whole window proves unneeded, and only a part of it at once."""
    present, case = question.replicas, question.case
    if _clamped(question, question.option.replicas) >= present:
        return None
    if question.surplus is None or _missed(question) is not None:
        told = "no forecast" if question.surplus is None else "a target is missed"
        message = f"{present} replicas stay: {question.option.replicas} might do, but {told}"
        return _result(question, present, Why.NO_EVIDENCE, message)
    if (wait := _recovering(case)) is not None:
        message = f"{present} replicas stay: metrics are back, and have to be for {wait:.0f} s more"
        return _result(question, present, Why.RECOVERING, message)
    since = case.now_seconds - (case.observation.capacity_gained_at_seconds or 0.0)
    target = _clamped(question, max(question.option.replicas, question.surplus.replicas))
    step = max(1, int(present * case.tuning.most_down_share))
    replicas = max(target, present - step)
    if replicas >= present or since < case.tuning.stabilisation_seconds:
        message = f"{present} replicas stay: the next {case.tuning.stabilisation_seconds:.0f} s may need them"
        return _result(question, present, Why.STABILISING, message)
    peak = question.demand.peak_rps or 0.0
    message = f"{present} → {replicas}: even the upper forecast of {peak:.1f} rps needs {target}"
    return _result(question, replicas, Why.SURPLUS, message)


def _enough(question: Question) -> Choice | None:
    each = _each_rps(question)
    message = f"{question.replicas} replicas: {question.demand.rps:.1f} rps are expected, {each:.1f} rps fit each"
    why = Why.ENOUGH if _recovering(question.case) is None else Why.RECOVERING
    return _result(question, question.replicas, why, message)


RULES: tuple[Rule, ...] = (
    _pinned, _deadline, _absent, _new, _other_partition, _limit, _more, _correction, _fewer, _enough
)  # fmt: skip


def _clamped(question: Question, replicas: int) -> int:
    return max(question.allowed.fewest, min(replicas, question.allowed.most))


def _each_rps(question: Question) -> float:
    return question.option.capacity_rps / max(question.option.replicas, 1)


def _growth(question: Question, replicas: int, is_forecast: bool) -> str:
    case, demand = question.case, question.demand
    lead = case.observation.lead_time_seconds + case.tuning.pass_seconds
    level = f"p{100 * demand.upscale_level:.0f}"
    load = (
        f"{level} forecast of {demand.rps:.1f} rps within {lead:.0f} s" if is_forecast else f"{demand.rps:.1f} rps now"
    )
    targets = ", ".join(map(str, case.targets))
    return (
        f"{question.replicas} → {replicas} x {question.option.partition}: {load} needs {question.option.replicas} at "
        f"{_each_rps(question):.1f} rps each ({targets}); now {demand.present_rps:.1f} rps"
    )


def _same_load(question: Question) -> str:
    standing = question.case.standing
    same = next(o for o in question.sizing.options if standing and o.partition == standing.partition)
    return f"{same.gpu_share:.2f} GPUs instead of {question.option.gpu_share:.2f}"


def _missed(question: Question, *, certain: bool = False) -> str | None:
    """The first target that the last window missed, with both numbers; ``certain`` leaves room for chance."""
    measured = {(t.metric, t.percentile): signal for t, signal in question.case.observation.load.latency}
    for target in question.case.targets:
        signal = measured.get((target.metric, target.percentile))
        room = 1 + _scatter(question, target) if certain else 1.0
        if isinstance(signal, Reading) and signal.value > target.milliseconds * room:
            return f"{target} is missed, measured {signal.value:.0f} ms"
    return None


def _scatter(question: Question, target: Target) -> float:
    """How far above its target a percentile may be by chance: the fewer misses a window should have, the farther."""
    tuning = question.case.tuning
    misses = question.demand.present_rps * tuning.rate_window_seconds * (1 - target.objective)
    return tuning.miss_tolerance * sqrt(max(1.0, _ENOUGH_MISSES / max(misses, 0.1)))


def _recovering(case: Case) -> float | None:
    """Return how long metrics still have to prove themselves after an absence; None when they need not."""
    last = case.observation.last
    if last is None or last.reason not in (Why.NO_METRICS, Why.RECOVERING):
        return None
    since = case.now_seconds - last.made_at_seconds if last.reason == Why.RECOVERING else 0.0
    left = case.tuning.settle_seconds - since
    return left if left > 0 else None
