"""The deterministic engine: a sentence to directives, one question, or a refusal; and whether it read every word."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from llm_engine.actions import DENIED, is_schedule, read_action, read_schedule
from llm_engine.catalog import Catalog
from llm_engine.checks import joined, refuse_contradictions, refuse_deleting_all, refuse_infeasible, refuse_outside
from llm_engine.clauses import Clause, split
from llm_engine.compose import compose
from llm_engine.coordination import coordinated
from llm_engine.coverage import unused
from llm_engine.implied import with_implied
from llm_engine.lexicon import NUMERIC, Kind
from llm_engine.limits import SCALING, read_numbers, stated
from llm_engine.resolve import Subject, refuse_protected, refuse_unknown, subjects, without_name
from llm_engine.safety import MAX_CHARACTERS, refuse_code, refuse_unsafe
from llm_engine.tags import Tag, tags_of
from llm_engine.vagueness import ask_about_vagueness
from llm_engine.values import INFERRED, LATENCIES, PRECEDENCE, Directive, Draft, Reason, Refused, Unclear

_SERVICELESS = frozenset({"undo", "defragment"})
_NAMING = frozenset({"undo", "deploy"})
"""Verbs that take names which the catalog need not have."""
_WANTING = (Kind.VERB, Kind.HINT, Kind.UP, Kind.DOWN, Kind.UPPER, Kind.LOWER, Kind.MORE, Kind.FEWER, Kind.NEGATION)
_RELEVANT = (
    Kind.SERVICE, Kind.EVERYTHING, Kind.VERB, Kind.UP, Kind.DOWN, Kind.FACTOR, Kind.METRIC, Kind.LATENCY,
    Kind.OBJECTIVE, Kind.PERCENTILE, Kind.CRON, Kind.MODEL,
)  # fmt: skip
_TELLING = frozenset({"replicas", "gpus", "W", "kW", "ms"})
"""Units that only a directive has; seconds and money are talked about elsewhere too."""

_ASKING_MORE = (Kind.HINT, Kind.NEGATION, Kind.VAGUE, Kind.NODE, Kind.GPU, Kind.MODEL, Kind.PARTITION, *NUMERIC)

T = TypeVar("T")
NOTHING = "the text asks for nothing that can be done to a service"
VOCABULARY = (
    "scale, bound, prefer, schedule, pause, resume, explain, undo, deploy, delete, migrate or defragment a service"
)


@dataclass(frozen=True)
class Reading:
    """``unread`` are the words that the grammar does not know; ``directives`` what it makes of the rest."""

    draft: Draft
    clauses: tuple[Clause, ...] = ()
    unread: tuple[str, ...] = ()
    directives: tuple[Directive, ...] = ()

    @property
    def verbs(self) -> frozenset[str]:
        return frozenset(verb for clause in self.clauses for verb in clause.verbs)

    @property
    def mentions(self) -> bool:
        """Whether a service or a number is in the text."""
        return any(clause.of(Kind.SERVICE, Kind.EVERYTHING, *NUMERIC) for clause in self.clauses)


def read(text: str, catalog: Catalog) -> Reading:
    """Never raises for a text; the same text and catalog give the same reading."""
    if len(text) > MAX_CHARACTERS:
        why = f"{len(text)} characters; limit: {MAX_CHARACTERS}"
        return Reading(_refused(Refused(Reason.NOT_AN_INTENT, why, "one sentence")))
    refused = refuse_unsafe(text, catalog) or refuse_code(text)
    if refused is not None:
        return Reading(Draft(refusal=refused))
    parts = coordinated(split(compose(tags_of(text, catalog), text), text))
    clauses = tuple(map(with_implied, parts))
    found = _Sentence(clauses, catalog).draft()
    made = found.directives
    unread = tuple(text[tag.start : tag.end] for clause in clauses for tag in _unread(clause, made))
    if unread and made:
        words = ", ".join(f"'{word}'" for word in unread[:3])
        found = Draft(question=f"I do not know {words}. Is this meant: {_listed(made)}?")
    return Reading(found, clauses, unread, made)


def _listed(directives: Sequence[Directive]) -> str:
    return "; ".join(str(directive) for directive in directives)


def _refused(error: Refused) -> Draft:
    return Draft(refusal=error.refusal)


def _is_chatter(clause: Clause) -> bool:
    """``We expect a rush``: about no service, without a number, and no command."""
    first = clause.tags[0]
    subject = first.kind is Kind.FILLER and first.value == "subject"
    return subject and not clause.of(*_ASKING_MORE) and not is_relevant(clause, None)


def _unread(clause: Clause, made: Sequence[Directive]) -> Iterator[Tag]:
    """The words that are not known, and that no directive took for a name."""
    if "explain" in clause.verbs or _is_chatter(clause):
        return iter(())
    spans = [origin.span for one in made for origin in one.origins.values() if origin.span]
    words = (tag for tag in clause.of(Kind.WORD) if not any(a < tag.end and tag.start < b for a, b in spans))
    return (word for word in words if not _is_bounded_act(clause, word))


def _is_bounded_act(clause: Clause, word: Tag) -> bool:
    """``should achieve at least``: with a limit that is said in so many words, what is done by it changes nothing."""
    before = clause.before(word)
    states = before is not None and before.kind is Kind.HINT and before.value == ""
    return states and bool(clause.of(Kind.UPPER, Kind.LOWER)) and not clause.of(Kind.NEGATION)


class _Sentence:
    """Reads clause after clause; a refusal anywhere outranks a question, the first in the order of ``PRECEDENCE``."""

    def __init__(self, clauses: Sequence[Clause], catalog: Catalog) -> None:
        self._clauses = clauses
        self._catalog = catalog
        self._refusals: list[Refused] = []
        self._questions: list[Unclear] = []

    def draft(self) -> Draft:
        found = self._directives()
        self._trying(partial(refuse_protected, self._clauses, self._catalog))
        self._trying(partial(refuse_deleting_all, found))
        self._trying(partial(refuse_contradictions, found))
        self._trying(partial(refuse_infeasible, found, self._catalog))
        self._trying(partial(refuse_outside, found, self._catalog))
        if self._refusals:
            return _refused(min(self._refusals, key=lambda error: PRECEDENCE.index(error.refusal.reason)))
        if self._questions:
            return Draft(question=str(self._questions[0]))
        if not found:
            return _refused(Refused(Reason.NOT_AN_INTENT, NOTHING, VOCABULARY))
        left = unused(self._clauses, found)
        if left is not None:
            words = self._clauses[0].text[left.start : left.end]
            return Draft(question=f"What is '{words}' for, beside: {_listed(found)}?")
        return Draft(directives=tuple(found))

    def _directives(self) -> list[Directive]:
        raw: list[Directive] = []
        verb: str | None = None
        last: tuple[Subject, ...] = ()
        elsewhere = self._named_once()
        for clause in self._clauses:
            verb = _verb_of(clause, verb)
            named = self._trying(partial(subjects, clause, self._catalog))
            partials = self._trying(partial(_read, clause, verb, self._catalog)) or []
            verb = verb or ("scale" if partials and partials[0].verb == "scale" else None)
            self._check_words(clause, verb, named, alone=not (last or elsewhere))
            if named is None:
                continue
            for one in (_elided(one, clause, raw) for one in partials):
                raw += self._trying(partial(self._with_subject, one, named, last or elsewhere)) or []
            last = named or last
        return self._trying(partial(joined, raw)) or []

    def _check_words(self, clause: Clause, verb: str | None, named: Sequence[Subject] | None, *, alone: bool) -> None:
        if is_relevant(clause, verb) and not set(clause.verbs) & _NAMING:
            needs_name = named == () and not set(clause.verbs) & _SERVICELESS
            self._trying(partial(refuse_unknown, clause, self._catalog, needs_name=needs_name, alone=alone))

    def _named_once(self) -> tuple[Subject, ...]:
        """The services that a clause may be about before any is named: those of the only clause that names some."""
        naming = [clause for clause in self._clauses if clause.of(Kind.SERVICE, Kind.EVERYTHING)]
        if len(naming) != 1:
            return ()
        return self._trying(partial(subjects, naming[0], self._catalog)) or ()

    def _with_subject(
        self, directive: Directive, named: Sequence[Subject], known: Sequence[Subject]
    ) -> list[Directive]:
        if directive.verb == "undo" or "service" in directive.fields:
            return [directive]
        found = named or without_name(directive, known, self._catalog)
        if directive.verb == "defragment" and all(subject.name == "*" or not named for subject in found):
            return [directive]
        return [subject.of(directive) for subject in found]

    def _trying(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except Refused as error:
            self._refusals.append(error)
        except Unclear as question:
            self._questions.append(question)
        return None


def _verb_of(clause: Clause, before: str | None) -> str | None:
    """The scaling verb that is in force in a clause; one without a verb goes on with that of the clause before."""
    if clause.verbs:
        return next((verb for verb in clause.verbs if verb in SCALING), None)
    if clause.of(Kind.UP, Kind.DOWN) and not clause.of(Kind.UPPER, Kind.LOWER):
        return "scale"
    return None if clause.of(Kind.HINT) else before


def _read(clause: Clause, verb: str | None, catalog: Catalog) -> list[Directive]:
    return list(read_clause(clause, verb, catalog))


def _elided(one: Directive, clause: Clause, before: Sequence[Directive]) -> Directive:
    """``chat's p99 TTFT at most 500 ms, vision's 80 ms``: what the second number is of, the first one says."""
    if one.get("metric") not in LATENCIES or clause.of(Kind.METRIC, Kind.LATENCY, Kind.HINT, Kind.VERB):
        return one
    first = next((other for other in reversed(before) if other.get("metric") in LATENCIES), None)
    if first is None:
        return one
    one = one.having("metric", first.fields["metric"], INFERRED)
    if "percentile" in first.fields and "percentile" not in one.fields:
        one = one.having("percentile", first.fields["percentile"], INFERRED)
    return one


def is_relevant(clause: Clause, verb: str | None) -> bool:
    """Whether a clause is about serving at all; not one about two pizzas."""
    compared = clause.of(Kind.UPPER, Kind.LOWER) and clause.of(Kind.HINT, Kind.NEGATION, Kind.UNIT, *NUMERIC)
    if clause.of(*_RELEVANT) or compared or (verb is not None and clause.of(*NUMERIC)):
        return True
    if clause.is_listed and clause.of(*NUMERIC) and not clause.of(Kind.WORD):
        return True
    numbers = clause.of(*NUMERIC)
    units = {each.value for tag in (*numbers, *clause.of(Kind.UNIT)) for each in (tag, *tag.parts)}
    return bool(numbers) and bool(units & _TELLING)


def read_clause(clause: Clause, verb: str | None, catalog: Catalog) -> Iterator[Directive]:
    """The directives of one clause, without their service."""
    if not is_relevant(clause, verb):
        return
    ends = clause.first(Kind.EXPIRES)
    for directive in _acts(clause, verb, catalog):
        yield directive.having("expires", ends.value, stated(ends.span)) if ends else directive


def _acts(clause: Clause, verb: str | None, catalog: Catalog) -> list[Directive]:
    if "explain" not in clause.verbs:
        ask_about_vagueness(clause)
        if is_schedule(clause):
            return [read_schedule(clause, verb)]
    action = read_action(clause, catalog)
    if action is not None:
        return [action]
    found = list(read_numbers(clause, verb))
    if found and not clause.of(*NUMERIC) and clause.of(Kind.NEGATION):
        raise Unclear(DENIED)
    if not found and clause.of(*_WANTING) and clause.of(*_RELEVANT):
        raise Unclear(_missing(clause))
    return found


def _missing(clause: Clause) -> str:
    metric = clause.first(Kind.METRIC, Kind.LATENCY, Kind.PERCENTILE)
    if metric is not None:
        return f"Which limit should '{clause.words(metric)}' have, with its unit?"
    if clause.of(Kind.OBJECTIVE):
        return "Prefer that objective, or give it a limit with a unit?"
    return "To how many replicas, or by how many?"
