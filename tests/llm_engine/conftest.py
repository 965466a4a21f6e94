from pathlib import Path

import pytest

from llm_engine import Catalog


@pytest.fixture(scope="session")
def catalog(repository: Path) -> Catalog:
    return Catalog.model_validate_json((repository / "examples/catalog.json").read_bytes())
