"""Carry TCP connections from a port of the host's loopback into a network namespace.

The listening socket stays in the namespace where it was made; the process then moves into the other one, where its
outgoing connections begin.
"""

import argparse
import asyncio
import ctypes
import os
import socket

_CLONE_NEWNET = 0x40000000
_CHUNK_BYTES = 65536


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen-port", type=int, required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--target", required=True, help="HOST:PORT inside the namespace")
    arguments = parser.parse_args()
    host, _, port = arguments.target.rpartition(":")
    listener = socket.create_server(("127.0.0.1", arguments.listen_port))
    _enter(arguments.namespace)
    asyncio.run(_serve(listener, host, int(port)))


def _enter(namespace: str) -> None:
    """setns(2), which Python has only from 3.12 on."""
    library = ctypes.CDLL(None, use_errno=True)
    with open(namespace, "rb") as file:
        if library.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)


async def _serve(listener: socket.socket, host: str, port: int) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            target_reader, target_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(reader, target_writer))
            both.create_task(_copy(target_reader, writer))

    server = await asyncio.start_server(connect, sock=listener)
    await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()  # the other direction then sees its end too


if __name__ == "__main__":
    main()
