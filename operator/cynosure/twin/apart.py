"""A replay simulated in a process of its own: whoever asked for it goes on meanwhile, and may end it any time."""

import asyncio
import multiprocessing
import os
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final

from cynosure.errors import BadInput, Unavailable
from cynosure.twin.site import Site
from loadgen.outcomes import Outcomes
from loadgen.schedule import Schedule

_NICENESS: Final = 10
"""A planning pass on the same core goes first."""


async def replayed_apart(
    sites: Sequence[Site], schedule: Schedule, seed: int, limit_seconds: float
) -> tuple[Outcomes, ...]:
    """Return what would become of the schedule at each site; see ``replayed``. Cancelling it ends the process.

    :raises BadInput: it cannot be simulated. :raises Unavailable: no answer in time, or the process died.
    """
    context = multiprocessing.get_context("spawn")
    answers, told = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(told, tuple(sites), schedule, seed), daemon=True)
    starting = asyncio.create_task(asyncio.to_thread(process.start))  # it waits until all is read on the other side
    try:
        async with asyncio.timeout(limit_seconds):
            await asyncio.shield(starting)
            told.close()  # so that the end of the process is the end of what can be heard
            answer = await asyncio.to_thread(answers.recv)
    except TimeoutError as error:
        message = f"the twin had no answer within {limit_seconds:g} s; use a shorter or smaller load"
        raise Unavailable(message) from error
    except EOFError as error:
        process.join()
        raise Unavailable(f"the twin ended without an answer (exit code {process.exitcode})") from error
    finally:
        await starting
        process.kill()
        await asyncio.to_thread(process.join)
    if isinstance(answer, str):
        raise BadInput(answer)
    outcomes: tuple[Outcomes, ...] = answer
    return outcomes


def _work(told: Connection, sites: tuple[Site, ...], schedule: Schedule, seed: int) -> None:
    from cynosure.twin.replayed import replayed  # numba, where it is, takes a second that no operator waits for

    os.nice(_NICENESS)
    try:
        told.send(tuple(replayed(site, schedule, seed) for site in sites))
    except BadInput as error:
        told.send(str(error))
