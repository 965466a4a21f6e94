"""Images without a registry and without Docker: Debian bases by debootstrap, the project's Dockerfile by buildah.

Everything is kept in the cache under the hash of what it is made from; nodes import archives.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from testbed.cluster import Cluster
from testbed.locks import only_one
from testbed.paths import REPOSITORY, cache_directory
from testbed.programs import program
from testbed.progress import Progress
from testbed.run import run

PAUSE = "localhost/pause:1"
_SUITE = "bookworm"
_PYTHON = ("python3", "python3-pip", "python-is-python3", "ca-certificates")
_TOOLS = ("prometheus", "stress-ng", "python3")
_SOURCES = ("operator/cynosure", "llm_engine", "loadgen", "serving", "testbed")
_ARCHIVE_IN_USE_SECONDS = 1800.0
_DROPPED = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/info",
)
_TRUST = ("/etc/ssl/certs", "/etc/pip.conf")
"""Lent to the build so that pip reaches the same index, in the same way, as on this machine."""


def build_images(cluster: Cluster, progress: Progress) -> Cluster:
    """Build what is not in the cache; returns the cluster with the names of its images."""
    with only_one(cache_directory() / "images.lock", "another build of images", progress):
        tools = _debian("tools", _TOOLS, progress)
        _archive_once(PAUSE, _pause)
        _archive_once(tools, lambda: None)
        cynosure = f"localhost/cynosure:{_digest(_project_files())}"
        if not archive(cynosure).exists():
            base = _debian("python", _PYTHON, progress)
            progress(f"building {cynosure}")
            _archive_once(cynosure, lambda: _build_project(cynosure, base))
            _drop_superseded(cynosure)
    images = {"cynosure": cynosure, "prometheus": tools, "stress-ng": tools, "pause": PAUSE}
    return replace(cluster, images=images)


def archive(image: str) -> Path:
    """The file that nodes import an image from."""
    return cache_directory() / "images" / f"{image.replace('/', '_').replace(':', '_')}.tar"


def _debian(name: str, packages: Sequence[str], progress: Progress) -> str:
    """A minimal Debian with some packages; its name carries the hash of the list."""
    image = f"localhost/{name}:{_SUITE}-{_hash(' '.join(packages).encode())}"
    if _exists(image):
        return image
    progress(f"making {image} by debootstrap")
    cache_directory().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_directory(), prefix="debootstrap-") as scratch:
        root = Path(scratch) / "root"
        run(["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", _SUITE, str(root)])
        for folder in _DROPPED:
            shutil.rmtree(root / folder, ignore_errors=True)
        _commit(image, [(root, "/")])
    return image


def _pause() -> None:
    _commit(PAUSE, [(Path(program("pause")), "/pause")], "--entrypoint", '["/pause"]')


def _build_project(image: str, base: str) -> None:
    lent = [f"--volume={path}:{path}:ro" for path in _TRUST if Path(path).exists()]
    _buildah(
        "build", "--layers", "--isolation=chroot", "--pull-never", *lent,
        f"--build-arg=BASE={base}", f"--tag={image}", f"--file={REPOSITORY / 'Dockerfile'}", str(REPOSITORY),
    )  # fmt: skip


def _commit(image: str, content: Iterable[tuple[Path, str]], *settings: str) -> None:
    container = _buildah("from", "scratch").strip()
    try:
        for source, target in content:
            _buildah("copy", container, str(source), target)
        if settings:
            _buildah("config", *settings, container)
        _buildah("commit", container, image)
    finally:
        _buildah("rm", container)


def _archive_once(image: str, make: Callable[[], None]) -> None:
    target = archive(image)
    if target.exists():
        return
    if not _exists(image):
        make()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".new")
    draft.unlink(missing_ok=True)
    _buildah("push", image, f"docker-archive:{draft}:{image}")
    draft.replace(target)


def _drop_superseded(image: str) -> None:
    """Delete the archives of earlier sources, half a gigabyte each, unless another `up` may still import them."""
    name, before = image.partition(":")[0], time.time() - _ARCHIVE_IN_USE_SECONDS
    for other in archive(image).parent.glob(archive(f"{name}:*").name):
        if other != archive(image) and other.stat().st_mtime < before:
            other.unlink()


def _exists(image: str) -> bool:
    command = [*_storage(), "inspect", "--type=image", image]
    return subprocess.run(command, capture_output=True, check=False, env=_environment()).returncode == 0


def _buildah(verb: str, *arguments: str) -> str:
    policy = cache_directory() / "policy.json"
    if not policy.exists():
        policy.parent.mkdir(parents=True, exist_ok=True)
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    signed = [f"--signature-policy={policy}"] if verb in ("build", "commit", "push", "from") else []
    return run([*_storage(), verb, *signed, *arguments], _environment())


def _storage() -> list[str]:
    """Overlays share what images have in common; they cannot stand on another overlay, so there, plain copies."""
    base = cache_directory()
    kind = run(["stat", "--file-system", "--format=%T", str(base)]).strip()
    driver = "vfs" if kind == "overlayfs" else "overlay"
    return ["buildah", f"--storage-driver={driver}", f"--root={base / f'containers-{driver}'}"]


def _environment() -> dict[str, str]:
    return {**os.environ, "BUILDAH_ISOLATION": "chroot", "XDG_RUNTIME_DIR": "/run"}


def _project_files() -> list[Path]:
    files = [REPOSITORY / "Dockerfile", REPOSITORY / "requirements.txt"]
    for folder in _SOURCES:
        pattern = "*.py" if folder == "testbed" else "**/*.py"
        files.extend(sorted((REPOSITORY / folder).glob(pattern)))
    return files


def _digest(files: Iterable[Path]) -> str:
    return _hash(b"".join(f"{f.relative_to(REPOSITORY)}\n".encode() + f.read_bytes() for f in files))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
