"""What a hostile image tries, in real containers: the limits hold, and nothing is left (threats T72 to T82)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.conftest import SMALL, Start, left_of
from tests.support.child_environment import child_environment
from tests.support.images import ATTEMPT, READY, ask, python_image
from tests.support.waiting import PATIENCE, until

from mlgate.adapters.docker import reaper
from mlgate.adapters.docker.container import LOG_LIMIT, Container
from mlgate.adapters.docker.hardening import Mode, identity, limits
from mlgate.adapters.docker.labels import OWNER, RUN, labels
from mlgate.adapters.docker.reaper import reap
from mlgate.adapters.docker.sandbox import Sandbox
from mlgate.adapters.docker.server import ModelServer, start
from mlgate.adapters.load.channel import ProcessChannel
from mlgate.core.errors import ModelError

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.needs_docker

ROOMY = replace(SMALL, memory_mb=512)
TMP = "/tmp"  # noqa: S108 - inside a container: a tmpfs of its own

BOMB = """
def answer(text):
    started = 0
    while True:
        try:
            if os.fork() == 0:
                signal.pause()
        except OSError as error:
            return f"{errno.errorcode[error.errno]} {started}"
        started += 1
"""
BALLOON = "def answer(text): return str(len(bytearray(os.urandom(1 << 20)) * 400))"
BALLOON_IN_A_CHILD = """
def before():
    subprocess.run([sys.executable, "-c", "b'x' * (400 << 20)"])
    sys.exit(0)
"""
WORKER_BALLOON = """
def answer(text):
    return str(subprocess.run([sys.executable, "-c", "b'x' * (400 << 20)"]).returncode)
"""
CHATTER = """
def before():
    for i in range(20):
        print("x" * (1 << 20))
    print("the end", flush=True)
"""
DEAF = "def before(): signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN)"


@pytest.fixture(scope="module")
def attacker(client: DockerClient) -> Iterator[ModelServer]:
    """Start one hostile server for the attacks that it survives."""
    image, run_id = python_image(client, ATTEMPT, "VOLUME /data"), f"attacks-{os.getpid()}"
    with start(client, image, ROOMY, run_id=run_id, readiness=READY, ready_s=30, outside=ProcessChannel) as server:
        yield server
    assert left_of(client, run_id) == []


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        ("write /x", "EROFS"),
        ("write /model.py", "EROFS"),
        ("mkdir /data2", "EROFS"),
        ("fill /data/x", "ENOSPC"),
        ("fill /dev/shm/x", "ENOSPC"),
        (f"fill {TMP}/x", "ENOSPC"),
        ("write /proc/sys/kernel/core_pattern", "EROFS"),
        ("write /proc/sys/kernel/hostname", "EROFS"),
        ("setuid", "EPERM"),
        ("mount", "EPERM"),
        ("unshare", "EPERM"),
        ("mknod", "EPERM"),
        ("hostname", "EPERM"),
        ("raw", "EPERM"),
        ("connect 192.0.2.1:80", "ENETUNREACH"),
        ("connect 172.17.0.1:22", "ENETUNREACH"),
        ("connect 169.254.169.254:80", "ENETUNREACH"),
    ],
)
def test_what_a_model_must_not_do_it_cannot(attacker: ModelServer, attempt: str, outcome: str) -> None:
    assert ask(attacker.channel, attempt) == outcome


def test_a_declared_volume_is_no_folder_of_the_host(attacker: ModelServer) -> None:
    assert attacker.sandbox.container.inspect()["Mounts"] == []


@pytest.mark.parametrize(("tmp_exec", "outcome"), [(False, "EACCES"), (True, "done")])
def test_files_in_tmp_run_only_where_that_is_asked_for(
    client: DockerClient, serve: Start, tmp_exec: bool, outcome: str
) -> None:
    with serve(python_image(client, ATTEMPT), replace(SMALL, tmp_exec=tmp_exec)) as server:
        assert ask(server.channel, "run") == outcome
        assert server.facts()["sandbox.tmp_exec"] == ("yes" if tmp_exec else "no")


def test_a_fork_bomb_meets_its_limit(client: DockerClient, serve: Start) -> None:
    with serve(python_image(client, BOMB), SMALL) as server:
        why, started = ask(server.channel, "").split()
        assert why == "EAGAIN"
        assert 100 < int(started) < 256


def test_a_balloon_kills_the_model_and_nothing_else(client: DockerClient, serve: Start) -> None:
    with serve(python_image(client, BALLOON), SMALL) as server:
        assert ask(server.channel, "").startswith("failure:")
        until(lambda: server.why_dead() != "")
        assert "for want of memory (256 MB)" in server.why_dead()
        with pytest.raises(ModelError, match="memory") as caught:
            server.resources()
        assert "more than 256 MB" in caught.value.hint


def test_a_child_out_of_memory_is_seen_behind_exit_code_0(client: DockerClient, serve: Start) -> None:
    with pytest.raises(ModelError, match="exit code 0 after a process of it was killed for want of memory"):
        serve(python_image(client, BALLOON_IN_A_CHILD), SMALL)


def test_a_killed_worker_of_a_server_that_lives_on_is_counted(client: DockerClient, serve: Start) -> None:
    with serve(python_image(client, WORKER_BALLOON), SMALL) as server:
        assert ask(server.channel, "") == "-9"
        assert server.why_dead() == ""
        assert server.oom_kills() in {1, None}


def test_a_flood_of_output_is_kept_short(client: DockerClient, serve: Start, tmp_path: Path) -> None:
    with serve(python_image(client, CHATTER), SMALL) as server:
        server.sandbox.logs(tmp_path / "log")
        assert 0 < (tmp_path / "log").stat().st_size <= LOG_LIMIT
        assert server.sandbox.log_tail().endswith("the end")
        assert len(server.sandbox.log_tail()) <= 4096


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_log_goes_neither_through_a_link_nor_into_a_pipe(
    client: DockerClient, serve: Start, tmp_path: Path, kind: str
) -> None:
    victim, log = tmp_path / "victim", tmp_path / "model.log"
    victim.write_text("precious")
    if kind == "link":
        log.symlink_to(victim)
    else:
        os.mkfifo(log)
    with serve(python_image(client, CHATTER), SMALL) as server:
        server.sandbox.logs(log)
    assert victim.read_text() == "precious"
    assert not log.is_symlink()
    assert log.read_text().rstrip().endswith("the end")


@pytest.mark.parametrize("paused", [False, True])
def test_a_model_that_is_deaf_to_signals_is_removed(client: DockerClient, serve: Start, paused: bool) -> None:
    with serve(python_image(client, DEAF), SMALL) as server:
        if paused:
            client.api.pause(server.sandbox.container.id)


@pytest.mark.parametrize("mode", ["internal", "open"])
def test_a_weaker_network_is_said_to_reach_the_host(client: DockerClient, serve: Start, mode: Mode) -> None:
    with (
        serve(python_image(client, ATTEMPT), replace(SMALL, mode=mode)) as server,
        socket.create_server(("", 0)) as host,
    ):
        network = server.sandbox.network
        assert network is not None
        gateway = client.api.inspect_network(network.name)["IPAM"]["Config"][0]["Gateway"]
        assert ask(server.channel, f"connect {gateway}:{host.getsockname()[1]}") == "done"
        assert ask(server.channel, "write /x") == "EROFS"
        assert server.facts()["sandbox"] == mode
        assert "host" in str(server.facts()["probe.reaches"])
        assert server.sandbox.container.inspect()["NetworkSettings"]["Ports"] == {}


def test_a_container_that_cannot_start_is_removed(client: DockerClient, serve: Start) -> None:
    image = python_image(client, "", 'ENTRYPOINT ["/no/such/program"]')
    with pytest.raises(ModelError, match="exec /no/such/program failed"):
        serve(image, SMALL)


HOLDER = """
import signal, sys
from mlgate.adapters.docker.engine import connect
from mlgate.adapters.docker.hardening import SandboxOptions
from mlgate.adapters.docker.image import resolve
from mlgate.adapters.docker.server import start
from mlgate.adapters.load.channel import ProcessChannel
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell inherit that it is ignored

client = connect()
options = SandboxOptions(mode=sys.argv[3], memory_mb=256)
with start(client, resolve(client, sys.argv[1]), options, run_id=sys.argv[2], readiness="/", ready_s=30,
           outside=ProcessChannel):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("mode", ["strict", "internal"])
def test_what_a_killed_run_left_the_next_one_removes(client: DockerClient, run_id: str, mode: str) -> None:
    image = python_image(client)
    command = [sys.executable, "-c", HOLDER, image.id, run_id, mode]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=child_environment()
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert not [line for line in reap(client) if run_id in line]
        assert len(left_of(client, run_id)) == 2  # model and driver, or model and network
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    until(lambda: running(client, run_id) <= 1)  # a driver ends when its standard input does
    reap(client)  # or another run's reaper, which was faster
    until(lambda: left_of(client, run_id) == [])


def running(client: DockerClient, run_id: str) -> int:
    return len(client.api.containers(filters={"label": f"mlgate.run={run_id}"}))


def test_ctrl_c_leaves_nothing(client: DockerClient, run_id: str) -> None:
    image = python_image(client)
    command = [sys.executable, "-c", HOLDER, image.id, run_id, "strict"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment()
    ) as holder:
        until(lambda: left_of(client, run_id) != [])  # as early as can be
        holder.send_signal(signal.SIGINT)
        holder.wait(PATIENCE)


def test_an_interrupt_while_the_engine_creates_leaves_nothing(
    client: DockerClient, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, create = python_image(client), client.api.create_container

    def interrupted(*args: Any, **kwargs: Any) -> None:
        create(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(client.api, "create_container", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Sandbox(client, image, SMALL, run_id)


def test_what_a_living_run_owns_nobody_reaps(client: DockerClient, run_id: str) -> None:
    with Sandbox(client, python_image(client), SMALL, run_id) as sandbox:
        assert sandbox.container.inspect()["Config"]["Labels"]["mlgate.owner"] == labels(run_id)["mlgate.owner"]
        assert f":{os.getpid()}:" in f":{labels(run_id)['mlgate.owner']}"
        assert not [line for line in reap(client) if run_id in line]
        assert len(left_of(client, run_id)) == 1


def test_what_may_be_another_hosts_stays_unless_it_is_older_than_this_boot(
    client: DockerClient, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = {RUN: run_id, OWNER: "1:1:another-boot:1"}
    who, host = identity(foreign, {}, ()), limits(network="none", memory_mb=32, shm_mb=1)
    image = python_image(client)
    stopped, busy = (Container(client, image.id, who=who, host=host) for _ in range(2))
    busy.start()
    try:
        assert not [line for line in reap(client) if run_id in line]
        monkeypatch.setattr(reaper, "boot_time", lambda: time.time() + 3600)
        assert [stopped.id[:12] in line for line in reap(client) if run_id in line] == [True]
    finally:
        stopped.remove()
        busy.remove()
