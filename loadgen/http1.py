"""The framing of HTTP/1.1 responses (RFC 9112), for a client that cannot afford more than a few microseconds of it."""

from collections.abc import Callable

_LONGEST_HEAD = 1 << 16
_LONGEST_CHUNK_HEAD = 1 << 12
_WITHOUT_BODY = (204, 304)


class BadResponse(Exception):
    """What came is no HTTP/1 response."""


class ResponseReader:
    """Feed it the bytes of one response as they come, split anywhere.

    ``on_head`` gets the status and the announced length of the body (None where it is not announced), ``on_body`` each
    piece of it. ``done`` says that the response is whole, ``keep_alive`` that another may follow on the connection.
    ``retry_after_seconds`` is what the server asks for in seconds (RFC 9110, 10.2.3; a date there is read as none).
    """

    __slots__ = (
        "_left",
        "_on_body",
        "_on_head",
        "_rest",
        "_step",
        "_until_close",
        "done",
        "keep_alive",
        "retry_after_seconds",
    )

    def __init__(self, on_head: Callable[[int, int | None], None], on_body: Callable[[bytes], None]) -> None:
        self._on_head, self._on_body = on_head, on_body
        self._rest = b""
        self._left = 0
        self._until_close = False
        self._step: Callable[[bytes], bytes] = self._head
        self.done = False
        self.keep_alive = False
        self.retry_after_seconds = 0.0

    def feed(self, data: bytes) -> None:
        """BadResponse when it cannot be one."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        while data and not self.done:
            data = self._step(data)
        if data:
            self.keep_alive = False  # more than one response to one request: whose would the next be?

    def closed(self) -> bool:
        """Take the end of the connection; return whether the response is whole."""
        self.done |= self._until_close
        return self.done

    def _later(self, data: bytes, most: int) -> bytes:
        if len(data) > most:
            raise BadResponse(f"{len(data)} bytes without an end of line")
        self._rest = data
        return b""

    def _head(self, data: bytes) -> bytes:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return self._later(data, _LONGEST_HEAD)
        status_line, *lines = data[:end].split(b"\r\n")
        if not status_line.startswith(b"HTTP/1.") or not status_line[9:12].isdigit():
            raise BadResponse(repr(status_line[:40]))
        status = int(status_line[9:12])
        if status >= 200:
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
            self._frame(status, fields, is_1_1=status_line[7:8] == b"1")
        return data[end + 4 :]

    def _frame(self, status: int, fields: dict[bytes, bytes], *, is_1_1: bool) -> None:
        connection = fields.get(b"connection", b"").lower()
        self.keep_alive = b"close" not in connection if is_1_1 else b"keep-alive" in connection
        if (pause := fields.get(b"retry-after", b"")).isdigit():
            self.retry_after_seconds = float(pause)
        length = fields.get(b"content-length")
        announced = None
        if b"chunked" in fields.get(b"transfer-encoding", b"").lower():
            self._step = self._chunk_head
        elif length is not None or status in _WITHOUT_BODY:
            if length is not None and not length.isdigit():
                raise BadResponse(f"a length of {length[:20]!r}")
            announced = self._left = 0 if status in _WITHOUT_BODY else int(length or 0)
            self._step = self._fixed
            self.done = not announced
        else:
            self._step, self._until_close, self.keep_alive = self._endless, True, False
        self._on_head(status, announced)

    def _fixed(self, data: bytes) -> bytes:
        rest = self._piece(data)
        self.done = not self._left
        return rest

    def _endless(self, data: bytes) -> bytes:
        self._on_body(data)
        return b""

    def _piece(self, data: bytes) -> bytes:
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        self._on_body(piece)
        return rest

    def _chunk_head(self, data: bytes) -> bytes:
        end = data.find(b"\r\n")
        if end < 0:
            return self._later(data, _LONGEST_CHUNK_HEAD)
        try:
            self._left = int(data[:end].partition(b";")[0], 16)
        except ValueError:
            raise BadResponse(f"a chunk of {data[:20]!r} bytes") from None
        self._step = self._chunk if self._left > 0 else self._trailer
        return data[end + 2 :]

    def _chunk(self, data: bytes) -> bytes:
        rest = self._piece(data)
        if not self._left:
            self._step = self._chunk_end
        return rest

    def _chunk_end(self, data: bytes) -> bytes:
        if len(data) < 2:
            return self._later(data, _LONGEST_CHUNK_HEAD)
        if not data.startswith(b"\r\n"):
            raise BadResponse("a chunk longer than announced")
        self._step = self._chunk_head
        return data[2:]

    def _trailer(self, data: bytes) -> bytes:
        end = data.find(b"\r\n")
        if end < 0:
            return self._later(data, _LONGEST_CHUNK_HEAD)
        self.done = end == 0
        return data[end + 2 :]
