"""The examples of docs/intents-language.md mean what their row says."""

import re
from pathlib import Path

from llm_engine import Catalog
from llm_engine.grammar import read

_ROW = re.compile(r"^\| ((?:`\w+` ?)+)\| (.+) \|$", re.MULTILINE)


def test_every_example_is_read_as_its_verb(repository: Path, catalog: Catalog) -> None:
    document = (repository / "docs/intents-language.md").read_text(encoding="utf-8")
    rows = _ROW.findall(document)
    examples = [(verbs, text) for verbs, texts in rows for text in texts.split(" · ")]
    assert len(examples) > 25
    for verbs, text in examples:
        found = read(text, catalog).draft
        assert found.outcome == "directives", (text, found.question, found.refusal)
        assert {f"`{one.verb}`" for one in found.directives} <= set(verbs.split()), text
