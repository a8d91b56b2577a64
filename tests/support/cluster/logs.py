"""The pods' logs where the API server looks for them: `kubectl logs`, and every client's call for a pod's log."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.cluster.network import GATEWAY


class LogServer(ThreadingHTTPServer):
    """Answers `/containerLogs/NAMESPACE/POD/CONTAINER`, as a kubelet does."""

    daemon_threads = True

    def __init__(self, pods: Path, certificates: Path) -> None:
        super().__init__((GATEWAY, 0), _Answer)
        self.pods = pods
        self.port = int(self.server_address[1])
        secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secured.load_cert_chain(certificates / "api.crt", certificates / "api.key")
        self.socket = secured.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Answer(BaseHTTPRequestHandler):
    server: LogServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        options = {name: values[-1] for name, values in parse_qs(asked.query).items()}
        match [unquote(part) for part in asked.path.strip("/").split("/")]:
            case ["containerLogs", namespace, pod, container] if ".." not in (namespace, pod, container):
                self._send(self.server.pods / f"{namespace}_{pod}" / container, options)
            case _:
                self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing: who reads a log is not worth a line."""

    def _send(self, folder: Path, options: dict[str, str]) -> None:
        starts = sorted(folder.glob("*.log"), key=lambda path: int(path.stem))
        position = -2 if options.get("previous") == "true" else -1
        if len(starts) < -position:
            self.send_error(404, "no such log")
            return
        lines = starts[position].read_bytes().splitlines(keepends=True)
        if tail := int(options.get("tailLines", 0)):
            lines = lines[-tail:]
        text = b"".join(lines)
        if limit := int(options.get("limitBytes", 0)):
            text = text[:limit]
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
