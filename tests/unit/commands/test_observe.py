"""`mlgate deploy --observe-only`: manifests that somebody else applied are judged, and the cluster is only read."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.deploy_project import DeployProject, deployment, image
from tests.support.fake_controllers import Controllers
from tests.support.fake_kubernetes import NAMESPACE, FakeKubernetes
from tests.support.fake_prometheus import NOW, FakePrometheus, prometheus
from tests.support.fake_serving import Death
from tests.support.waiting import until

from mlgate.adapters.http.server import serving
from mlgate.adapters.kubernetes.kinds import HTTP_ROUTE, MANIFEST_KINDS
from mlgate.cli.group import invoke
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Phase
from mlgate.core.errors import AdapterError

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}
PLURALS = {kind.name: kind.plural for kind in (*MANIFEST_KINDS.values(), HTTP_ROUTE)}
METRICS = {"requests": ['requests_total{pod=~"$pods"}'], "errors": ['errors_total{pod=~"$pods"}']}
TO = Path("rendered")


class Place:
    """A project, the cluster that another tool applies its manifests to, and Prometheus, which counts its pods."""

    def __init__(self, fake: FakeKubernetes, counts: FakePrometheus) -> None:
        self.fake, self.counts = fake, counts
        self.controllers = Controllers(fake)
        analysis = {
            "prometheus": {"url": counts.url, "metrics": METRICS},
            "rules": {"error_rate": {"max": 0.05, "max_rise": 0.03}},
        }
        times = {"hold": "10m", "deadline": "2h"}
        given: dict[str, Any] = {"mode": "deployment", "gateway": GATEWAY, "steps": [25, 100], **times}
        self.project = DeployProject(Path(), "summarizer", NAMESPACE, **given)
        self.project.changed(analysis=analysis)

    def rendered(self, digit: str, *words: str) -> None:
        self.project.manifest(deployment(MODEL_VERSION=digit))
        self.project.judged(image(digit))
        assert invoke(["render", "--to", str(TO), *words]) == 0

    def applied(self) -> None:
        """Do what Argo CD does: make what is in the folder so, and prune what is not."""
        wanted = {}
        for name in yaml.safe_load((TO / "kustomization.yaml").read_text())["resources"]:
            one = yaml.safe_load((TO / name).read_text())
            wanted[PLURALS[one["kind"]], one["metadata"]["name"]] = one
        for (kind, name), one in wanted.items():
            there = self.fake.objects.get((kind, name))
            if there is None:
                self.fake._create(kind, name, one)
            else:
                self.fake._update(kind, name, there, {"metadata": one["metadata"], "spec": one["spec"]})
        for kind, name in set(self.fake.objects) - set(wanted):
            if kind in ("deployments", "services", "httproutes"):
                del self.fake.objects[kind, name]
        self.controllers.reconcile()

    def counted(self, name: str, share: float, fails: float) -> None:
        pod = f"{name}-5d8f7b9c6d-x7k2p"
        for counter, part in (("requests_total", 1.0), ("errors_total", fails)):
            self.counts.counter(counter, lambda at, part=part: 20 * share * part * (at - NOW + 9000), pod=pod)  # type: ignore[misc]

    def names(self) -> tuple[str, str]:
        """Return the names of the candidate and of what serves, as the route has them."""
        notes = self.fake.objects["httproutes", "mlgate-summarizer"]["metadata"]["annotations"]
        return notes["mlgate.dev/candidate"], notes["mlgate.dev/stable"]

    def canary(self, fails: float = 0.001) -> tuple[str, str]:
        """Let a second model have 25 % of the traffic, by its files."""
        self.rendered("1")
        self.applied()
        self.rendered("2", "--step", "25")
        self.applied()
        new, old = self.names()
        self.counted(new, 0.25, fails)
        self.counted(old, 0.75, 0.001)
        self.fake.requests.clear()
        return new, old

    def observed(self, *words: str) -> int:
        return invoke(["deploy", "--observe-only", "--for", "0s", *words])

    @property
    def wrote(self) -> set[str]:
        return {method for method, _ in self.fake.requests} - {"GET"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.chdir(tmp_path)
    fake = FakeKubernetes()
    with prometheus() as counts:
        monkeypatch.setattr("mlgate.wiring.deploy.kubernetes_api.connect", lambda _context, _namespace: fake.api())
        monkeypatch.setattr("mlgate.adapters.process.clock.seconds", lambda: counts.now)
        yield Place(fake, counts)


def document(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capfd.readouterr().out.splitlines()[-1])
    return found


def test_rendered_manifests_that_another_tool_applied_are_judged(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    new, old = place.canary()
    assert place.observed("--since", "20m", "--json") == 0
    said = document(capfd)
    assert (said["outcome"], said["exit_code"], said["weight"]) == ("passed", 0, 25)
    assert (said["candidate"], said["stable"], said["seconds"]) == (new, old, 1200)
    assert said["requests"]["candidate"]["error_rate"] == pytest.approx(0.001, rel=0.01)
    assert "requests failed" in said["why"]
    assert place.wrote == set()


def test_a_worse_candidate_is_exit_code_1(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.canary(fails=0.2)
    assert place.observed("--since", "20m") == 1
    out = capfd.readouterr().out
    assert "summarizer: failed: 20% of " in out
    assert "gets 25 % for 20 min, beside " in out
    assert place.wrote == set()


def test_a_step_that_has_only_begun_is_not_known(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.canary()
    assert place.observed("--json") == 3
    assert document(capfd)["outcome"] == "unknown"


def test_it_waits_until_the_step_is_decided(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.canary()

    def later(_: object, seconds: float) -> None:
        place.counts.now += 60 * seconds

    monkeypatch.setattr("mlgate.adapters.process.signals.SignalStop.wait", later)
    assert invoke(["deploy", "--observe-only"]) == 0
    assert NOW + 600 <= place.counts.now <= NOW + 900


def test_without_numbers_it_gives_up_when_its_time_is_over(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place.canary()
    place.counts.series.clear()

    def later(_: object, seconds: float) -> None:
        place.counts.now += 60 * seconds

    monkeypatch.setattr("mlgate.adapters.process.signals.SignalStop.wait", later)
    assert invoke(["deploy", "--observe-only"]) == 3
    assert place.counts.now >= NOW + 620  # hold and patience
    assert "not known: Prometheus has no numbers of the candidate" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (lambda place, _: place.fake.objects.pop(("httproutes", "mlgate-summarizer")), "nothing shares the traffic"),
        (lambda place, new: place.fake.objects.pop(("services", new)), "the route has a backend whose pods nobody can"),
        (lambda place, new: place.fake.objects.pop(("deployments", new)), "it is not on the cluster"),
    ],
)
def test_a_rollout_that_cannot_be_seen_is_not_known(
    place: Place, breaks: Callable[[Place, str], object], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    new, old = place.canary()
    breaks(place, new)
    words = ["--candidate", new, "--stable", old]
    assert place.observed("--since", "20m", *words) == 3
    assert says in capfd.readouterr().out


def test_a_cluster_that_does_not_answer_is_not_known(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place.canary()

    def dead(*_: object, **__: object) -> None:
        raise AdapterError("the Kubernetes API does not answer")

    monkeypatch.setattr("mlgate.adapters.kubernetes.api.Api._ask", dead)
    assert place.observed("--since", "20m") == 3
    assert "the Kubernetes API does not answer" in capfd.readouterr().out


def test_nobody_says_which_models_it_is_of(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.rendered("1")
    place.applied()
    assert place.observed() == 3
    assert "name them: --candidate NAME --stable NAME" in capfd.readouterr().out


def test_two_models_of_another_engine_are_named(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    new, old = place.canary()
    del place.fake.objects["httproutes", "mlgate-summarizer"]["metadata"]["annotations"]
    route = place.fake.objects.pop(("httproutes", "mlgate-summarizer"))
    place.fake._create("httproutes", "theirs", {"metadata": {"name": "theirs"}, "spec": route["spec"]})
    words = ["--candidate", f"deployment/{new}", "--stable", f"deployment/{old}", "--route", "theirs"]
    assert place.observed("--since", "20m", "--json", *words) == 0
    assert document(capfd)["candidate"] == new


def test_a_model_is_not_held_against_itself(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    new, _ = place.canary(fails=0.04)
    for names in ([new, new], [f"deployment/{new}", new]):
        assert place.observed("--since", "20m", "--candidate", names[0], "--stable", names[1]) == 2
        assert "the candidate and the stable model are one" in capfd.readouterr().err


def test_a_service_that_was_rendered_is_not_deployed_over(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.canary()
    written = yaml.safe_load(place.project.config.read_text())
    del written["deploy"]["analysis"]
    place.project.config.write_text(yaml.safe_dump(written))
    route = place.fake.objects["httproutes", "mlgate-summarizer"]["spec"]
    assert invoke(["deploy"]) == 3
    assert "that tool rolls it out" in capfd.readouterr().err
    assert place.fake.objects["httproutes", "mlgate-summarizer"]["spec"] == route


def test_models_that_are_named_with_their_kind_need_nothing_of_the_project_but_its_file(place: Place) -> None:
    new, old = place.canary()
    for path in Path().iterdir():
        if path.name not in ("mlgate.yaml", TO.name, ".mlgate"):
            path.unlink()
    words = ["--candidate", f"deployment/{new}", "--stable", f"deployment/{old}"]
    assert place.observed("--since", "20m", *words) == 0


def test_a_rollout_of_mlgates_own_is_named_by_its_record(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mlgate.adapters.kubernetes.drain.DRAIN_S", 0.0)
    monkeypatch.setattr("mlgate.flow.deploy.rollout._POLL_S", 0.01)
    written = yaml.safe_load(place.project.config.read_text())
    analysis = written["deploy"].pop("analysis")
    place.project.config.write_text(yaml.safe_dump(written))
    place.project.changed(hold="10ms")

    def dying(record: ServiceRecord) -> float:
        assert record.rollout is not None
        if record.rollout.state.phase is Phase.HOLDING and record.accepted is not None:
            raise Death
        place.counts.now += 0.1
        return 0.001

    monkeypatch.setattr("mlgate.flow.deploy.rollout.pause", dying)
    for digit in "12":
        place.project.manifest(deployment(MODEL_VERSION=digit))
        place.project.judged(image(digit))
        if digit == "1":
            assert invoke(["deploy"]) == 0
    with pytest.raises(Death):
        invoke(["deploy"])
    place.project.changed(hold="10m", analysis=analysis)
    place.fake.requests.clear()
    assert place.observed("--json") == 3
    said = document(capfd)
    assert said["weight"] == 25
    assert said["candidate"].startswith("summarizer-")
    assert place.wrote == set()


@pytest.mark.parametrize("mode", ["knative", "standard"])
def test_two_models_of_one_name_cannot_be_judged(place: Place, mode: str, capfd: pytest.CaptureFixture[str]) -> None:
    place.project.changed(mode=mode)
    assert place.observed() == 2
    assert "both models have one name" in capfd.readouterr().err


def test_what_only_a_rollout_of_mlgates_own_does_hinders_nobody_who_looks(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    new, old = place.canary()
    place.project.changed(mode="auto", checks=["speed"], url="http://summarizer.example.com", shadow="5m")
    words = ["--candidate", f"deployment/{new}", "--stable", f"deployment/{old}"]
    assert place.observed("--since", "20m", *words) == 0
    assert "deploy.checks are not asked" in capfd.readouterr().err


def test_without_rules_there_is_nothing_to_judge_by(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    written = yaml.safe_load(place.project.config.read_text())
    del written["deploy"]["analysis"]
    place.project.config.write_text(yaml.safe_dump(written))
    assert place.observed() == 2
    assert "`deploy` has no rules for users' requests" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["deploy", "--json"], "need --observe-only"),
        (["deploy", "--since", "5m"], "need --observe-only"),
        (["deploy", "--observe-only", "--dry-run"], "use one of"),
        (["deploy", "--observe-only", "--stable", "old"], "--stable needs --candidate"),
        (["deploy", "--observe-only", "--for", "10"], "is no span of time"),
        (["deploy", "--observe-only", "--listen", "somewhere"], "is no address"),
        (["deploy", "--observe-only", "--listen", "70000"], "is no address"),
        (["deploy", "--observe-only", "--candidate", "pod/x"], "'pod/x' names no model"),
    ],
)
def test_what_does_not_fit_together_is_told(
    place: Place, words: list[str], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert place.project.config.exists()
    assert invoke(words) == 2
    assert says in capfd.readouterr().err


def asked(port: int, path: str, method: str = "GET", body: str | None = None) -> tuple[int, dict[str, Any]]:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request(method, path, body=body)
    reply = connection.getresponse()
    found = reply.status, json.loads(reply.read())
    connection.close()
    return found


def test_engines_are_answered_by_http_each_time_by_a_look_of_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place.canary()
    ports: list[int] = []
    found: list[object] = []

    def known(host: str, port: int, answer: Any) -> Any:
        class Known:
            def __enter__(self) -> int:
                self.inner = serving(host, port, answer)
                ports.append(self.inner.__enter__())
                return ports[0]

            def __exit__(self, *_: object) -> None:
                self.inner.__exit__(None, None, None)

        return Known()

    monkeypatch.setattr("mlgate.commands.deploy.observe.serving", known)

    def engine() -> None:
        until(lambda: bool(ports))
        try:
            found.append(asked(ports[0], "/verdict")[1]["outcome"])
            found.append(asked(ports[0], "/go-on", "POST", '{"name": "podinfo", "phase": "Progressing"}')[0])
            place.counts.now += 900
            found.append(asked(ports[0], "/verdict?x=y")[1]["outcome"])
            found.extend(asked(ports[0], path)[0] for path in ("/go-on", "/passed", "/failed", "/other"))
            place.rendered("2", "--step", "100")
            place.applied()
            found.append(asked(ports[0], "/passed")[0])
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=engine)
    thread.start()
    assert invoke(["deploy", "--observe-only", "--listen", "0"]) == 0
    thread.join()
    assert found == ["unknown", 409, "passed", 200, 200, 409, 404, 409]
    assert "listening on 127.0.0.1:" in capfd.readouterr().out
    assert place.wrote == set()


def test_a_port_that_is_taken_is_told() -> None:
    with serving("127.0.0.1", 0, lambda _: None) as port:
        with pytest.raises(AdapterError, match="cannot listen on"), serving("127.0.0.1", port, lambda _: None):
            pass
        assert asked(port, "/x")[0] == 404
