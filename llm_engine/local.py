"""``python -m llm_engine.local --model FILE --port N``: an OpenAI-compatible server for development, on the CPU.

llama.cpp's own server, in a process of its own. Users bring whatever endpoint they have.
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from llm_engine.weights import cached

CONTEXT_TOKENS = 4096


def serve(model: Path, port: int, threads: int) -> None:
    """Serve on loopback until SIGTERM or SIGINT."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp  # a development dependency

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams.poll = 0
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = xllamacpp.Server(parameters)
    print(f"{server.listening_address}/v1", flush=True)  # noqa: T201
    stopped.wait()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m llm_engine.local", description="Serve a local model for development."
    )
    parser.add_argument("--model", type=Path, default=cached(), metavar="FILE", help="GGUF file; default: make weights")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    if arguments.model is None or not arguments.model.is_file():
        print(f"--model {arguments.model}: no such file; 'make weights' fetches one", file=sys.stderr)  # noqa: T201
        return 2
    serve(arguments.model, arguments.port, arguments.threads)
    return 0


if __name__ == "__main__":
    sys.exit(main())
