"""A gateway with two models behind it, as a client sees it: who answers is named by a header."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mlgate.adapters.kubernetes.http_route import VARIANT_HEADER

Answer = Callable[[str, str], str | None]
"""What the variant of a name answers to a text; None: it fails."""


@contextmanager
def variants(answer: Answer) -> Iterator[str]:
    """Serve KServe's protocol, version 1, on this machine, and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = [answer(self.headers.get(VARIANT_HEADER, ""), text) for text in sent["instances"]]
            body = json.dumps({"predictions": said}).encode()
            self.send_response(500 if None in said else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
