"""The decision about one service, with the conditions that follow from it."""

from dataclasses import dataclass, replace

from cynosure.model.condition import Condition
from cynosure.model.plan import Action, Decision
from cynosure.model.service import Mode
from cynosure.plan import conditions as told
from cynosure.plan.allowed import price_per_hour
from cynosure.plan.case import Case
from cynosure.plan.demand import demand_of
from cynosure.plan.reasons import Why
from cynosure.plan.rules import Choice, Question, ask, choose, held
from cynosure.size.options import Sizing, option_for

_HELD = frozenset({Why.STOPPED, Why.PAUSED})


@dataclass(frozen=True, slots=True)
class Verdict:
    """``decision`` is None while there is neither a way to serve the service nor anything that stands."""

    case: Case
    decision: Decision | None
    conditions: tuple[Condition, ...]

    @property
    def is_held(self) -> bool:
        """Nothing may change it, whatever is decided."""
        return self.decision is not None and self.decision.reason in (*_HELD, Why.FOREIGN, Why.PINNED)


def decide(case: Case) -> Verdict:
    load = case.observation.load
    about_load = (told.metrics_available(load), told.forecast_ready(case.forecast), told.slo_met(load, case.targets))
    asked = ask(case)
    if not isinstance(asked, Question):
        return _without_options(case, asked, about_load)
    choice = held(case) or choose(asked)
    is_budget = not any(word in asked.allowed.because for word in ("scale.max", "intent", "schedule"))
    budget = (
        told.unpriced(asked.allowed.unpriced)
        if asked.allowed.unpriced
        else told.within_budget(choice.needed, asked.allowed.most, asked.allowed.because, is_budget=is_budget)
    )
    known = told.profile_known(case.service.profile, None)
    return Verdict(case, _decision(case, choice), (known, *about_load, budget))


def revised(verdict: Verdict, replicas: int, why: str) -> Verdict:
    """The verdict with fewer replicas, for what is only known once all services were decided."""
    decision, case = verdict.decision, verdict.case
    if decision is None:
        return verdict
    message = f"{decision.option.replicas} → {replicas}: {why}"
    choice = Choice(option_for(decision.option, replicas), Why.LIMIT, message, decision.option.replicas)
    return replace(verdict, decision=_decision(case, replace(choice, runner_up=decision.runner_up)))


def _without_options(case: Case, sizing: Sizing | None, about_load: tuple[Condition, ...]) -> Verdict:
    """Nothing can be sized: what stands stays."""
    name = case.service.profile
    if sizing is None:
        problem = f"there is no ModelProfile {name!r}; apply one, or correct spec.model.profile"
        extra: tuple[Condition, ...] = (told.profile_known(name, problem, missing=True),)
        why = Why.NO_PROFILE
    elif not sizing.is_measured:
        problem = sizing.unreachable or ""
        extra, why = (told.profile_known(name, problem),), Why.UNREACHABLE
    else:
        problem = sizing.unreachable or ""
        extra, why = (told.profile_known(name, None), told.unreachable(problem)), Why.UNREACHABLE
    standing = case.standing
    if standing is None:
        return Verdict(case, None, (*extra, *about_load))
    choice = held(case) or Choice(standing, why, problem, standing.replicas)
    return Verdict(case, _decision(case, choice), (*extra, *about_load))


def _decision(case: Case, choice: Choice) -> Decision:
    """An unchanged decision keeps its time, so that nothing is written for it again."""
    last, action = case.observation.last, _action(case, choice)
    price = price_per_hour(choice.option, case.classes.get(choice.option.gpu_product), case.bounds.currency)
    cost = None if price is None else price * choice.option.replicas
    same = (
        last is not None
        and action is Action.HOLD
        and (last.action, last.reason) == (action, choice.why)
        and (last.option.partition, last.option.replicas) == (choice.option.partition, choice.option.replicas)
    )
    return Decision(
        service=case.service.key,
        action=action,
        option=replace(choice.option, cost_per_hour=cost),
        reason=choice.why,
        message=choice.message,
        made_at_seconds=last.made_at_seconds if same and last is not None else case.now_seconds,
        inputs=_inputs(case),
        runner_up=choice.runner_up,
        dry=choice.why in _HELD or case.service.mode is not Mode.AUTOMATIC or case.bounds.stop,
    )


def _action(case: Case, choice: Choice) -> Action:
    standing = case.standing
    if standing is not None and standing.partition != choice.option.partition:
        return Action.MIGRATE
    if choice.option.replicas == case.replicas:
        return Action.HOLD
    return Action.UP if choice.option.replicas > case.replicas else Action.DOWN


def _inputs(case: Case) -> tuple[tuple[str, float], ...]:
    demand = demand_of(case)
    named = {
        "present_rps": demand.present_rps if case.observation.load.absent is None else None,
        "forecast_rps": demand.forecast_rps,
        "peak_rps": demand.peak_rps,
        "input_tokens": demand.input_tokens or None,
        "output_tokens": demand.output_tokens or None,
        "budget_spent": demand.spent,
        "replicas": float(case.replicas),
        "ready_replicas": float(case.observation.ready),
        "lead_time_seconds": case.observation.lead_time_seconds,
    }
    return tuple((name, round(value, 2)) for name, value in named.items() if value is not None)
