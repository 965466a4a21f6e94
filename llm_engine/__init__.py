"""Language to typed, grounded directives: a deterministic grammar, a language model, and what keeps both honest.

``draft`` reads a text against a ``Catalog`` and answers with a ``Draft``. It applies nothing.
"""

from llm_engine.catalog import Catalog
from llm_engine.engine import ModelSettings, draft
from llm_engine.values import Directive, Draft, Provenance, Refusal

__all__ = ["Catalog", "Directive", "Draft", "ModelSettings", "Provenance", "Refusal", "draft"]
