"""Connections to one target: one request at a time on each, kept for the next or closed; none sends anything again."""

import asyncio
import socket
import ssl
from contextlib import suppress
from time import monotonic
from typing import Protocol, cast

from yarl import URL

from loadgen.http1 import BadResponse, ResponseReader
from loadgen.targets import Target

_KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common servers close an idle connection, which would look like a fault."""

_RESOLVED_SECONDS = 10.0
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux


class Answered(Protocol):
    """Who waits for an answer."""

    def take_head(self, status: int, length: int | None) -> None: ...
    def take_body(self, data: bytes) -> None: ...
    def end(self, *, whole: bool, retry_after_seconds: float) -> None: ...


class Connection(asyncio.Protocol):
    """One connection of a route, which hears when it is open, free for another request, and closed."""

    def __init__(self, route: "Route") -> None:
        self._route = route
        self._waiting: Answered | None = None
        self.idle_since = 0.0
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._socket = transport.get_extra_info("socket")
        self.open = True
        self._route.connections.add(self)

    def send(self, request: bytes, waiting: Answered) -> None:
        self._waiting = waiting
        self._reader = ResponseReader(waiting.take_head, waiting.take_body)
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            self.drop()  # an answer that nobody asked for, such as that of a server about to close
            return
        try:
            self._reader.feed(data)
        except BadResponse:
            self._end(whole=False)
        if self._waiting and not self._reader.done:
            self._acknowledge()
        if self._waiting and self._reader.done:
            self._end(whole=True)

    def _acknowledge(self) -> None:
        """Acknowledge at once, as the rest of the answer may wait for it (Nagle's algorithm, RFC 896).

        Else each answer that a server writes in pieces takes as long as this system delays acknowledgements, 40 ms.
        """
        if _QUICK_ACK is not None and self.open:
            with suppress(OSError):  # it may be gone by now, which its loss will tell
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        self._route.connections.discard(self)
        if self._waiting:
            self._end(whole=error is None and self._reader.closed())

    def drop(self) -> None:
        """Close at once; who waits hears nothing more."""
        self._waiting = None
        self.open = False
        self._transport.abort()

    def _end(self, *, whole: bool) -> None:
        waiting, self._waiting = self._waiting, None
        if whole and self._reader.keep_alive and self.open:
            self.idle_since = monotonic()
            self._route.free(self)
        elif self.open:
            self.drop()
        if waiting:
            waiting.end(whole=whole, retry_after_seconds=self._reader.retry_after_seconds)


class Route:
    """Where the requests of one target go, and the connections that are there."""

    def __init__(self, target: Target, *, keep_alive: bool) -> None:
        url = URL(target.url)
        self.target = target
        self._keep_alive = keep_alive
        self._host, self._port = url.host or "", url.port or 0
        self._tls = ssl.create_default_context() if url.scheme == "https" else None
        authority = url.raw_authority.encode()
        closing = b"" if keep_alive else b"Connection: close\r\n"
        self._head = (
            b"POST %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nContent-Type: application/json\r\n%sContent-Length: "
            % (url.raw_path_qs.encode(), authority, closing)
        )
        self.connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._addresses: list[str] = []
        self._resolved_at = -_RESOLVED_SECONDS

    def request(self, number: int, input_tokens: int, output_tokens: int) -> bytes:
        body = self.target.body(number, input_tokens, output_tokens)
        return b"%s%d\r\n\r\n%s" % (self._head, len(body), body)

    def idle(self) -> Connection | None:
        """Return the connection that was used last; those that lay too long are closed."""
        while self._idle:
            connection = self._idle.pop()
            if connection.open and monotonic() - connection.idle_since < _KEEP_ALIVE_SECONDS:
                return connection
            if connection.open:
                connection.drop()
        return None

    async def connect(self) -> Connection:
        """Try each address of the host; OSError when none takes it, of which `ssl.SSLError` is one.

        A certificate must be one that the system trusts.
        """
        loop = asyncio.get_running_loop()
        name = self._host if self._tls else None
        failure = OSError(f"{self._host} has no address")
        for address in await self._resolved(loop):
            try:
                _, connection = await loop.create_connection(
                    lambda: Connection(self), address, self._port, ssl=self._tls, server_hostname=name
                )
            except OSError as error:
                failure = error
            else:
                self._addresses.sort(key=address.__ne__)  # the one that answers comes first the next time
                return connection
        raise failure

    async def _resolved(self, loop: asyncio.AbstractEventLoop) -> list[str]:
        """Ask the resolver at most every ten seconds, as each new connection would otherwise."""
        if monotonic() - self._resolved_at > _RESOLVED_SECONDS:
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self._addresses = [str(entry[4][0]) for entry in found]
            self._resolved_at = monotonic()
        return list(self._addresses)

    def close(self) -> None:
        for connection in list(self.connections):
            connection.drop()

    def free(self, connection: Connection) -> None:
        if self._keep_alive:
            self._idle.append(connection)
        else:
            connection.drop()
