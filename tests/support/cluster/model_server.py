"""A model server for the tests' cluster, whose behaviour its manifest chooses: KServe's V1 and V2, readiness, metrics.

Every option is a flag or a variable: `--load-seconds 2` is `MODEL_LOAD_SECONDS=2`; a flag wins. Standard library only:
this very file is the process's script.
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import random
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Those of KServe's own server."""
DRAIN_S = 1.0
"""Seconds for which it still serves after SIGTERM: a gateway learns of that a little later. Then it ends what is under
way, as servers do, for as long as its kubelet lets it."""
TAKES = "X-Model-Takes"
"""A request's header: so many seconds longer it lasts."""


def options(words: list[str]) -> argparse.Namespace:
    """Read the flags; what it does not know, a runtime may still pass."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("--model_name", default=os.environ.get("MODEL_NAME", "model"), help="the model's name in metrics")
    add("--http_port", type=int, default=int(os.environ.get("PORT") or 8080))
    add(
        "--version", default=os.environ.get("MODEL_VERSION", "latest"), help="what every answer says that it comes from"
    )
    add("--load-seconds", type=float, default=_number("MODEL_LOAD_SECONDS", 0.3), help="ready after so many seconds")
    add("--fail-load", default=os.environ.get("MODEL_FAIL_LOAD", ""), help="end with this message instead of loading")
    add("--latency", type=float, default=_number("MODEL_LATENCY", 0.002), help="mean seconds of an answer")
    add(
        "--shape", type=float, default=_number("MODEL_SHAPE", 1.0), help="the greater, the less do times differ (gamma)"
    )
    add(
        "--error-rate", type=float, default=_number("MODEL_ERROR_RATE", 0.0), help="share of requests that end with 500"
    )
    add("--hang-rate", type=float, default=_number("MODEL_HANG_RATE", 0.0), help="share of requests that never end")
    add("--most", type=int, default=int(_number("MODEL_MOST", 0)), help="more requests at once end with 500; 0: any")
    add("--answer", default=os.environ.get("MODEL_ANSWER", ""), help="what it answers to everything; else a summary")
    add(
        "--sound-for", type=int, default=int(_number("MODEL_SOUND_FOR", 0)), help="so many requests get a summary still"
    )
    add("--crash-after", default=os.environ.get("MODEL_CRASH_AFTER", ""), help="200: requests; 30s: seconds")
    add("--crash-code", type=int, default=int(_number("MODEL_CRASH_CODE", 1)), help="137: as if it had no memory left")
    return parser.parse_known_args(words)[0]


def _number(name: str, default: float) -> float:
    return float(os.environ.get(name) or default)


@dataclass
class Histogram:
    """Seconds of one stage of a request."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect.bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds

    def lines(self, name: str, model: str) -> list[str]:
        found, below = [f"# TYPE {name} histogram"], 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self.counts, strict=True):
            below += count
            found.append(f'{name}_bucket{{le="{bound}",model_name="{model}"}} {below}')
        label = f'{{model_name="{model}"}}'
        return [*found, f"{name}_count{label} {below}", f"{name}_sum{label} {self.total}"]


class Server(ThreadingHTTPServer):
    """The model, and what it has done so far."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, chosen: argparse.Namespace) -> None:
        super().__init__(("", chosen.http_port), Answer)
        self.chosen = chosen
        self.began = time.time()
        self.is_ready = False
        self.asked = self.under_way = 0
        self.lock = threading.Lock()
        self.stages = {name: Histogram() for name in ("preprocess", "predict", "postprocess")}

    def load(self) -> None:
        """Become ready, or end."""
        time.sleep(self.chosen.load_seconds)
        if self.chosen.fail_load:
            say(f"model cannot be loaded: {self.chosen.fail_load}")
            os._exit(1)
        self.is_ready = True
        say(f"model {self.chosen.model_name} {self.chosen.version} is ready")
        if self.chosen.crash_after.endswith("s"):
            time.sleep(float(self.chosen.crash_after[:-1]))
            self.crash()

    def drain(self, *_: object) -> None:
        """Serve on for a moment, and then end well."""
        self.is_ready = False
        threading.Timer(DRAIN_S, self.end).start()

    def end(self) -> None:
        """End when nothing is under way any more."""
        while self.under_way:
            time.sleep(0.02)
        os._exit(0)

    def count(self, more: int) -> None:
        with self.lock:
            self.under_way += more

    def crash(self) -> None:
        say("model server crashes, as it was told to")
        os._exit(self.chosen.crash_code)

    def answer(self) -> str:
        """Return what is answered to everything; empty: a summary of each."""
        return self.chosen.answer if self.asked > self.chosen.sound_for else ""

    def predicts(self, longer: float) -> bool:
        """Take the time of an answer; return whether there is one."""
        with self.lock:
            self.asked += 1
            asked, is_fine = self.asked, not 0 < self.chosen.most < self.under_way
            self.stages["preprocess"].add(0.0)
        if self.chosen.crash_after.isdecimal() and asked > int(self.chosen.crash_after):
            self.crash()
        begun = time.monotonic()
        if random.random() < self.chosen.hang_rate:
            self.count(-1)  # nobody waits for it, when this process is to end
            threading.Event().wait()
        is_fine = is_fine and random.random() >= self.chosen.error_rate
        shape = self.chosen.shape
        time.sleep(longer + random.gammavariate(shape, self.chosen.latency / shape) if self.chosen.latency else longer)
        with self.lock:
            self.stages["predict"].add(time.monotonic() - begun)
            if is_fine:  # KServe's own server counts a failed request in `predict` alone
                self.stages["postprocess"].add(0.0)
        return is_fine

    def metrics(self) -> str:
        lines = ["# TYPE process_start_time_seconds gauge", f"process_start_time_seconds {self.began}"]
        with self.lock:
            for name, histogram in self.stages.items():
                lines += histogram.lines(f"request_{name}_seconds", self.chosen.model_name)
        return "\n".join([*lines, ""])


class Answer(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        model = re.fullmatch(r"/v[12]/models/([^/]+)(?:/ready)?", self.path)
        if self.path == "/metrics":
            self._send(200, self.server.metrics(), "text/plain; version=0.0.4")
        elif model or self.path == "/v2/health/ready":
            named = {"name": model[1]} if model else {}
            self._send(200 if self.server.is_ready else 503, named | {"ready": self.server.is_ready})
        elif self.path == "/v1/models":
            self._send(200, {"models": [self.server.chosen.model_name]})
        elif self.path == "/v2/health/live":
            self._send(200, {"live": True})
        elif self.path == "/v2":
            self._send(200, {"name": "kserve", "version": self.server.chosen.version, "extensions": []})
        elif self.path == "/":
            self._send(200, {"status": "alive", "version": self.server.chosen.version})
        else:
            self._send(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        self.server.count(1)
        try:
            self._answer()
        finally:
            self.server.count(-1)

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        v1 = re.fullmatch(r"/v1/models/([^/]+):predict", self.path)
        v2 = re.fullmatch(r"/v2/models/([^/]+)/infer", self.path)
        if not (v1 or v2):
            self._send(404, {"detail": "Not Found"})
            return
        try:
            asked = json.loads(body)
            inputs = asked["instances"] if v1 else asked["inputs"][0]["data"]
        except ValueError:
            self._send(400, {"error": "Unrecognized request format"})
            return
        except (KeyError, IndexError, TypeError) as error:
            self._send(500, {"error": f"{type(error).__name__} : {error}"})
            return
        if not self.server.predicts(float(self.headers.get(TAKES) or 0)):
            self._send(500, {"error": "RuntimeError : as it was told to"})
            return
        answers = [self.server.answer() or summary(one) for one in inputs]
        if v1:
            self._send(200, {"predictions": answers})
        else:
            self._send(200, self._v2(v2[1] if v2 else "", asked.get("id"), answers))

    def log_message(self, *_: object) -> None:
        """Say nothing of single requests."""

    def _v2(self, name: str, number: object, answers: list[Any]) -> dict[str, Any]:
        kind = "BYTES" if any(isinstance(one, str) for one in answers) else "FP32"
        output = {"name": "output", "shape": [len(answers)], "datatype": kind, "data": answers}
        return {"model_name": name, "model_version": self.server.chosen.version, "id": number, "outputs": [output]}

    def _send(self, status: int, content: object, kind: str = "application/json") -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.send_header("X-Model-Version", self.server.chosen.version)
        self.end_headers()
        self.wfile.write(text.encode())


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def summary(asked: Any) -> Any:
    """Return a text's first sentence; a number for everything else."""
    return asked.partition(". ")[0].rstrip(".") + "." if isinstance(asked, str) else 1.0


if __name__ == "__main__":
    server = Server(options(sys.argv[1:]))
    signal.signal(signal.SIGTERM, server.drain)
    threading.Thread(target=server.load, daemon=True).start()
    server.serve_forever()
