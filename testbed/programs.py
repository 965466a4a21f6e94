"""The programs of the cluster, built once from testbed/controlplane and testbed/coredns and kept in the cache."""

import hashlib
import os
import subprocess
import tempfile
import time
from pathlib import Path

from testbed.errors import TestbedFailed
from testbed.locks import only_one
from testbed.packages import go_toolchain
from testbed.paths import REPOSITORY, cache_directory
from testbed.progress import Progress

KUBERNETES_VERSION = "v1.36.3"
_SOURCES = tuple(REPOSITORY / "testbed" / folder for folder in ("controlplane", "coredns"))
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


def build(progress: Progress) -> None:
    """Build all programs unless this version of the sources is in the cache.

    Takes 6 to 13 minutes on two cores the first time. Others wait for whoever builds.
    """
    target = _directory()
    if target.is_dir():
        return
    with only_one(cache_directory() / "build.lock", "another build", progress):
        if not target.is_dir():
            _build_into(target, progress)


def _build_into(target: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as scratch:
        draft = Path(scratch) / target.name
        draft.mkdir()
        controlplane, coredns = _SOURCES
        _go_build(controlplane, ".", draft / "controlplane", progress)
        _go_build(controlplane, "./pause", draft / "pause", progress)
        _go_build(coredns, ".", draft / "coredns", progress)
        for name in _LINKS:
            (draft / name).symlink_to("controlplane")
        draft.rename(target)


def _directory() -> Path:
    digest = hashlib.sha256(_LINKER_FLAGS.encode())
    for folder in _SOURCES:
        for source in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{source.relative_to(folder)}\n".encode() + source.read_bytes())
    return cache_directory() / f"programs-{digest.hexdigest()[:16]}"


def _go_build(folder: Path, package: str, output: Path, progress: Progress) -> None:
    go = go_toolchain(progress)
    environment = {
        **os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false",
    }  # fmt: skip
    progress(f"building {output.name} with {go} (the first time this takes minutes)")
    command = [str(go), "build", "-v", "-trimpath", "-ldflags", _LINKER_FLAGS, "-o", str(output), package]
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
