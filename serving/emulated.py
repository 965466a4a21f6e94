"""``python -m serving.emulated``: an inference engine without a GPU, for clusters whose GPUs are simulated."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from serving.http import EngineServer
from serving.profile import ProfileError, read_profile
from serving.timing import TimingError

CLOSING_SECONDS = 1.0
log = logging.getLogger("serving.emulated")


def main(arguments: list[str] | None = None) -> int:
    """0 after a clean drain, 1 when requests were cut off at the drain limit, 2 for bad input."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(_serve(args))
        except (ProfileError, TimingError, OSError) as error:
            print(f"serving.emulated: {error}", file=sys.stderr)  # noqa: T201  (the one line that a user reads)
            return 2


async def _serve(args: argparse.Namespace) -> int:
    server = EngineServer(
        read_profile(args.profile), args.gpu, args.partition, args.model, allow_faults=args.allow_faults
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = await listen(server, args.host, args.port)
    log.info("emulating %s on %s %s at %s", args.model, args.gpu, args.partition, runner.addresses)
    await stop.wait()
    left = await server.gate.drain(args.drain_seconds)
    if left:
        log.warning("%d requests cut off after %g s of draining", left, args.drain_seconds)
    await runner.cleanup()
    return 1 if left else 0


async def listen(server: EngineServer, host: str, port: int) -> web.AppRunner:
    """Serve on host:port (0: any free one, see the runner's addresses) until the runner's cleanup."""
    # Cancelling the handler of a client that went away frees its place in the batch.
    runner = web.AppRunner(
        server.application(), access_log=None, handler_cancellation=True, shutdown_timeout=CLOSING_SECONDS
    )
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="serving.emulated", description="An inference engine without a GPU")
    parser.add_argument("--profile", type=Path, required=True, help="the spec of a ModelProfile, as YAML or JSON")
    parser.add_argument("--gpu", required=True, help="GPU product, such as A100-80GB")
    parser.add_argument("--partition", required=True, help="MIG profile, such as 3g.40gb")
    parser.add_argument("--model", required=True, help="the name under which the model is served")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104  (a pod's own network)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--drain-seconds", type=float, default=30.0, help="limit for requests in flight at SIGTERM")
    parser.add_argument("--allow-faults", action="store_true", help="serve PUT /fault: slow, error and hang for tests")
    return parser


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    sys.exit(main())
