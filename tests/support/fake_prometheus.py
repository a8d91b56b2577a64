"""A server that speaks Prometheus' API as far as mlgate asks: counters that a test writes, or any answer at all."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

NOW = 1_800_000_000.0
Counter = Callable[[float], float | str | None]
"""What it is at a time; a text is sent as it is, and None is no sample."""


class FakePrometheus:
    """Counters by name and labels. A query names the counter, and may match labels exactly or by a pattern."""

    def __init__(self) -> None:
        self.url = ""
        self.now = NOW
        self.series: list[tuple[dict[str, str], Counter]] = []
        self.newest: Counter = lambda at: at
        """When the last sample was scraped, at a time."""
        self.reply: Callable[[BaseHTTPRequestHandler], None] | None = None
        """Answers in its place."""
        self.asked: list[dict[str, str]] = []

    def counter(self, name: str, counter: Counter, **labels: str) -> None:
        self.series.append(({"__name__": name, **labels}, counter))

    def answer(self, form: Mapping[str, str]) -> dict[str, Any]:
        query = form["query"]
        if query == "time()":
            return {"resultType": "scalar", "result": [self.now, repr(self.now)]}
        start, end, step = (float(form[key]) for key in ("start", "end", "step"))
        times = [start + index * step for index in range(int((end - start) / step + 1e-6) + 1)]
        newest = re.fullmatch(r"max\(timestamp\((.*)\)\)", query)
        found = [one for one in self.series if _matches(one[0], newest[1] if newest else query)]
        if newest:
            found = (
                [({}, lambda at: self.newest(at) if any(one(at) is not None for _, one in known) else None)]
                if (known := found)
                else []
            )
        result = [{"metric": labels, "values": _values(counter, times)} for labels, counter in found]
        return {"resultType": "matrix", "result": [one for one in result if one["values"]]}


def _values(counter: Counter, times: list[float]) -> list[list[Any]]:
    return [
        [at, value if isinstance(value, str) else repr(value)] for at in times if (value := counter(at)) is not None
    ]


def _matches(labels: Mapping[str, str], selector: str) -> bool:
    name, _, rest = selector.partition("{")
    if labels["__name__"] != name:
        return False
    written = re.findall(r'(\w+)(=~|=)"((?:[^"\\]|\\.)*)"', rest)
    asked = [(label, sign, re.sub(r"\\(.)", r"\1", value)) for label, sign, value in written]
    return all(
        re.fullmatch(value, labels.get(label, "")) if sign == "=~" else labels.get(label, "") == value
        for label, sign, value in asked
    )


@contextmanager
def prometheus() -> Iterator[FakePrometheus]:
    """Serve one on this machine."""
    fake = FakePrometheus()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            fake.asked.append({**form, **{name.lower(): value for name, value in self.headers.items()}})
            if fake.reply is not None:
                fake.reply(self)
                return
            send(self, json.dumps({"status": "success", "data": fake.answer(form)}))

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, body: str | bytes, status: int = 200, **headers: str) -> None:
    """Answer with *body*; *headers*: `Content_Type`."""
    content = body.encode() if isinstance(body, str) else body
    handler.send_response(status)
    for name, value in {"Content_Type": "application/json", "Content_Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Answer with 50 MB that nobody announced."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    try:
        for _ in range(50):
            handler.wfile.write(b" " * (1 << 20))
    except OSError:
        return


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """Answer a byte now and then, for as long as somebody listens."""
    pause = threading.Event()
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        while not pause.wait(0.05):
            handler.wfile.write(b" ")
    except OSError:
        return
