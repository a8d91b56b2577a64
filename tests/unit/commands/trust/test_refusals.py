"""What attests a verdict badly is refused: one test a row of the threat model, T42 to T54, each with its variants."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support import samples
from tests.support.attested_project import CHECKS, AttestedProject, Json, changed, new_key, sign
from tests.support.deploy_project import image
from tests.support.sigstore_instance import CLAIMS, WORKFLOW, SigstoreInstance

from mlgate.cli.group import invoke
from mlgate.core.outcome import Outcome

OTHER = "2" * 64
IDENTITY = {"repository": CLAIMS["repository"], "repository_id": 123456789, "workflow": WORKFLOW}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AttestedProject:
    monkeypatch.chdir(tmp_path)
    return AttestedProject(Path(), "summarizer", "models")


@pytest.fixture
def instance(project: AttestedProject) -> SigstoreInstance:
    """An instance that the project trusts, for the workflow of its own repository."""
    made = SigstoreInstance()
    made.write_root(project.folder / "root.json")
    project.write(trust={"identities": [IDENTITY], "root": "root.json"})
    return made


def refusal(capfd: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """Verify, demand exit code 5, and return the sentence, which has a next step."""
    capfd.readouterr()
    assert invoke(["verify", *map(str, words)]) == 5
    out, err = capfd.readouterr()
    assert not out
    assert re.search(r"^  next: \S", err, re.MULTILINE)
    return err


ABSENT: list[tuple[bytes | None, str]] = [
    (None, "there is no attestation of the verdict"),
    (b"", "the attestation is empty"),
    (b"PASSED", "no sound JSON"),
    (b"\xff\xfe{}", "no sound JSON"),
    (b"[]", "the file is no attestation"),
    (b"{}", "the file is no attestation"),
    (b'{"payloadType": "a", "payloadType": "b"}', "a key stands twice"),
    (b"[" * 100_000, "no sound JSON"),
    (b'{"payload": "' + b"A" * 5_000_000 + b'"}', "more than 1 MB"),
]


@pytest.mark.parametrize(("content", "says"), ABSENT)
def test_t42_what_is_no_attestation(
    content: bytes | None, says: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert says in refusal(capfd)


@pytest.mark.parametrize("kind", ["folder", "nowhere", "/dev/zero"])
def test_t42_what_is_no_file(kind: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.passed()
    path = {"folder": project.folder / "keys", "nowhere": Path("nowhere.json")}.get(kind, Path(kind))
    assert "the attestation cannot be read" in refusal(capfd, path)


def test_t42_an_unsigned_statement(project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.passed()
    said = refusal(capfd, project.folder / ".mlgate/statement.json")
    assert "the statement is not signed" in said
    assert "mlgate attest --key FILE" in said


def _flip_payload(envelope: Json) -> None:
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[payload.index(b"PASSED")] ^= 1
    envelope["payload"] = base64.b64encode(payload).decode()


ALTERED: dict[str, tuple[Callable[[Json], object], str]] = {
    "one byte of the payload": (_flip_payload, "no key that is trusted signed"),
    "the payload's type": (lambda e: e.update(payloadType="text/plain"), "the envelope's payload is 'text/plain'"),
    "no base64": (lambda e: e.update(payload="*" + e["payload"]), "must be base64"),
    "base64 with blanks": (lambda e: e.update(payload=e["payload"][:8] + "\n" + e["payload"][8:]), "must be base64"),
    "another base64": (lambda e: e["signatures"][0].update(sig=e["signatures"][0]["sig"][:-3] + "B=="), "base64"),
    "a payload that is a number": (lambda e: e.update(payload=5), "must be base64"),
    "no payload": (lambda e: e.pop("payload"), "must have payload"),
    "one field more": (lambda e: e.update(more=1), "and nothing else"),
    "signatures that are a text": (lambda e: e.update(signatures="x"), "must have payload"),
    "a signature that is a text": (lambda e: e.update(signatures=["x"]), "must have payload"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_t43_an_envelope_that_was_changed(
    what: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    envelope = json.loads(path.read_text())
    change, says = ALTERED[what]
    change(envelope)
    path.write_text(json.dumps(envelope))
    assert says in refusal(capfd)


@pytest.mark.parametrize("what", ["unknown key", "keyid of the trusted key", "no signature", "twice", "no keyid"])
def test_t44_signatures_that_count_for_nothing(
    what: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    envelope = json.loads(path.read_text())
    new_key(Path("other.key"))
    theirs = json.loads(sign(project.statement, Path("other.key")))
    if what == "unknown key":
        envelope = theirs
    elif what == "keyid of the trusted key":
        theirs["signatures"][0]["keyid"] = envelope["signatures"][0]["keyid"]
        envelope = theirs
    elif what == "no signature":
        envelope["signatures"] = []
    elif what == "twice":
        envelope["signatures"] *= 2
    else:
        envelope["signatures"][0]["keyid"] = None
    path.write_text(json.dumps(envelope))
    said = refusal(capfd)
    assert "no key that is trusted signed" in said or "the attestation is no DSSE envelope" in said


def test_t44_a_signature_of_a_kind_that_the_file_does_not_trust(
    project: AttestedProject, instance: SigstoreInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    assert "which a key signs, and the file trusts none" in refusal(capfd)
    path.write_text(json.dumps(instance.bundle(json.dumps(project.statement))))
    project.write(trust={"keys": ["keys/gate.pem"]})
    assert "which a workflow signs, and the file trusts none" in refusal(capfd)


SUBJECTS: dict[str, object] = {
    "another image": [{"name": "a", "digest": {"sha256": OTHER}}],
    "sha512 alone": [{"name": "a", "digest": {"sha512": "1" * 128}}],
    "a digest under another algorithm's name": [{"name": "a", "digest": {"sha512": "1" * 64}}],
    "none": [],
    "upper case": [{"name": "a", "digest": {"sha256": "A" * 64}}],
    "an empty digest": [{"name": "a", "digest": {"sha256": ""}}],
    "no digest": [{"name": "a"}],
    "no list": "1" * 64,
}


@pytest.mark.parametrize("what", SUBJECTS)
def test_t45_another_subject(what: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    named = image("1").replace("1" * 64, "a" * 64) if what == "upper case" else image("1")
    project.judged_as(samples.passing(), named)
    project.attested()
    path = project.signed(changed(project.statement, "subject", SUBJECTS[what]))
    said = refusal(capfd, path)
    assert "not about what is to be deployed" in said or "subject" in said
    assert "not about what is to be deployed" in refusal(capfd, "--image", image("2"), ".mlgate/verdict.dsse.json")


@pytest.mark.parametrize(
    "other", ["spdx", "https://slsa.dev/provenance/v1", "https://in-toto.io/attestation/test-result/v0.2"]
)
def test_t47_a_statement_about_something_else(
    other: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.passed()
    path = project.signed(changed(project.statement, "predicateType", other))
    said = refusal(capfd, path)
    assert "about something else than a verdict" in said
    assert other in said
    assert "about something else" in refusal(capfd, ".mlgate/verdict.dsse.json", path)  # beside a good one, too


def test_t47_a_statement_of_another_version(project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.passed()
    path = project.signed(changed(project.statement, "_type", "https://in-toto.io/Statement/v0.1"))
    assert "no in-toto statement, version 1" in refusal(capfd, path)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ("FAILED", "says FAILED"),
        ("WARNED", "says WARNED"),
        ("passed", "'passed' is not a valid Result"),
        ("", "not a valid Result"),
        (None, "result is no text"),
        (True, "result is no text"),
    ],
)
def test_t48_a_result_that_does_not_pass(
    result: object, says: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.passed()
    assert says in refusal(capfd, project.signed(changed(project.statement, "predicate/result", result)))


def test_t48_a_result_that_stands_twice(project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.passed()
    text = json.dumps(project.statement)
    twice = text.replace('"result": "PASSED"', '"result": "FAILED", "result": "PASSED"')
    assert text != twice
    assert "a key stands twice" in refusal(capfd, project.signed(twice))


CONTRADICTIONS: list[tuple[str, object, str]] = [
    ("predicate/failedTests", ["summaries/bleu/min"], "contradicts itself: summaries/bleu/min failed"),
    ("predicate/warnedTests", ["summaries/bleu/min"], "contradicts itself: summaries/bleu/min warned"),
    ("predicate/passedTests", ["summaries/bleu/min"], "does not say that summaries/rougeL/min was kept"),
    ("predicate/passedTests", [], "does not say that"),
    ("predicate/passedTests", [1], "no list of texts"),
    ("predicate/…/inventory/present", 199, "199 of 200 planned rows were observed"),
    ("predicate/…/inventory", {"expected": 0, "present": 0}, "0 of 0 planned rows"),
    ("predicate/…/inventory/present", "200", "present is no count"),
    ("predicate/…/inventory/present", True, "present is no count"),
    ("predicate/…/inventory/present", -1, "present is no count"),
    ("predicate/…", {}, "is no object"),
    ("predicate/…/model/digest", "another", "the model's digest is another one"),
    ("predicate/…/source/commit", "0" * 40, "the commit is another one"),
    ("predicate/…/report/digest/sha256", OTHER, "about another verdict than the one that is to be deployed"),
]


@pytest.mark.parametrize(("at", "value", "says"), CONTRADICTIONS)
def test_t48_a_pass_that_its_own_words_do_not_bear_out(
    at: str, value: object, says: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.passed()
    assert says in refusal(capfd, project.signed(changed(project.statement, at, value)))


def test_t48_a_warned_verdict_passes_only_where_the_file_allows_it(
    project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    report = samples.passing()
    first, *rest = report.findings
    project.judged_as(replace(report, findings=(replace(first, outcome=Outcome.WARNED), *rest)))
    project.attested()
    assert "the attestation says WARNED: summaries/rougeL/min" in refusal(capfd)
    project.write(trust={"keys": ["keys/gate.pem"], "allow_warned": True})
    assert invoke(["verify"]) == 0


def _at(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


TIMES: list[tuple[dict[str, object], str]] = [
    ({"timeVerified": -24 * 30, "expires": -24 * 23}, "the attestation was good until"),
    ({"timeVerified": -2, "expires": -1}, "the attestation was good until"),
    ({"timeVerified": -24 * 8, "expires": 24}, "the attestation was good until"),  # older than the file allows
    ({"timeVerified": 1, "expires": 24}, "which is in the future"),
    ({"timeVerified": 24 * 365, "expires": 24 * 372}, "which is in the future"),  # our clock is a year behind
    ({"timeVerified": "yesterday"}, "timeVerified is no time"),
    ({"expires": "soon"}, "expires is no time"),
]


@pytest.mark.parametrize(("times", "says"), TIMES)
def test_t49_a_time_that_is_not_now(
    times: dict[str, object], says: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.passed()
    statement = project.statement
    for name, value in times.items():
        statement = changed(statement, f"predicate/…/{name}", _at(value) if isinstance(value, int) else value)
    assert says in refusal(capfd, project.signed(statement))


@pytest.mark.parametrize("how", ["tighter", "looser", "one rule more", "other data", "another baseline"])
def test_t49_the_rules_of_last_month(how: str, project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.passed()
    rules: Any = CHECKS["summaries"]["rules"]
    now: dict[str, Any] = {
        "tighter": {"checks": {"summaries": {**CHECKS["summaries"], "rules": {**rules, "bleu": {"min": 13}}}}},
        "looser": {"checks": {"summaries": {**CHECKS["summaries"], "rules": {**rules, "bleu": {"min": 11}}}}},
        "one rule more": {"checks": {"summaries": {**CHECKS["summaries"], "rules": {**rules, "ter": {"max": 90}}}}},
        "other data": {"checks": {"summaries": {**CHECKS["summaries"], "data": "other.jsonl"}}},
        "another baseline": {"baseline": {"from": "file", "path": "other.jsonl.gz"}},
    }
    project.write(**now[how])
    assert "judged by other rules than those that hold now" in refusal(capfd)


CLAIMED = [
    ("repository_id", "987654321", "OIDCSourceRepositoryIdentifier"),
    ("repository", "https://github.com/evil/models", "OIDCSourceRepositoryURI"),
    ("ref", "refs/pull/1/merge", "OIDCSourceRepositoryRef"),
    ("ref", "refs/heads/feature", "OIDCSourceRepositoryRef"),
    ("trigger", "pull_request", "another event than push, merge_group, workflow_dispatch"),
    ("trigger", "pull_request_target", "another event"),
    ("trigger", "", "another event"),
    ("workflow", WORKFLOW.replace("attest", "evil"), "OIDCBuildSignerURI"),
    ("workflow", WORKFLOW.replace("refs/heads/main", "refs/heads/feature"), "OIDCBuildSignerURI"),
    ("issuer", "https://gitlab.com", "OIDCIssuerV2"),
    ("runner", "self-hosted", "OIDCRunnerEnvironment"),
]


@pytest.mark.parametrize(("claim", "value", "says"), CLAIMED)
def test_t50_a_workflow_that_is_not_the_trusted_one(
    claim: str,
    value: str,
    says: str,
    project: AttestedProject,
    instance: SigstoreInstance,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = project.passed()
    path.write_text(json.dumps(instance.bundle(json.dumps(project.statement), **{claim: value})))
    said = refusal(capfd)
    assert "no workflow that is trusted signed" in said
    assert says in said


def _flip_signature(bundle: Json) -> None:
    one = bundle["dsseEnvelope"]["signatures"][0]
    signature = bytearray(base64.b64decode(one["sig"]))
    signature[-1] ^= 1
    one["sig"] = base64.b64encode(signature).decode()


BUNDLES: dict[str, Callable[[Json], object]] = {
    "one byte of the payload": lambda b: _flip_payload(b["dsseEnvelope"]),
    "one byte of the signature": _flip_signature,
    "the payload's type": lambda b: b["dsseEnvelope"].update(payloadType="text/plain"),
    "no entry in the log": lambda b: b["verificationMaterial"].update(tlogEntries=[]),
    "no promise of the log": lambda b: b["verificationMaterial"]["tlogEntries"][0].pop("inclusionPromise"),
    "another time in the log": lambda b: b["verificationMaterial"]["tlogEntries"][0].update(integratedTime="1"),
    "no envelope": lambda b: b.pop("dsseEnvelope"),
    "no material": lambda b: b.pop("verificationMaterial"),
    "an envelope that is a list": lambda b: b.update(dsseEnvelope=[]),
}


@pytest.mark.parametrize("what", BUNDLES)
def test_t43_a_bundle_that_was_changed(
    what: str, project: AttestedProject, instance: SigstoreInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    bundle = instance.bundle(json.dumps(project.statement))
    BUNDLES[what](bundle)
    path.write_text(json.dumps(bundle))
    said = refusal(capfd)
    assert "no workflow that is trusted signed" in said or "the bundle cannot be read" in said


def test_t47_a_bundle_about_something_else(
    project: AttestedProject, instance: SigstoreInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    path.write_text(json.dumps(instance.bundle(json.dumps(project.statement), "text/plain")))
    assert "the envelope's payload is 'text/plain'" in refusal(capfd)
    path.write_text(json.dumps(instance.bundle(json.dumps(changed(project.statement, "predicateType", "spdx")))))
    assert "about something else than a verdict" in refusal(capfd)


def test_t44_a_bundle_of_another_instance(
    project: AttestedProject, instance: SigstoreInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    path.write_text(json.dumps(SigstoreInstance().bundle(json.dumps(project.statement))))
    assert "no workflow that is trusted signed" in refusal(capfd)
    path.write_text(json.dumps(instance.bundle(json.dumps(project.statement))))
    project.write(trust={"identities": [IDENTITY]})  # the public instance's root
    assert "no workflow that is trusted signed" in refusal(capfd)


@pytest.mark.parametrize("order", [("pass.json", "fail.json"), ("fail.json", "pass.json")])
def test_t51_a_newer_failure_of_the_same_model_wins(
    order: tuple[str, str], project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.judged_as(samples.passing(), judged=_at(-2))
    project.attested().rename("pass.json")
    passed = project.statement
    project.judged_as(samples.failing(), judged=_at(-1))
    project.attested().rename("fail.json")
    assert invoke(["verify", "--image", image("1"), "pass.json"]) == 0
    said = refusal(capfd, "--image", image("1"), *order)
    assert "the newest attestation of this model says FAILED: summaries/rougeL/max_drop" in said
    assert "fail.json" in said
    newest = project.signed(changed(passed, "predicate/…/timeVerified", _at(-0.5)))
    assert invoke(["verify", "--image", image("1"), *order, str(newest)]) == 0  # it was mended, and judged again


def test_t51_of_one_second_the_worse_verdict_wins(project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.passed()
    for name, result in (("a", "PASSED"), ("b", "FAILED"), ("c", "PASSED")):
        project.signed(changed(project.statement, "predicate/result", result), f"{name}.json")
    assert "says FAILED" in refusal(capfd, "a.json", "b.json", "c.json")


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("subject/0/digest/sha256", OTHER),
        ("predicate/…/policy/digest/sha256", OTHER),
        ("predicate/…/model/name", "another"),
    ],
)
def test_t51_a_failure_of_another_model_or_by_other_rules_says_nothing(
    at: str, value: str, project: AttestedProject
) -> None:
    path = project.passed()
    failed = changed(project.statement, "predicate/result", "FAILED")
    newer = project.signed(changed(changed(failed, at, value), "predicate/…/timeVerified", _at(0)))
    assert invoke(["verify", str(path), str(newer)]) == 0


def test_t51_one_that_cannot_be_verified_is_never_passed_over(
    project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project.passed()
    new_key(Path("other.key"))
    Path("theirs.json").write_text(sign(project.statement, Path("other.key")))
    assert "theirs.json" in refusal(capfd, path, "theirs.json")


def test_t52_a_pass_of_staging_is_none_of_production(
    project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    project.passed()
    path = project.signed(changed(project.statement, "predicate/…/model/name", "summarizer-staging"))
    assert "is about the model 'summarizer-staging'" in refusal(capfd, path)


def test_t54_a_key_is_verified_without_a_network(project: AttestedProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.passed()
    monkeypatch.setattr(socket, "socket", _no_socket)
    assert invoke(["verify"]) == 0


def test_t54_a_bundle_is_verified_without_a_network(
    project: AttestedProject, instance: SigstoreInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.passed()
    path.unlink()
    path.with_name("verdict.sigstore.json").write_text(json.dumps(instance.bundle(json.dumps(project.statement))))
    monkeypatch.setattr(socket, "socket", _no_socket)
    assert invoke(["verify"]) == 0


def _no_socket(*_: object, **__: object) -> None:
    raise AssertionError("a socket was asked for")
