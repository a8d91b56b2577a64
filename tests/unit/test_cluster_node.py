"""The node of the tests' cluster tells the truth about its processes, as a kubelet would; here without a cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.child_environment import child_environment
from tests.support.cluster.container import BACK_OFF_S, FORGIVEN_S, Container, wait_for_the_end
from tests.support.cluster.network import Addresses, PodNetwork
from tests.support.cluster.probes import Probe
from tests.support.cluster.programs import QUEUE_IMAGE, Program, program_of
from tests.support.waiting import until

DIGEST = f"sha256:{'1f' * 32}"


class Here(PodNetwork):
    """This machine's own network: making another one takes root."""

    @property
    def ip(self) -> str:
        return "127.0.0.1"

    def inside(self, *command: str) -> list[str]:
        return list(command)


def container(folder: Path, *words: str, policy: str = "Always", **spec: Any) -> Container:
    program = Program(words, child_environment())
    return Container({"name": "m", "image": "local/m", **spec}, program, Here("here", 1), folder, policy)


def state(one: Container) -> str:
    """Return `running`, or why it is not."""
    ((kind, about),) = one.status()["state"].items()
    return kind if kind == "running" else str(about["reason"])


def stepped(one: Container, now: float, expected: str) -> bool:
    one.step(now)
    return state(one) == expected


def step_until(one: Container, now: float, expected: str) -> None:
    """Step at the same moment until its process has made it so."""
    until(lambda: stepped(one, now, expected))


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("local/modelserver", "latest"),
        ("local/modelserver:v2", "v2"),
        (f"registry.example.com/models/modelserver@{DIGEST}", DIGEST),
        (f"registry.example.com:5000/modelserver:v2@{DIGEST}", DIGEST),
    ],
)
def test_an_image_s_name_is_the_version_that_its_model_server_answers_with(image: str, version: str) -> None:
    found = program_of({"name": "m", "image": image, "args": ["--latency=1"]}, pod(), "10.244.0.9")
    assert found.words[0] == sys.executable
    assert found.words[-1] == "--latency=1"
    assert found.environment["MODEL_VERSION"] == version


def test_a_manifest_s_variable_and_its_storage_uri_say_more_than_the_image() -> None:
    stored = pod(initContainers=[{"name": "storage-initializer", "args": ["s3://models/m/v7/", "/mnt/models"]}])
    model = {"name": "m", "image": "local/modelserver:1"}
    assert program_of(model, stored, "").environment["MODEL_VERSION"] == "v7"
    said = {**model, "env": [{"name": "MODEL_VERSION", "value": "mine"}]}
    assert program_of(said, stored, "").environment["MODEL_VERSION"] == "mine"


def test_variables_are_put_into_arguments_and_know_the_pod() -> None:
    env = [{"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "AT", "value": "$(ME)!"}]
    found = program_of({"name": "m", "command": ["say"], "args": ["$(AT)", "$(NONE)"], "env": env}, pod(), "")
    assert found.words == ("say", "m-0!", "$(NONE)")


@pytest.mark.parametrize(
    "image", ["registry.invalid/modelserver:v1", "kserve/sklearnserver:latest", "local/modelservers/x"]
)
def test_an_image_that_is_not_here_is_refused(image: str) -> None:
    assert image in program_of({"name": "m", "image": image}, pod(), "").refused


def test_knative_s_proxy_is_its_own_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_PROXY", "/somewhere/queue")
    assert program_of({"name": "queue-proxy", "image": QUEUE_IMAGE}, pod(), "").words == ("/somewhere/queue",)


def test_a_container_that_fails_is_started_again_at_once_and_then_later_and_later(tmp_path: Path) -> None:
    one = container(tmp_path, "sh", "-c", "echo sorry; exit 3", terminationMessagePolicy="FallbackToLogsOnError")
    step_until(one, 1.0, "Error")
    one.step(1.0)
    assert (state(one), one.restarts) == ("running", 1)
    step_until(one, 1.0, "Error")
    one.step(1.0)
    assert state(one) == "CrashLoopBackOff"
    last = one.status()["lastState"]["terminated"]
    assert (last["exitCode"], last["message"]) == (3, "sorry\n")
    one.step(1.0 + BACK_OFF_S)
    assert (state(one), one.restarts) == ("running", 2)
    step_until(one, 2.0, "Error")
    one.step(2.0 + BACK_OFF_S)
    assert state(one) == "CrashLoopBackOff"
    one.step(2.0 + 2 * BACK_OFF_S)
    step_until(one, 9.0 + FORGIVEN_S, "Error")
    one.step(9.0 + FORGIVEN_S)
    assert (state(one), one.restarts) == ("running", 4)
    one.kill()
    wait_for_the_end([one], 0)


@pytest.mark.parametrize(
    ("words", "policy", "is_over", "has_failed", "reason"),
    [
        ("exit 0", "Always", False, False, "Completed"),
        ("exit 0", "OnFailure", True, False, "Completed"),
        ("exit 3", "OnFailure", False, False, "Error"),
        ("exit 3", "Never", True, True, "Error"),
        ("exit 137", "Never", True, True, "OOMKilled"),
        ("kill -9 $$", "Never", True, True, "OOMKilled"),
        ("kill -15 $$", "Never", True, True, "Error"),
    ],
)
def test_an_end_is_told_as_it_was(
    tmp_path: Path, words: str, policy: str, is_over: bool, has_failed: bool, reason: str
) -> None:
    one = container(tmp_path, "sh", "-c", words, policy=policy)
    step_until(one, 1.0, reason)
    assert (one.is_over, one.has_failed) == (is_over, has_failed)


def test_a_process_that_ignores_sigterm_is_killed_when_its_grace_is_over(tmp_path: Path) -> None:
    one = container(tmp_path, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done")
    one.step(1.0)
    until(lambda: one.log.read_text() == "ready\n")
    one.terminate()
    assert one.has_process
    wait_for_the_end([one], 0.05)
    assert not one.has_process


def test_an_image_that_cannot_be_pulled_is_asked_for_again() -> None:
    one = Container({"name": "m"}, Program(refused="no such host"), Here("here", 1), Path(), "Always")
    one.step(1.0)
    assert state(one) == "ErrImagePull"
    one.step(1.0 + BACK_OFF_S)
    assert state(one) == "ImagePullBackOff"
    assert not one.has_started


class Scripted(Probe):
    """A probe whose answers are given."""

    def __init__(self, answers: list[bool], **spec: Any) -> None:
        super().__init__(spec, {}, "", 100.0)
        self.answers = answers

    def _ask(self) -> bool:
        return self.answers.pop(0)


def ask(probe: Scripted, *moments: float) -> None:
    for moment in moments:
        probe.ask_when_due(moment)


def test_a_probe_waits_for_its_delay_and_its_period() -> None:
    probe = Scripted([True] * 9, initialDelaySeconds=5, periodSeconds=2)
    ask(probe, 104.9)
    assert len(probe.answers) == 9
    ask(probe, 105.0, 106.9, 107.0)
    assert len(probe.answers) == 7
    assert probe.passes


def test_a_probe_turns_after_as_many_answers_in_a_row_as_its_thresholds_say() -> None:
    turns: Callable[[Scripted], tuple[bool, bool]] = lambda probe: (probe.passes, probe.fails)  # noqa: E731
    probe = Scripted([False, True, True, False, True, False, False], successThreshold=2, failureThreshold=2)
    seen = []
    for moment in range(100, 170, 10):
        ask(probe, moment)
        seen.append(turns(probe))
    nothing, passes, fails = (False, False), (True, False), (False, True)
    assert seen == [nothing, nothing, passes, passes, passes, passes, fails]


def test_a_probe_of_a_kind_that_is_not_asked_never_passes() -> None:
    probe = Probe({"exec": {"command": ["true"]}}, {}, "127.0.0.1", 0.0)
    probe.ask_when_due(1.0)
    assert not probe.passes


def test_an_address_rests_before_it_is_used_again() -> None:
    addresses = Addresses()
    first = addresses.take()
    addresses.give_back(first)
    assert addresses.take() != first
    assert addresses.take(f"10.244.0.{first}") == first


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "m-0", "namespace": "default"}, "spec": spec}
