"""From applied to verified, or rolled back: looks at live metrics over windows that double."""

from cynosure.api.conditions import Reason, Type
from cynosure.api.intent_status import Verification
from cynosure.intents.effects import effects_of
from cynosure.intents.verification import EvidenceSource, Window, find, measurable, verdict
from cynosure.model.condition import Condition, Status
from cynosure.reconcile.lifecycle.progress import Progress, moment


def begin(progress: Progress, window: Window) -> None:
    """Measuring starts once what was applied can have its effect."""
    if not measurable(effects_of(progress.status.directives)):
        message = "the directives change nothing that could be measured"
        progress.say(Type.VERIFIED, Status.TRUE, Reason.NOTHING_TO_VERIFY, message)
        return
    since = moment(window.begins(progress.now.timestamp()))
    progress.set(verification=Verification(since=since))
    message = f"from {since:%H:%M:%S} UTC, for {window.length_seconds:g} seconds at first"
    progress.say(Type.VERIFIED, Status.UNKNOWN, Reason.MEASURING, message)


async def look(progress: Progress, source: EvidenceSource, window: Window) -> None:
    """The newest look that is due and was not taken yet; ``verification.until`` is the end of the last one."""
    state = progress.status.verification
    if state is None or not progress.is_(Type.VERIFIED, Status.UNKNOWN, Reason.MEASURING):
        return
    since = state.since.timestamp()
    ends = window.ends(since)
    taken = state.until.timestamp() if state.until else since
    due = [number for number, end in enumerate(ends) if taken < int(end) <= progress.now.timestamp()]
    if not due:
        return
    number = due[-1]
    until = moment(ends[number])
    effects = measurable(effects_of(progress.status.directives))
    findings = [await find(effect, source, since, until.timestamp()) for effect in effects]
    found = verdict(findings, number)
    measurements = tuple(finding.measurement for finding in findings)[:64]
    met = {Status.TRUE: True, Status.FALSE: False, Status.UNKNOWN: None}[found.status]
    progress.set(
        verification=Verification(
            since=state.since, until=until, met=met, measurements=measurements, message=found.message[:2048]
        )
    )
    progress.put(found)


def breach(progress: Progress) -> Condition | None:
    """How the intent ends when verification found that it misses its effect."""
    if not progress.is_(Type.VERIFIED, Status.FALSE, Reason.EFFECT_MISSED):
        return None
    message = f"rolled back: {progress.conditions[Type.VERIFIED].message}"
    return Condition(Type.APPLIED, Status.FALSE, Reason.EFFECT_MISSED, message)
