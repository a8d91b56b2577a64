"""The load generator's process: a line of JSON in, a line of JSON out, until standard input ends.

Standard library only, with the files beside it that it imports: it also runs inside a container that has nothing else.

    hello     addresses, port, name, host, tls, server_name, timeout_s, cpus, connections, limit
    payloads  items: whole HTTP requests in base64, numbered from 0 on over all such commands
    open      due: seconds, payload: numbers, stream
    closed    payload: numbers in turn, concurrency, seconds, count, stream
    ready     path, or payload; within_s
    quit
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import signal
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from mlgate.adapters.load.connection import Target
from mlgate.adapters.load.engine import Engine
from mlgate.adapters.load.pool import HostGone, NoConnection
from mlgate.adapters.load.results import Results

Command = Mapping[str, Any]
Answer = dict[str, object]

FIRST_CONNECTIONS = 32
"""Open before an open loop begins, when the host does not say."""
MOST_CONNECTIONS = 512
"""The most connections at once, when the host does not say."""
_PR_SET_TIMERSLACK = 29
_MICRO = 1e6
_STEAL = 8
"""The field of /proc/stat's first line that counts time taken by other guests."""


class Worker:
    """What the commands act on."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._payloads: list[bytes] = []
        self._connections = FIRST_CONNECTIONS
        self._host = ""

    def obey(self, command: Command) -> Answer:
        """Carry out one command. Raises whatever goes wrong with it."""
        acts: dict[str, Callable[[Command], Answer]] = {
            "hello": self._hello,
            "payloads": self._take,
            "open": self._open_loop,
            "closed": self._closed_loop,
            "ready": self._ready,
        }
        return {"ok": True, **acts[command["do"]](command)}

    def _hello(self, said: Command) -> Answer:
        if said.get("cpus"):
            os.sched_setaffinity(0, said["cpus"])
        context = ssl.create_default_context() if said.get("tls") else None
        name = str(said.get("name") or said["host"])
        target = Target(tuple(said["addresses"]), said["port"], name, context, str(said.get("server_name") or ""))
        if self._engine is not None:
            self._engine.close()
        self._engine = Engine(target, said["timeout_s"], said.get("limit") or MOST_CONNECTIONS, sys.stdin.fileno())
        self._connections = said.get("connections") or FIRST_CONNECTIONS
        self._host = str(said["host"])
        self._payloads = []
        return {"python": sys.version.split()[0], "timer_slack": _fine_timers()}

    def _take(self, said: Command) -> Answer:
        self._payloads += [base64.b64decode(item, validate=True) for item in said["items"]]
        return {"payloads": len(self._payloads)}

    def _open_loop(self, said: Command) -> Answer:
        due, plan = said["due"], said["payload"]
        if len(due) != len(plan) or any(late < early for early, late in pairwise(due)):
            raise ValueError("due and payload are no schedule")
        engine = self._engine_for(plan)
        stream = bool(said.get("stream"))
        run = partial(engine.open_loop, due, plan, self._payloads, self._connections, stream=stream)
        return self._run_timed(engine, run, plan)

    def _closed_loop(self, said: Command) -> Answer:
        plan, count = said["payload"], said.get("count")
        engine = self._engine_for(plan)
        most = sys.maxsize if count is None else count
        stream = bool(said.get("stream"))
        run = partial(
            engine.closed_loop, plan, self._payloads, said["concurrency"], said["seconds"], most, stream=stream
        )
        return self._run_timed(engine, run, plan)

    def _engine_for(self, plan: list[int]) -> Engine:
        if self._engine is None:
            raise ValueError("no hello came first")
        if not plan or not all(0 <= number < len(self._payloads) for number in plan):
            raise ValueError("a payload is asked for that never came")
        return self._engine

    def _run_timed(self, engine: Engine, run: Callable[[], tuple[Results, float]], plan: list[int]) -> Answer:
        steal, cpu = _steal_s(), time.process_time()
        try:
            book, start = run()
        except NoConnection as error:
            return {"unreachable": str(error)}
        cpu = time.process_time() - cpu
        columns: dict[str, Any] = book.columns(start, plan, engine.timeout_s)
        done = max((row[4] for row in book.rows), default=start)
        late: list[int] = columns["late_us"]
        facts = {
            "wall_s": max(0.0, done - start),
            "cpu_s": cpu,
            "steal_s": max(0.0, _steal_s() - steal),
            "behind": max(late, default=0) / _MICRO,
        }
        return {**columns, "facts": facts}

    def _ready(self, said: Command) -> Answer:
        """Ask once. Connected, but no status: the port is open and nobody speaks HTTP there yet."""
        engine = self._engine
        if engine is None:
            raise ValueError("no hello came first")
        path = str(said.get("path") or "/")
        if any(not " " < letter < "\x7f" for letter in path):
            raise ValueError("the path has a character in it that paths do not")
        asked = f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept: */*\r\n\r\n".encode("ascii")
        if said.get("payload") is not None:
            asked = self._payloads[said["payload"]]
        kept, engine.timeout_s = engine.timeout_s, said.get("within_s") or engine.timeout_s
        try:
            book, start = engine.closed_loop([0], [asked], 1, engine.timeout_s, 1, stream=False)
            seen: dict[str, Any] = book.columns(start, [0], engine.timeout_s)
        except NoConnection as error:
            return {"connected": False, "status": 0, "failure": str(error)}
        finally:
            engine.timeout_s = kept
        failure = seen["failure"].get("0", "")
        status = 0 if failure or not seen["replies"] else seen["replies"][0]["status"]
        return {"connected": not seen["unreached"], "status": status, "failure": failure}


def _fine_timers() -> bool:
    """Let waits end when they should: Linux lets them be 50 us late to save power. Not everywhere allowed."""
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def _steal_s() -> float:
    try:
        with open("/proc/stat", encoding="ascii") as stat:  # noqa: PTH123 - pathlib would be one more import
            return int(stat.readline().split()[_STEAL]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def main() -> None:
    """Obey until standard input ends, `quit` comes, or the host is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's: it ends this process in its own order
    worker = Worker()
    for line in sys.stdin.buffer:
        try:
            command = json.loads(line)
            if command["do"] == "quit":
                return
            answer = worker.obey(command)
        except HostGone:
            return
        except Exception as error:  # noqa: BLE001 - the host must hear of everything, and decides
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer, ensure_ascii=True, separators=(",", ":")) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
