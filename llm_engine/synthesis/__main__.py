"""``python -m llm_engine.synthesis``: sentences with what they mean, one JSON document a line."""

import argparse
import json
import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from llm_engine.catalog import Catalog
from llm_engine.synthesis.sentences import Names, sentences


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m llm_engine.synthesis", description=__doc__)
    parser.add_argument("--count", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--catalog", type=Path, required=True, help="as for `cynosure ask`")
    arguments = parser.parse_args()
    catalog = Catalog.model_validate_json(arguments.catalog.read_bytes())
    for sentence in islice(sentences(Names.of(catalog), arguments.seed), arguments.count):
        sys.stdout.write(json.dumps(asdict(sentence), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
