"""The worker as a process: what it says, and that it never outlives or outwaits the gate."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.child_environment import child_environment
from tests.support.raw_server import RawServer, Script, serving
from tests.support.servers_load import sends, text
from tests.support.waiting import PATIENCE, alive, until

import mlgate
from mlgate.adapters.docker.generator_files import own_files
from mlgate.adapters.load.channel import ProcessChannel, reply_of
from mlgate.core.errors import AdapterError

ASK = base64.b64encode(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").decode()


@pytest.fixture
def channel() -> Iterator[ProcessChannel]:
    made = ProcessChannel()
    yield made
    made.close()
    made.close()


@contextmanager
def working(script: Script) -> Iterator[tuple[RawServer, ProcessChannel]]:
    """A server and a worker, which hangs up first."""
    with serving(script) as server:
        made = ProcessChannel()
        try:
            yield server, made
        finally:
            server.ended.set()
            made.close()


class ReadyOnly(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" and self.headers["Host"] else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def get_only() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), ReadyOnly) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def hello(server: RawServer, **more: object) -> dict[str, Any]:
    port = int(server.url.rpartition(":")[2])
    return {"do": "hello", "addresses": ["127.0.0.1"], "port": port, "host": "m", "timeout_s": PATIENCE, **more}


def pid(channel: ProcessChannel) -> int:
    return channel._process.pid


def test_a_block_comes_back_as_columns_and_facts() -> None:
    with working(sends(text("fine"))) as (server, channel):
        channel.call(hello(server), PATIENCE)
        assert channel.call({"do": "payloads", "items": [ASK]}, PATIENCE)["payloads"] == 1
        assert channel.call({"do": "payloads", "items": [ASK, ASK]}, PATIENCE)["payloads"] == 3
        seen = channel.call({"do": "open", "due": [0.0, 0.001], "payload": [2, 0]}, PATIENCE)
    assert seen["payload"] == [2, 0]
    assert seen["due_us"] == [0, 1000]
    assert seen["facts"].keys() == {"wall_s", "cpu_s", "steal_s", "behind"}
    assert all(fact >= 0 for fact in seen["facts"].values())


def test_readiness_is_asked_for_with_a_path_and_with_a_payload(channel: ProcessChannel) -> None:
    with get_only() as server:
        port = server.server_address[1]
        hello = {
            "do": "hello",
            "addresses": ["127.0.0.1"],
            "port": port,
            "host": f"127.0.0.1:{port}",
            "timeout_s": PATIENCE,
        }
        channel.call(hello, PATIENCE)
        channel.call({"do": "payloads", "items": [ASK]}, PATIENCE)
        said = [
            channel.call({"do": "ready", **how}, PATIENCE)
            for how in ({"path": "/ready"}, {"path": "/"}, {"payload": 0})
        ]
        channel.close()
    assert [one["status"] for one in said] == [200, 404, 501]
    assert all(one["connected"] and one["failure"] == "" for one in said)


def test_a_port_that_is_not_open_is_not_ready_and_no_error(channel: ProcessChannel) -> None:
    with serving(sends(text("fine"))) as server:
        channel.call(hello(server), PATIENCE)
    seen = channel.call({"do": "ready", "path": "/", "within_s": 1.0}, PATIENCE)
    assert (seen["connected"], seen["status"]) == (False, 0)
    assert "could not connect" in seen["failure"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ({"do": "dance"}, "KeyError"),
        ({"do": "open", "due": [0.0], "payload": [0]}, "no hello came first"),
        ({"do": "ready", "path": "/"}, "no hello came first"),
        ({"do": "payloads", "items": ["?"]}, "Error"),
    ],
)
def test_what_goes_wrong_in_the_worker_is_an_error_here_and_not_its_end(
    channel: ProcessChannel, command: dict[str, object], why: str
) -> None:
    for _ in range(2):
        with pytest.raises(AdapterError, match=why):
            channel.call(command, PATIENCE)


@pytest.mark.parametrize(
    ("due", "payload"), [([0.0], [1]), ([0.0], [-1]), ([0.2, 0.1], [0, 0]), ([0.0], [0, 0]), ([], [])]
)
def test_a_plan_that_cannot_be_carried_out_is_refused(due: list[float], payload: list[int]) -> None:
    with working(sends(text("fine"))) as (server, channel):
        channel.call(hello(server), PATIENCE)
        channel.call({"do": "payloads", "items": [ASK]}, PATIENCE)
        with pytest.raises(AdapterError, match="ValueError"):
            channel.call({"do": "open", "due": due, "payload": payload}, PATIENCE)
    assert server.questions == []


def test_a_worker_that_ends_is_told_with_what_it_said_last(channel: ProcessChannel) -> None:
    os.kill(pid(channel), signal.SIGKILL)
    with pytest.raises(AdapterError, match="ended with exit code -9"):
        channel.call({"do": "payloads", "items": []}, PATIENCE)
    with pytest.raises(AdapterError, match="has been closed"):
        channel.call({"do": "payloads", "items": []}, PATIENCE)


def test_a_worker_that_does_not_answer_in_time_is_ended() -> None:
    with working(lambda _, __: server.ended.wait(PATIENCE) and False) as (server, channel):
        channel.call(hello(server, timeout_s=PATIENCE), PATIENCE)
        channel.call({"do": "payloads", "items": [ASK]}, PATIENCE)
        with pytest.raises(AdapterError, match=r"did not answer within 0\.5 s"):
            channel.call({"do": "open", "due": [0.0], "payload": [0]}, 0.5)
        assert not alive(pid(channel))


def test_a_worker_ends_with_its_standard_input_also_in_the_middle_of_a_block() -> None:
    with working(lambda _, __: server.ended.wait(PATIENCE) and False) as (server, made):
        made.call(hello(server, timeout_s=PATIENCE), PATIENCE)
        made.call({"do": "payloads", "items": [ASK]}, PATIENCE)
        standard_input = made._child._ask
        os.set_blocking(standard_input, True)
        os.write(standard_input, b'{"do": "open", "due": [0], "payload": [0]}\n')
        until(lambda: len(server.questions) == 1)
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), standard_input)  # closes the pipe
        until(lambda: not alive(pid(made)))


def test_ctrl_c_is_the_hosts_and_does_not_end_the_worker() -> None:
    with working(sends(text("fine"))) as (server, channel):
        channel.call(hello(server), PATIENCE)
        channel.call({"do": "payloads", "items": [ASK]}, PATIENCE)
        os.kill(pid(channel), signal.SIGINT)
        assert channel.call({"do": "ready", "payload": 0}, PATIENCE)["status"] == 200


@pytest.mark.parametrize("line", [b"", b"nonsense\n", b"[1]\n", b'{"error": "x"}\n', b"[" * 100_000])
def test_a_line_that_is_no_reply_is_an_error(line: bytes) -> None:
    with pytest.raises(AdapterError):
        reply_of(line)


def test_the_worker_runs_with_nothing_but_the_standard_library(tmp_path: Path) -> None:
    """As in the generator's container: an interpreter without site-packages, and what own_files() says."""
    source = Path(mlgate.__file__).parent
    for name in own_files():
        (tmp_path / "mlgate" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mlgate" / name).write_text((source / name).read_text())
    run = "import runpy; runpy.run_module('mlgate.adapters.load.worker', run_name='__main__')"
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {run}"],
        input=b'{"do": "payloads", "items": []}\n{"do": "quit"}\n',
        capture_output=True,
        check=True,
        env=child_environment(),
    )
    assert found.stdout == b'{"ok":true,"payloads":0}\n'
