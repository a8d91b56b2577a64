"""Traps of models, servers, metrics and baselines."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.hints.trap import Trap, replaced, taken

ECHO = "def answer(text):\n    return text\n"
TEXTS = [f"the {word} sat on a mat and looked at me {i}" for i, word in enumerate(("cat", "dog", "bird", "cow", "hen"))]
CHINESE = ["今天天气很好我们去公园玩", "明天会下雨所以我不出门", "他昨天买了一本新书看完了", "我们一起吃了晚饭很开心"]


def rows(*pairs: tuple[str, str], **more: str) -> str:
    return "".join(json.dumps({"input": one, "reference": other, **more}) + "\n" for one, other in pairs)


def config(check: str, model: str = '{python: "model:answer"}', rest: str = "") -> str:
    return f"version: 1\nmodel: {model}\nchecks:\n  c:\n    data: test.jsonl\n{check}{rest}"


def _written_line(printed: str, folder: Path) -> None:
    """Do what `write metrics: …` says: as a line of the check."""
    line = taken(r"next: write (metrics: \{.*?\}+)(?: |$)", printed)
    replaced(folder / "mlgate.yaml", "    rules:", f"    {line}\n    rules:")


def _other_metric(name: str) -> Callable[[str, Path], None]:
    def follow(printed: str, folder: Path) -> None:
        other = taken(r"use (\w+)", printed)
        replaced(folder / "mlgate.yaml", f"{name}: ", f"{other}: ")

    return follow


def _env(printed: str, folder: Path) -> None:
    line = taken(r"write (env: \[\w+\]) under python", printed)
    replaced(folder / "mlgate.yaml", '{python: "model:answer"}', f'{{python: {{target: "model:answer", {line}}}}}')


def _address(printed: str, folder: Path) -> None:
    config_file = folder / "mlgate.yaml"
    asked = taken(r'url: "([^"]+)"', config_file.read_text())
    replaced(config_file, asked, taken(r"to (\S+) \(redirects", printed))


def _compare(printed: str, folder: Path) -> None:
    line = taken(r"`(compare: common)` under baseline", printed)
    replaced(folder / "mlgate.yaml", "path: b.jsonl.gz", f"path: b.jsonl.gz, {line}")


@contextmanager
def _redirecting() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            here = self.path == "/v2/ask"
            body = json.dumps({"text": "yes"}).encode() if here else b""
            self.send_response(200 if here else 307)
            self.send_header("Location", f"http://{self.headers['Host']}/v2/ask")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _grown(folder: Path) -> None:
    more = rows(*[(f"one more {i}", f"one more {i}") for i in range(3)])
    (folder / "test.jsonl").write_text((folder / "test.jsonl").read_text() + more)


MANY = rows(*[(f"{text} {i}", f"{text} {i}") for i in range(9) for text in TEXTS])
MIXED = rows(*[(text, text) for text in TEXTS], lang="en") + rows(*[(text, text) for text in CHINESE], lang="zh")

TRAPS: tuple[Trap, ...] = (
    Trap(
        "a variable that the model does not see",
        {
            "mlgate.yaml": config("    rules: {exact_match: {min: 0.5}}\n"),
            "model.py": "import os\ndef answer(text):\n    return text if os.environ['MODEL_HOME'] else ''\n",
            "test.jsonl": rows(("a", "a")),
        },
        _env,
        environment={"MODEL_HOME": "x"},
    ),
    Trap(
        "a server that redirects",
        {
            "mlgate.yaml": config(
                "    rules: {exact_match: {min: 0.5}}\n",
                '{endpoint: {url: "URL/v1/ask", protocol: json, request: {q: "{input}"}, answer: text}}',
            ),
            "test.jsonl": rows(("a", "yes")),
        },
        _address,
        server=_redirecting,
    ),
    Trap(
        "a test set that grew",
        {
            "mlgate.yaml": config(
                "    rules: {rougeL: {max_drop: 0.1}}\n", rest="baseline: {from: file, path: b.jsonl.gz}\n"
            ),
            "model.py": ECHO,
            "test.jsonl": MANY,
        },
        _compare,
        before=("check", "--save-baseline"),
        spring=_grown,
    ),
    Trap(
        "two languages and one tokenizer",
        {
            "mlgate.yaml": config("    rules: {bleu: {min: 20}}\n    slices: [lang]\n"),
            "model.py": ECHO,
            "test.jsonl": MIXED,
        },
        _written_line,
    ),
    Trap(
        "Chinese under the tokenizer for English",
        {
            "mlgate.yaml": config("    rules: {bleu: {min: 20}}\n"),
            "model.py": ECHO,
            "test.jsonl": rows(*[(text, text) for text in CHINESE]),
        },
        _written_line,
    ),
    Trap(
        "Chinese under a tokenizer that sees ASCII",
        {
            "mlgate.yaml": config("    rules: {rougeL: {min: 0.2}}\n"),
            "model.py": ECHO,
            "test.jsonl": rows(*[(text, text) for text in CHINESE]),
        },
        _written_line,
    ),
    Trap(
        "words of a script that has none",
        {
            "mlgate.yaml": config("    rules: {wer: {max: 0.2}}\n"),
            "model.py": ECHO,
            "test.jsonl": rows(*[(text, text) for text in CHINESE]),
        },
        _other_metric("wer"),
    ),
    Trap(
        "texts as labels",
        {
            "mlgate.yaml": config("    rules: {accuracy: {min: 0.2}}\n"),
            "model.py": ECHO,
            "test.jsonl": MANY,
        },
        _other_metric("accuracy"),
    ),
)
