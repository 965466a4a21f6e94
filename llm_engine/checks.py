"""Directives against each other and against the limits of the catalog."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from llm_engine.catalog import Catalog
from llm_engine.values import Directive, Reason, Refused

_FINAL = frozenset({"pause", "resume", "delete"})
_TO_MILLI = {"ms": 1.0, "s": 1000.0, "W": 1.0, "kW": 1000.0}


def refuse_contradictions(directives: Sequence[Directive]) -> None:
    for directive in directives:
        _refuse_crossed(directive)
    for one, other in combinations(directives, 2):
        if _same_subject(one, other) and (why := _clash(one, other)):
            raise Refused(Reason.CONTRADICTION, f"'{one}' and '{other}': {why}", "one of them")


def _refuse_crossed(directive: Directive) -> None:
    low, high = directive.get("min"), directive.get("max")
    if low is not None and high is not None and float(str(low)) > float(str(high)):
        raise Refused(Reason.CONTRADICTION, f"min {low} is more than max {high}", f"min {high}, max {low}")
    exact = directive.get("replicas")
    if exact is not None and (low is not None or high is not None):
        raise Refused(Reason.CONTRADICTION, f"exactly {exact} replicas leaves no room for min or max", "one of them")


def _same_subject(one: Directive, other: Directive) -> bool:
    if one.get("service") is None or one.get("service") != other.get("service"):
        return False
    return one.get("namespace") == other.get("namespace")


def _clash(one: Directive, other: Directive) -> str | None:
    verbs = {one.verb, other.verb}
    if (
        len(verbs) > 1
        and verbs & _FINAL
        and not verbs & {"explain"}
        and verbs not in ({"pause", "bound"}, {"resume", "bound"}, {"resume", "scale"})
    ):
        return "both cannot be done"
    if verbs == {"bound"} and _bound_of(one) == _bound_of(other) and _amount(one) != _amount(other):
        return "two limits for the same thing"
    if (
        verbs == {"prefer"}
        and one.get("objective") != other.get("objective")
        and not (one.get("weight") and other.get("weight"))
    ):
        return "two objectives without weights"
    if verbs == {"migrate"} and one.fields != other.fields:
        return "two places"
    return None


def _bound_of(directive: Directive) -> tuple[object, ...]:
    return directive.get("metric"), directive.get("percentile"), directive.get("expires")


def _amount(directive: Directive) -> tuple[float, str]:
    unit = str(directive.get("unit"))
    scale = _TO_MILLI.get(unit)
    value = float(str(directive.get("value")))
    return (value * scale, "") if scale else (value, unit)


def joined(directives: Iterable[Directive]) -> list[Directive]:
    """Equal directives once; min and max of one service stand together."""
    found: list[Directive] = []
    for directive in directives:
        if directive in found:
            continue
        index = next((i for i, other in enumerate(found) if _scales_same(other, directive)), None)
        if index is None:
            found.append(directive)
        else:
            found[index] = _joined(found[index], directive)
    return found


def _scales_same(one: Directive, other: Directive) -> bool:
    return (
        one.verb == other.verb == "scale" and _same_subject(one, other) and one.get("expires") == other.get("expires")
    )


def _joined(one: Directive, other: Directive) -> Directive:
    for name, value in other.fields.items():
        if name in one.fields and one.fields[name] != value:
            raise Refused(Reason.CONTRADICTION, f"{name} {one.fields[name]} and {name} {value}", "one of them")
        if name not in one.fields:
            one = one.having(name, value, other.origins[name])
    amounts = set(one.fields) & {"replicas", "factor", "delta"}
    if amounts and len(set(one.fields) & {"replicas", "factor", "delta", "min", "max"}) > 1:
        raise Refused(
            Reason.CONTRADICTION, f"'{one}': {' and '.join(sorted(amounts))} cannot stand with others", "one of them"
        )
    return one


def refuse_deleting_all(directives: Sequence[Directive]) -> None:
    if any(one.verb == "delete" and one.get("service") == "*" for one in directives):
        message = "more than one service would be deleted at once; only directives about services by name do that"
        raise Refused(Reason.UNSAFE_REQUEST, message, "delete a service by its name")


def refuse_infeasible(directives: Sequence[Directive], catalog: Catalog) -> None:
    """What no cluster can do, whatever its limits."""
    for directive in directives:
        _refuse_amount(directive)
        fewest = min(_replicas(directive, catalog), default=1.0)
        if fewest <= 0:
            message = f"{fewest:g} replicas of {directive.get('service')}: nothing could wake a service without any"
            raise Refused(Reason.INFEASIBLE, message, "1 replica, or pause the service")
        if directive.get("confidential") and catalog.has_confidential is False:
            raise Refused(Reason.INFEASIBLE, "no GPU of the catalog is confidential")


def _refuse_amount(directive: Directive) -> None:
    value, metric = directive.get("value"), directive.get("metric")
    if value is None:
        return
    if float(str(value)) <= 0 and metric != "error_rate":
        raise Refused(Reason.INFEASIBLE, f"{metric} of {value}: it must be more than 0", "a number above 0")
    if directive.get("unit") == "percent" and float(str(value)) > 100:
        raise Refused(Reason.INFEASIBLE, f"{value} percent: there are only 100", "100 percent or less")


def refuse_outside(directives: Sequence[Directive], catalog: Catalog) -> None:
    limits = catalog.limits
    for directive in directives:
        most = max(_replicas(directive, catalog), default=0.0)
        if limits.max_replicas is not None and most > limits.max_replicas:
            message = f"{most:g} replicas of {directive.get('service')}; limit: {limits.max_replicas}"
            raise Refused(Reason.OUTSIDE_LIMITS, message, f"{limits.max_replicas} replicas")
        cost = directive.get("value") if directive.get("metric") == "cost_per_hour" else None
        if cost is not None and limits.max_cost_per_hour is not None and float(str(cost)) > limits.max_cost_per_hour:
            message = f"{cost} {directive.get('unit')} per hour; limit: {limits.max_cost_per_hour:g}"
            raise Refused(
                Reason.OUTSIDE_LIMITS, message, f"{limits.max_cost_per_hour:g} {directive.get('unit')} per hour"
            )


def _replicas(directive: Directive, catalog: Catalog) -> Iterable[float]:
    """Every number of replicas that the directive names, relative ones from what runs now."""
    yield from (float(str(directive.fields[name])) for name in ("replicas", "min", "max") if name in directive.fields)
    factor, delta = directive.get("factor"), directive.get("delta")
    if factor is None and delta is None:
        return
    for service in catalog.services:
        if (
            directive.get("service") in ("*", service.name)
            and directive.get("namespace") in (None, service.namespace)
            and service.replicas is not None
        ):
            yield service.replicas * float(str(factor or 1)) + float(str(delta or 0))
