"""Which engine reads sentences best: accuracy, wrong actions and seconds of the grammar, the model, and both (auto).

``make bench-intents`` reads the whole corpus of tests/llm_engine/corpus/ by the grammar. With a model
(``--model-url``, CYNOSURE_BENCH_MODEL_URL, or ``--local`` for the weights of ``make weights``) it reads a sample of it
by the model and by auto too, and every sentence of other languages. The figure is printed last.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from llm_engine import Catalog, Draft, ModelSettings, draft
from llm_engine.grammar import read
from llm_engine.synthesis.sentences import Names, sentences
from llm_engine.weights import cached
from tests.llm_engine.corpus.cases import CATALOGS, Case, cases, catalog

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results" / "intents.json"
PARTS = ("developed", "fresh", "later", "abroad")
MADE = 1000
"""So many sentences of llm_engine/synthesis/, of which one in eight has a slip."""
KINDS = ("english", "others", "strange", "made", *PARTS)
Engine = Literal["grammar", "model", "auto"]
Row = dict[str, Any]
URL_VARIABLE, NAME_VARIABLE = "CYNOSURE_BENCH_MODEL_URL", "CYNOSURE_BENCH_MODEL_NAME"


@dataclass(frozen=True, slots=True)
class Answer:
    case: Case
    found: Draft
    difference: str | None

    @property
    def is_wrong_action(self) -> bool:
        return self.difference is not None and self.found.outcome == "directives"


async def answers(chosen: Sequence[Case], engine: Engine, model: ModelSettings | None) -> list[Answer]:
    catalogs: dict[str, Catalog] = {name: catalog(name) for name in CATALOGS}
    found = []
    for number, case in enumerate(chosen, start=1):
        made = await draft(case.text, catalogs[case.catalog], engine, model)
        found.append(Answer(case, made, case.difference(made)))
        if engine != "grammar" and number % 10 == 0:
            print(f"  {engine}: {number} of {len(chosen)}", file=sys.stderr)
    return found


def row(name: str, part: str, found: Sequence[Answer]) -> Row:
    """Accuracy by outcome, and seconds; of the model, over the sentences that it was asked about."""
    seconds = sorted(one.found.seconds for one in found)
    asked = sorted(one.found.seconds for one in found if one.found.model_available is not None)
    return {
        "engine": name,
        "part": part,
        "sentences": len(found),
        "accuracy": _share(found),
        **{
            outcome: _share([one for one in found if one.case.outcome == outcome])
            for outcome in ("directives", "question", "refusal")
        },
        "wrong_actions": sum(one.is_wrong_action for one in found),
        "model_asked": len(asked),
        "seconds_p50": _quantile(seconds, 0.5),
        "seconds_p99": _quantile(seconds, 0.99),
        "model_seconds_p50": _quantile(asked, 0.5),
        "model_seconds_p99": _quantile(asked, 0.99),
    }


def _share(found: Sequence[Answer]) -> float | None:
    return round(sum(one.difference is None for one in found) / len(found), 4) if found else None


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 5) if ordered else None


def sampled(chosen: Sequence[Case], count: int, seed: int) -> list[Case]:
    return random.Random(seed).sample(list(chosen), min(count, len(chosen)))


def made(seed: int) -> list[Case]:
    """Sentences of the probabilistic program, about the services of a catalog."""
    spoken = islice(sentences(Names.of(catalog("studio")), seed), MADE)
    return [Case(one.text, "studio", "directives", [dict(one.directive)]) for one in spoken]


def jobs(engines: Sequence[Engine], sample: int, seed: int) -> Iterator[tuple[Engine, str, list[Case]]]:
    """By the grammar all parts; by what asks a model, which takes seconds a sentence, a sample of each language."""
    parts = {part: cases(part) for part in PARTS} | {"made": made(seed)}
    samples = {
        "english": sampled([case for part in PARTS[:-1] for case in parts[part]], sample, seed),
        "others": sampled(parts["abroad"], sample, seed),
        "strange": cases("strange"),
    }
    for engine in engines:
        for part, chosen in {**samples, **(parts if engine == "grammar" else {})}.items():
            yield engine, part, chosen


async def measure(arguments: argparse.Namespace, model: ModelSettings | None) -> list[Row]:
    """Every row is kept as soon as it is measured: a slow model may not come to the end."""
    rows = _kept([])
    for engine, part, chosen in jobs(arguments.engines, arguments.sample, arguments.seed):
        if (engine != "grammar" and model is None) or part not in (arguments.parts or part):
            continue
        found = await answers(chosen, engine, model)
        rows = _kept([row(engine, part, found)])
        document = {"seed": arguments.seed, "processors": os.cpu_count(), "rows": rows}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        if arguments.show:
            _show(engine, part, found)
    return rows


@contextmanager
def local_model() -> Iterator[ModelSettings]:
    """The small model of ``make weights``, served on loopback for as long as it is needed."""
    weights = cached()
    if weights is None:
        raise SystemExit("no weights of the local model: run 'make weights'")
    command = [sys.executable, "-m", "llm_engine.local", "--model", str(weights), "--port", "0"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            address = next(line.strip() for line in server.stdout if line.startswith("http"))
            yield ModelSettings(address, weights.stem, timeout_seconds=60)
        finally:
            server.terminate()
            server.wait(10)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model-url", default=os.environ.get(URL_VARIABLE), metavar="URL")
    parser.add_argument("--model-name", default=os.environ.get(NAME_VARIABLE, "local"), metavar="NAME")
    parser.add_argument("--local", action="store_true", help="serve the weights of 'make weights'")
    parser.add_argument(
        "--engines", nargs="+", choices=("grammar", "model", "auto"), default=["grammar", "model", "auto"]
    )
    parser.add_argument("--parts", nargs="+", help="of the corpus, or english, others and strange (default: all)")
    parser.add_argument("--sample", type=int, default=10, help="sentences of each kind that the model reads")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", action="store_true", help="print each sentence that was read wrongly")
    arguments = parser.parse_args()
    if arguments.local:
        with local_model() as model:
            return report(arguments, model)
    model = ModelSettings(arguments.model_url, arguments.model_name) if arguments.model_url else None
    return report(arguments, model)


def report(arguments: argparse.Namespace, model: ModelSettings | None) -> int:
    rows = asyncio.run(measure(arguments, model))
    print(f"{'engine':8} {'part':10} {'n':>4} {'exact':>7} {'wrong':>5} {'asked':>5} {'p50 s':>8} {'p99 s':>8}")
    for line in rows:
        print(_LINE.format(**line))
    by_grammar = [line for line in rows if line["engine"] == "grammar" and line["part"] in PARTS]
    exact = sum(round(line["accuracy"] * line["sentences"]) for line in by_grammar)
    wrong = sum(line["wrong_actions"] for line in by_grammar)
    print(f"grammar among {LARGE} new names: {_large_catalogue_seconds():.4f} s for the slowest of {len(AMONG_MANY)}")
    print(f"grammar: {exact} of {sum(line['sentences'] for line in by_grammar)} sentences exact, {wrong} wrong actions")
    return 0


_LINE = (
    "{engine:8} {part:10} {sentences:4} {accuracy:7.1%} {wrong_actions:5} {model_asked:5} "
    "{seconds_p50:8.4f} {seconds_p99:8.4f}"
)


LARGE = 5000
AMONG_MANY = (
    "scale chat-7 to 3",
    "keep chat-4999's p95 under 300 ms and never use more than 4 GPUs",
    "pause chta-1",
    "please explain what this strange thing does with zorblax and quux",
)


def _large_catalogue_seconds() -> float:
    """Of processor, the index of names included: each sentence gets a catalogue that has none yet."""
    services = [{"name": f"chat-{number}"} for number in range(LARGE)]
    longest = 0.0
    for text in AMONG_MANY:
        catalog = Catalog.model_validate({"services": services})
        began = time.process_time()
        read(text, catalog)
        longest = max(longest, time.process_time() - began)
    return longest


def _kept(rows: list[Row]) -> list[Row]:
    """With those of an earlier run that this one did not measure: the model is measured by itself."""
    before = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"] if RESULTS.is_file() else []
    now = {(line["engine"], line["part"]) for line in rows}
    return sorted(
        [*(line for line in before if (line["engine"], line["part"]) not in now and line["part"] in KINDS), *rows],
        key=lambda line: (("grammar", "model", "auto").index(line["engine"]), line["part"]),
    )


def _show(engine: str, part: str, found: Sequence[Answer]) -> None:
    for one in found:
        if one.difference is not None:
            wrong = "WRONG " if one.is_wrong_action else ""
            print(f"{engine} {part} {wrong}{one.case.text!r}: {one.difference}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
