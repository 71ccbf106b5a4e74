"""A line of some length between clients and the server that `sterna sandbox` has started.

Data arrives half a round trip after it is sent, in order; with a rate, a connection
carries no more than that. Runs as a process of its own, so that it takes no time from
the process that measures.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time

# Limit of bytes in flight, like a TCP window.
WINDOW_BYTES = 8 << 20
CHUNK_BYTES = 1 << 16


class Line:
    """Forwards a port of this machine to the server."""

    def __init__(self, round_trip_ms, mbps=0):
        self.round_trip_ms = round_trip_ms
        self.mbps = mbps

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        server = f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ['PGPORT']}"
        words = [sys.executable, __file__, self.port, server, self.round_trip_ms, self.mbps]
        self.process = subprocess.Popen([str(word) for word in words])
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def env(self):
        """The environment of a client at the far end."""
        env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        return {**env, "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGSSLMODE": "disable"}


async def carry(reader, writer, delay, rate):
    """Forwards data when it is due."""
    on_the_way = asyncio.Queue()
    room = asyncio.Condition()
    held = 0

    async def arrive():
        nonlocal held
        while True:
            due, sent = await on_the_way.get()
            await asyncio.sleep(max(0, due - time.monotonic()))
            if not sent:
                writer.close()
                return
            writer.write(sent)
            await writer.drain()
            async with room:
                held -= len(sent)
                room.notify()

    arriving = asyncio.create_task(arrive())
    free_at = 0.0
    try:
        while True:
            async with room:
                await room.wait_for(lambda: held < WINDOW_BYTES)
            sent = await reader.read(CHUNK_BYTES)
            held += len(sent)
            free_at = max(free_at, time.monotonic()) + (len(sent) / rate if rate else 0)
            on_the_way.put_nowait((free_at + delay, sent))
            if not sent:
                break
    except ConnectionError:
        on_the_way.put_nowait((0, b""))
    try:
        await arriving
    except ConnectionError:
        pass


async def serve(port, server, round_trip_ms, mbps):
    delay, rate = round_trip_ms / 2000, mbps * 125_000

    async def connected(reader, writer):
        far_reader, far_writer = await asyncio.open_unix_connection(server)
        await asyncio.gather(carry(reader, far_writer, delay, rate),
                             carry(far_reader, writer, delay, rate))

    listening = await asyncio.start_server(connected, "127.0.0.1", port)
    async with listening:
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
