"""Over how long do the events arrive that a server writes one by one, without a pause? mlgate.core.stream_text.TICK_S.

    python benchmarks/pieces.py

A server cuts each token into 25 events of one character, each a write of its own, and pauses 10 ms between tokens. The
load generator stamps what it reads. Prints how far the last event of a token is behind its first, and in how many reads
they came.
"""

from __future__ import annotations

import json
import socket
import statistics
import threading
import time

from mlgate.adapters.http.address import Address
from mlgate.adapters.load.channel import ProcessChannel
from mlgate.adapters.load.http_load import HttpLoad
from mlgate.adapters.protocols.openai import OpenAIChat
from mlgate.core.check import Example
from mlgate.core.latency.block import Arrival

CUT, TOKENS, PAUSE_S = 25, 20, 0.010
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def main() -> None:
    """Measure with 1, 10 and 50 requests a second."""
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(server,), daemon=True).start()
    load = HttpLoad(
        ProcessChannel(), Address.of(f"http://127.0.0.1:{server.getsockname()[1]}"), OpenAIChat("m"), stream=True
    )
    print("rate    spread of one token's events in us: p50    p95    p99     reads a token")
    for rate in (1, 10, 50):
        arrivals = [Arrival(i / rate, 0) for i in range(max(3, 3 * rate))]
        block = load.fire([Example("1", "x", ())], arrivals)
        spreads, reads = [], []
        for one in block.replies:
            came = [at for at, size in zip(one.events, one.sizes, strict=True) for _ in range(size)]
            for i in range(0, len(came) - CUT + 1, CUT):
                token = came[i : i + CUT]
                spreads.append((token[-1] - token[0]) * 1e6)
                reads.append(len(set(token)))
        cuts = statistics.quantiles(spreads, n=100)
        print(f"{rate:3}/s {cuts[49]:41.0f} {cuts[94]:6.0f} {cuts[98]:6.0f} {statistics.mean(reads):17.1f}")
    load.close()


def _serve(server: socket.socket) -> None:
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    event = b"data: " + json.dumps({"choices": [{"delta": {"content": "x"}, "finish_reason": None}]}).encode() + b"\n\n"
    chunk = b"%x\r\n%b\r\n" % (len(event), event)
    end = b"data: [DONE]\n\n"
    while True:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(65536) or b"\r\n\r\n\0"
        if asked.endswith(b"\0"):
            return
        connection.sendall(HEAD)
        for _ in range(TOKENS):
            time.sleep(PAUSE_S)
            for _ in range(CUT):
                connection.sendall(chunk)
        connection.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(end), end))


if __name__ == "__main__":
    main()
