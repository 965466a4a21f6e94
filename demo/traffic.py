"""The replayed day and the days before it, from the public traces or, without them, from their published figures."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from demo.history import PastLoad
from demo.scenario import DAY_SECONDS, Scenario
from loadgen import published
from loadgen.build import Recipe, build_schedule
from loadgen.readers import read_requests, read_trace
from loadgen.schedule import Kind, Schedule
from loadgen.tokens import TokenLengths, TraceTokens
from loadgen.trace import PEAK_WINDOW_SECONDS, RateSeries
from loadgen.transforms import Compress, Scale

_CODE_WEEK = "azure_llm_2024_digitised/code_week_digitised.csv"
_CONVERSATION_WEEK = "azure_llm_2024_digitised/conv_week_digitised.csv"
_CODE_REQUESTS = "azure_llm_2023/AzureLLMInferenceTrace_code.csv"
_DAY = 1_715_817_600.0  # Thursday 2024-05-16 00:00 UTC, which both weeks have


@dataclass(frozen=True, slots=True)
class Flow:
    """What one service gets: the schedule of the day, and its week as rates in replayed seconds around the day."""

    service: str
    schedule: Schedule
    week: RateSeries
    day_from_seconds: float
    input_tokens: float
    output_tokens: float

    def past(self, namespace: str, model: str, day_starts_at: float) -> PastLoad:
        """Return the week as a service would have seen it, had the day begun at a Unix time."""

        def rate(at: float) -> float:
            return float(self.week.at(self.day_from_seconds + at - day_starts_at))

        return PastLoad(namespace, self.service, model, rate, self.input_tokens, self.output_tokens)


def flows(scenario: Scenario, data: Path | None) -> tuple[Flow, Flow]:
    """Return the traffic of chat (code completions) and of vision (the shape of the conversation week).

    ``data`` is the folder of public traces; None replays the published hourly figures. There is no public trace of
    image requests with a licence, so vision borrows its shape from the other Azure service.
    """
    code, conversation, tokens = _sources(data)
    chat = _flow("chat", code, scenario.chat_peak_rps, Recipe(tokens=tokens, seed=scenario.seed), scenario)
    images = Recipe(kind=Kind.CLASSIFICATION, seed=scenario.seed + 1)
    return chat, _flow("vision", conversation, scenario.vision_peak_rps, images, scenario)


def _sources(data: Path | None) -> tuple[RateSeries, RateSeries, TokenLengths]:
    if data is None:
        return published.code_week(), published.code_week(), published.code_tokens()
    code, conversation = (cast("RateSeries", read_trace(data / name)) for name in (_CODE_WEEK, _CONVERSATION_WEEK))
    return code, conversation, TraceTokens(read_requests(data / _CODE_REQUESTS))


def _flow(service: str, week: RateSeries, peak_rps: float, recipe: Recipe, scenario: Scenario) -> Flow:
    day = week.cut(_DAY, _DAY + DAY_SECONDS)
    fast = Compress(scenario.compression)
    random = np.random.default_rng(scenario.seed)
    factor = peak_rps / fast.apply(day, random).peak_rps(PEAK_WINDOW_SECONDS)
    shaped = Recipe((fast, Scale(factor)), tokens=recipe.tokens, kind=recipe.kind, seed=recipe.seed)
    schedule = build_schedule(day, shaped)
    return Flow(
        service,
        schedule,
        fast.apply(week, random).scaled(factor, random),
        _DAY / scenario.compression,
        float(schedule.input_tokens.mean()) if recipe.tokens else 0.0,
        float(schedule.output_tokens.mean()) if recipe.tokens else 0.0,
    )
