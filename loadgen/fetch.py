"""Fetch one public trace, when asked to: over HTTPS, bounded, checked, and whole or not at all."""

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from loadgen.catalogue import PublicTrace
from loadgen.errors import BadLoadInput

_MOST_BYTES = 4 << 30
_PIECE_BYTES = 1 << 20
_TIMEOUT_SECONDS = 60.0


def fetch(trace: PublicTrace, to: Path) -> int:
    """Write the trace's file to ``to`` and return its bytes.

    BadLoadInput when it has no address of its own, `to` is there already, or what came is not what was published.
    OSError when it cannot be reached or written.
    """
    if not trace.url:
        raise BadLoadInput(f"{trace.name}: its publisher gives it out at {trace.page}; fetch it there by hand")
    if to.exists():
        raise BadLoadInput(f"{to} is there already; remove it, or name another file by --to")
    with tempfile.NamedTemporaryFile(dir=to.absolute().parent, prefix=f".{to.name}.", delete=False) as file:
        part = Path(file.name)
    try:
        size = _downloaded(trace, part)
        os.replace(part, to)
    finally:
        part.unlink(missing_ok=True)
    return size


def _downloaded(trace: PublicTrace, part: Path) -> int:
    digest, size = hashlib.sha256(), 0
    request = urllib.request.Request(trace.url, headers={"User-Agent": "cynosure-traces"})  # noqa: S310 (from the catalogue)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer, part.open("wb") as file:  # noqa: S310
            while piece := answer.read(_PIECE_BYTES):
                size += len(piece)
                if size > _MOST_BYTES:
                    raise BadLoadInput(f"{trace.url}: more than {_MOST_BYTES >> 30} GiB; nothing is kept")
                digest.update(piece)
                file.write(piece)
    except urllib.error.HTTPError as error:
        error.close()
        raise BadLoadInput(f"{trace.url}: HTTP {error.code}; look at {trace.page} for where it is now") from None
    if trace.sha256 not in (None, digest.hexdigest()):
        raise BadLoadInput(
            f"{trace.url}: its SHA-256 is {digest.hexdigest()} instead of {trace.sha256}; nothing is kept"
        )
    return size
