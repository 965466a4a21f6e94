"""The verb that a clause stands for without saying it: ``run chat on node-b`` moves it."""

from dataclasses import replace
from itertools import pairwise

from llm_engine.clauses import Clause
from llm_engine.lexicon import NUMERIC, Kind
from llm_engine.tags import Tag

_OBJECTIVES = {"cost_per_hour": "cost", "watts": "energy", "ttft": "latency", "tpot": "latency", "e2e": "latency"}
TARGETS = (Kind.PARTITION, Kind.GPU, Kind.NODE, Kind.ZONE, Kind.CONFIDENTIAL)
_STATES = frozenset({"is", "are", "was", "were", "did", "does", "has", "had"})
_ASKING = frozenset({"what", "how", "which", "who", "where", "is", "are", "show", "tell", "does", "did", "has"})


def with_implied(clause: Clause) -> Clause:
    """With the tag of its verb at no place of the text, if it says none."""
    verb = _implied_verb(clause)
    return replace(clause, tags=(Tag(Kind.VERB, verb, -1, -1), *clause.tags)) if verb else clause


def names_something(clause: Clause) -> bool:
    """It has a model and a name for what shall run it."""
    return bool(clause.of(Kind.MODEL)) and not clause.of(Kind.SERVICE) and given_name(clause) is not None


def _asks_about(clause: Clause) -> bool:
    """``is chat below 300 ms?`` wants to know."""
    content = [tag for tag in clause.tags if tag.kind is not Kind.FILLER or tag is clause.tags[0]]
    return len(content) > 1 and clause.words(content[0]) in _STATES and content[1].kind is Kind.SERVICE


def _implied_verb(clause: Clause) -> str | None:
    numbers = clause.of(Kind.QUANTITY, Kind.RANGE)
    if clause.of(Kind.VERB):
        return None
    if _asks_about(clause):
        return "explain"
    if names_something(clause):
        return "deploy"
    goals = any(map(objective_of, clause.of(Kind.OBJECTIVE, Kind.METRIC)))
    if goals and clause.of(Kind.WEIGHT) and numbers and numbers[0].value in ("", "percent"):
        return "prefer"
    less = clause.of(Kind.FEWER) or (clause.of(Kind.DOWN) and clause.of(Kind.OBJECTIVE))
    if less and goals and not numbers:
        return "prefer"
    hints = {tag.value for tag in clause.of(Kind.HINT)}
    if "hold" in hints and clause.of(Kind.SERVICE) and not numbers and not clause.of(*_COMMANDING, Kind.METRIC):
        return "pause"
    if "leave" in hints and clause.of(Kind.SERVICE) and not numbers and _is_untouched(clause):
        return "pause"
    kept = bool(hints & {"keep", "hold"})
    if not numbers and not kept and any(not is_label(t) and not is_origin(clause, t) for t in clause.of(*TARGETS)):
        return "migrate" if clause.of(Kind.SERVICE) else None
    if clause.of(Kind.DOWN) and clause.of(Kind.DOWN)[0].value == "take" and _is_only_named(clause):
        return "delete"
    words = clause.text[clause.tags[0].start :].lower().split() if clause.tags else []
    if words and words[0] in _ASKING and clause.of(Kind.SERVICE) and not numbers and not clause.of(*_COMMANDING):
        return "explain"
    return None


_COMMANDING = (Kind.UP, Kind.DOWN, Kind.UPPER, Kind.LOWER, Kind.VAGUE, Kind.FACTOR, Kind.ON, Kind.WORD, Kind.NEGATION)


def _is_untouched(clause: Clause) -> bool:
    return any(clause.words(tag) in ("alone", "untouched") for tag in clause.of(Kind.FILLER))


def _is_only_named(clause: Clause) -> bool:
    """``remove the service chat``, and nothing of it."""
    return not {tag.kind for tag in clause.tags} - {Kind.DOWN, Kind.SERVICE, Kind.FILLER, Kind.NAMESPACE, Kind.TO}


def is_label(tag: Tag) -> bool:
    """The word ``node`` itself, not the name of one."""
    return tag.value == "" and tag.kind is not Kind.CONFIDENTIAL


def is_origin(clause: Clause, tag: Tag) -> bool:
    before = clause.before(tag)
    return before is not None and before.kind is Kind.FROM


def objective_of(tag: Tag) -> str | None:
    return tag.value if tag.kind is Kind.OBJECTIVE else _OBJECTIVES.get(tag.value)


def given_name(clause: Clause) -> Tag | None:
    """The name of a new service: behind ``as``, ``called`` or ``named``, else the first word behind the model."""
    for naming, word in zip(clause.tags, clause.tags[1:], strict=False):
        if naming.value in ("as", "name") and word.kind not in _NAMELESS and word.value not in ("a", "name"):
            return word
    model, names = clause.first(Kind.MODEL), clause.of(Kind.WORD, Kind.SERVICE)
    said = [tag for tag in clause.tags if clause.words(tag) not in _QUOTES]
    for noun, word in pairwise(said):
        if word.kind is Kind.WORD and clause.words(noun) == "service":
            return word
    return next((word for word in names if model is not None and word.start > model.start), None)


_QUOTES = frozenset("\"'`\u201c\u201d\u2018\u2019")
_NAMELESS = (Kind.VAGUE, Kind.MODEL, Kind.SEPARATOR, Kind.TO, *NUMERIC)
