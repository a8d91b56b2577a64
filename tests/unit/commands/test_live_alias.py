"""The champion in MLflow's registry follows the cluster: both in memory, and once MLflow's own store in a file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from tests.support.deploy_project import DeployProject, image, inference_service
from tests.support.fake_kubernetes import NAMESPACE, FakeKubernetes, status
from tests.support.fake_registry import FakeRegistry
from tests.support.fake_runs import FakeRuns
from tests.support.fake_serving import Death

from mlgate.cli.group import invoke
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Phase
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.tracking.model_version import Candidate, Version
from mlgate.flow.promotion import CANDIDATE, CHAMPION

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}


class Registry(FakeRegistry):
    """A registry that is down when its tracker is."""

    def __init__(self, runs: FakeRuns) -> None:
        super().__init__()
        self._runs = runs

    def versions(self) -> tuple[Version, ...]:
        self._runs.demand_up()
        return tuple(super().versions())

    def register(self, candidate: Candidate) -> Version:
        self._runs.demand_up()
        return super().register(candidate)

    def point(self, alias: str, version: int) -> None:
        if alias == CHAMPION:
            self.point_champion(version)
        else:
            super().point(alias, version)

    def point_champion(self, version: int) -> None:
        """Move the champion: a process may die here."""
        super().point(CHAMPION, version)


class Desk:
    """A project, its cluster, its registry, and mlgate as a person runs it."""

    def __init__(
        self, fake: FakeKubernetes, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str], **deploy: Any
    ) -> None:
        given = {"gateway": GATEWAY, "steps": [50, 100], "hold": "10ms", **deploy}
        self.project = DeployProject(Path(), "summarizer", NAMESPACE, **given)
        self.fake, self.patch, self._capture = fake, patch, capture
        self.runs = FakeRuns()
        self.registry = Registry(self.runs)
        self.track()

    def in_memory(self) -> None:
        self.patch.setattr("mlgate.wiring.mlflow.Mlflow.registry", lambda _self, _name="": self.registry)
        self.patch.setattr("mlgate.wiring.mlflow.Mlflow.runs", self.runs)
        Path("mlflow.db").touch()  # the doctor looks whether it is there

    def track(self, baseline: dict[str, Any] | None = None, **changed: Any) -> None:
        """Write where MLflow is."""
        written = yaml.safe_load(self.project.config.read_text())
        written["baseline"] = baseline or {"from": "mlflow"}
        written["tracking"] = {"mlflow": {"uri": "sqlite:///mlflow.db", "timeout": "1s", **changed}}
        self.project.config.write_text(yaml.safe_dump(written))

    def judged(self, digit: str, **changed: Any) -> None:
        self.project.manifest(inference_service(MODEL_VERSION=digit))
        self.project.judged(image(digit), **changed)

    def deployed(self, digit: str) -> None:
        self.judged(digit)
        code, said = self("deploy")
        assert code == 0, said

    def killed(self, where: str, *words: str) -> None:
        """Run mlgate, and let it die where this function is called."""

        def dying(*_: object, **__: object) -> None:
            raise Death

        with self.patch.context() as patched:
            patched.setattr(where, dying)
            with pytest.raises(Death):
                invoke(list(words))

    def __call__(self, *words: str) -> tuple[int, str]:
        """Run mlgate; return its exit code and all that it printed, in one line."""
        self._capture.readouterr()
        code = invoke(list(words))
        return code, " ".join("".join(self._capture.readouterr()).split())

    @property
    def champion(self) -> int:
        return self.registry.live(CHAMPION)

    def doctor(self) -> str:
        return self("doctor", "--no-ask")[1]

    def silent(self, plural: str) -> None:
        """Let the API not answer for these objects."""

        def answer(_method: str, path: str) -> httpx2.Response | None:
            return status(503, "ServiceUnavailable", "the API is down") if f"/{plural}" in path else None

        self.fake.before = answer


@pytest.fixture
def desk(
    fake: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Desk:
    monkeypatch.chdir(tmp_path)
    made = Desk(fake, monkeypatch, capfd)
    made.in_memory()
    return made


FOLLOW, BACK = "mlgate.commands.deploy.live_alias.follow", "mlgate.commands.deploy.live_alias.run_back"
CUT_OFF = "So the cluster had confirmed the promotion, and the process ended before the alias moved"


def test_a_promotion_of_the_cluster_moves_the_champion_and_a_rolled_back_candidate_does_not(desk: Desk) -> None:
    desk.deployed("1")
    desk.deployed("2")
    assert (desk.champion, desk.registry.live(CANDIDATE)) == (2, 2)
    desk.judged("3")
    desk.project.manifest(inference_service(MODEL_FAIL_LOAD="yes"))
    code, said = desk("deploy")
    assert code == 4, said
    assert (desk.champion, desk.registry.live(CANDIDATE)) == (2, 3)
    moves = desk.registry.ledger().moves
    assert [(move.kind, move.version, move.asked) for move in moves] == [("promoted", 1, False), ("promoted", 2, False)]


def test_no_alias_moves_before_the_cluster_has_confirmed(desk: Desk) -> None:
    desk.deployed("1")
    desk.judged("2")
    controllers, seen = desk.fake.before, list[tuple[bool, int]]()

    def watching(method: str, path: str) -> httpx2.Response | None:
        seen.append((method != "GET" and path.endswith("/configmaps/mlgate-summarizer"), desk.champion))
        return controllers(method, path)

    desk.fake.before = watching
    assert desk("deploy")[0] == 0
    confirmed = max(number for number, (is_record, _) in enumerate(seen) if is_record)
    assert {champion for _, champion in seen[: confirmed + 1]} == {1}
    assert desk.champion == 2


def test_where_mlflow_is_down_the_rollout_ends_as_it_ends_and_the_next_deploy_completes_it(desk: Desk) -> None:
    desk.runs.is_down = True
    desk.judged("1")
    code, said = desk("deploy")
    assert code == 0
    assert "notice: the model is not registered in MLflow yet: MLflow could not answer" in said
    assert "promoted: summarizer is summarizer-" in said
    warning = "warning: champion does not name what summarizer serves yet: MLflow could not answer: no answer"
    assert f"{warning} (is the server up?) next: mlgate promote" in said
    desk.track(required=True)
    code, said = desk("deploy")
    assert (code, "serves already: nothing to do" in said) == (3, True)
    desk.runs.is_down = False
    code, said = desk("deploy")
    assert (code, "version 1 of summarizer in memory is champion" in said) == (0, True)
    code, said = desk("deploy")
    assert (code, "champion" in said) == (0, False)


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["deploy"], True),
        (["promote"], True),
        (["promote"], False),
        (["baseline", "accept"], True),
        (["reconcile"], False),
    ],
)
def test_a_crash_between_cluster_and_alias_is_explained_by_doctor_and_completed(
    desk: Desk, words: list[str], files: bool
) -> None:
    desk.deployed("1")
    desk.judged("2")
    desk.killed(FOLLOW, "deploy")
    assert desk.champion == 1
    served = desk.registry.versions()[1].verdict[:12]
    said = desk.doctor()
    assert f"✗ cluster summarizer serves the verdict {served} since " in said
    assert "champion is version 1, of the verdict " in said
    assert f"{CUT_OFF} next: mlgate promote moves it to version 2" in said
    if not files:
        shutil.rmtree(".mlgate")
    code, said = desk(*words)
    assert code == 0, said
    assert "version 2 of summarizer in memory is champion, after version 1" in said
    assert desk.champion == 2
    assert f"✓ cluster summarizer serves the verdict {served}" in desk.doctor()


def test_a_crash_while_the_verdict_is_registered_ahead_begins_no_rollout(desk: Desk) -> None:
    desk.deployed("1")
    desk.judged("2")
    before = desk.fake.objects["configmaps", "mlgate-summarizer"]
    desk.killed("tests.unit.commands.test_live_alias.Registry.register", "deploy")
    assert desk.fake.objects["configmaps", "mlgate-summarizer"] == before
    assert desk("deploy")[0] == 0
    assert desk.champion == 2


@pytest.mark.parametrize(("step", "champion"), [("append", 1), ("point_champion", 1), ("confirm", 2)])
def test_a_crash_at_any_write_of_the_ledger_is_completed_by_promote_whatever_verdict_is_here(
    desk: Desk, step: str, champion: int
) -> None:
    desk.deployed("1")
    desk.judged("2")
    desk.killed(f"tests.unit.commands.test_live_alias.Registry.{step}", "deploy")
    assert desk.champion == champion
    desk.judged("3")
    code, said = desk("promote")
    assert (code, "the last verdict here is of another model" in said) == (0, True), said
    assert desk.champion == 2
    assert all(move.done for move in desk.registry.ledger().moves)


def test_what_a_job_that_died_left_is_completed_by_the_step_that_always_runs(desk: Desk) -> None:
    desk.deployed("1")
    desk.judged("2")
    desk.killed(FOLLOW, "deploy")
    code, said = desk("deploy", "--resume-or-rollback")
    assert (code, "no rollout is under way version 2 of summarizer in memory is champion" in said) == (0, True)


def test_a_rollout_that_reconcile_promotes_moves_the_champion_without_the_verdicts_files(desk: Desk) -> None:
    desk.deployed("1")
    desk.judged("2")

    def dying(record: ServiceRecord) -> float:
        assert record.rollout is not None
        if record.rollout.state.phase is Phase.PROMOTING:
            raise Death
        return 0.001

    with desk.patch.context() as patched:
        patched.setattr("mlgate.flow.deploy.rollout.pause", dying)
        with pytest.raises(Death):
            invoke(["deploy"])
    assert desk.champion == 1
    shutil.rmtree(".mlgate")
    with desk.patch.context() as patched:
        patched.setattr("mlgate.adapters.process.clock.seconds", lambda: 4e9)
        code, said = desk("reconcile")
    assert (code, "promoted: summarizer is" in said) == (0, True), said
    assert desk.champion == 2


def test_a_rollback_takes_the_champion_to_what_serves_and_not_one_back_in_the_ledger(desk: Desk) -> None:
    for digit in "123":
        desk.deployed(digit)
    desk.registry.by_hand(CHAMPION, 1)
    code, said = desk("rollback")
    assert code == 0, said
    assert said.endswith("champion of summarizer in memory is version 2 again, after version 1")
    kinds = [(move.kind, move.version) for move in desk.registry.ledger().moves[3:]]
    assert kinds == [("moved by hand", 1), ("rolled back", 2)]


@pytest.mark.parametrize("words", [["promote"], ["rollback"], ["deploy", "--resume-or-rollback"]])
def test_a_rollback_that_was_cut_off_after_the_clusters_is_explained_and_completed(
    desk: Desk, words: list[str]
) -> None:
    desk.deployed("1")
    desk.deployed("2")
    desk.killed(BACK, "rollback")
    said = desk.doctor()
    assert "So the cluster went back, and the process ended before the alias did" in said
    assert "next: mlgate promote moves it to version 1" in said
    code, said = desk(*words)
    assert code == 0, said
    assert desk.champion == 1
    assert desk.registry.ledger().moves[-1].kind == "rolled back"
    code, said = desk("rollback")
    assert (code, "there is nothing to go back to" in said) == (3, True), "the first one was all"
    assert desk.champion == 1


def test_where_there_is_nothing_to_go_back_to_that_is_said_whatever_mlflow_does(desk: Desk) -> None:
    desk.deployed("1")
    desk.runs.is_down = True
    code, said = desk("rollback")
    assert (code, "there is nothing to go back to: summarizer has no model before" in said) == (3, True)


def test_a_rollback_to_what_the_registry_has_not_is_told_and_the_champion_stays(desk: Desk) -> None:
    desk.runs.is_down = True
    desk.deployed("1")
    desk.runs.is_down = False
    desk.deployed("2")
    code, said = desk("rollback")
    assert code == 3
    assert "went back: summarizer is summarizer-" in said
    assert "summarizer went back, and champion of summarizer in memory stays what it is: no version of" in said
    assert desk.champion == 1
    assert "So the process ended, or MLflow was down, before the model was registered" in desk.doctor()


def test_a_rollback_to_a_model_that_mlgate_did_not_judge_leaves_the_champion(desk: Desk) -> None:
    desk.fake._create("inferencegraphs", "x", {"metadata": {"name": "x"}})
    theirs = inference_service(MODEL_VERSION="theirs")
    desk.fake._create("inferenceservices", "summarizer", theirs)
    desk.deployed("2")
    code, said = desk("rollback")
    assert code == 3
    assert "went back to a model that mlgate did not judge, and champion of summarizer in memory stays" in said
    assert desk.champion == 1
    assert "· cluster summarizer serves a model that mlgate did not judge" in desk.doctor()


def test_mlflow_down_at_a_rollback_is_told_and_promote_completes_it(desk: Desk) -> None:
    desk.deployed("1")
    desk.deployed("2")
    desk.runs.is_down = True
    code, said = desk("rollback")
    assert (code, "went back: summarizer is" in said) == (3, True)
    assert "next: mlgate promote" in said
    desk.runs.is_down = False
    code, said = desk("promote")
    assert code == 0
    assert "the last verdict here is of another model next: to make that one champion, mlgate deploy" in said
    assert desk.champion == 1


def test_a_rollout_that_is_taken_back_by_rollback_leaves_the_champion(desk: Desk) -> None:
    desk.deployed("1")
    desk.judged("2")
    with desk.patch.context() as patched:
        patched.setattr("mlgate.flow.deploy.rollout.pause", _die_holding)
        with pytest.raises(Death):
            invoke(["deploy"])
    code, said = desk("promote")
    assert code == 5
    assert "whose rollout is under way: champion moves when the cluster has confirmed" in said
    assert desk("rollback")[0] == 0
    assert desk.champion == 1


def _die_holding(record: ServiceRecord) -> float:
    assert record.rollout is not None
    if record.rollout.state.phase is Phase.HOLDING:
        raise Death
    return 0.001


def test_promote_of_what_the_cluster_does_not_serve_is_refused(desk: Desk) -> None:
    desk.judged("1")
    code, said = desk("promote")
    assert (code, desk.registry.versions()) == (5, ())
    assert "summarizer serves no model yet: champion moves when the cluster has confirmed next: mlgate deploy" in said
    desk.deployed("1")
    desk.judged("2")
    code, said = desk("promote")
    assert code == 5
    assert "summarizer serves the verdict " in said
    assert said.endswith("champion moves when the cluster has confirmed next: mlgate deploy")
    assert (desk.champion, len(desk.registry.versions())) == (1, 1)


def test_a_cluster_that_cannot_be_asked_moves_nothing(desk: Desk) -> None:
    desk.deployed("1")
    desk.judged("2")
    desk.killed(FOLLOW, "deploy")
    desk.silent("configmaps")
    for words in (["promote"], ["rollback", "--to", "2"]):
        code, said = desk(*words)
        assert (code, desk.champion) == (3, 1), said
        assert "champion follows summarizer on the cluster, and what it serves is not known" in said
    assert "· cluster what summarizer serves is not known" in desk.doctor()


def test_a_verdict_is_promoted_though_the_champion_that_it_was_held_against_was_replaced(desk: Desk) -> None:
    """The cluster's own judge held it against what served by then."""
    desk.deployed("1")
    desk.judged("2")
    desk.killed(FOLLOW, "deploy")
    desk.registry.by_hand(CHAMPION, 0)
    assert desk("promote")[0] == 0
    assert desk.champion == 2


def test_to_names_a_version_that_the_cluster_serves_or_is_refused(desk: Desk) -> None:
    desk.deployed("1")
    desk.deployed("2")
    code, said = desk("rollback", "--to", "1")
    assert (code, desk.champion) == (5, 2)
    assert "summarizer does not serve version 1" in said
    desk.registry.by_hand(CHAMPION, 0)
    assert desk("rollback", "--to", "2")[0] == 0
    assert desk.champion == 2


def test_another_alias_follows_no_cluster(desk: Desk) -> None:
    desk.deployed("1")
    desk.deployed("2")
    for version in (1, 2):
        desk.registry.by_hand("shadow", version)
    code, said = desk("rollback", "--alias", "shadow")
    assert (code, "nothing was live before" in said or "nothing to go back" in said) == (3, True)
    assert "shadow follows no cluster: the cluster stays as it is" in said
    assert desk.champion == 2


def test_the_alias_that_the_baseline_follows_is_the_one(desk: Desk) -> None:
    desk.track({"from": "mlflow", "alias": "production"})
    desk.deployed("1")
    desk.judged("2")
    desk.killed(FOLLOW, "deploy")
    assert "next: mlgate promote --to production moves it to version 2" in desk.doctor()
    assert desk("promote")[0] == 0
    assert (desk.registry.live("production"), desk.champion) == (2, 0)
    assert desk("rollback")[0] == 0
    assert desk.registry.live("production") == 1


def test_a_version_that_waits_for_a_person_serves_and_is_no_champion_yet(desk: Desk) -> None:
    desk.track(registry={"require": {"tag": "approved_by"}}, required=True)
    desk.judged("1")
    code, said = desk("deploy")
    assert code == 0
    assert "notice: champion stays what it is: version 1 of summarizer in memory is not approved" in said
    assert "Version 1 waits for approval next: set the tag approved_by on version 1" in desk.doctor()
    desk.registry.tag(1, "approved_by", "ada")
    assert desk("promote")[0] == 0
    assert desk.champion == 1


def test_a_verdict_that_is_let_through_and_worse_serves_and_is_no_baseline(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.deployed("1")
    desk.judged("2")
    real = "mlgate.flow.baseline_eligibility.refusal"

    def worse(report: Report) -> str:
        return "a comparison does not pass" if report.outcome is Outcome.PASSED else ""

    with monkeypatch.context() as patched:
        patched.setattr(real, worse)
        code, said = desk("deploy")
    assert code == 0
    assert "notice: champion stays what it is: the model cannot become the baseline: a comparison does not" in said
    assert desk.champion == 1


def test_a_later_verdict_on_the_model_that_serves_renews_the_champion_by_promote_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.deployed("1")
    desk.judged("1", memory_mb=101.0)
    assert desk("deploy")[0] == 0
    assert desk.champion == 1
    monkeypatch.setattr("mlgate.commands.promote.acceptable", lambda *_: None)
    desk.track({"from": "mlflow", "version": 1})  # what it was held against is not this test's
    code, said = desk("promote")
    assert code == 0, said
    assert desk.champion == 2
    assert desk("deploy")[0] == 0
    assert desk.champion == 2
    assert "of that model" in desk.doctor()


def test_the_whole_way_over_mlflows_own_store(
    fake: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    desk, source = Desk(fake, monkeypatch, capfd), "summarizer in sqlite:///mlflow.db"
    desk.judged("1")
    code, said = desk("deploy")
    assert code == 0, said
    assert f"version 1 of {source} is champion" in said
    desk.judged("2")
    desk.killed(FOLLOW, "deploy")
    assert f"{CUT_OFF} next: mlgate promote moves it to version 2" in desk.doctor()
    assert f"version 2 of {source} is champion, after version 1" in desk("promote")[1]
    assert desk("rollback")[1].endswith(f"champion of {source} is version 1 again, after version 2")
    code, said = desk("history")
    assert (code, said.count("promoted"), said.count("rolled back")) == (0, 2, 1)
