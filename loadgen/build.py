"""From a trace to a schedule: transforms, arrivals, token lengths, all by one seed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from loadgen.arrivals import USUAL_BURSTS, USUAL_SESSIONS, Arrivals, Bursts, Sessions, arrival_seconds, own_cv, rates_of
from loadgen.columns import MOST_ROWS
from loadgen.errors import BadLoadInput
from loadgen.schedule import Kind, Schedule
from loadgen.tokens import TokenLengths
from loadgen.trace import REQUESTS, Floats, Integers, RateSeries, RequestTrace
from loadgen.transforms import ScaleToPeak, Transform, apply_all, described


@dataclass(frozen=True, slots=True)
class TokenLimit:
    """Longer inputs or outputs are cut to these; None leaves them as they are. How many were cut is reported."""

    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a trace becomes a schedule.

    ``arrivals`` None takes request times as recorded and draws Poisson arrivals around rates. ``cv`` of gamma arrivals:
    None is the trace's own. ``tokens`` None takes the request trace's own lengths; a trace without any needs them,
    unless it asks for classifications.
    """

    transforms: Sequence[Transform] = ()
    arrivals: Arrivals | None = None
    cv: float | None = None
    bursts: Bursts = USUAL_BURSTS
    sessions: Sessions = USUAL_SESSIONS
    tokens: TokenLengths | None = None
    limit: TokenLimit = TokenLimit()
    kind: Kind = Kind.COMPLETION
    seed: int = 0


def build_schedule(trace: RateSeries | RequestTrace, recipe: Recipe) -> Schedule:
    """Return the same schedule for the same trace, recipe and seed."""
    _check_unit(trace, recipe)
    random = np.random.default_rng(recipe.seed)
    shaped = apply_all(trace, recipe.transforms, random)  # type: ignore[type-var]
    arrivals: Arrivals = recipe.arrivals or ("exact" if isinstance(shaped, RequestTrace) else "poisson")
    spacing = _spacing(trace, arrivals, recipe)
    at = _arrivals(shaped, arrivals, spacing.get("cv", 1.0), recipe, random)
    if not len(at):
        raise BadLoadInput(
            f"{trace.source}: not one request falls into what is to be played (its rate is zero there, or a gap); "
            f"choose another part of the trace, or a higher --peak-rps"
        )
    drawn_inputs, drawn_outputs = _lengths(shaped, at, arrivals, recipe, random)
    inputs = np.minimum(np.maximum(drawn_inputs, 1), recipe.limit.input_tokens or np.iinfo(np.int64).max)
    outputs = np.minimum(np.maximum(drawn_outputs, 1), recipe.limit.output_tokens or np.iinfo(np.int64).max)
    provenance = {
        "trace": trace.source,
        "notes": list(trace.notes),
        "transforms": described(recipe.transforms),
        "arrivals": {"kind": arrivals, **spacing},
        "seed": recipe.seed,
        "gap_seconds": shaped.gap_seconds if isinstance(shaped, RateSeries) else 0.0,
        "tokens": _tokens_said(recipe, shaped, drawn_inputs, drawn_outputs),
    }
    kind = np.full(len(at), int(recipe.kind), dtype=np.int64)
    duration = shaped.until_seconds - shaped.from_seconds
    return Schedule.of(at - shaped.from_seconds, inputs, outputs, kind, duration, provenance)


def _check_unit(trace: RateSeries | RequestTrace, recipe: Recipe) -> None:
    to_peak = any(isinstance(step, ScaleToPeak) for step in recipe.transforms)
    if isinstance(trace, RateSeries) and trace.unit != REQUESTS and not to_peak:
        raise BadLoadInput(f"{trace.source}: holds {trace.unit}, not requests; say its peak as requests/s (--peak-rps)")


def _spacing(trace: RateSeries | RequestTrace, arrivals: Arrivals, recipe: Recipe) -> dict[str, float]:
    if arrivals in ("mmpp", "sessions"):
        return asdict(recipe.bursts if arrivals == "mmpp" else recipe.sessions)
    if arrivals != "gamma":
        return {}
    cv = own_cv(trace) if recipe.cv is None else recipe.cv
    if cv is None:
        raise BadLoadInput(f"{trace.source}: tells no variation of its intervals; give one (--cv 1 is as Poisson)")
    return {"cv": cv}


def _arrivals(
    shaped: RateSeries | RequestTrace, arrivals: Arrivals, cv: float, recipe: Recipe, random: np.random.Generator
) -> Floats:
    if isinstance(shaped, RequestTrace):
        if arrivals == "exact":
            return shaped.at_seconds
        shaped = rates_of(shaped)
    expected = float(np.sum(shaped.rps * (shaped.ends - shaped.starts)))
    if expected > MOST_ROWS:
        raise BadLoadInput(
            f"{shaped.source}: about {expected:.0f} requests, at most {MOST_ROWS} are sent; lower --peak-rps or "
            f"--duration-seconds to {MOST_ROWS / expected:.1%} of what it is"
        )
    return arrival_seconds(shaped, arrivals, cv, random, recipe.bursts, recipe.sessions)


def _lengths(
    shaped: RateSeries | RequestTrace, at: Floats, arrivals: Arrivals, recipe: Recipe, random: np.random.Generator
) -> tuple[Integers, Integers]:
    if recipe.kind is Kind.CLASSIFICATION:
        return np.ones(len(at), np.int64), np.ones(len(at), np.int64)
    if recipe.tokens is not None:
        return recipe.tokens.draw(len(at), random)
    if isinstance(shaped, RateSeries) or not shaped.has_tokens:
        raise BadLoadInput(f"{shaped.source}: has no token lengths; draw them from a request trace (--tokens)")
    if arrivals == "exact":
        return shaped.input_tokens, shaped.output_tokens
    index = random.integers(0, len(shaped.at_seconds), len(at))
    return shaped.input_tokens[index], shaped.output_tokens[index]


def _tokens_said(
    recipe: Recipe, shaped: RateSeries | RequestTrace, inputs: Integers, outputs: Integers
) -> dict[str, Any]:
    if recipe.kind is Kind.CLASSIFICATION:
        return {"source": "none: each request is one image"}
    limit = recipe.limit
    cut = {
        "input_limit": limit.input_tokens,
        "output_limit": limit.output_tokens,
        "inputs_cut": int(np.sum(inputs > limit.input_tokens)) if limit.input_tokens else 0,
        "outputs_cut": int(np.sum(outputs > limit.output_tokens)) if limit.output_tokens else 0,
    }
    return {"source": recipe.tokens.source if recipe.tokens else shaped.source, **cut}
