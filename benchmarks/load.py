"""The load generator beside its peers, taken in turn on the same servers: cost, exactness, and stalls.

    python benchmarks/load.py [--quick]

1. A closed loop against nginx: requests per CPU-second of the client. 2. An open loop against a server that takes
exactly 5 ms and knows what it took (exact_server.c). 3. The same server, stalling. Needs nginx, cc; shows wrk, hey and
locust (.cache/locust) where they are. Server on core 0, client on core 1, when there are two.
"""

from __future__ import annotations

import argparse
import base64
import csv
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlgate.adapters.load.channel import ProcessChannel

HERE = Path(__file__).parent
LOCUST = HERE.parent / ".cache/locust/bin/locust"
CONNECTIONS = 32
CORES = sorted(os.sched_getaffinity(0))
SERVER, CLIENT = CORES[0], CORES[-1]
TAKES_US = 5000
STALLED = {"p95": 100.0, "p99": 180.0}
"""In ms, of a server that answers nobody for 200 ms in every 2 s: one in ten requests waits up to 200 ms."""

NGINX = """
worker_processes 1; daemon off; pid {at}/pid; error_log {at}/log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_temp_path {at}/a; proxy_temp_path {at}/b;
  fastcgi_temp_path {at}/c; uwsgi_temp_path {at}/d; scgi_temp_path {at}/e;
  server {{
    listen 127.0.0.1:{port};
    location /new {{ default_type application/json; add_header X-Request-Id $request_id; return 200 '{{}}'; }}
    location / {{ default_type application/json; return 200 '{{"predictions": ["fine"]}}'; }}
  }}
}}
"""
LOCUSTFILE = """
from locust import FastHttpUser, task, constant_throughput
class User(FastHttpUser):
    {wait}
    @task
    def ask(self):
        self.client.get("/")
"""


class Ours:
    """The product's worker, over its own channel."""

    def __init__(self, port: int, path: str = "/") -> None:
        self._channel = ProcessChannel()
        name = f"127.0.0.1:{port}"
        hello = {
            "do": "hello",
            "addresses": ["127.0.0.1"],
            "port": port,
            "host": name,
            "timeout_s": 10.0,
            "cpus": [CLIENT],
        }
        self._channel.call({**hello, "connections": CONNECTIONS}, 20)
        asked = f"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()
        self._channel.call({"do": "payloads", "items": [base64.b64encode(asked).decode()]}, 20)

    def closed(self, seconds: float, concurrency: int = CONNECTIONS) -> dict[str, Any]:
        """Press."""
        command = {"do": "closed", "payload": [0], "concurrency": concurrency, "seconds": seconds}
        return _whole(self._channel.call(command, seconds + 60))

    def open(self, rate: float, seconds: float) -> dict[str, Any]:
        """Fire at a constant rate."""
        n = int(rate * seconds)
        command = {"do": "open", "due": [i / rate for i in range(n)], "payload": [0] * n}
        return _whole(self._channel.call(command, seconds + 60))

    def close(self) -> None:
        """End the worker."""
        self._channel.close()


def _whole(block: dict[str, Any]) -> dict[str, Any]:
    if block["failure"]:
        sys.exit(f"requests failed: {next(iter(block['failure'].values()))}")
    return block


def quantile(values: Sequence[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[int(q * (len(ordered) - 1))]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[None]:
    """Run a server on its core until it is no more needed."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, [SERVER]))  # noqa: S603, PLW1509 - our own command; this process has one thread
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def exact(*, stall: bool) -> Iterator[int]:
    """Compile and run exact_server.c."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/exact_server"
        subprocess.run(["cc", "-O2", "-o", program, str(HERE / "exact_server.c")], check=True)  # noqa: S603, S607 - our own file
        with running([program, str(port), str(TAKES_US), str(int(stall))], port):
            yield port


def truth(port: int) -> dict[str, float]:
    """Return what the server says it took since the last time, in ms."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=10) as reply:
        said = json.loads(reply.read())
    return {name: value / (1 if name == "n" else 1000) for name, value in said.items()}


def tool(*command: str) -> tuple[str, float]:
    """Run a peer on the client's core; return what it printed and its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["taskset", "-c", str(CLIENT), *command], capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own commands
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wrk(port: int, seconds: float, connections: int, path: str = "/") -> dict[str, float]:
    how = ["-t1", f"-c{connections}", f"-d{whole_seconds(seconds)}", "--latency"]
    said, cpu = tool("wrk", *how, f"http://127.0.0.1:{port}{path}")
    units = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    found = {f"p{q}": float(v) * units[unit] for q, v, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)\b", said)}
    return {**found, "n": float(re.findall(r"(\d+) requests in", said)[0]), "cpu": cpu}


def hey(port: int, seconds: float, connections: int, rate: float = 0) -> dict[str, float]:
    more = ["-q", f"{rate / connections:g}"] if rate else []
    said, cpu = tool(
        "hey", "-z", f"{whole_seconds(seconds)}s", "-c", str(connections), *more, f"http://127.0.0.1:{port}/"
    )
    found = {f"p{q}": float(v) * 1e3 for q, v in re.findall(r"(\d+)%\S* in ([\d.]+) secs", said)}
    return {**found, "n": float(re.findall(r"\[200\]\s+(\d+)", said)[0]), "cpu": cpu}


def locust(port: int, seconds: float, connections: int, rate: float = 0) -> dict[str, float]:
    wait = f"wait_time = constant_throughput({rate / connections})" if rate else ""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "locustfile.py")
        file.write_text(LOCUSTFILE.format(wait=wait))
        users = [*("-u", str(connections)), "-r", str(connections), "-t", f"{whole_seconds(max(seconds, 3))}s"]
        where = ["--host", f"http://127.0.0.1:{port}", "--csv", f"{folder}/seen", "--only-summary"]
        _, cpu = tool(str(LOCUST), "-f", str(file), "--headless", *users, *where)
        with Path(folder, "seen_stats.csv").open() as table:
            row = list(csv.DictReader(table))[-1]
    found = {f"p{q}": float(row[f"{q}%"].replace("N/A", "nan")) for q in (50, 95, 99)}
    return {**found, "n": float(row["Request Count"]), "cpu": cpu, "wall": float(whole_seconds(max(seconds, 3)))}


def whole_seconds(seconds: float) -> int:
    return max(1, round(seconds))


PEERS: dict[str, Callable[..., dict[str, float]]] = {
    name: run
    for name, run, there in (
        ("wrk", wrk, shutil.which("wrk")),
        ("hey", hey, shutil.which("hey")),
        ("locust", locust, LOCUST.exists()),
    )
    if there
}


def goal(what: str, *, reached: bool) -> None:
    print(f"  goal: {what}: {'reached' if reached else 'NOT REACHED'}")


def cost(rounds: int, seconds: float) -> None:
    """Table 1."""
    print(f"\n1. closed loop, {CONNECTIONS} connections, nginx (medians, {rounds} rounds)")
    print("           requests per CPU-second of the client")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        Path(folder, "conf").write_text(NGINX.format(at=folder, port=port))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        with running([program, "-p", folder, "-c", f"{folder}/conf", "-e", f"{folder}/log"], port):
            ours, strict = Ours(port), Ours(port, "/new")
            rows: dict[str, list[float]] = {"mlgate": [], **{name: [] for name in PEERS}}
            parsed: list[float] = []
            for _ in range(rounds):
                block = ours.closed(seconds)
                rows["mlgate"].append(len(block["reply"]) / block["facts"]["cpu_s"])
                for name, run in PEERS.items():
                    seen = run(port, seconds, CONNECTIONS)
                    rows[name].append(seen["n"] / seen["cpu"])
                if "wrk" in PEERS:
                    block = strict.closed(seconds)
                    seen = wrk(port, seconds, CONNECTIONS, "/new")
                    parsed.append(len(block["reply"]) / block["facts"]["cpu_s"] / (seen["n"] / seen["cpu"]))
            ours.close()
            strict.close()
    against = rows.get("wrk", rows["mlgate"])
    for name, found in rows.items():
        ratios = [one / other for one, other in zip(found, against, strict=True)]
        against_wrk = f"{statistics.median(ratios):6.3f} of wrk   [{min(ratios):.3f} {max(ratios):.3f}]"
        print(f"  {name:8} {statistics.median(found):10,.0f}   {against_wrk}")
    if parsed:
        ratio = statistics.median(a / b for a, b in zip(rows["mlgate"], rows["wrk"], strict=True))
        print("  A head that came before, byte for byte, is compared and not parsed again: the rows above.")
        goal(f"0.95 of wrk, heads that repeat ({ratio:.3f})", reached=ratio >= 0.95)
        every = statistics.median(parsed)
        goal(
            f"0.95 of wrk, no two heads alike, so every head is matched against its shape ({every:.3f})",
            reached=every >= 0.95,
        )


def exactness(rounds: int, seconds: float) -> None:
    """Table 2."""
    print(
        f"\n2. a server of exactly {TAKES_US / 1000:g} ms, held against what it says itself (medians, {rounds} rounds)"
    )
    print("            rate/s   p50 error   p95 error   late p50   late p99   cores")
    with exact(stall=False) as port:
        ours = Ours(port)
        ours.open(200, 1)
        for rate in (200, 1000, 3000):
            rows: dict[str, list[tuple[float, ...]]] = {}
            for _ in range(rounds):
                truth(port)
                block = ours.open(rate, seconds)
                real = truth(port)
                done, late = block["done_us"], block["late_us"]
                errors = [quantile(done, q) / 1000 / real[f"p{q * 100:g}"] - 1 for q in (0.5, 0.95)]
                lateness = [quantile(late, q) / 1000 for q in (0.5, 0.99)]
                busy = block["facts"]["cpu_s"] / block["facts"]["wall_s"]
                rows.setdefault("mlgate", []).append((*errors, *lateness, busy))
                for name, run in PEERS.items():
                    rows.setdefault(name, []).append(beside(name, run, port, rate, seconds))
            for name, found in rows.items():
                p50, p95, late50, late99, cores = (statistics.median(column) for column in zip(*found, strict=True))
                errors_text = f"{p50:+9.1%}   {p95:+9.1%}".replace("+nan%", "    -")
                late_text = f"{late50:5.3f} ms   {late99:5.3f} ms".replace("  nan ms", "       -")
                print(f"  {name:8} {rate:7}   {errors_text}   {late_text}   {cores:5.2f}")
                if name == "mlgate":
                    goal(f"p50 within 4 % ({p50:+.1%})", reached=abs(p50) < 0.04)
                    goal(f"99 % of requests less than 0.2 ms late ({late99:.3f} ms)", reached=late99 < 0.2)
        ours.close()


def beside(name: str, run: Callable[..., dict[str, float]], port: int, rate: int, seconds: float) -> tuple[float, ...]:
    """Return a peer's errors in p50 and p95, and its cores; how late it sends no peer says."""
    truth(port)
    # wrk knows no rate: so many connections that a server of this speed is asked about as often
    closed = name == "wrk"
    connections = max(2, round(rate * 0.0055)) if closed else CONNECTIONS
    seen = run(port, seconds, connections, **({} if closed else {"rate": rate}))
    real = truth(port)
    p95 = seen["p95"] / real["p95"] - 1 if "p95" in seen else float("nan")
    return seen["p50"] / real["p50"] - 1, p95, float("nan"), float("nan"), seen["cpu"] / seen.get("wall", seconds)


def stalls(seconds: float) -> None:
    """Table 3."""
    print("\n3. the same server answers nobody for 200 ms in every 2 s: what each says the p95 and p99 are")
    known = f"p95 {STALLED['p95']:.0f} ms, p99 {STALLED['p99']:.0f} ms by arithmetic"
    with exact(stall=True) as port:
        ours = Ours(port)
        for rate in (200, 1000):
            truth(port)
            block = ours.open(rate, seconds)
            real = truth(port)
            said = {name: quantile(block["done_us"], q) / 1000 for name, q in (("p95", 0.95), ("p99", 0.99))}
            print(f"  truth at {rate}/s   p95 {real['p95']:6.1f} ms   p99 {real['p99']:6.1f} ms   ({known})")
            print(f"  {'mlgate':8} open     p95 {said['p95']:6.1f} ms   p99 {said['p99']:6.1f} ms")
            wrong = max(abs(said[name] / real[name] - 1) for name in said)
            goal(f"within 5 % of the truth ({wrong:.1%})", reached=wrong < 0.05)
        closed = ours.closed(seconds, 8)["done_us"]
        p95, p99 = (quantile(closed, q) / 1000 for q in (0.95, 0.99))
        print(f"  {'mlgate':8} closed 8 p95 {p95:6.1f} ms   p99 {p99:6.1f} ms")
        ours.close()
        for name, run in PEERS.items():
            seen = run(port, seconds, 8)
            upper = f"p95 {seen['p95']:6.1f} ms" if "p95" in seen else f"p90 {seen['p90']:6.1f} ms"
            print(f"  {name:8} closed 8 {upper}   p99 {seen['p99']:6.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="few and short rounds, for CI: shows that it runs")
    parser.add_argument("--table", type=int, choices=(1, 2, 3), help="only this one")
    given = parser.parse_args()
    rounds, seconds = (1, 1.0) if given.quick else (5, 4.0)
    where = f"server on core {SERVER}, client on core {CLIENT}; load {os.getloadavg()[0]:.1f}"
    print(f"{where}; peers: {', '.join(PEERS) or 'none'}")
    if given.table in (None, 1):
        cost(rounds, seconds)
    if given.table in (None, 2):
        exactness(rounds, seconds)
    if given.table in (None, 3):
        stalls(4.0 if given.quick else 20.0)


if __name__ == "__main__":
    main()
