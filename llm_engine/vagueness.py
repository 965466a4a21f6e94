"""Words that ask for something without saying what: each makes one short question."""

from llm_engine.clauses import Clause
from llm_engine.lexicon import NUMERIC, Kind
from llm_engine.tags import Tag
from llm_engine.values import Unclear

_PAUSE_OR_DELETE = "Does '{word}' mean to pause the automation of the service, or to delete it?"
_QUESTIONS = {
    "condition": "A directive holds until it is undone or expires: what should hold without the '{word}'?",
    "or": "Which one is meant, before or after '{word}'?",
    "except": "Which services, by their names? A directive is about one service or about all.",
    "advice": "Shall it be done? Then say so without '{word}'.",
    "zone": "Which time zone is '{word}' (for example Europe/Madrid or UTC)?",
    "stop": _PAUSE_OR_DELETE,
    "needless": _PAUSE_OR_DELETE,
    "restart": "'{word}' is no directive: pause, resume or scale the service?",
    "amount": "What does '{word}' mean as a number: a limit with its unit, or how many replicas?",
}


def ask_about_vagueness(clause: Clause) -> None:
    """Raises Unclear for the first word that needs a number, a choice or a time."""
    if clause.of(Kind.UNTIL):
        raise Unclear("Until when: a date (2026-12-31), or for how many minutes, hours or days?")
    if clause.of(Kind.DAYPART) and not clause.of(Kind.CLOCK, Kind.CRON, Kind.RANGE):
        raise Unclear(f"From when to when is '{clause.words(clause.of(Kind.DAYPART)[0])}' (HH:MM to HH:MM)?")
    started = clause.first(Kind.ON)
    if started is not None and not clause.of(Kind.VERB, Kind.MODEL):
        raise Unclear(f"Does '{clause.words(started)}' mean to resume the service, or to scale it (to how many)?")
    vague = next((tag for tag in clause.of(Kind.VAGUE) if not _is_answered(clause, tag)), None)
    if vague is not None:
        raise Unclear(_QUESTIONS[vague.value].format(word=clause.words(vague)))


def _is_answered(clause: Clause, vague: Tag) -> bool:
    """A later line of the text answers the question that the word raised."""
    later = clause.text.find("\n", vague.end)
    if later < 0 or vague.value in ("condition", "except"):
        return False
    return any(tag.start > later for tag in clause.of(Kind.VERB, Kind.OBJECTIVE, *NUMERIC))
