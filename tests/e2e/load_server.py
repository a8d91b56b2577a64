"""A model server whose behaviour a test chooses. A process of its own: it can die, and shares nothing with the gate.

It speaks KServe V1 and answers the first eight words. Standard library only: this very file is the process's script.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Behaviour:
    """What the server does, and to which requests. Without a condition: to all of them."""

    kind: str = "fine"
    """`fine`, or a name of `Misdeeds`."""
    after: int = 0
    """Only to requests behind so many."""
    every: int = 1
    """Only to each so-manieth request."""
    spare: int = 0
    """Not to each so-manieth request."""
    crowd: int = 0
    """Only while more than so many requests are under way."""
    wait: float = 0.0
    """Seconds that an answer takes."""
    fresh: float = 0.0
    """Seconds more, for an input that was never asked before."""
    to: str = ""
    """Where a redirect leads to."""


class Server(ThreadingHTTPServer):
    """Counts what it is asked."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, behaviour: Behaviour, port: int) -> None:
        super().__init__(("127.0.0.1", port), Model)
        self.behaviour = behaviour
        self.lock = threading.Lock()
        self.asked = 0
        self.under_way = 0
        self.inputs: set[str] = set()

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that hangs up is what these tests are about."""

    def deals_badly(self, number: int, crowd: int) -> bool:
        is_meant = number > self.behaviour.after and number % self.behaviour.every == 0
        if self.behaviour.spare and number % self.behaviour.spare == 0:
            return False
        return self.behaviour.kind != "fine" and is_meant and crowd > self.behaviour.crowd


class Misdeeds(BaseHTTPRequestHandler):
    """Each misdeed by its name."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def dies(self) -> None:
        os._exit(7)

    def keeps_silent(self) -> None:
        threading.Event().wait()

    def resets(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def breaks_chunks(self) -> None:
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'5\r\n{"pre\r\nzz\r\n'
        )

    def never_ends(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"%x\r\n%b\r\n" % (1 << 16, b"x" * (1 << 16))
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(piece)
        self.close_connection = True

    def dribbles(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b" ")
                time.sleep(0.05)
        self.close_connection = True

    def speaks_html(self) -> None:
        self.say(b"<html>Welcome</html>", "text/html")

    def speaks_no_json(self) -> None:
        self.say(b"the answer is 42")

    def fails(self) -> None:
        self.say(b"out of memory", status=500)

    def redirects(self) -> None:
        self.say(b"", status=302, more=f"Location: {self.server.behaviour.to}\r\n")

    def talks_junk(self) -> None:
        self.say(json.dumps({"predictions": ["junk"]}).encode())

    def say(self, body: bytes, kind: str = "application/json", *, status: int = 200, more: str = "") -> None:
        head = f"HTTP/1.1 {status} As it is\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        self.wfile.write(head.encode() + body)


class Model(Misdeeds):
    """The model."""

    def do_GET(self) -> None:
        """Say how many requests there were. (Not counted.)"""
        self.say(str(self.server.asked).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server, text = self.server, str(asked["instances"][0])
        with server.lock:
            server.asked += 1
            server.under_way += 1
            number, crowd = server.asked, server.under_way
            is_fresh = text not in server.inputs
            server.inputs.add(text)
        try:
            time.sleep(server.behaviour.wait + (server.behaviour.fresh if is_fresh else 0.0))
            if server.deals_badly(number, crowd):
                getattr(self, server.behaviour.kind)()
            else:
                self.say(json.dumps({"predictions": [" ".join(text.split()[:8])]}).encode())
        finally:
            with server.lock:
                server.under_way -= 1

    def do_CONNECT(self) -> None:
        """Count a proxy's question, too."""
        self.server.asked += 1
        self.say(b"no", status=502)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class LoadServer:
    """The test's end of it."""

    process: subprocess.Popen[bytes]
    url: str

    @property
    def asked(self) -> int:
        """How many requests it got. Only while it lives."""
        from tests.support.waiting import PATIENCE

        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url, timeout=PATIENCE) as reply:
            return int(reply.read())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def load_server(behaviour: Behaviour = Behaviour(), *, port: int = 0) -> Iterator[LoadServer]:
    """Run a server, at *port* or a free one. It ends with the block, and with this process: its input ends then."""
    from tests.support.child_environment import (
        child_environment,  # here: the server itself has the standard library only
    )

    command, env = [sys.executable, "-I", __file__, json.dumps(asdict(behaviour)), str(port)], child_environment()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        try:
            assert process.stdout
            yield LoadServer(process, f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()


def nowhere() -> str:
    """Return an address at which nothing listens."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{place.getsockname()[1]}"


def main() -> None:
    server = Server(Behaviour(**json.loads(sys.argv[1])), int(sys.argv[2]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
