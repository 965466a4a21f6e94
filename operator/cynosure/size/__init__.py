"""How much: profile, demand and SLO become replicas of a partition, with what each choice costs and gives."""

from cynosure.size.options import Needs, Sizing, size_service

__all__ = ["Needs", "Sizing", "size_service"]
