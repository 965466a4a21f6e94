"""Which service a clause is about: named, all, carried over from the clause before, or unknown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from llm_engine.catalog import Catalog, Service, nearest
from llm_engine.clauses import Clause
from llm_engine.lexicon import Kind
from llm_engine.limits import stated
from llm_engine.spelling import allowed, distance
from llm_engine.tags import Tag
from llm_engine.values import INFERRED, Directive, Origin, Reason, Refused, Unclear

SUMS = frozenset({"watts", "cost_per_hour", "gpus"})
"""Metrics whose limit for ``*`` is one for the sum over all services."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A service, or ``*``, with its namespace where the name alone does not tell."""

    name: str
    origin: Origin
    namespace: str | None = None
    namespace_origin: Origin = INFERRED
    is_each: bool = False
    """All, one by one: ``each service``, unlike ``the fleet``."""

    def of(self, directive: Directive) -> Directive:
        if self.is_each and directive.get("metric") in SUMS:
            raise Unclear(f"Is that {directive.get('metric')} for all services together, or for which ones by name?")
        named = Directive(
            {"verb": directive.verb, "service": self.name} | dict(directive.fields),
            {"service": self.origin} | dict(directive.origins),
        )
        if self.namespace is None:
            return named
        return named.having("namespace", self.namespace, self.namespace_origin)


def subjects(clause: Clause, catalog: Catalog) -> tuple[Subject, ...]:
    """The services that the clause names."""
    place = _namespace(clause, catalog)
    tags = clause.of(Kind.SERVICE)
    if len({tag.value for tag in tags}) > 1 and "explain" not in clause.verbs and "deploy" not in clause.verbs:
        raise Unclear(f"What is for {' and what for '.join(dict.fromkeys(tag.value for tag in tags))}?")
    named = [part for tag in tags for part in (tag.parts or (tag,))]
    if named:
        return tuple(_subject(tag, place, catalog) for tag in {tag.value: tag for tag in named}.values())
    everything = clause.first(Kind.EVERYTHING)
    if everything is None:
        return ()
    namespace, origin = (place.value, stated(place.span)) if place else (None, INFERRED)
    return (Subject("*", stated(everything.span), namespace, origin, everything.value == "each"),)


def _namespace(clause: Clause, catalog: Catalog) -> Tag | None:
    tags = clause.of(Kind.NAMESPACE)
    named = next((tag for tag in tags if tag.value), None)
    if named is None and tags:
        word = next((t for t in clause.of(Kind.WORD) if t.start > tags[0].start), None)
        if word is not None:
            near = nearest(word.value, catalog.namespaces.values())
            raise Refused(Reason.UNKNOWN_SERVICE, f"no service is in a namespace {word.value}", near)
    return named


def _subject(tag: Tag, place: Tag | None, catalog: Catalog) -> Subject:
    found = catalog.service_names[tag.value.lower()]
    if place is not None:
        here = [service for service in found if service.namespace == place.value]
        if not here:
            near = f"{found[0].name} in {found[0].namespace}"
            raise Refused(Reason.UNKNOWN_SERVICE, f"no service {tag.value} is in namespace {place.value}", near)
        if len(found) > 1:
            return Subject(here[0].name, stated(tag.span), place.value, stated(place.span))
        return Subject(here[0].name, stated(tag.span))
    if len(found) > 1:
        raise Unclear(f"Which {tag.value}: in namespace {' or '.join(service.namespace for service in found)}?")
    return Subject(found[0].name, stated(tag.span))


def inferred(subject: Subject) -> Subject:
    return replace(subject, origin=INFERRED, namespace_origin=INFERRED)


def without_name(directive: Directive, known: Sequence[Subject], catalog: Catalog) -> tuple[Subject, ...]:
    """The subject of a clause that names none; ``known`` are those of the other clauses."""
    if known:
        return tuple(inferred(subject) for subject in known)
    if directive.verb == "defragment":
        return (Subject("*", INFERRED),)
    if len(catalog.services) == 1:
        return (Subject(catalog.services[0].name, INFERRED),)
    names = [service.name for service in catalog.services[:6]]
    choices = ", ".join(dict.fromkeys(names)) or "the catalog has none"
    raise Unclear(f"Which service: {choices}{', or all together' if directive.get('metric') in SUMS else ''}?")


def refuse_protected(clauses: Sequence[Clause], catalog: Catalog) -> None:
    """A protected namespace may be named only to have something explained."""
    protected = set(catalog.limits.protected_namespaces)
    for clause in clauses:
        if "explain" in clause.verbs:
            continue
        for namespace, services in _reached(clause, catalog):
            if namespace in protected and (not services or all(s.namespace in protected for s in services)):
                raise Refused(
                    Reason.PROTECTED_NAMESPACE, f"namespace {namespace} is protected: limits.protected_namespaces"
                )


def _reached(clause: Clause, catalog: Catalog) -> Iterator[tuple[str, Sequence[Service]]]:
    for tag in clause.of(Kind.NAMESPACE):
        if tag.value:
            yield tag.value, ()
    for tag in clause.of(Kind.SERVICE):
        for part in tag.parts or (tag,):
            found = catalog.service_names[part.value.lower()]
            yield from ((service.namespace, found) for service in found)


def refuse_unknown(clause: Clause, catalog: Catalog, *, needs_name: bool, alone: bool) -> None:
    """A word that is nearly a service, or that stands where a service must stand, is an unknown service.

    ``alone``: no other clause names a service that this one could be about.
    """
    words = clause.of(Kind.WORD)
    for word in words if needs_name or "explain" not in clause.verbs else ():
        near = similar(word.value, catalog.services_like(word.value))
        if near is not None:
            raise Refused(Reason.UNKNOWN_SERVICE, f"service {word.value} is not in the catalog", near)
    if not needs_name or not words:
        return
    owner = next((w for w in words if _has_possessive(clause, w) or _is_compound(w.value)), None)
    owner = owner or (_owner_of_number(clause, words) if not clause.verbs and not clause.of(Kind.HINT) else None)
    misplaced = owner or (_in_place(clause, words) if alone or clause.verbs else None)
    if misplaced is not None:
        near = nearest(misplaced.value, catalog.services_like(misplaced.value), cutoff=0.4)
        raise Refused(Reason.UNKNOWN_SERVICE, f"service {misplaced.value} is not in the catalog", near)


def similar(word: str, names: Sequence[str]) -> str | None:
    """The name that a word is a slip away from."""
    lower = word.lower()
    near = sorted((distance(lower, name.lower()), name) for name in names if abs(len(name) - len(word)) <= 2)
    if near and near[0][0] <= max(1, allowed(lower)) and len(word) >= 3:
        return near[0][1]
    return nearest(word, names, cutoff=0.8)


def _owner_of_number(clause: Clause, words: Sequence[Tag]) -> Tag | None:
    """``payments to 2``, of a clause that goes on with the verb of the one before."""
    pairs = zip(clause.tags, clause.tags[1:], strict=False)
    return next((one for one, after in pairs if one in words and clause.words(after) in ("to", "at")), None)


def _has_possessive(clause: Clause, word: Tag) -> bool:
    return any(tag.start == word.end and clause.words(tag) in ("'s", "\u2019s", "'", "\u2019") for tag in clause.tags)


def _is_compound(word: str) -> bool:
    return any(mark in word for mark in "-_/") or (any(c.isdigit() for c in word) and word[:1].isalpha())


def _in_place(clause: Clause, words: Sequence[Tag]) -> Tag | None:
    """The word that stands where a name belongs: directly behind the verb, or behind for, of, to, on."""
    leads = (Kind.VERB, Kind.HINT, Kind.UP, Kind.DOWN, Kind.UPPER, Kind.FOR, Kind.TO)
    for word in words:
        before = clause.before(word)
        if before is None or before.kind in leads:
            return word
    return None
