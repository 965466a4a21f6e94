"""Answers are framed as RFC 9112 says wherever the network splits them, and what is no answer is no crash."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
import pytest
from aiohttp.test_utils import unused_port
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.engine import EngineOptions, OpenLoop
from loadgen.http1 import BadResponse, ResponseReader
from loadgen.outcomes import Outcomes, Status
from loadgen.play import play
from loadgen.targets import admit_all
from tests.loadgen.builders import evenly
from tests.loadgen.server import DONE, TOKEN

PIECES = st.lists(st.binary(min_size=1, max_size=30), max_size=6)


def fixed(pieces: list[bytes]) -> bytes:
    body = b"".join(pieces)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def chunked(pieces: list[bytes]) -> bytes:
    chunks = b"".join(b"%x;note=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n" + chunks + b"0\r\nExpires: 0\r\n\r\n"


def endless(pieces: list[bytes]) -> bytes:
    return b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\n" + b"".join(pieces)


def hinted(pieces: list[bytes]) -> bytes:
    return b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + fixed(pieces)


def read(text: bytes, cuts: list[int]) -> tuple[ResponseReader, list[tuple[int, int | None]], bytes]:
    heads: list[tuple[int, int | None]] = []
    bodies: list[bytes] = []
    reader = ResponseReader(lambda status, length: heads.append((status, length)), bodies.append)
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        reader.feed(text[start:end])
    return reader, heads, b"".join(bodies)


@pytest.mark.parametrize("framing", [fixed, chunked, endless, hinted])
@settings(deadline=None, max_examples=40)
@given(pieces=PIECES, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_a_body_is_whole_however_it_comes(
    framing: Callable[[list[bytes]], bytes], pieces: list[bytes], cuts: list[int]
) -> None:
    reader, heads, body = read(framing(pieces), cuts)
    assert body == b"".join(pieces)
    assert heads == [(200, len(body) if framing in (fixed, hinted) else None)]
    assert reader.done is (framing is not endless)
    assert reader.keep_alive is (framing is not endless)
    assert reader.closed()


@pytest.mark.parametrize("framing", [fixed, chunked])
@settings(deadline=None, max_examples=40)
@given(pieces=PIECES.filter(bool), cut=st.integers(1, 400))
def test_a_cut_answer_is_never_whole(framing: Callable[[list[bytes]], bytes], pieces: list[bytes], cut: int) -> None:
    text = framing(pieces)
    assert not read(text[: -1 - cut % (len(text) - 1)], [])[0].closed()


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=300), st.booleans())
def test_noise_is_refused_or_waits_for_more(noise: bytes, after_a_head: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" if after_a_head else b""
    with suppress(BadResponse):
        read(head + noise, [5, 17])


@pytest.mark.parametrize(
    "text",
    [
        b"SMTP ready\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfour\r\nabcd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
    ids=["another protocol", "no status", "length", "chunk size", "chunk too long", "endless head"],
)
def test_what_is_no_response_is_refused(text: bytes) -> None:
    with pytest.raises(BadResponse):
        read(text, [])


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n", False),
    ],
    ids=["no content", "close", "http/1.0", "http/1.0 kept", "two answers to one request"],
)
def test_a_connection_is_kept_only_when_it_may_be(head: bytes, kept: bool) -> None:
    reader, heads, body = read(head, [])
    assert (reader.done, reader.keep_alive, body) == (True, kept, b"")
    assert heads[0][1] == 0


Answering = Callable[[asyncio.StreamWriter], Awaitable[Any]]


@asynccontextmanager
async def answering(answer: Answering) -> AsyncIterator[str]:
    """Serve each connection one answer, written as it is."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(ConnectionError):
            await answer(writer)
        writer.close()

    port = unused_port()
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        await server.wait_closed()


async def replayed(url: str, **options: float) -> Outcomes:
    loop = OpenLoop(evenly(4, 0.04), admit_all([url], (), None, "count"), EngineOptions(**options))  # type: ignore[arg-type]
    return await play(loop)


EVENTS = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + TOKEN * 3


def writes(data: bytes, *, reset: bool = False) -> Answering:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if reset:
            await asyncio.sleep(0.02)
            writer.transport.abort()

    return answer


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (writes(EVENTS + DONE), Status.SUCCEEDED),
        (writes(EVENTS + DONE, reset=True), Status.SUCCEEDED),
        (writes(EVENTS), Status.BROKEN_STREAM),
        (writes(EVENTS, reset=True), Status.BROKEN_STREAM),
        (writes(b"HTTP/1.0 200 OK\r\n\r\nok"), Status.SUCCEEDED),
        (writes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), Status.BROKEN_STREAM),
        (writes(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n"), 503),
        (writes(b"220 mail.example ESMTP\r\n\r\n"), Status.CONNECTION),
        (writes(b""), Status.CONNECTION),
        (writes(b"", reset=True), Status.CONNECTION),
    ],
    ids=[
        "an old server",
        "reset after the mark",
        "cut",
        "reset before the mark",
        "text",
        "shorter than announced",
        "refused, then gone",
        "another protocol",
        "closed",
        "reset",
    ],
)
async def test_servers_of_all_kinds(answer: Answering, status: int) -> None:
    async with answering(answer) as url:
        outcomes = await replayed(url)
    assert outcomes.status.tolist() == [status] * 4


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux lets a client acknowledge at once")
async def test_a_server_that_writes_in_pieces_does_not_wait_for_our_acknowledgements() -> None:
    """Forty requests in a row on one connection: past the first few, Linux delays acknowledgements by 40 ms."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                for piece in (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"o", b"k", b"..", b""):
                    writer.write(piece)
                    await asyncio.sleep(0.001)
        writer.close()

    port = unused_port()
    async with await asyncio.start_server(serve, "127.0.0.1", port):
        schedule, targets = evenly(40, 0.8), admit_all([f"http://127.0.0.1:{port}"], (), None, "count")
        outcomes = await play(OpenLoop(schedule, targets, EngineOptions(max_connections=1)))
        await asyncio.sleep(0.02)  # the server notices that we are gone
    assert outcomes.succeeded.all()
    assert np.median(outcomes.latency_seconds) < 0.03


async def test_every_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name such as localhost may have an address that nobody listens on."""

    async def resolved(_: object, host: str, port: int, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    asked: list[str] = []
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolved)
    async with answering(writes(EVENTS + DONE)) as url:
        outcomes = await replayed(url.replace("127.0.0.1", "localhost"))
    assert outcomes.succeeded.all()
    assert asked.count("localhost") == 1


async def test_a_server_that_never_answers_is_a_timeout_and_its_connection_is_closed() -> None:
    closed: list[bytes] = []

    async def hang(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + TOKEN)
        reader: asyncio.StreamReader = writer._reader  # type: ignore[attr-defined]
        closed.append(await reader.read())

    async with answering(hang) as url:
        outcomes = await replayed(url, timeout_seconds=0.1)
        await asyncio.sleep(0.05)
    assert outcomes.status.tolist() == [Status.TIMEOUT] * 4
    assert len(closed) >= 3


async def test_an_error_of_our_own_ends_the_run_and_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgen.record.CompletionStream.feed", lambda *_: 1 / 0)
    async with answering(writes(EVENTS + DONE)) as url:
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(replayed(url), 5)
