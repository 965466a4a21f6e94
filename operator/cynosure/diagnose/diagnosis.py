"""The rules together: every cause that shows, the worst and most upstream first."""

from collections.abc import Callable, Iterator

from cynosure.diagnose.blindness import blind
from cynosure.diagnose.capacity import short, slow, throttled
from cynosure.diagnose.causes import Cause, Symptom
from cynosure.diagnose.evidence import Evidence
from cynosure.diagnose.finding import Finding
from cynosure.diagnose.fragmentation import holes
from cynosure.diagnose.objects import broken, contested
from cynosure.diagnose.spending import wasteful
from cynosure.diagnose.view import View

_UPSTREAM: tuple[Callable[[View], Iterator[Finding]], ...] = (broken, contested, blind, short, throttled)
_RISKS = frozenset({Cause.READINESS_UNPROBED, Cause.PRICE_MISSING})
"""They explain nothing that is seen."""
_SYMPTOMS = {symptom: number for number, symptom in enumerate(Symptom)}
_CAUSES = {cause: number for number, cause in enumerate(Cause)}


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """Return what is wrong, the worst first; nothing while nothing is out of bounds beyond chance.

    A symptom is explained by its most upstream cause: whether replicas are slow or late is only asked where nothing
    keeps them from being there. Pure; the time is the evidence's.
    """
    view = View(evidence)
    found = [finding for rule in _UPSTREAM for finding in rule(view)]
    if not any(finding.cause not in _RISKS for finding in found):
        found += slow(view)
    found += [*wasteful(view), *holes(view)]
    return tuple(sorted(found, key=lambda f: (_SYMPTOMS[f.symptom], _CAUSES[f.cause])))
