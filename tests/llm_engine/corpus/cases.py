"""Sentences with what they mean, in a shorthand that reads like the text itself.

A line that begins at the margin is a sentence; the indented lines behind it are its outcome: a directive each
(``bound chat ttft 300 ms percentile=95``), or ``ask``, or ``refuse Reason nearest=NAME``. ``@catalog NAME`` says
against what the sentences behind it are read. ``developed.txt`` and ``fresh.txt`` were written before the grammar could
read them, ``later.txt`` in rounds, each read once before it was mended for: docs/intents-language.md says how well.
"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from llm_engine import Catalog, Draft

FOLDER = Path(__file__).parent
CATALOGS = {"shop": FOLDER.parents[2] / "examples" / "catalog.json", "studio": FOLDER / "studio.json"}
_POSITIONS = {"bound": ("service", "metric", "value", "unit"), "undo": ("intent",)}
_NUMBERS = frozenset({"value", "percentile", "replicas", "min", "max", "factor", "delta", "weight"})


@dataclass(frozen=True, slots=True)
class Case:
    text: str
    catalog: str
    outcome: str
    directives: list[dict[str, object]] = field(default_factory=list)
    reason: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        return self.text[:70]

    def difference(self, found: Draft) -> str | None:
        """What is wrong with an answer, or None."""
        got = found.outcome
        if got != self.outcome:
            said = found.question or found.refusal or "; ".join(str(one) for one in found.directives)
            return f"wanted {self.outcome} {self.reason or self.directives or ''}, got {got}: {said}"
        if self.outcome == "refusal" and found.refusal is not None:
            near = self.nearest or found.refusal.nearest
            wrong = found.refusal.reason != self.reason or found.refusal.nearest != near
            return f"wanted {self.reason} {self.nearest}, got {found.refusal}" if wrong else None
        meant = [one.as_json() for one in found.directives]
        unordered = sorted(map(_key, meant)) == sorted(map(_key, self.directives))
        return None if unordered else f"wanted {self.directives}, got {meant}"


def _key(directive: dict[str, object]) -> str:
    return json.dumps(directive, sort_keys=True)


def catalog(name: str) -> Catalog:
    return Catalog.model_validate_json(CATALOGS[name].read_bytes())


def cases(*files: str) -> list[Case]:
    return [case for file in files for case in _cases((FOLDER / f"{file}.txt").read_text(encoding="utf-8"))]


def _cases(lines: str) -> Iterator[Case]:
    name, text, outcome = "shop", "", []
    for line in [*lines.splitlines(), "@end"]:
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            outcome.append(line.strip())
            continue
        if text:
            yield _case(text, name, outcome)
        text, outcome = ("" if line.startswith("@") else line), []
        name = line.split()[1] if line.startswith("@catalog") else name


def _case(text: str, name: str, outcome: list[str]) -> Case:
    text = text.replace("\\n", "\n")
    if outcome == ["ask"]:
        return Case(text, name, "question")
    first, *words = shlex.split(outcome[0])
    if first == "refuse":
        near = words[1].removeprefix("nearest=") if len(words) > 1 else None
        return Case(text, name, "refusal", reason=words[0], nearest=near)
    return Case(text, name, "directives", [_directive(line) for line in outcome])


def _directive(line: str) -> dict[str, object]:
    verb, *words = shlex.split(line)
    plain = [word for word in words if "=" not in word]
    pairs = [tuple(word.split("=", 1)) for word in words if "=" in word]
    names = _POSITIONS.get(verb, ("service",))
    return {"verb": verb} | {name: _value(name, word) for name, word in [*zip(names, plain, strict=False), *pairs]}


def _value(name: str, word: str) -> object:
    if name in _NUMBERS:
        return json.loads(word)
    if name == "days":
        return word.split(",")
    return True if name == "confidential" else word
