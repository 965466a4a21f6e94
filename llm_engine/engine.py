"""``draft``: the grammar, the model, or both.

auto: the grammar answers alone when it read every word; what it refuses for safety, names or limits stays refused,
and what it asks about words that it knows is asked, whatever a model would make of them.
Otherwise the model drafts, and the draft must agree with the text and with what the grammar did read.
"""

import time
from dataclasses import replace
from typing import Literal

from llm_engine.catalog import Catalog
from llm_engine.grammar import NOTHING, VOCABULARY, Reading, read
from llm_engine.grounding import ground
from llm_engine.model import ModelSettings, ModelUnavailable, ask_model
from llm_engine.values import Draft, Reason, Refusal, Refused, Unclear

__all__ = ["Engine", "ModelSettings", "draft"]

Engine = Literal["auto", "grammar", "model"]


async def draft(text: str, catalog: Catalog, engine: Engine = "auto", model: ModelSettings | None = None) -> Draft:
    """What ``text`` means. Nothing is applied, and a model that does not answer is a note, not an error.

    Raises ValueError for ``engine="model"`` without settings.
    """
    if engine == "model" and model is None:
        raise ValueError("engine model: no model is named; give --model-url, or use --engine grammar")
    began = time.perf_counter()
    reading = read(text, catalog)
    found = reading.draft
    if model is not None and engine != "grammar" and _needs_model(reading, engine):
        found = await _by_model(text, catalog, reading, model)
    return replace(found, seconds=time.perf_counter() - began)


def _needs_model(reading: Reading, engine: Engine) -> bool:
    refusal = reading.draft.refusal
    if refusal is not None and refusal.reason != Reason.NOT_AN_INTENT:
        return False
    if engine == "model":
        return bool(reading.unread) or reading.draft.question is None
    return bool(reading.unread) and reading.mentions


async def _by_model(text: str, catalog: Catalog, reading: Reading, model: ModelSettings) -> Draft:
    try:
        drafted = await ask_model(text, catalog, model)
    except ModelUnavailable as error:
        return replace(reading.draft, model_available=False, model_reason=str(error))
    made = Draft(engine=f"model:{model.name}", model_available=True)
    try:
        directives = ground(drafted, text, catalog, reading)
    except Refused as error:
        return replace(made, refusal=error.refusal)
    except Unclear as question:
        return replace(made, question=str(question))
    if directives:
        return replace(made, directives=directives)
    if reading.draft.question is not None:
        return replace(made, question=reading.draft.question)
    return replace(made, refusal=Refusal(Reason.NOT_AN_INTENT, NOTHING, VOCABULARY))
