"""What the engine, the kernel and the probe say, read without any of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.child_environment import child_environment
from tests.support.waiting import until

from mlgate.adapters.docker.cgroups import find, of_engine
from mlgate.adapters.docker.frames import Frames
from mlgate.adapters.docker.labels import UNKNOWN, boot_time, is_dead, is_of_another_boot, owner
from mlgate.adapters.docker.probe import Process, account, network, refuse, root_of, users_inside
from mlgate.core.errors import Refused

STATUS = {"CapEff": "0", "CapPrm": "0", "CapBnd": "0", "CapAmb": "0", "NoNewPrivs": "1", "Seccomp": "2"}
ROOT = "100 99 0:50 / / ro,relatime - overlay overlay rw\n101 100 0:51 / /tmp rw,noexec - tmpfs tmpfs rw"
STRICT = {
    **network({"interfaces": {"lo": True}, "routes": [], "reached": {"internet": "ENETUNREACH"}}),
    **account([Process(STATUS, frozenset({65532}), ROOT)]),
}


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=20)), max_size=8), st.data())
def test_frames_read_the_same_however_they_are_cut(parts: list[tuple[int, bytes]], data: st.DataObject) -> None:
    wire = b"".join(bytes([kind, 0, 0, 0]) + len(body).to_bytes(4, "big") + body for kind, body in parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    frames, out, err = Frames(), b"", b""
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        more_out, more_err = frames.feed(wire[start:end])
        out, err = out + more_out, err + more_err
    assert out == b"".join(body for kind, body in parts if kind == 1)
    assert err == b"".join(body for kind, body in parts if kind == 2)


def test_a_strict_sandbox_that_is_one_passes() -> None:
    refuse("strict", STRICT)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        (
            "probe.network",
            network({"interfaces": {"lo": True, "eth0": True}, "routes": [], "reached": {}})["probe.network"],
        ),
        ("probe.network", network({"interfaces": {"lo": True}, "routes": ["x 0/0"], "reached": {}})["probe.network"]),
        ("probe.reaches", "internet"),
        ("probe.capabilities", "2000"),
        ("probe.user", "0 65532"),
        ("probe.privileges", "can be gained"),
        ("probe.seccomp", "off"),
        ("probe.rootfs", "writable"),
        ("probe.network", "not readable"),
    ],
)
def test_one_finding_that_is_weaker_refuses_the_sandbox(name: str, seen: str) -> None:
    with pytest.raises(Refused, match=name):
        refuse("strict", {**STRICT, name: seen})


@pytest.mark.parametrize("mode", ["internal", "open"])
def test_a_weaker_network_weakens_nothing_else(mode: str) -> None:
    open_network = {"probe.network": "eth0, lo; 2 routes", "probe.reaches": "host, internet"}
    refuse(mode, {**STRICT, **open_network})
    with pytest.raises(Refused):
        refuse(mode, {**STRICT, **open_network, "probe.rootfs": "writable"})


def test_what_cannot_be_read_is_said_and_not_taken_for_good() -> None:
    found = account([])
    assert set(found.values()) == {"not readable"}
    refuse("strict", {**STRICT, **found})


def test_the_most_powerful_process_counts() -> None:
    root = Process({**STATUS, "CapBnd": "2000", "NoNewPrivs": "0", "Seccomp": "0"}, frozenset({0}), None)
    found = account([Process(STATUS, frozenset({65532}), ROOT), root])
    assert found["probe.capabilities"] == "2000"
    assert found["probe.user"] == "0 65532"
    assert found["probe.privileges"] == "can be gained"
    assert found["probe.seccomp"] == "filter off"


def test_an_interface_that_is_down_is_no_way_out_but_is_said() -> None:
    found = network({"interfaces": {"lo": True, "tunl0": False}, "routes": [], "reached": {}})
    assert found["probe.network"] == "lo only"
    assert found["probe.interfaces_down"] == "tunl0"


def test_one_writable_root_is_writable() -> None:
    assert root_of([ROOT, "100 99 0:50 / / rw,relatime - overlay overlay rw"]) == "writable"
    assert root_of([None]) == "not readable"


def test_user_ids_are_those_of_the_containers_namespace() -> None:
    assert list(users_inside([165532], "0 100000 65536\n")) == [65532]
    assert list(users_inside([65532], "0 0 4294967295\n")) == [65532]


def test_this_process_is_alive_and_a_dead_one_is_dead() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True, env=child_environment()
    )
    text = owner(child.pid)
    assert not is_dead(text)
    assert not is_dead(owner(os.getpid()))
    child.kill()
    until(lambda: is_dead(text))  # already while nobody has reaped it
    child.communicate()
    assert is_dead(text)


def test_a_pid_that_was_given_out_again_is_another_process() -> None:
    pid, start, *rest = owner(os.getpid()).split(":")
    assert is_dead(":".join([pid, str(int(start) + 1), *rest]))


@pytest.mark.parametrize("text", ["", UNKNOWN, "1:2:3", "x:1:2:3", "-1:1:2:3", "1:2:other-boot:4"])
def test_an_owner_of_elsewhere_is_never_taken_for_dead(text: str) -> None:
    assert not is_dead(text)


def test_another_boot_is_told_from_this_one() -> None:
    assert is_of_another_boot("1:2:other-boot:4")
    assert not is_of_another_boot(owner(os.getpid()))
    assert not is_of_another_boot(UNKNOWN)


def test_the_boot_was_before_now() -> None:
    assert 0 < boot_time() < Path(__file__).stat().st_ctime + 10 * 365 * 86400


def test_cgroup_v1_and_v2_and_the_engine_count_alike(tmp_path: Path) -> None:
    one, two = tmp_path / "v1", tmp_path / "v2"
    for folder, lines in ((one, "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n"), (two, "0::/system/docker-abc\n")):
        (folder / "proc/7").mkdir(parents=True)
        (folder / "proc/7/cgroup").write_text(lines)
    write(one / "fs/cpuacct/docker/abc/cpuacct.usage", "1500000000\n")
    write(one / "fs/memory/docker/abc/memory.usage_in_bytes", "3000000\n")
    write(one / "fs/memory/docker/abc/memory.max_usage_in_bytes", "7000000\n")
    write(one / "fs/memory/docker/abc/memory.stat", "inactive_file 5\ntotal_inactive_file 1000000\n")
    write(two / "fs/system/docker-abc/cpu.stat", "usage_usec 1500000\nuser_usec 1\n")
    write(two / "fs/system/docker-abc/memory.current", "3000000\n")
    write(two / "fs/system/docker-abc/memory.peak", "7000000\n")
    write(two / "fs/system/docker-abc/memory.stat", "anon 1\ninactive_file 1000000\n")
    write(one / "fs/memory/docker/abc/memory.oom_control", "under_oom 0\noom_kill 3\n")
    write(two / "fs/system/docker-abc/memory.events", "oom 4\noom_kill 3\n")
    said = {
        "cpu_stats": {"cpu_usage": {"total_usage": 1_500_000_000}},
        "memory_stats": {"usage": 3_000_000, "max_usage": 7_000_000, "stats": {"inactive_file": 1_000_000}},
    }
    expected = {"server_cpu_s": 1.5, "server_memory_mb": 7.0}
    for folder in (one, two):
        files = find(7, "abc", folder / "proc", folder / "fs")
        assert files is not None
        assert files.read() == expected
        assert files.oom_kills() == 3
        assert find(7, "other", folder / "proc", folder / "fs") is None
        assert find(8, "abc", folder / "proc", folder / "fs") is None
    assert of_engine(said) == expected
    assert of_engine({"memory_stats": {}}) == {}


def test_where_nobody_keeps_a_peak_the_memory_is_what_is_used_now(tmp_path: Path) -> None:
    write(tmp_path / "proc/7/cgroup", "0::/docker-abc\n")
    write(tmp_path / "fs/docker-abc/cpu.stat", "usage_usec 1500000\n")
    write(tmp_path / "fs/docker-abc/memory.current", "3000000\n")
    write(tmp_path / "fs/docker-abc/memory.stat", "inactive_file 1000000\n")
    files = find(7, "abc", tmp_path / "proc", tmp_path / "fs")
    assert files is not None
    assert files.read()["server_memory_mb"] == 2.0
    said = {
        "cpu_stats": {"cpu_usage": {"total_usage": 0}},
        "memory_stats": {"usage": 3_000_000, "stats": {"inactive_file": 1_000_000}},
    }
    assert of_engine(said)["server_memory_mb"] == 2.0


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
