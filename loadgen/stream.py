"""The answer to a completion, read with as little work as a busy client can afford: events, or one document."""

import json

_LONGEST_LINE = 1 << 20
_EVENT_BEGINS = (b"data:", b"event:", b"id:", b":")


class CompletionStream:
    """Feed it bytes as they come, split anywhere; the first of them tell events from a document.

    ``tokens`` counts the events that carry output, and becomes the server's own count where it tells one.
    ``finished`` is the ``[DONE]`` mark or a reason to finish: events that end without were cut.
    ``failed`` is an error in the answer. ``streamed`` is false for a document: its tokens come all at once, uncounted.
    """

    __slots__ = ("_rest", "failed", "finished", "streamed", "tokens")

    def __init__(self) -> None:
        self._rest = b""
        self.tokens = 0
        self.finished = False
        self.failed = False
        self.streamed: bool | None = None

    def feed(self, chunk: bytes) -> None:
        if self.streamed is None:
            self._rest += chunk
            begin = self._rest.lstrip()
            if not begin.startswith(_EVENT_BEGINS) and any(mark.startswith(begin) for mark in _EVENT_BEGINS):
                return  # too little to tell, or nothing yet
            self.streamed = begin.startswith(_EVENT_BEGINS)
            chunk, self._rest = self._rest, b""
        if not self.streamed:
            self._rest += chunk[: max(0, _LONGEST_LINE - len(self._rest))]
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip())
        self.failed |= len(self._rest) > _LONGEST_LINE

    def succeeded(self, *, empty_is_whole: bool) -> bool:
        """Judge an answer that has ended: a document must be no error, events must be finished and carry tokens.

        ``empty_is_whole``: the server announced a body of no bytes, so that nothing is lacking.
        """
        if not self._rest.strip() and self.streamed is None:
            return empty_is_whole
        if self.streamed:
            return self.finished and self.tokens > 0 and not self.failed
        return not self._rest.lstrip().startswith((b'{"error"', b'{"object":"error"'))

    def _event(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.finished = True
        elif data.startswith(b'{"error"'):
            self.failed = True
        elif b'"choices":[]' in data or b'"choices": []' in data:
            self._usage(data)
        elif b'"role":"assistant"' in data and (b'"content":""' in data or b'"content":null' in data):
            pass  # a chat begins with who speaks, before it says anything
        else:
            self.tokens += 1
            self.finished |= b'"finish_reason":"' in data or b'"finish_reason": "' in data

    def _usage(self, data: bytes) -> None:
        try:
            self.tokens = int(json.loads(data)["usage"]["completion_tokens"])
        except (ValueError, KeyError, TypeError):
            self.failed = True
