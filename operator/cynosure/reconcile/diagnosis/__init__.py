"""Looks for what is wrong with services, beside the planning passes, and proposes what would mend it."""

from cynosure.reconcile.diagnosis.task import Diagnosis, Knowledge

__all__ = ["Diagnosis", "Knowledge"]
