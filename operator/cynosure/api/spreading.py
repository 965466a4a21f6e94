"""Where the replicas of a service may stand relative to each other and to other services."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from cynosure.api.part import Part
from cynosure.api.scalars import Label


class TopologyKey(StrEnum):
    """The label that divides nodes."""

    NODE = "kubernetes.io/hostname"
    ZONE = "topology.kubernetes.io/zone"


class SpreadConstraint(Part):
    """Replicas evenly over nodes or zones."""

    topology_key: TopologyKey
    """Over what: nodes, or zones. Those count that have a usable GPU of the product."""
    max_skew: Annotated[int, Field(ge=1, le=1000)] = 1
    """So many replicas more than where there are fewest may stand in one of them."""


class AntiAffinity(Part):
    """No node, or no zone, with replicas of both services."""

    topology_key: TopologyKey
    """What they do not share."""
    service: Label | None = None
    """An InferenceService of the same namespace; without it the service itself, whose replicas then stand apart."""
