"""A model's image becomes a server that answers, or an error that says why not. Real containers."""

from __future__ import annotations

import platform
import tarfile
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.conftest import SMALL, Start
from tests.support.images import ENDING, SILENT, ask, mortal, python_image
from tests.support.waiting import PATIENCE, until

from mlgate.adapters.docker import sandbox as docker_sandbox
from mlgate.adapters.docker import start_together as together
from mlgate.adapters.docker.engine import connect
from mlgate.adapters.docker.generator_channel import ContainerChannel
from mlgate.adapters.docker.generator_image import LABEL, driver_image, forget
from mlgate.adapters.docker.hardening import Mode, limits
from mlgate.adapters.docker.image import resolve
from mlgate.adapters.docker.image_build import Recipe, build
from mlgate.adapters.docker.labels import RUN
from mlgate.adapters.docker.probe import probe
from mlgate.adapters.docker.sandbox import Sandbox
from mlgate.adapters.docker.server import ModelServer, start
from mlgate.adapters.load.channel import Channel, ProcessChannel
from mlgate.core.errors import AdapterError, ConfigError, ModelError, Refused

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.needs_docker

GREEDY = """
def answer(text):
    held = bytearray(100_000_000)
    for place in range(0, len(held), 4096):
        held[place] = 1
    del held
    return "given back"
"""
UNREADY = """
def before():
    def do_GET(self):
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()
    Model.do_GET = do_GET
"""


@pytest.mark.parametrize("mode", ["strict", "internal", "open"])
def test_a_model_is_started_reached_and_accounted_for(client: DockerClient, serve: Start, mode: Mode) -> None:
    image = python_image(client)
    with serve(image, replace(SMALL, mode=mode, cpus=(0,))) as server:
        assert ask(server.channel, "A cat. It sat.") == "A cat."
        facts = server.facts()
        assert facts["image"] == image.id
        assert facts["image_mb"] == image.size_mb
        assert 0 < float(facts["start_s"]) <= float(facts["load_s"])
        assert facts["probe.capabilities"] == "none"
        assert facts["sandbox.cpus"] == "0"
        before = server.resources()
        ask(server.channel, "A dog. " * 100_000)
        after = server.resources()
        assert after["server_cpu_s"] > before["server_cpu_s"]
        assert 1 < after["server_memory_mb"] < 256
    server.close()


def test_a_strict_sandbox_is_seen_to_be_one(client: DockerClient, serve: Start) -> None:
    with serve(python_image(client), SMALL) as server:
        assert {name: text for name, text in server.facts().items() if name.startswith(("probe.", "sandbox"))} == {
            "sandbox": "strict",
            "probe.network": "lo only",
            "probe.reaches": "nothing",
            "probe.capabilities": "none",
            "probe.user": "65532",
            "probe.privileges": "no new",
            "probe.seccomp": "filter",
            "probe.rootfs": "read-only",
            "sandbox.memory_mb": 256.0,
            "sandbox.cpus": "all",
            "sandbox.driver_cpus": "all",
            "sandbox.tmp_exec": "no",
            "sandbox.gpus": "0",
            "sandbox.warnings": "",
        }


def test_a_sandbox_that_only_says_it_is_strict_is_refused(client: DockerClient, run_id: str) -> None:
    with Sandbox(client, python_image(client), replace(SMALL, mode="open"), run_id) as sandbox:
        sandbox.start()
        sandbox.options = SMALL
        with pytest.raises(Refused, match=r"probe\.network"):
            probe(client, sandbox, driver_image(client))


@pytest.mark.parametrize(
    ("weaker", "finding"),
    [
        ({"network_mode": "bridge"}, "network"),
        ({"cap_drop": []}, "capabilities"),
        ({"security_opt": []}, "privileges"),
        ({"security_opt": ["no-new-privileges:true", "seccomp=unconfined"]}, "seccomp"),
        ({"read_only": False}, "rootfs"),
    ],
)
def test_an_engine_that_drops_one_flag_is_found_out(
    client: DockerClient, serve: Start, monkeypatch: pytest.MonkeyPatch, weaker: dict[str, object], finding: str
) -> None:
    monkeypatch.setattr(docker_sandbox, "limits", lambda **asked: {**limits(**asked), **weaker})
    with pytest.raises(Refused, match=f"probe.{finding}"):
        serve(python_image(client), SMALL)


@pytest.mark.parametrize("mode", ["strict", "internal"])
def test_a_model_that_never_opens_its_port_is_given_up(client: DockerClient, serve: Start, mode: Mode) -> None:
    with pytest.raises(ModelError, match=r"not ready after 2 s: nothing listens on its port 8080.*\nloading for ever"):
        serve(python_image(client, SILENT), replace(SMALL, mode=mode), ready_s=2)


@pytest.mark.parametrize("mode", ["strict", "internal"])
def test_a_model_that_ends_at_its_start_says_why(client: DockerClient, serve: Start, mode: Mode) -> None:
    with pytest.raises(ModelError, match=r"ended with exit code 4; it printed last:\nno weights found"):
        serve(python_image(client, ENDING), replace(SMALL, mode=mode))


def test_a_model_that_is_never_ready_says_what_it_answers(client: DockerClient, serve: Start) -> None:
    with pytest.raises(ModelError, match=r"GET /v1/models/m gives status 503"):
        serve(python_image(client, UNREADY), SMALL, ready_s=2)


def test_readiness_may_be_a_question_of_its_own(client: DockerClient, serve: Start) -> None:
    asked = []

    def ready(channel: Channel, _: float) -> str:
        asked.append(ask(channel, "Ready. Yes."))
        return "" if len(asked) > 1 else "not yet"

    serve(python_image(client), SMALL, readiness=ready).close()
    assert asked == ["Ready.", "Ready."]


def test_an_interrupt_while_waiting_leaves_nothing(client: DockerClient, serve: Start) -> None:
    def ready(_: Channel, __: float) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve(python_image(client), SMALL, readiness=ready)


@pytest.mark.parametrize("mode", ["strict", "internal"])
def test_a_start_that_nobody_waits_for_any_more_leaves_nothing(client: DockerClient, serve: Start, mode: Mode) -> None:
    with pytest.raises(ModelError, match="given up: nothing listens on its port 8080"):
        serve(python_image(client, SILENT), replace(SMALL, mode=mode), ready_s=PATIENCE, given_up=lambda: True)


def test_ctrl_c_while_two_start_ends_the_one_that_is_there_and_the_one_that_is_not(
    client: DockerClient, serve: Start, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is left: the run's own fixture looks."""
    good, silent = python_image(client), python_image(client, SILENT)

    def interrupted(pending: Sequence[Future[ModelServer]]) -> None:
        assert pending[0].result().port == SMALL.port
        raise KeyboardInterrupt

    monkeypatch.setattr(together, "wait", interrupted)
    with closing(connect()) as other:
        begin = partial(start, other, run_id=run_id, readiness="/", ready_s=PATIENCE, outside=ProcessChannel)
        starts: list[together.Start] = [
            lambda given_up: serve(good, SMALL, given_up=given_up),
            lambda given_up: begin(silent, SMALL, given_up=given_up),
        ]
        with pytest.raises(KeyboardInterrupt):
            together.start_together(starts)


def test_a_model_that_dies_under_load_says_what_it_printed(client: DockerClient, serve: Start) -> None:
    with serve(python_image(client, mortal(3)), SMALL) as server:
        assert [ask(server.channel, "a"), ask(server.channel, "b")] == ["a", "b"]
        assert ask(server.channel, "c").startswith("failure:")
        until(lambda: server.why_dead() != "")
        assert "exit code 7; it printed last:\nI have had enough" in server.why_dead()
        assert ask(server.channel, "d").startswith("failure:")


def test_a_dead_models_network_is_not_joined(client: DockerClient, run_id: str) -> None:
    with Sandbox(client, python_image(client, ENDING), SMALL, run_id) as sandbox:
        sandbox.start()
        until(lambda: not sandbox.alive())
        with pytest.raises(ModelError, match="no weights found"):
            ContainerChannel(client, sandbox, driver_image(client))
        with pytest.raises(ModelError, match="no weights found"):
            probe(client, sandbox, driver_image(client))


def test_memory_that_was_given_back_before_anybody_looked_is_in_the_peak(client: DockerClient, serve: Start) -> None:
    with serve(python_image(client, GREEDY), SMALL) as server:
        before = server.resources()["server_memory_mb"]
        assert ask(server.channel, "") == "given back"
        assert server.resources()["server_memory_mb"] > before + 90


def test_long_lines_go_both_ways(client: DockerClient, serve: Start) -> None:
    with serve(python_image(client, "def answer(text): return text"), SMALL) as server:
        text = "ä" * (1 << 19)
        assert ask(server.channel, text) == text


def test_a_load_generator_that_hangs_is_ended(client: DockerClient, serve: Start) -> None:
    with serve(python_image(client), SMALL) as server:
        assert isinstance(server.channel, ContainerChannel)
        client.api.pause(server.channel._container.id)
        with pytest.raises(AdapterError, match="did not answer within"):
            server.channel.call({"do": "ready"}, 0.5)
        with pytest.raises(AdapterError, match="has been closed"):
            server.channel.call({"do": "ready"}, 0.5)


def test_a_load_generator_that_is_killed_is_missed(client: DockerClient, serve: Start) -> None:
    with serve(python_image(client), SMALL) as server:
        assert isinstance(server.channel, ContainerChannel)
        client.api.kill(server.channel._container.id)
        with pytest.raises(AdapterError, match=r"ended with exit code 137|broke"):
            server.channel.call({"do": "ready"}, PATIENCE)


def test_the_driver_is_built_once(client: DockerClient) -> None:
    first = driver_image(client)
    again = driver_image(client)
    assert (again.image_id, again.built_s) == (first.image_id, 0)
    assert again.size_mb < 150


def test_a_driver_for_another_machine_says_what_to_do(client: DockerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(ConfigError, match="this is linux/riscv64") as caught:
        driver_image(client)
    assert "MLGATE_DRIVER_IMAGE" in caught.value.hint


def test_another_driver_may_be_named(client: DockerClient, serve: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGATE_DRIVER_IMAGE", driver_image(client).image_id)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with serve(python_image(client), SMALL) as server:
        assert ask(server.channel, "Yes. No.") == "Yes."


@pytest.mark.parametrize("ref", ["mlgate-test-absent:1", "sha256:" + 64 * "0", "-rf", "a;b", "$(id)"])
def test_an_image_that_is_nowhere_is_named_in_the_error(
    client: DockerClient, monkeypatch: pytest.MonkeyPatch, ref: str
) -> None:
    said = [{"status": "Pulling"}, {"error": "manifest unknown"}]
    monkeypatch.setattr(client.api, "pull", lambda *_, **__: iter(said))  # no test asks a registry
    with pytest.raises(ModelError) as caught:
        resolve(client, ref)
    assert ref in caught.value.message
    assert caught.value.hint


def test_what_is_resolved_once_stays_the_same_when_the_tag_moves(client: DockerClient) -> None:
    one, two = python_image(client, "# one"), python_image(client, "# two")
    client.api.tag(one.id, "mlgate-test-moving", "1")
    first = resolve(client, "mlgate-test-moving:1")
    client.api.tag(two.id, "mlgate-test-moving", "1")
    assert first.id == one.id
    assert resolve(client, "mlgate-test-moving:1").id == two.id
    client.images.remove("mlgate-test-moving:1")


def test_an_image_is_built_from_its_dockerfile(client: DockerClient, tmp_path: Path) -> None:
    base = driver_image(client).image_id
    (tmp_path / "model.txt").write_text("weights")
    (tmp_path / "Dockerfile").write_text(
        f"FROM {base} AS first\nARG WHICH=none\nENV WHICH=$WHICH\nFROM first AS last\nCOPY model.txt /\nVOLUME /data\n"
    )
    image = build(client, Recipe(tmp_path, args={"WHICH": "this"}, tag="mlgate-test-built:1"))
    assert image.volumes == {"/data"}
    assert "WHICH=this" in client.images.get(image.id).attrs["Config"]["Env"]
    first = build(client, Recipe(tmp_path, target="first", tag="mlgate-test-built:2"))
    assert first.volumes == frozenset()
    client.images.remove("mlgate-test-built:1")
    client.images.remove("mlgate-test-built:2")


def test_a_build_that_fails_shows_its_last_lines(client: DockerClient, tmp_path: Path) -> None:
    driver = client.images.get(driver_image(client).image_id)
    python = driver.attrs["Config"]["Entrypoint"][0]
    (tmp_path / "Dockerfile").write_text(
        f'FROM {driver.id}\nRUN ["{python}", "-c", "print(\'the wheel is missing\'); raise SystemExit(3)"]\n'
    )
    with pytest.raises(ModelError, match="the wheel is missing"):
        build(client, Recipe(tmp_path, tag="mlgate-test-built:3"))
    with pytest.raises(ModelError, match="no such Dockerfile"):
        build(client, Recipe(tmp_path, dockerfile="absent"))


def test_older_images_of_the_driver_go_but_not_one_that_is_used_or_somebody_elses(
    client: DockerClient, run_id: str
) -> None:
    repository = f"mlgate-{run_id}"

    def made(tag: str, label: str = LABEL) -> str:
        changes = [f"LABEL {label}={tag}", "CMD /nothing"]
        with tempfile.TemporaryFile() as archive:
            tarfile.open(fileobj=archive, mode="w").close()
            archive.seek(0)
            client.api.import_image(src=archive, repository=repository, tag=tag, changes=changes)
        return str(client.images.get(f"{repository}:{tag}").id)

    old, used, foreign, named, new = made("old"), made("used"), made("foreign", "other"), made("named"), made("new")
    client.api.tag(named, f"{repository}-mine", "latest")
    container = client.api.create_container(used, labels={RUN: run_id})["Id"]
    try:
        forget(client, repository, new, before=0.0)
        assert {old, used, foreign, named, new} == {found["Id"] for found in client.api.images(name=repository)}
        forget(client, repository, new, before=time.time() + 60)
        assert {used, foreign, named, new} == {found["Id"] for found in client.api.images(name=repository)}
    finally:
        client.api.remove_container(container)
        for one in (used, foreign, named, new):
            client.api.remove_image(one, force=True)
