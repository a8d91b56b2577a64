"""What `mlgate attest` writes, of which verdicts, and when it does not."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from tests.support import samples
from tests.support.attested_project import CHECKS, AttestedProject, Json, new_key
from tests.support.child_environment import child_environment
from tests.support.deploy_project import image

from mlgate.adapters.files.run_folder import STALE, RunFolder
from mlgate.adapters.signing import dsse
from mlgate.cli.group import invoke
from mlgate.core.attestation.statement import PREDICATE_TYPE, VERDICT
from mlgate.core.report import Report
from mlgate.core.rule_change import Direction, Policy, RuleChange


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AttestedProject:
    monkeypatch.chdir(tmp_path)
    return AttestedProject(Path(), "summarizer", "models")


def said(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    return out + err


def verdict_of(statement: Json) -> Json:
    found: Json = statement["predicate"][VERDICT]
    return found


def test_the_statement_says_what_was_judged_by_what_and_how_it_came_out(project: AttestedProject) -> None:
    project.passed()
    statement, verdict = project.statement, verdict_of(project.statement)
    assert statement["subject"] == [
        {"name": "registry.example.com/acme/modelserver", "digest": {"sha256": "1" * 64}},
    ]
    assert statement["predicateType"] == PREDICATE_TYPE
    assert statement["predicate"]["result"] == "PASSED"
    assert statement["predicate"]["passedTests"] == [
        "summaries/rougeL/min",
        "summaries/rougeL/max_drop",
        "summaries/bleu/min",
    ]
    assert [one["name"] for one in statement["predicate"]["configuration"]] == [
        "rules",
        "data of summaries",
        "baseline",
    ]
    assert verdict["inventory"] == {"expected": 200, "present": 200}
    assert verdict["model"] == {"name": "summarizer", "digest": samples.passing().provenance.model}
    assert verdict["source"]["commit"] == samples.passing().provenance.commit
    assert verdict["data"] == [{"name": "summaries", "digest": {"sha256": "d4" * 32}, "n": 200}]
    first = verdict["metrics"][0]
    assert (first["rule"], first["threshold"], first["value"]) == ("summaries/rougeL/min", "min 0.3", 0.33871)


@pytest.mark.parametrize(
    ("report", "result"),
    [
        (samples.failing(), "FAILED"),
        (samples.inconclusive(), "FAILED"),
        (samples.errored(), "FAILED"),
        (samples.passing(), "PASSED"),
    ],
)
def test_a_bad_verdict_is_attested_too(report: Report, result: str, project: AttestedProject) -> None:
    rules = {"rougeL": {"min": 0.3}}
    project.write(checks={"summaries": {**CHECKS["summaries"], "rules": rules}})
    project.judged_as(report)
    project.attested()
    predicate = project.statement["predicate"]
    assert predicate["result"] == result
    assert bool(predicate["failedTests"]) == (result == "FAILED")


def test_the_same_verdict_is_the_same_statement(project: AttestedProject) -> None:
    first = project.passed().read_bytes()
    assert project.attested().read_bytes() == first


def test_without_a_key_it_is_ready_to_be_signed_by_a_workflow(
    project: AttestedProject, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", "outputs")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "schedule")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "org/models")
    monkeypatch.setenv("GITHUB_RUN_ID", "17")
    project.judged_as(samples.passing())
    assert invoke(["attest"]) == 0
    outputs = dict(line.split("=", 1) for line in Path("outputs").read_text().splitlines())
    assert outputs == {
        "subject-name": "registry.example.com/acme/modelserver",
        "subject-digest": f"sha256:{'1' * 64}",
        "predicate-type": PREDICATE_TYPE,
        "predicate-path": str(Path(".mlgate/predicate.json").absolute()),
        "predicate-sha256": hashlib.sha256(Path(".mlgate/predicate.json").read_bytes()).hexdigest(),
        "result": "PASSED",
    }
    predicate = json.loads(Path(outputs["predicate-path"]).read_text())
    assert predicate == project.statement["predicate"]
    assert predicate["url"] == "https://github.com/org/models/actions/runs/17"
    assert predicate[VERDICT]["source"] == {
        "repository": "https://github.com/org/models",
        "commit": samples.passing().provenance.commit,
        "ref": "refs/heads/main",
        "event": "schedule",
    }
    assert "actions/attest" in said(capfd)
    assert not Path(".mlgate/verdict.dsse.json").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bleu": {"min": 13}}, "summaries/bleu with min 13 is none of those that were held"),
        ({"bleu": {"min": 12, "on_breach": "warn"}}, "summaries/bleu with min 12 is none of those"),
        ({"ter": {"max": 90}}, "summaries/ter with max 90 is none of those"),
    ],
)
def test_a_verdict_by_other_rules_than_the_files_is_not_attested(
    change: Json, says: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.judged_as(samples.passing())
    rules = yaml.safe_load(project.config.read_text())["checks"]["summaries"]["rules"] | change
    project.write(checks={"summaries": {**CHECKS["summaries"], "rules": rules}})
    assert invoke(["attest"]) == 5
    text = said(capfd)
    assert says in text
    assert "mlgate.yaml:" in text
    assert not Path(".mlgate/statement.json").exists()


def test_many_findings_still_fit_and_too_many_are_told(
    project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    report = samples.passing()
    first = report.findings[0]
    for slices, code in ((3000, 0), (30_000, 5)):
        many = tuple(replace(first, slice=f"module={i}") for i in range(slices))
        project.judged_as(replace(report, findings=(*report.findings, *many)))
        assert invoke(["attest", "--key", "gate.key"]) == code
        assert ("slice by fewer fields" in said(capfd)) == bool(code)
        assert code or invoke(["verify"]) == 0


def test_a_change_of_the_question_is_not_attested(project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    asked = Policy("base abc", (RuleChange(Direction.QUESTION, "the model: python becomes answers"),))
    project.judged_as(replace(samples.passing(), policy=asked))
    assert invoke(["attest"]) == 5
    assert "by rules that are not the base branch's" in said(capfd)


def test_a_verdict_about_no_image_is_not_attested(project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.judged_as(samples.passing(), "summarizer:latest")
    assert invoke(["attest"]) == 5
    assert "must name one image as NAME@sha256:DIGEST" in said(capfd)


def test_a_verdict_about_another_model_than_the_files_is_not_attested(
    project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.judged(image("1"), report=replace(samples.passing(), model="summarizer-staging"))
    assert invoke(["attest"]) == 5
    assert "the verdict is about the model 'summarizer-staging', and the file is about 'summarizer'" in said(capfd)


def test_what_the_run_did_not_write_is_not_attested(
    project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.judged_as(samples.failing())
    report = Path(".mlgate/report.json")
    report.write_text(report.read_text().replace('"failed"', '"passed"'))
    assert invoke(["attest"]) == 5
    assert "the report is not the one that the verdict was written for" in said(capfd)


def test_a_pull_request_attests_nothing(
    project: AttestedProject, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    project.passed()
    base = {"ref": "main", "sha": "a" * 40, "repo": {"full_name": "org/models"}}
    event = {"pull_request": {"base": base, "head": base}, "repository": {"default_branch": "main"}}
    Path("event.json").write_text(json.dumps(event))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    monkeypatch.setenv("GITHUB_EVENT_PATH", "event.json")
    assert invoke(["attest", "--key", "gate.key"]) == 5
    assert "this change is not merged" in said(capfd)
    assert invoke(["verify"]) == 5  # nor does it say whom to trust
    assert "this change is not merged" in said(capfd)


def test_a_merge_queue_attests_what_it_is_about_to_merge(
    project: AttestedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.judged_as(samples.passing())
    event = {"merge_group": {"base_sha": "a" * 40, "base_ref": "refs/heads/main"}}
    Path("event.json").write_text(json.dumps(event))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "merge_group")
    monkeypatch.setenv("GITHUB_EVENT_PATH", "event.json")
    assert invoke(["attest"]) == 0
    assert verdict_of(project.statement)["source"]["event"] == "merge_group"
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/feature")
    assert invoke(["attest"]) == 5


def test_a_verdict_of_the_future_is_not_attested(project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    """verdict.json is no part of the report whose digest a job pins: a date next year would be good next year."""
    later = (datetime.now(UTC) + timedelta(days=365)).strftime("%Y-%m-%dT%H:%M:%SZ")
    project.judged_as(samples.passing(), judged=later)
    assert invoke(["attest", "--key", "gate.key"]) == 5
    assert "which is in the future" in said(capfd)
    assert not Path(".mlgate/verdict.dsse.json").exists()


def test_the_next_run_puts_an_older_attestation_away(project: AttestedProject) -> None:
    project.passed()
    folder = RunFolder(Path(".mlgate"))
    folder.reset_verdict()
    assert not [name for name in STALE if (folder.path / name).exists()]
    assert {"statement.json", "predicate.json", "verdict.dsse.json", "verdict.sigstore.json"} <= set(STALE)


def test_the_passphrase_comes_from_the_environment(
    project: AttestedProject, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    new_key(Path("gate.key"), Path("keys/gate.pem"), "a passphrase")
    project.judged_as(samples.passing())
    assert invoke(["attest", "--key", "gate.key"]) == 2
    assert "MLGATE_KEY_PASSPHRASE" in said(capfd)
    monkeypatch.setenv("MLGATE_KEY_PASSPHRASE", "another one")
    assert invoke(["attest", "--key", "gate.key"]) == 2
    text = said(capfd)
    assert "or the passphrase is not its own" in text
    assert "another one" not in text
    monkeypatch.setenv("MLGATE_KEY_PASSPHRASE", "a passphrase")
    assert invoke(["attest", "--key", "gate.key"]) == 0
    assert invoke(["verify"]) == 0


@pytest.mark.parametrize(
    ("made_by", "says"),
    [
        (["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "no Ed25519 key"),
        (["echo", "no key"], "the file is no private key in PEM"),
        (["true"], "the file is no private key in PEM"),
    ],
)
def test_a_key_that_cannot_sign_is_told(
    made_by: list[str], says: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.judged_as(samples.passing())
    Path("bad.key").write_bytes(
        subprocess.run(made_by, capture_output=True, check=True, env=child_environment()).stdout
    )
    assert invoke(["attest", "--key", "bad.key"]) == 2
    assert says in said(capfd)


def test_a_key_without_a_passphrase_is_told_when_one_is_given(
    project: AttestedProject, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLGATE_KEY_PASSPHRASE", "x")
    project.judged_as(samples.passing())
    assert invoke(["attest", "--key", "gate.key"]) == 2
    assert "the key needs no passphrase" in said(capfd)
    assert invoke(["attest", "--key", "nowhere.key"]) == 2
    assert "the key nowhere.key cannot be read" in said(capfd)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("", "keys/gate.pem is no public key in PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "is no public key in PEM"),
    ],
)
def test_a_trusted_key_that_is_none_is_told_with_its_line(
    content: str | None, says: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.passed()
    Path("keys/gate.pem").unlink()
    if content is not None:
        Path("keys/gate.pem").write_text(content)
    assert invoke(["verify"]) == 2
    text = said(capfd)
    assert says in text
    assert "mlgate.yaml:" in text


def test_a_private_key_is_no_trusted_key(project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.passed()
    project.write(trust={"keys": ["gate.key"]})
    assert invoke(["verify"]) == 2
    assert "gate.key is no public key in PEM" in said(capfd)


def test_a_file_that_trusts_nobody_verifies_nothing(
    project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.passed()
    project.write(trust=None)
    assert invoke(["verify"]) == 2
    assert "there is no `trust` section" in said(capfd)


@pytest.mark.parametrize("named", ["summarizer:latest", "summarizer@sha256:abc", f"sha256:{'A' * 64}", "--", "sha256:"])
def test_an_image_is_named_by_its_digest(
    named: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.passed()
    assert invoke(["verify", "--image", named]) == 2
    assert "names no image by its digest" in said(capfd)
    assert invoke(["verify", "--image", f"sha256:{'1' * 64}"]) == 0
    assert invoke(["verify", "--image", image("1")]) == 0


def test_an_image_that_no_registry_could_be_asked_for_is_said_before_one_is_asked(
    project: AttestedProject, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.judged_as(samples.passing())
    monkeypatch.setenv("PATH", "")
    assert invoke(["attest", "--image", "summarizer:latest"]) == 2
    assert "'summarizer:latest' is no image by its digest" in said(capfd)
    assert invoke(["attest", "--image", image("1")]) == 2
    assert "asking a registry for an image needs buildx" in said(capfd)


def test_what_signs_is_loaded_when_it_is_used() -> None:
    asks = "import sys; from mlgate.cli.group import invoke; invoke(['--help']); import mlgate.wiring.trust; "
    asks += "print([one for one in ('cryptography', 'securesystemslib', 'sigstore') if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", asks], capture_output=True, text=True, check=True, env=child_environment()
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_missing_package_is_told_with_what_to_install(
    project: AttestedProject, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "securesystemslib.dsse", None)
        assert invoke(["verify"]) == 2
        assert "pip install 'mlgate[signing]'" in said(capfd)
    project.write(
        trust={"identities": [{"repository": "https://github.com/o/m", "repository_id": 1, "workflow": FLOW}]}
    )
    path.write_text('{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}')
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "sigstore.models", None)
        assert invoke(["verify"]) == 2
        assert "pip install 'mlgate[sigstore]'" in said(capfd)
    project.write(trust={**yaml.safe_load(project.config.read_text())["trust"], "root": "mlgate.yaml"})
    assert invoke(["verify"]) == 2
    assert "the trusted root cannot be used" in said(capfd)


FLOW = "https://github.com/o/m/.github/workflows/attest.yml@refs/heads/main"


def test_the_library_is_given_a_copy(project: AttestedProject) -> None:
    """`Envelope.from_dict` writes into its argument: the second time the same value would be another one."""
    path = project.passed()
    key = dsse.public_key(Path("keys/gate.pem"), "gate", "")
    value = json.loads(path.read_text())
    dsse.verified(json.loads(path.read_text()), [key])
    assert value == json.loads(path.read_text())
    assert invoke(["verify", str(path), str(path)]) == 0
