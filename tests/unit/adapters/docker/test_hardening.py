"""What is asked of the engine, without one."""

from __future__ import annotations

import gc
import sys
from pathlib import Path, PurePosixPath

import pytest

from mlgate.adapters.docker.engine import connect
from mlgate.adapters.docker.generator_files import PACKAGE_HOME, digest, libraries
from mlgate.adapters.docker.hardening import SandboxOptions, device_requests, identity, limits
from mlgate.adapters.docker.image import describe, split
from mlgate.adapters.docker.image_build import Recipe, command
from mlgate.core.errors import AdapterError, ConfigError

pytest.importorskip("docker")

TMP = "/tmp"  # noqa: S108 - inside a container: a tmpfs of its own
LIMITS = limits(network="none", memory_mb=100, shm_mb=8, cpus=(0, 2), volumes=["/data"])


def test_every_hardening_flag_is_asked_for() -> None:
    asked = {
        name: LIMITS[name] for name in ("network_mode", "read_only", "cap_drop", "security_opt", "init", "ipc_mode")
    }
    assert asked == {
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "init": True,
        "ipc_mode": "private",
    }
    assert LIMITS["mem_limit"] == LIMITS["memswap_limit"] == 100 << 20
    assert LIMITS["pids_limit"] == 256
    assert LIMITS["cpuset_cpus"] == "0,2"


@pytest.mark.parametrize("name", ["privileged", "binds", "mounts", "pid_mode", "cap_add", "devices", "port_bindings"])
def test_nothing_of_the_host_is_ever_handed_in(name: str) -> None:
    assert name not in LIMITS


def test_every_volume_of_the_image_is_covered() -> None:
    assert set(LIMITS["tmpfs"]) == {"/data", TMP}
    assert all("nosuid,nodev,size=" in flags and "noexec" in flags for flags in LIMITS["tmpfs"].values())


def test_tmp_exec_is_for_tmp_alone() -> None:
    tmpfs = limits(network="none", memory_mb=100, shm_mb=8, volumes=["/data"], tmp_exec=True)["tmpfs"]
    assert "rw,exec" in tmpfs[TMP]
    assert "noexec" in tmpfs["/data"]


def test_a_volume_at_tmp_gets_tmps_size() -> None:
    tmpfs = limits(network="none", memory_mb=100, shm_mb=8, volumes=[TMP])["tmpfs"]
    assert tmpfs[TMP] == LIMITS["tmpfs"][TMP]


def test_the_user_is_never_the_images() -> None:
    who = identity({"a": "b"}, {"THREADS": "4"}, ())
    assert who["user"] == "65532:65532"
    assert who["environment"] == {"HOME": TMP, "LD_PRELOAD": "", "THREADS": "4"}
    assert who["healthcheck"] == {"test": ["NONE"]}
    assert who["use_config_proxy"] is False
    assert who["command"] is None


@pytest.mark.parametrize(("gpus", "count"), [("all", -1), (2, 2)])
def test_gpus_are_asked_for_by_number(gpus: int, count: int) -> None:
    (asked,) = device_requests(gpus) or [None]
    assert asked["Count"] == count
    assert asked["Capabilities"] == [["gpu"]]


def test_no_gpu_asks_for_none() -> None:
    assert device_requests(0) is None


@pytest.mark.parametrize("wrong", [{"mode": "none"}, {"port": 0}, {"port": 65536}, {"memory_mb": 1}, {"gpus": -1}])
def test_options_that_no_sandbox_has_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        SandboxOptions(**wrong)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    ("ref", "parts"),
    [
        ("m", ("m", "latest")),
        ("m:1", ("m", "1")),
        ("host:5000/a/m", ("host:5000/a/m", "latest")),
        ("host:5000/a/m:1", ("host:5000/a/m", "1")),
        ("a/m@sha256:00", ("a/m", "sha256:00")),
        ("a/m:1@sha256:00", ("a/m", "sha256:00")),
    ],
)
def test_a_reference_is_taken_apart_as_docker_does(ref: str, parts: tuple[str, str]) -> None:
    assert split(ref) == parts


def test_an_image_says_what_it_declares_and_no_value_of_its_environment() -> None:
    config = {"Env": ["TOKEN=secret", "A=b=c"], "Volumes": {"/data": {}}, "User": "root", "Entrypoint": ["/m"]}
    found = {"Id": "sha256:1", "Size": 2_500_000, "Os": "linux", "Architecture": "arm64", "Config": config}
    image = describe({**found, "RepoDigests": ["b/m@sha256:2", "a/m@sha256:3"]}, "b/m:1")
    assert image.repo_digest == "b/m@sha256:2"
    assert image.env_names == ("A", "TOKEN")
    assert image.volumes == {"/data"}
    assert (image.size_mb, image.platform) == (2.5, "linux/arm64")


def test_an_image_that_declares_nothing_is_an_image() -> None:
    image = describe({"Id": "sha256:1", "Size": 0, "RepoDigests": None, "Config": None}, "m")
    assert (image.repo_digest, image.volumes, image.entrypoint) == ("", frozenset(), ())


def test_no_value_of_a_build_becomes_an_option_of_its_own() -> None:
    recipe = Recipe(Path("/ctx"), args={"A": "--network=host"}, target="-rf", tag="--config=x")
    line = command("docker", recipe, Path("/ids"))
    assert line[-2:] == ["--", "/ctx"]
    assert {"--build-arg=A=--network=host", "--target=-rf", "--tag=--config=x"} <= set(line)


def test_the_libraries_are_read_from_ldd() -> None:
    said = (
        "/usr/bin/python3:\n\tlinux-vdso.so.1 (0x00007fee)\n\tlibm.so.6 => /lib/libm.so.6 (0x00007f)\n"
        "\tlibgone.so => not found\n\t/lib64/ld-linux-x86-64.so.2 (0x0000)\n"
        "/lib/x.so:\n\tstatically linked\n\tlibpython3.so => /opt/a b/libpython3.so (0x0f)\n"
    )
    assert libraries(said) >= {"/lib/libm.so.6", "/lib64/ld-linux-x86-64.so.2"}
    assert not any("vdso" in path or "gone" in path for path in libraries(said))


def test_the_drivers_digest_is_of_places_and_contents_and_not_of_compiled_files(tmp_path: Path) -> None:
    source, compiled = tmp_path / "a.py", tmp_path / "a.pyc"
    source.write_text("1")
    compiled.write_text("x")
    files = {PurePosixPath(PACKAGE_HOME, "a.py"): source, PurePosixPath(PACKAGE_HOME, "a.pyc"): compiled}
    first = digest(files, "recipe")
    compiled.write_text("y")
    assert digest(files, "recipe") == first
    assert digest(files, "another") != first
    source.write_text("2")
    assert digest(files, "recipe") != first


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the SDK's socket, never closed
def test_no_engine_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    with pytest.raises(AdapterError, match="no Docker engine answers") as caught:
        connect()
    assert "DOCKER_HOST" in caught.value.hint
    del caught
    gc.collect()


def test_no_sdk_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(ConfigError) as caught:
        connect()
    assert caught.value.hint == "pip install 'mlgate[docker]'"
