"""What the load generator can do here: how much it sends on time, how faithfully, and how fast it reads a trace.

``capacity``: the rate is raised step by step against a trivial server in a process of its own; the figure is the
highest step at which all requests succeed and the 99th percentile of the send lag is within the limit.
``fidelity``: real traces (if ../shared/data is there) are sent, and what was sent is compared with what was intended.
``reading``: rows a second of a table with calendar stamps, and the memory beyond the numbers.
The figures come last. Send lag is that of the whole machine: a busy one shows less than the program can do.
"""

import argparse
import asyncio
import multiprocessing
import os
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvloop

from loadgen.build import Recipe, TokenLimit, build_schedule
from loadgen.engine import EngineOptions, OpenLoop
from loadgen.outcomes import Outcomes
from loadgen.play import play
from loadgen.published import code_tokens
from loadgen.readers import read_trace
from loadgen.report import report_of
from loadgen.schedule import Kind, Schedule
from loadgen.slo import Slo
from loadgen.targets import admit
from loadgen.trace import RateSeries, RequestTrace
from loadgen.transforms import Compress, ScaleToPeak, Slice

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
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


def measured(url: str, schedule: Schedule, kind: Kind) -> tuple[Outcomes, float]:
    """Return the outcomes, and the share of a core that sending took."""
    route = "/v1/completions" if kind is Kind.COMPLETION else "/v2/models/tiny/infer"
    engine = OpenLoop(schedule, {kind: admit(url + route, prompt="count")}, EngineOptions())
    before = time.process_time()
    outcomes = uvloop.run(play(engine))
    return outcomes, (time.process_time() - before) / schedule.duration_seconds


def highest(url: str, kind: Kind, arguments: argparse.Namespace) -> float:
    """Return the last step before the first that fails twice (the machine is shared)."""
    best = 0.0
    for rps in arguments.rps:
        if not any(kept_up(url, rps, kind, arguments) for _ in range(2)):
            break
        best = rps
    return best


def kept_up(url: str, rps: float, kind: Kind, arguments: argparse.Namespace) -> bool:
    outcomes, cpu = measured(url, poisson(rps, arguments.seconds, kind), kind)
    report = report_of(outcomes, Slo())
    print(
        f"{kind.name.lower():15} {rps:6.0f} req/s: {report['succeeded']}/{report['offered']} succeeded, "
        f"send lag p99 {report['send_lag_ms_p99']:.2f} ms, late {report['late']}, "
        f"latency p99 {report['latency_ms']['p99']:.2f} ms, {cpu:.0%} of a core"
    )
    return bool(report["succeeded"] == report["offered"] and report["send_lag_ms_p99"] <= arguments.lag_limit_ms)


def capacity(url: str, arguments: argparse.Namespace) -> str:
    best = {kind: highest(url, kind, arguments) for kind in reversed(Kind)}
    return (
        f"{best[Kind.COMPLETION]:.0f} streamed and {best[Kind.CLASSIFICATION]:.0f} plain requests/s "
        f"on one core with send lag p99 <= {arguments.lag_limit_ms:g} ms"
    )


def real_schedules(seconds: float) -> Iterator[tuple[str, Schedule]]:
    code = read_trace(DATA / "azure_llm_2023/AzureLLMInferenceTrace_code.csv")
    assert isinstance(code, RequestTrace)
    limit, busiest = TokenLimit(output_tokens=8), 60.0 * int(np.argmax(code.rates(60.0).rps))
    for speedup in (1.0, 6.0):
        steps = (Compress(speedup), Slice(busiest / speedup, busiest / speedup + seconds))
        yield f"Azure code x{speedup:g}", build_schedule(code, Recipe(steps, limit=limit))
    # The highest coefficient of variation of all its clients that send a request a minute or more.
    client = read_trace(DATA / "servegen/m-small_client_rates.csv.gz", {"client": "33"})
    assert isinstance(client, RateSeries)
    start = float(client.starts[client.rps.argmax()] - client.from_seconds)
    steps = (Slice(start, start + 60 * seconds), Compress(60.0), ScaleToPeak(100.0))
    yield (
        "ServeGen m-small client 33",
        build_schedule(client, Recipe(steps, arrivals="gamma", tokens=code_tokens(), limit=limit)),
    )


def fidelity(url: str, arguments: argparse.Namespace) -> str:
    worst = 0.0
    for name, schedule in real_schedules(arguments.fidelity_seconds):
        outcomes, _ = measured(url, schedule, Kind.COMPLETION)
        report = report_of(outcomes, Slo())
        sent_at = np.sort(outcomes.due_seconds + outcomes.lag_seconds)
        cv, cv_sent = (np.diff(at).std() / np.diff(at).mean() for at in (outcomes.due_seconds, sent_at))
        bins = np.arange(int(schedule.duration_seconds) + 2)
        peak, peak_sent = (np.histogram(at, bins)[0].max() for at in (outcomes.due_seconds, sent_at))
        print(
            f"{name:26} {report['sent']:5} sent: rate RMSE {report['rate_rmse']:.4f}, WAPE {report['rate_wape']:.4f}, "
            f"CV {cv:.2f} ({cv_sent / cv - 1:+.2%}), peak {peak}/s ({peak_sent / peak - 1:+.2%}), "
            f"send lag p99 {report['send_lag_ms_p99']:.2f} ms"
        )
        worst = max(worst, report["rate_rmse"])
    return f"rate RMSE at most {worst:.4f}"


def reading(rows: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "requests.csv"
        with path.open("w") as file:
            file.write("TIMESTAMP,ContextTokens,GeneratedTokens\n")
            for second in range(rows // 100):
                stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1_715_299_200 + second))
                file.writelines(f"{stamp}.{n:02d}00000,{second % 5000},{n}\n" for n in range(100))
        before, began = _peak_mib(), time.process_time()
        trace = read_trace(path)
        took = time.process_time() - began
    assert isinstance(trace, RequestTrace)
    numbers = 3 * trace.at_seconds.nbytes / 2**20
    return (
        f"{len(trace.at_seconds) / took:,.0f} rows/s read on one core ({len(trace.at_seconds):,} in {took:.1f} s), "
        f"{_peak_mib() - before:.0f} MiB for {numbers:.0f} MiB of numbers"
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--fidelity-seconds", type=float, default=30.0)
    parser.add_argument("--lag-limit-ms", type=float, default=5.0)
    parser.add_argument("--rps", type=float, nargs="+", default=[500, 1000, 2000, 3000, 4000, 5000, 7000, 9000])
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    print(f"load average of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    figures = [reading(arguments.rows)]
    with trivial_server() as url:
        time.sleep(0.5)
        if DATA.is_dir():
            figures.append(fidelity(url, arguments))
        else:
            print("fidelity: skipped, the public traces are not in ../shared/data")
        figures.append(capacity(url, arguments))
    print("loadgen: " + "; ".join(reversed(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
