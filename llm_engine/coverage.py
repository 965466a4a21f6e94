"""Whether every name and number of a text went into a directive: what was passed over is not done by half."""

from collections.abc import Iterator, Sequence

from llm_engine.clauses import Clause
from llm_engine.lexicon import Kind
from llm_engine.tags import Tag
from llm_engine.values import Directive

_NAMED = (Kind.SERVICE, Kind.MODEL, Kind.PARTITION, Kind.GPU, Kind.NODE, Kind.ZONE, Kind.NAMESPACE)
_AMOUNTS = (
    Kind.QUANTITY, Kind.RANGE, Kind.PERCENTILE, Kind.EXPIRES, Kind.DAYS, Kind.CLOCK, Kind.CRON, Kind.TIME_ZONE,
    Kind.CONFIDENTIAL, Kind.FACTOR, Kind.DATE, Kind.MONTH,
)  # fmt: skip
_SAYS_NOTHING_MORE = frozenset({"scale", "autoscale", "schedule"})
_LENGTHS = frozenset({"min", "h", "d", "w"})
"""Units that say how long something lasts, also without a number."""
_TELLING = frozenset({"explain", "undo"})


def unused(clauses: Sequence[Clause], directives: Sequence[Directive]) -> Tag | None:
    """The first tag with content that no directive accounts for."""
    spans = [origin.span for one in directives for origin in one.origins.values() if origin.span]
    for clause in clauses:
        if _TELLING & set(clause.verbs):
            continue
        for tag in _content(clause):
            if not _is_told(tag, directives) and not any(a < tag.end and tag.start < b for a, b in spans):
                return tag
    return None


def _content(clause: Clause) -> Iterator[Tag]:
    """Tags of which each must be accounted for; a list counts by its members."""
    kinds = (*_NAMED, *_AMOUNTS, Kind.UNIT, Kind.VERB, *(() if "prefer" in clause.verbs else (Kind.METRIC,)))
    for tag in clause.of(*kinds):
        before = clause.before(tag)
        is_origin = before is not None and before.kind is Kind.FROM and tag.kind in _NAMED
        is_label = tag.value == "" and tag.kind in _NAMED
        if tag.kind is Kind.NAMESPACE and clause.of(Kind.SERVICE):
            continue  # the service is in it, or it would have been refused
        is_noun = tag.kind is Kind.UNIT and tag.value not in _LENGTHS
        if not is_origin and not is_label and not is_noun:
            yield from _members(tag)


def _members(tag: Tag) -> tuple[Tag, ...]:
    """Of ``from 2 to 6`` only what it leads to must be told."""
    is_way = tag.kind is Kind.RANGE and tag.value == Kind.FROM
    return tag.parts[1:] if is_way else tag.parts or (tag,)


def _is_told(tag: Tag, directives: Sequence[Directive]) -> bool:
    """The directives say it, wherever they took it from."""
    if tag.kind is Kind.VERB:
        return tag.value in _SAYS_NOTHING_MORE or any(one.verb == tag.value for one in directives)
    if tag.kind in (Kind.SERVICE, Kind.METRIC, Kind.NAMESPACE):
        return any(str(one.get(tag.kind.value)) == tag.value for one in directives)
    return False
