"""Which rules exclude each other where something finds no place: the smallest set of them, in words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from cynosure.model.service import ServiceKey
from cynosure.place.demand import Limits


def excluded_by(service: ServiceKey, limits: Limits, fits: Callable[[Limits], bool]) -> str:
    """Say what keeps a service that has rules from its places; empty where not the rules do.

    ``fits`` tells whether all of it finds a place under other limits. Those of other services stay as they are.
    """
    rules = dict(_rules(service, limits))
    free = replace(
        limits,
        of_service={key: most for key, most in limits.of_service.items() if key != service},
        spreads={key: found for key, found in limits.spreads.items() if key != service},
        apart=tuple(rule for rule in limits.apart if service not in (rule.one, rule.other)),
    )
    if not rules or not fits(free):
        return ""
    names = smallest_conflict(list(rules), lambda held: fits(_with(free, service, rules, held)))
    return f"{' and '.join(names)} leave{'s' if len(names) == 1 else ''} no room; without {_any(names)} all would fit"


def _any(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "any one of them"


def _rules(service: ServiceKey, limits: Limits) -> Iterator[tuple[str, Limits]]:
    """Each rule of a service by itself, in words."""
    for spread in limits.spreads.get(service, ()):
        words = f"spread by {spread.topology} with a skew of at most {spread.max_skew}"
        yield words, Limits(spreads={service: (spread,)})
    for rule in limits.apart:
        if rule.one == rule.other == service:
            yield f"replicas apart by {rule.topology}", Limits(apart=(rule,))
        elif service in (rule.one, rule.other):
            other = rule.other if rule.one == service else rule.one
            yield f"apart from {other} by {rule.topology}", Limits(apart=(rule,))
    if (most := limits.of_service.get(service)) is not None:
        yield f"at most {most} GPU{'s' if most != 1 else ''}", Limits({service: most})


def _with(free: Limits, service: ServiceKey, rules: Mapping[str, Limits], held: Sequence[str]) -> Limits:
    for name in held:
        rule = rules[name]
        spreads = (*free.spreads.get(service, ()), *rule.spreads.get(service, ()))
        free = replace(
            free,
            of_service={**free.of_service, **rule.of_service},
            spreads={**free.spreads, service: spreads},
            apart=(*free.apart, *rule.apart),
        )
    return free


def smallest_conflict(candidates: Sequence[str], feasible: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """A subset of ``candidates`` that is infeasible together and feasible without any one of its members.

    The deletion filter (J. W. Chinneck and E. W. Dravnieks, ORSA Journal on Computing 3(2), 1991): leave out each
    in turn, and for good where the rest stays infeasible. ``candidates`` must be infeasible together. Later ones
    are kept before earlier ones: of intents, so that the newest is not blamed on the oldest by accident of order.
    """
    kept = list(candidates)
    for candidate in candidates:
        rest = [other for other in kept if other != candidate]
        if not feasible(rest):
            kept = rest
    return tuple(kept)
