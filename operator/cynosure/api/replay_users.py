"""The users of a TrafficReplay: what each asks, how long it waits, and whether it tries again."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from cynosure.api.metadata import keyed
from cynosure.api.part import Part, rule
from cynosure.api.scalars import Fraction, Label
from cynosure.api.slo import SloTarget

Tokens = Annotated[int, Field(ge=1, le=131_072)]


class PatienceDistribution(StrEnum):
    FIXED = "fixed"
    EXPONENTIAL = "exponential"
    LOG_NORMAL = "log-normal"


class Patience(Part):
    """How long users wait for the first token, from when their request was sent, before they go away."""

    mean_milliseconds: Annotated[int, Field(ge=1, le=3_600_000)]
    """On average."""
    distribution: PatienceDistribution = PatienceDistribution.EXPONENTIAL
    """Over the users; the log-normal one has a coefficient of variation of 1."""


class Retries(Part):
    """A request that was refused, or answered by 429 or 5xx, is sent again; it is offered once all the same."""

    most: Annotated[int, Field(ge=1, le=10)]
    """How often, at most."""
    backoff_milliseconds: Annotated[int, Field(ge=1, le=60_000)] = 500
    """The first retry comes within it, each later one within twice that."""
    budget_share: Fraction = Decimal("0.2")
    """Retries of a worker are at most this share of its requests, and ten."""


class TokenLengths(Part):
    """Tokens, log-normal."""

    p50: Tokens
    """Half of the requests have at most so many."""
    p95: Tokens
    """95 % of them have at most so many."""

    @rule("self.p50 <= self.p95", "p50: got {self.p50}; limit: p95, which is {self.p95}; use less", field="p50")
    def in_order(self) -> bool:
        return self.p50 <= self.p95


class RequestClass(Part):
    """Requests of one kind, such as short chats."""

    name: Label
    """What the report calls it."""
    weight: Annotated[int, Field(ge=1, le=1_000_000)]
    """Over the sum of all weights it is its share of the requests."""
    input_tokens: TokenLengths
    """Of the prompt."""
    output_tokens: TokenLengths
    """Of the answer."""
    targets: Annotated[tuple[SloTarget, ...], Field(max_length=9, json_schema_extra=keyed("metric", "percentile"))] = ()
    """What it is judged by, instead of the SLO of the replay."""


Mix = Annotated[tuple[RequestClass, ...], Field(max_length=16, json_schema_extra=keyed("name"))]
