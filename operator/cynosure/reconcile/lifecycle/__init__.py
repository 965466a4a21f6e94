"""The life of ScalingIntents on a cluster: read, plan, get approved, apply, verify, end. Decisions are in ``intents``.

``Lifecycle`` runs beside the planning loop, under the same lease. It writes the status of intents and approvals and, of
an InferenceService, only the fields in ``intents.writes``; it makes and deletes some by ``deploy`` and ``delete``.
"""

from cynosure.reconcile.lifecycle.evidence import LiveEvidence, Usage
from cynosure.reconcile.lifecycle.language import by_language
from cynosure.reconcile.lifecycle.task import Lifecycle, Timing

__all__ = ["Lifecycle", "LiveEvidence", "Timing", "Usage", "by_language"]
