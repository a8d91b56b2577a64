"""A deploy of a file with `trust`: nothing reaches the cluster that is not attested."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

import pytest
from tests.support import samples
from tests.support.attested_project import AttestedProject, changed
from tests.support.child_environment import child_environment
from tests.support.deploy_project import image, inference_service
from tests.support.fake_kubernetes import NAMESPACE, FakeKubernetes
from tests.support.fake_serving import Death

from mlgate.adapters.kubernetes import record_json
from mlgate.cli.group import invoke
from mlgate.commands.deploy import live_alias
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Phase
from mlgate.core.report import Report

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AttestedProject:
    monkeypatch.chdir(tmp_path)
    return AttestedProject(Path(), "summarizer", NAMESPACE, gateway=GATEWAY, steps=[100], hold="10ms")


def said(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    return out + err


def record(fake: FakeKubernetes) -> ServiceRecord:
    return record_json.read(fake.objects["configmaps", "mlgate-summarizer"]["data"]["record.json"])


def of_commit(commit: str) -> Report:
    whole = samples.passing()
    return replace(whole, provenance=replace(whole.provenance, commit=commit))


def test_what_is_attested_is_deployed_by_the_very_digest_that_was_verified(
    fake: FakeKubernetes, project: AttestedProject
) -> None:
    """T53: the manifest has a tag, which may point anywhere by now."""
    project.passed()
    assert f"{inference_service()['spec']['predictor']['containers'][0]['image']}".endswith(":main")
    assert invoke(["deploy"]) == 0
    release = record(fake).accepted
    assert release is not None
    assert release.release.image == image("1")
    assert len(release.release.attestation) == 64
    predictor = fake.objects["inferenceservices", release.name]["spec"]["predictor"]
    assert predictor["containers"][0]["image"] == image("1")
    assert predictor["annotations"]["mlgate.dev/attestation"] == release.release.attestation


@pytest.mark.parametrize("words", [["deploy"], ["deploy", "--dry-run"]])
def test_without_an_attestation_the_cluster_is_not_even_asked(
    words: list[str],
    project: AttestedProject,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def asked(_context: str, _namespace: str) -> None:
        raise AssertionError("the cluster was asked")

    monkeypatch.setattr("mlgate.wiring.deploy.kubernetes_api.connect", asked)
    project.judged_as(samples.passing())
    assert invoke(words) == 5
    assert "there is no attestation of the verdict" in said(capfd)
    path = project.attested()
    other = project.signed(changed(project.statement, "subject/0/digest/sha256", "2" * 64))
    assert invoke([*words, "--attestation", str(other)]) == 5
    assert "not about what is to be deployed" in said(capfd)
    path.rename("kept.json")
    project.judged_as(samples.passing())  # another run, about the same image: another evidence, another report
    assert invoke([*words, "--attestation", "nowhere.json"]) == 5
    assert "cannot be read" in said(capfd)


def test_an_attestation_that_is_named_is_as_good_as_one_beside_the_verdict(
    fake: FakeKubernetes, project: AttestedProject
) -> None:
    project.passed().rename("elsewhere.json")
    assert invoke(["deploy", "--attestation", "elsewhere.json"]) == 0
    assert record(fake).accepted


def test_a_failure_that_is_newer_stops_the_deploy(
    fake: FakeKubernetes, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    later = (datetime.now(UTC) + timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    failed = changed(changed(project.statement, "predicate/result", "FAILED"), "predicate/…/timeVerified", later)
    newer = project.signed(failed)
    assert invoke(["deploy", "--attestation", str(path), "--attestation", str(newer)]) == 5
    assert "says FAILED" in said(capfd)
    assert not fake.objects


def test_without_trust_nothing_is_demanded_and_nothing_changes(fake: FakeKubernetes, project: AttestedProject) -> None:
    project.write(trust=None)
    project.judged_as(samples.passing())
    assert invoke(["deploy"]) == 0
    accepted = record(fake).accepted
    assert accepted is not None
    assert not accepted.release.attestation
    assert "mlgate.dev/attestation" not in json.dumps(fake.objects["inferenceservices", accepted.name])
    assert "attestation" not in fake.objects["configmaps", "mlgate-summarizer"]["data"]["record.json"]


@pytest.mark.parametrize("how", ["storageUri", "STORAGE_URI"])
def test_t46_weights_that_are_loaded_at_the_start_are_refused(
    how: str, fake: FakeKubernetes, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    made: dict[str, Any] = inference_service(**({how: "s3://models/other"} if how == "STORAGE_URI" else {}))
    if how == "storageUri":
        container = made["spec"]["predictor"].pop("containers")[0]
        loads = {"modelFormat": {"name": "x"}, "storageUri": "s3://models/other"}
        made["spec"]["predictor"]["model"] = {**container, **loads}
    project.manifest(made)
    project.passed()
    assert invoke(["deploy"]) == 5
    text = said(capfd)
    assert f"the manifest loads a model by {how}, and the verdict is about the image alone" in text
    assert not [kind for kind, _ in fake.objects if kind == "inferenceservices"]


def git(*words: str) -> str:
    asked = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", *words]
    return subprocess.run(asked, check=True, capture_output=True, text=True, env=child_environment()).stdout.strip()


def committed() -> str:
    git("commit", "--allow-empty", "-qm", "next")
    return git("rev-parse", "HEAD")


def test_an_older_commit_than_the_one_that_serves_is_refused(
    fake: FakeKubernetes, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    git("init", "-q")
    old, new = committed(), committed()
    project.judged_as(of_commit(new), image("1"))
    project.attested()
    assert invoke(["deploy"]) == 0
    project.judged_as(of_commit(old), image("2"))
    project.attested()
    assert invoke(["deploy"]) == 5
    text = said(capfd)
    assert f"the commit {old[:10]} is older than {new[:10]}, which serves" in text
    assert "mlgate rollback" in text
    assert invoke(["deploy", "--allow-older"]) == 0
    accepted = record(fake).accepted
    assert accepted is not None
    assert accepted.release.image == image("2")
    project.judged_as(of_commit("0" * 40), image("3"))
    project.attested()
    assert invoke(["deploy"]) == 5
    assert "fetch-depth: 0" in said(capfd)


def test_a_history_that_is_cut_off_does_not_say_what_is_newer(
    fake: FakeKubernetes, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    git("init", "-q")
    old, _, new = committed(), committed(), committed()
    project.judged_as(of_commit(new), image("1"))
    project.attested()
    assert invoke(["deploy"]) == 0
    Path(".git/shallow").write_text(f"{old}\n{new}\n")  # as two fetches of one commit each leave it
    project.judged_as(of_commit(old), image("2"))
    project.attested()
    assert invoke(["deploy"]) == 5
    text = said(capfd)
    assert f"git cannot say whether the commit {old[:10]} is older than {new[:10]}" in text
    assert "fetch-depth: 0" in text
    accepted = record(fake).accepted
    assert accepted is not None
    assert accepted.release.image == image("1")


def test_a_newer_commit_follows_where_the_history_is_cut_off_below_both(
    fake: FakeKubernetes, project: AttestedProject
) -> None:
    git("init", "-q")
    _, old, new = committed(), committed(), committed()
    project.judged_as(of_commit(old), image("1"))
    project.attested()
    assert invoke(["deploy"]) == 0
    Path(".git/shallow").write_text(f"{old}\n")
    project.judged_as(of_commit(new), image("2"))
    project.attested()
    assert invoke(["deploy"]) == 0
    accepted = record(fake).accepted
    assert accepted is not None
    assert accepted.release.image == image("2")


def served_and_rising(
    project: AttestedProject, monkeypatch: pytest.MonkeyPatch, phase: Phase
) -> tuple[str, str, Report]:
    """Let a model serve, and a newer one's process die in *phase*. Return the commits of both and an old verdict."""
    git("init", "-q")
    first, old, new = committed(), committed(), committed()
    project.judged_as(of_commit(first), image("1"))
    project.attested()
    assert invoke(["deploy"]) == 0

    def dying(record: ServiceRecord) -> float:
        assert record.rollout is not None
        if record.rollout.state.phase is phase:
            raise Death
        return 0.001

    project.judged_as(of_commit(new), image("3"))
    project.attested()
    with monkeypatch.context() as patched:
        patched.setattr("mlgate.flow.deploy.rollout.pause", dying)
        with pytest.raises(Death):
            invoke(["deploy"])
    return old, new, of_commit(old)


@pytest.mark.parametrize("phase", [Phase.HOLDING, Phase.PROMOTING])
def test_an_older_commit_does_not_push_a_newer_one_out_whose_rollout_is_under_way(
    phase: Phase,
    fake: FakeKubernetes,
    project: AttestedProject,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    old, new, verdict = served_and_rising(project, monkeypatch, phase)
    before = record(fake)
    project.judged_as(verdict, image("2"))
    project.attested()
    assert invoke(["deploy"]) == 5
    assert f"the commit {old[:10]} is older than {new[:10]}, which is being rolled out" in said(capfd)
    assert record(fake) == before
    assert invoke(["deploy", "--allow-older"]) == 0


def test_what_ends_before_this_rollout_has_the_lock_counts(
    fake: FakeKubernetes, project: AttestedProject, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    git("init", "-q")
    first, old, new = committed(), committed(), committed()
    project.judged_as(of_commit(first), image("1"))
    project.attested()
    assert invoke(["deploy"]) == 0
    project.judged_as(of_commit(old), image("2"))
    project.attested()
    ahead = live_alias.register_ahead

    def another_first(*given: Any) -> None:
        """Let the newer one be promoted after this process looked, and before it has the lock."""
        ahead(*given)
        map_of = fake.objects["configmaps", "mlgate-summarizer"]["data"]
        map_of["record.json"] = map_of["record.json"].replace(first, new)

    monkeypatch.setattr("mlgate.commands.deploy.live_alias.register_ahead", another_first)
    assert invoke(["deploy"]) == 5
    assert f"the commit {old[:10]} is older than {new[:10]}, which serves" in said(capfd)


def test_what_is_too_old_is_refused(
    fake: FakeKubernetes, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    old = (datetime.now(UTC) - timedelta(days=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
    project.judged_as(samples.passing(), judged=old)
    project.attested()
    assert invoke(["deploy"]) == 5
    assert "hours old" in said(capfd)
    assert invoke(["verify"]) == 5
    assert "hours old" in said(capfd)
    assert invoke(["verify", "--image", image("1")]) == 5
    assert "was good until" in said(capfd)
    assert not fake.objects


class Later(datetime):
    """The clock of two days later."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(days=2)


def dying(record: ServiceRecord) -> float:
    """Die while the first step holds."""
    assert record.rollout is not None
    if record.rollout.state.phase is Phase.HOLDING:
        raise Death
    return 0.001


def test_a_rollout_that_goes_on_may_outlive_its_attestation(
    fake: FakeKubernetes,
    project: AttestedProject,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    project.write(trust={"keys": ["keys/gate.pem"], "max_age": "24h"})
    path = project.passed()
    with monkeypatch.context() as patched:
        patched.setattr("mlgate.flow.deploy.rollout.pause", dying)
        with pytest.raises(Death):
            invoke(["deploy"])
    monkeypatch.setattr("mlgate.commands.deploy.rollout.datetime", Later)
    kept = path.read_bytes()
    path.unlink()
    assert invoke(["deploy"]) == 5  # without one nothing goes on
    assert "there is no attestation" in said(capfd)
    path.write_bytes(kept)
    assert invoke(["deploy"]) == 0
    assert "promoted: summarizer is " in said(capfd)
    assert record(fake).accepted
