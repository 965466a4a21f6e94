"""docs/intents.md: every example is read as it says, and goes through a cluster as it says."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.api import ScalingIntent, parse
from cynosure.api.directive import Verb
from cynosure.intent_text import plan_lines

from llm_engine import Catalog
from llm_engine.grammar import read
from tests.reconcile.shop import INTENTS, SERVICES, Shop
from tests.reconcile.test_services_come_and_go import SERVING, catalogue, there

PAGE = Path(__file__).parents[2] / "docs" / "intents.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    text: str
    said: dict[str, list[str]] = field(hash=False)

    @property
    def means(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.get("means", [])]

    def one(self, key: str) -> str:
        return (self.said.get(key) or [""])[0]


def blocks(kind: str) -> list[str]:
    return [content for found, content in _BLOCK.findall(PAGE.read_text(encoding="utf-8")) if found == kind]


def example(block: str) -> Example:
    text, *lines = block.splitlines()
    said: dict[str, list[str]] = {}
    for line in lines:
        key, value = line.split(maxsplit=1)
        said.setdefault(key, []).append(value)
    assert said.keys() <= {"first", "means", "changes", "asks", "refused", "ends"}, text
    return Example(text, said)


EXAMPLES = [example(block) for block in blocks("intent")]


def test_every_verb_has_an_example() -> None:
    assert {one["verb"] for each in EXAMPLES for one in each.means} == {verb.value for verb in Verb}


def test_every_sentence_means_what_it_says_with_the_catalogue_of_the_page() -> None:
    (document,) = blocks("json")
    catalog = Catalog.model_validate_json(document)
    for each in EXAMPLES:
        draft = read(each.text, catalog).draft
        assert [dict(one.as_json()) for one in draft.directives] == each.means, each.text
        assert (draft.question or "") == each.one("asks"), each.text
        assert (draft.refusal is not None) == bool(each.one("refused") and not each.means), each.text


def test_the_object_is_valid() -> None:
    (manifest,) = blocks("yaml")
    assert isinstance(parse(ScalingIntent, yaml.safe_load(manifest)), ScalingIntent)


def furnished(shop: Shop) -> None:
    """What the page says that there is."""
    catalogue(shop, serving=SERVING)
    shop.prices["EUR"] = 3.5
    chat = there(shop, "chat")
    assert chat is not None
    shop.add(SERVICES, "vision", chat["spec"])
    shop.edit({"status": {"replicas": 2}})


@pytest.mark.slow
@pytest.mark.parametrize("each", EXAMPLES, ids=lambda each: f"{each.text}, {each.one('first')}")
async def test_every_example_goes_through_a_cluster_as_it_says(shop: Shop, each: Example) -> None:
    furnished(shop)
    for sentence in each.said.get("first", []):
        await shop.applied(sentence)
    asked = shop.ask(each.text)
    await shop.rounds()
    plan = intent(shop, asked).status.plan
    lines = [line.strip() for line in plan_lines(plan, colour=False)] if plan else []
    assert [line for line in lines if line[0] in "+-"] == each.said.get("changes", [])
    assert shop.status(asked).get("question", "") == each.one("asks")
    reason, _, nearest = each.one("refused").partition("; nearest: ")
    if reason:
        assert (shop.phase(asked), shop.condition(asked, "Ready")[1]) == ("Refused", reason)
        assert shop.status(asked).get("refusal", {}).get("nearest", "").startswith(nearest)
    if each.one("ends"):
        if shop.phase(asked) == "Planned":
            shop.approve(asked)
        await shop.rounds()
        assert f"{shop.phase(asked)} {shop.condition(asked, 'Ready')[1]}" == each.one("ends")


def intent(shop: Shop, name: str) -> ScalingIntent:
    found = parse(ScalingIntent, shop.server.storage.objects[INTENTS, "shop", name].body)
    assert isinstance(found, ScalingIntent)
    return found
