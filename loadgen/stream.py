"""Server-sent events of a streamed completion, read with as little work as a busy client can afford."""

import json

_LONGEST_LINE = 1 << 20


class CompletionStream:
    """Feed it bytes as they come, split anywhere.

    ``tokens`` counts the events that carry output, and becomes the server's own count where it tells one.
    ``finished`` is the ``[DONE]`` mark: a stream that ends without it was cut. ``failed`` is an error event.
    """

    __slots__ = ("_rest", "failed", "finished", "tokens")

    def __init__(self) -> None:
        self._rest = b""
        self.tokens = 0
        self.finished = False
        self.failed = False

    def feed(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip())
        self.failed |= len(self._rest) > _LONGEST_LINE

    def _event(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.finished = True
        elif data.startswith(b'{"error"'):
            self.failed = True
        elif b'"choices":[]' in data or b'"choices": []' in data:
            self._usage(data)
        else:
            self.tokens += 1

    def _usage(self, data: bytes) -> None:
        try:
            self.tokens = int(json.loads(data)["usage"]["completion_tokens"])
        except (ValueError, KeyError, TypeError):
            self.failed = True
