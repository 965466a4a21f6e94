"""How many requests a second one core of the built-in engine sends on time, against a trivial server on loopback.

The server answers tiny fixed bytes from a process of its own. The rate is raised step by step; the figure is the
highest step at which all requests succeed and the 99th percentile of the send lag is within the limit. It comes last.
"""

import argparse
import asyncio
import multiprocessing
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import uvloop

from loadgen.engine import EngineOptions, OpenLoop
from loadgen.outcomes import Outcomes
from loadgen.play import play
from loadgen.report import report_of
from loadgen.schedule import Kind, Schedule
from loadgen.slo import Slo
from loadgen.targets import admit

EVENTS = b'data: {"choices":[{"index":0,"text":" a"}]}\n\ndata: [DONE]\n\n'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n%s" % (len(EVENTS), EVENTS)
INFERENCE = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"outputs":[]}'


class Trivial(asyncio.Protocol):
    """Answers each small POST at once; one request is in flight on a connection, and fits one read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if b"POST /v2" in data:
            self.transport.write(INFERENCE)  # type: ignore[attr-defined]
        elif b"POST /v1" in data:
            self.transport.write(ANSWER)  # type: ignore[attr-defined]


def serve(listener: socket.socket) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Trivial, sock=listener)
        await server.serve_forever()

    uvloop.run(main())


@contextmanager
def trivial_server() -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    process = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        process.terminate()
        process.join()


def poisson(rps: float, seconds: float, kind: Kind) -> Schedule:
    random = np.random.default_rng(1)
    at = np.sort(random.uniform(0, seconds, int(rps * seconds)))
    ones = np.ones(len(at), dtype=np.int64)
    return Schedule.of(at, ones, ones, ones * int(kind), seconds)


def measured(url: str, rps: float, seconds: float, kind: Kind) -> tuple[Outcomes, float]:
    route = "/v1/completions" if kind is Kind.COMPLETION else "/v2/models/tiny/infer"
    engine = OpenLoop(poisson(rps, seconds, kind), {kind: admit(url + route, prompt="count")}, EngineOptions())
    before = time.process_time()
    outcomes = uvloop.run(play(engine))
    return outcomes, (time.process_time() - before) / seconds


def highest(url: str, kind: Kind, steps: list[float], seconds: float, lag_limit_ms: float) -> float:
    """Return the last step before the first that fails twice (the machine is shared)."""
    best = 0.0
    for rps in steps:
        if not any(kept_up(url, rps, seconds, kind, lag_limit_ms) for _ in range(2)):
            break
        best = rps
    return best


def kept_up(url: str, rps: float, seconds: float, kind: Kind, lag_limit_ms: float) -> bool:
    outcomes, cpu = measured(url, rps, seconds, kind)
    report = report_of(outcomes, Slo())
    print(
        f"{kind.name.lower():15} {rps:6.0f} req/s: {report['succeeded']}/{report['offered']} succeeded, "
        f"send lag p99 {report['send_lag_ms_p99']:.2f} ms, late {report['late']}, "
        f"latency p99 {report['latency_ms']['p99']:.2f} ms, {cpu:.0%} of a core"
    )
    return bool(report["succeeded"] == report["offered"] and report["send_lag_ms_p99"] <= lag_limit_ms)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--lag-limit-ms", type=float, default=5.0)
    parser.add_argument("--rps", type=float, nargs="+", default=[500, 1000, 1500, 2000, 3000, 4000, 5000])
    arguments = parser.parse_args()
    with trivial_server() as url:
        time.sleep(0.5)
        best = {k: highest(url, k, arguments.rps, arguments.seconds, arguments.lag_limit_ms) for k in reversed(Kind)}
    print(
        f"loadgen: {best[Kind.COMPLETION]:.0f} streamed and {best[Kind.CLASSIFICATION]:.0f} plain requests/s "
        f"on one core with send lag p99 <= {arguments.lag_limit_ms:g} ms"
    )
    return 0 if min(best.values()) >= 1000 else 1


if __name__ == "__main__":
    sys.exit(main())
