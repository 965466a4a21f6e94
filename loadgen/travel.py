"""How outcomes come back from a pod: one line in its log, checked and bounded."""

import base64
import binascii
import hashlib

from loadgen.errors import BadLoadInput
from loadgen.outcomes import Outcomes

_MARK = "cynosure-outcomes/1"
MOST_LINE_BYTES = 8 << 20
"""Below the ten MiB after which a kubelet turns a container's log over."""


def to_line(outcomes: Outcomes) -> str:
    """Return ``MARK SHA256 BASE64 end``; BadLoadInput when it would be too long for a log."""
    data = outcomes.to_bytes()
    line = f"{_MARK} {hashlib.sha256(data).hexdigest()} {base64.b64encode(data).decode()} end"
    if len(line) > MOST_LINE_BYTES:
        shards = -(-len(line) // MOST_LINE_BYTES)
        raise BadLoadInput(
            f"outcomes: {len(line)} bytes are too many for a log, which holds {MOST_LINE_BYTES}; "
            f"use {shards + 1} shards or more, or read the --report file from a volume"
        )
    return line


def from_log(log: str, source: str) -> Outcomes:
    """Find the line in a pod's log; BadLoadInput when it is missing (the pod still runs, or died), cut or changed."""
    line = next((line for line in reversed(log.splitlines()) if _MARK in line), None)
    if line is None:
        raise BadLoadInput(f"{source}: no outcomes in its log; the pod has not finished, or died before it could tell")
    parts = line[line.index(_MARK) :].split(" ")
    if len(parts) != 4 or parts[3] != "end":
        raise BadLoadInput(f"{source}: the line with the outcomes is cut after {len(line)} bytes")
    try:
        data = base64.b64decode(parts[2], validate=True)
    except binascii.Error as error:
        raise BadLoadInput(f"{source}: the line with the outcomes is damaged ({error})") from None
    if hashlib.sha256(data).hexdigest() != parts[1]:
        raise BadLoadInput(f"{source}: the line with the outcomes is damaged (its checksum differs)")
    return Outcomes.from_bytes(data, source)
