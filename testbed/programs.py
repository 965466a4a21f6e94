"""The programs of the cluster, and Thanos for tests: built once from the Go modules here and kept in the cache."""

import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from testbed.errors import TestbedFailed
from testbed.locks import only_one
from testbed.packages import go_toolchain
from testbed.paths import REPOSITORY, cache_directory
from testbed.progress import Progress

KUBERNETES_VERSION = "v1.36.3"
_SOURCES = tuple(REPOSITORY / "testbed" / folder for folder in ("controlplane", "coredns"))
_THANOS = REPOSITORY / "testbed" / "thanos"
_THANOS_FLAGS = ("-tags", "netgo slicelabels", "-ldflags", "-s -w")  # untagged it panics
_LINKS = (
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl",
    "dra-driver", "hollow-kubelet",
)  # fmt: skip
_MAJOR, _MINOR = KUBERNETES_VERSION.removeprefix("v").split(".")[:2]
_VERSION = {"gitVersion": KUBERNETES_VERSION, "gitMajor": _MAJOR, "gitMinor": _MINOR}
_LINKER_FLAGS = " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{k}={v}" for k, v in _VERSION.items())])
_REPORT_SECONDS = 15.0


def program(name: str) -> str:
    """Path of a program that `build` has made."""
    return str(_directory() / name)


def kubectl_path(progress: Progress) -> Path:
    """The kubectl of the cluster's own version; builds it when it is not there yet."""
    build(progress)
    return _directory() / "kubectl"


def thanos_path(progress: Progress) -> Path:
    """Thanos, which no cluster needs and tests read through; built when first asked for, in 2 to 4 minutes."""
    folder = _kept("thanos", " ".join(_THANOS_FLAGS), (_THANOS,))
    _once(folder, _build_thanos, progress)
    return folder / "thanos"


def build(progress: Progress) -> None:
    """Build all programs of a cluster unless this version of the sources is in the cache.

    Takes 6 to 13 minutes on two cores the first time. Others wait for whoever builds.
    """
    _once(_directory(), _build_cluster, progress)


def _once(target: Path, make: Callable[[Path, Progress], None], progress: Progress) -> None:
    if target.is_dir():
        return
    with only_one(cache_directory() / "build.lock", "another build", progress):
        if target.is_dir():
            return
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as scratch:
            draft = Path(scratch) / target.name
            draft.mkdir()
            make(draft, progress)
            draft.rename(target)


def _build_cluster(draft: Path, progress: Progress) -> None:
    controlplane, coredns = _SOURCES
    flags = ("-ldflags", _LINKER_FLAGS)
    _go_build(controlplane, ".", draft / "controlplane", progress, flags)
    _go_build(controlplane, "./pause", draft / "pause", progress, flags)
    _go_build(coredns, ".", draft / "coredns", progress, flags)
    for name in _LINKS:
        (draft / name).symlink_to("controlplane")


def _build_thanos(draft: Path, progress: Progress) -> None:
    _go_build(_THANOS, "github.com/thanos-io/thanos/cmd/thanos", draft / "thanos", progress, _THANOS_FLAGS)


def _directory() -> Path:
    return _kept("programs", _LINKER_FLAGS, _SOURCES)


def _kept(name: str, flags: str, folders: tuple[Path, ...]) -> Path:
    """Where a build is kept: its name has the hash of all that it is made from."""
    digest = hashlib.sha256(flags.encode())
    for folder in folders:
        for source in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{source.relative_to(folder)}\n".encode() + source.read_bytes())
    return cache_directory() / f"{name}-{digest.hexdigest()[:16]}"


def _go_build(folder: Path, package: str, output: Path, progress: Progress, flags: tuple[str, ...]) -> None:
    go = go_toolchain(progress)
    environment = {
        **os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false",
    }  # fmt: skip
    progress(f"building {output.name} with {go} (the first time this takes minutes)")
    command = [str(go), "build", "-v", "-trimpath", *flags, "-o", str(output), package]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        last = _follow(process, output.name, progress)
    if process.returncode:
        raise TestbedFailed(f"go build {output.name} failed:\n{last}")


def _follow(process: "subprocess.Popen[str]", name: str, progress: Progress) -> str:
    """Report the count of packages now and then; returns the last lines that the compiler wrote."""
    lines: list[str] = []
    reported = time.monotonic()
    for line in process.stderr or ():
        lines.append(line)
        if time.monotonic() - reported > _REPORT_SECONDS:
            reported = time.monotonic()
            progress(f"  {name}: {len(lines)} packages compiled, now {line.strip()}")
    return "".join(lines[-20:])
