"""A small server for whoever asks by HTTP, with a thread for each request. It reads nothing of one but its path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mlgate.core.errors import AdapterError

Answer = Callable[[str], tuple[int, str] | None]
"""Returns the status and the JSON for a path; None: there is no such path."""

_SLOW_S = 10.0
"""A client that sends or takes nothing for so long is hung up on."""
_MOST_BODY = 1 << 20


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        self.answer = answer
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that hung up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SLOW_S
    server: _Server

    def do_GET(self) -> None:
        """Answer."""
        found = self.server.answer(self.path.partition("?")[0])
        self._send(*(found or (404, '{"error": "there is no such path"}')))

    def do_POST(self) -> None:
        """Answer, whatever the body says."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MOST_BODY:
            self.close_connection = True
            self._send(413, '{"error": "the request is too large"}')
            return
        self.rfile.read(int(length))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the verdict is what is told."""

    def _send(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(host: str, port: int, answer: Answer) -> Iterator[int]:
    """Serve until the end of the `with`, and give the port; 0 takes any. Raises AdapterError where it is taken."""
    try:
        server = _Server((host, port), answer)
    except OSError as error:
        hint = "take another port: --listen HOST:PORT"
        raise AdapterError(f"cannot listen on {host}:{port}: {error.strerror or error}", hint=hint) from error
    thread = threading.Thread(target=server.serve_forever, name="mlgate-server", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
