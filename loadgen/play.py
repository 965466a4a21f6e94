"""Run the built-in engine as a program does: from a wall-clock time, with progress, ended early by a signal."""

import asyncio
import gc
import logging
import resource
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from loadgen.engine import OpenLoop
from loadgen.outcomes import Outcomes

_LOG_SECONDS = 10.0
_TERMINAL_SECONDS = 0.5
_SPARE_FILES = 64
log = logging.getLogger(__name__)


async def play(engine: OpenLoop, start_at_unix_seconds: float | None = None) -> Outcomes:
    """Run from a common wall-clock time, or at once."""
    ahead = 0.0 if start_at_unix_seconds is None else start_at_unix_seconds - time.time()
    if ahead < 0:
        log.warning("the start was %.1f s ago; what was due since then stays unsent", -ahead)
    return await engine.run(time.monotonic() + ahead)


def play_to_the_end(engine: OpenLoop, max_connections: int, start_at_unix_seconds: float | None = None) -> Outcomes:
    """Run in an event loop of its own; SIGTERM and SIGINT end it early with what there is."""
    (outcomes,) = play_side_by_side([engine], max_connections, start_at_unix_seconds)
    return outcomes


def play_side_by_side(
    engines: Sequence[OpenLoop], max_connections: int, start_at_unix_seconds: float | None = None
) -> list[Outcomes]:
    """Run several from the same moment, each with so many connections."""
    _allow_open_files(len(engines) * max_connections + _SPARE_FILES)
    gc.freeze()  # else a collection walks through the whole schedule, and what is due meanwhile is late
    try:
        return _run(_attended(engines, start_at_unix_seconds))
    finally:
        gc.unfreeze()


async def _attended(engines: Sequence[OpenLoop], start_at_unix_seconds: float | None) -> list[Outcomes]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, engines)
    telling = asyncio.create_task(_tell(engines))
    try:
        return list(await asyncio.gather(*(play(engine, start_at_unix_seconds) for engine in engines)))
    finally:
        telling.cancel()


def _stop(engines: Sequence[OpenLoop]) -> None:
    for engine in engines:
        engine.stop()


async def _tell(engines: Sequence[OpenLoop]) -> None:
    """Keep one line up to date on a terminal, and log now and then elsewhere."""
    terminal = sys.stderr.isatty()
    while True:
        await asyncio.sleep(_TERMINAL_SECONDS if terminal else _LOG_SECONDS)
        said = "; ".join(str(engine.progress) for engine in engines)
        if terminal:
            sys.stderr.write(f"\r{said}\x1b[K")
        else:
            log.info("%s", said)


def _run(main: Coroutine[Any, Any, list[Outcomes]]) -> list[Outcomes]:
    try:
        import uvloop
    except ImportError:  # not on this platform: slower, all else is the same
        return asyncio.run(main)
    return uvloop.run(main)


def _allow_open_files(needed: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if 0 <= hard < needed:
        log.warning("this machine allows %d open files; above that, requests fail to connect", hard)
