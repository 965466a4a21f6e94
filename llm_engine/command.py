"""``cynosure ask``: a sentence to draft directives, printed; it creates an intent only with ``--apply``."""

import argparse
import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from llm_engine.catalog import Catalog
from llm_engine.engine import draft
from llm_engine.model import ModelSettings
from llm_engine.values import Draft

ReadCatalog = Callable[[argparse.Namespace], Catalog]
CreateIntent = Callable[[argparse.Namespace, str], int]
"""Creates a ScalingIntent with the text, says so, and returns the exit code."""

_LARGEST_CATALOG_BYTES = 64 * 1024 * 1024


def register(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    *,
    read_catalog: ReadCatalog | None = None,
    create_intent: CreateIntent | None = None,
) -> argparse.ArgumentParser:
    """``read_catalog`` and ``create_intent`` reach the cluster; without them only ``--catalog FILE`` works."""
    parser = commands.add_parser("ask", help="say what a sentence would do, as typed directives")
    parser.add_argument("text", metavar="TEXT", help="for example: keep chat's p95 time to first token under 300 ms")
    parser.add_argument(
        "--catalog", type=Path, metavar="FILE", help="JSON with services, models and limits; else the cluster"
    )
    parser.add_argument("--engine", choices=("auto", "grammar", "model"), default="auto")
    parser.add_argument(
        "--model-url", metavar="URL", help="OpenAI-compatible endpoint, such as http://127.0.0.1:8080/v1"
    )
    parser.add_argument("--model-name", metavar="NAME", default="local")
    parser.add_argument("--model-timeout-seconds", type=float, metavar="S", default=30.0)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--apply", action="store_true", help="create a ScalingIntent with this text")
    parser.set_defaults(run=lambda arguments: run(arguments, read_catalog, create_intent))
    return parser


def run(arguments: argparse.Namespace, read_catalog: ReadCatalog | None, create_intent: CreateIntent | None) -> int:
    if arguments.apply and create_intent is None:
        raise ValueError("--apply: no cluster is reached here; leave it out to see the directives")
    catalog = _catalog(arguments, read_catalog)
    settings = _settings(arguments)
    found = asyncio.run(draft(arguments.text, catalog, arguments.engine, settings))
    print(json.dumps(found.as_json(), ensure_ascii=False) if arguments.json else rendered(found, arguments.text))  # noqa: T201
    if found.outcome == "refusal":
        return 1
    if arguments.apply and create_intent is not None and found.outcome == "directives":
        return create_intent(arguments, arguments.text)
    return 0


def _settings(arguments: argparse.Namespace) -> ModelSettings | None:
    if arguments.model_url is None:
        return None
    if not arguments.model_url.startswith(("http://", "https://")):
        raise ValueError(f"--model-url {arguments.model_url}: must begin with http:// or https://")
    if not arguments.model_timeout_seconds > 0:
        raise ValueError(f"--model-timeout-seconds {arguments.model_timeout_seconds:g}: must be more than 0")
    return ModelSettings(arguments.model_url, arguments.model_name, timeout_seconds=arguments.model_timeout_seconds)


def _catalog(arguments: argparse.Namespace, read_catalog: ReadCatalog | None) -> Catalog:
    if arguments.catalog is not None:
        return load_catalog(arguments.catalog)
    if read_catalog is None:
        raise ValueError("no catalog: give --catalog FILE (examples/catalog.json is one)")
    return read_catalog(arguments)


def load_catalog(path: Path) -> Catalog:
    """Raises ValueError with one line that says where the file is wrong."""
    try:
        if path.stat().st_size > _LARGEST_CATALOG_BYTES:
            raise ValueError(f"{path}: larger than {_LARGEST_CATALOG_BYTES} bytes")
        return Catalog.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path}: {where}{': ' if where else ''}{first['msg']}") from error


def rendered(found: Draft, text: str) -> str:
    """For people: each directive with where its fields come from."""
    lines = (
        [f"note: the model did not answer ({found.model_reason}); the grammar did"]
        if found.model_available is False
        else []
    )
    if found.refusal is not None:
        near = f"; try: {found.refusal.nearest}" if found.refusal.nearest else ""
        return "\n".join([*lines, f"refused ({found.refusal.reason}): {found.refusal.message}{near}"])
    if found.question is not None:
        return "\n".join([*lines, f"question: {found.question}"])
    for index, directive in enumerate(found.directives):
        lines.append(str(directive))
        for one in (p for p in found.provenance if p.directive == index):
            words = f' "{text[one.span[0] : one.span[1]]}"' if one.span else ""
            lines.append(f"    {one.field}: {one.source}{words}")
    return "\n".join(lines)
