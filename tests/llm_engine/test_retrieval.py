"""Large catalogues: the right names come first, quickly, and only a few of them reach the model."""

import json
from itertools import product

import pytest

from llm_engine import Catalog
from llm_engine.grammar import read
from llm_engine.model import messages
from llm_engine.retrieval import NameIndex

ROLES = ("chat", "vision", "search", "embed", "rank", "speech", "fraud", "price", "translate", "summary")
PLACES = ("eu", "us", "asia", "core", "edge")


@pytest.fixture(scope="module")
def large() -> Catalog:
    names = [f"{role}-{place}-{number}" for role, place, number in product(ROLES, PLACES, range(100))]
    assert len(names) == 5000
    return Catalog.model_validate({"services": [{"name": name} for name in names], "limits": {"max_replicas": 9}})


def test_a_name_with_a_slip_is_found_among_thousands(large: Catalog) -> None:
    refusal = read("scale vision-asai-42 to 3", large).draft.refusal
    assert refusal is not None
    assert (refusal.reason, refusal.nearest) == ("UnknownService", "vision-asia-42")


def test_the_prompt_holds_only_the_nearest_names(large: Catalog) -> None:
    (_, _), (_, payload) = messages("mantieni fraud-core-7 sotto i 300 ms", large)
    names = json.loads(payload)["services"]
    assert names[0] == "fraud-core-7"
    assert len(names) <= 20
    assert len(payload) < 1000


def test_an_index_ranks_by_rare_letters_and_is_deterministic() -> None:
    index = NameIndex(["alpha-chat", "beta-chat", "gamma-chat", "zeta-vision"])
    assert index.best("betta chat", 2)[0] == "beta-chat"
    assert index.best("qqq", 3) == []
    assert NameIndex([]).best("chat", 3) == []
