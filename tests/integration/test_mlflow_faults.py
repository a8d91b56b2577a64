"""An MLflow that is down, slow, broken or hostile: an error in time that says what to do, and never a secret in it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.child_environment import child_environment
from tests.support.fake_mlflow import API, ARTIFACTS, Ask, FakeMlflow, Reply, Request, Script, faking
from tests.support.mlflow_faults import (
    after,
    climbing,
    garbage,
    outside,
    redirect,
    reset,
    rewritten,
    says,
    silent,
    status,
)
from tests.support.mlflow_records import NOW, candidate, digest, evidence, record, registry_of
from tests.support.mlflow_server import ADMIN, PASSWORD
from tests.support.mlflow_server import Server as RealServer
from tests.support.mlflow_server import server as real_server
from tests.support.waiting import PATIENCE

from mlgate.adapters.files import evidence_file
from mlgate.adapters.mlflow.baseline import MlflowBaseline, of_alias, of_branch, of_run, of_version
from mlgate.adapters.mlflow.client import Server, StoreAddress
from mlgate.adapters.mlflow.runs import ARTIFACT_FOLDER, MlflowRuns
from mlgate.core.errors import AdapterError, ConfigError, EvidenceError, GateError, Refused
from mlgate.core.tracking.record import LoggedRun, TrackingRecord
from mlgate.flow import promotion

FIELDS = (
    *("run", "runs", "info", "data", "tags", "key", "value", "run_id", "experiment_id", "artifact_uri", "status"),
    *("params", "metrics", "inputs", "version", "name", "aliases", "alias", "files", "path", "is_dir", "file_size"),
)
TOP = {
    "get-by-name": "experiment",
    "runs/search": "runs",
    "runs/create": "run",
    "model-versions/search": "model_versions",
}
REQUESTS = 3
"""Of one call: the first, and two more."""
SECRETS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
needs_mlflow = pytest.mark.needs_mlflow


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the pauses between requests away, not their number."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)


def place_of(uri: str, folder: Path) -> StoreAddress:
    return StoreAddress(uri, folder / "artifacts", 1.0)


@pytest.fixture
def tracker(fake_mlflow: FakeMlflow, tmp_path: Path, own_name: str) -> MlflowRuns:
    return MlflowRuns(Server(place_of(fake_mlflow.uri, tmp_path)), own_name)


def verdict(folder: Path, answer: str = "x") -> TrackingRecord:
    """Return a verdict that has evidence."""
    one = evidence(answer)
    path = folder / f"{answer}.jsonl.gz"
    evidence_file.write(path, one)
    made = record(evidence=one.digest, files={"evidence.jsonl.gz": path.read_bytes()}, key=digest(answer))
    return replace(made, tags={**made.tags, "mlgate.evidence": one.digest})


# It does not answer, or says no


CREATE = ("POST", f"{API}/runs/create")


@needs_mlflow
@pytest.mark.parametrize(
    ("fault", "said", "hint", "requests"),
    [
        (status(401), "a fault of the tests", "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME", 1),
        (status(403), "a fault of the tests", "this account may not do that", 1),
        (status(404), "a fault of the tests", "", 1),
        (status(409), "a fault of the tests", "", 1),
        (status(429), "it failed (too many 429 error responses)", "", REQUESTS),
        (status(500), "it failed (too many 500 error responses)", "", REQUESTS),
        (status(503), "it failed (too many 503 error responses)", "", REQUESTS),
        (says(b"", 503, **{"retry-after": "3600"}), "it failed", "", REQUESTS),
        (silent, "no answer", "is the server up?", REQUESTS),
        (reset, "no answer", "is the server up?", REQUESTS),
        (garbage, "not in a valid JSON format", "", 1),
        (says(b"<html>log in</html>", 401), "log in", "set MLFLOW_TRACKING_TOKEN", 1),
        (says({"run": 5}), "", "", 1),
        (says([]), "not in a valid JSON format", "", 1),
    ],
    ids=["401", "403", "404", "409", "429", "500", "503", "hour", "slow", "reset", "garbage", "login", "shape", "list"],
)
def test_a_server_that_does_not_take_a_run_is_an_error_after_few_requests(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, fault: Script, said: str, hint: str, requests: int
) -> None:
    fake_mlflow[CREATE] = fault
    with pytest.raises(AdapterError) as raised:
        tracker.log(record())
    assert said in raised.value.message
    assert raised.value.hint.startswith(hint)
    assert fake_mlflow.uri in raised.value.message
    assert fake_mlflow.count(*CREATE) == requests
    fake_mlflow.mend()
    assert tracker.log(record()).run, "and then it is well again"


def test_a_server_that_is_down_is_an_error_that_says_where_to_look(tmp_path: Path) -> None:
    with faking() as fake:
        place = place_of(fake.uri, tmp_path)
    with pytest.raises(AdapterError, match="no answer") as raised:
        MlflowRuns(Server(place), "e").log(record())
    assert raised.value.hint == "is the server up? see tracking.mlflow.uri or MLFLOW_TRACKING_URI"
    with pytest.raises(AdapterError, match="no answer"):
        registry_of(place, "m").ledger()


@needs_mlflow
@pytest.mark.parametrize("fault", [after(reset), after(silent), after(status(500))], ids=["reset", "slow", "500"])
@pytest.mark.parametrize("lost", ["runs/create", "runs/log-batch", "runs/log-inputs", "runs/update"])
def test_a_verdict_whose_replies_are_lost_is_logged_once_all_the_same(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, mlflow_server: RealServer, tmp_path: Path, fault: Script, lost: str
) -> None:
    left = iter(range(1))
    fake_mlflow["POST", f"{API}/{lost}"] = lambda request, ask: (
        ask() if next(left, None) is None else fault(request, ask)
    )
    done = tracker.log(record())
    server = Server(place_of(mlflow_server.uri, tmp_path))
    (run,) = server.client.search_runs([tracker.experiment_id])
    assert run.info.run_id == done.run
    assert run.data.metrics == record().metrics
    assert all(len(server.client.get_metric_history(done.run, name)) == 1 for name in record().metrics)


@needs_mlflow
@pytest.mark.parametrize(
    "lost",
    [
        "registered-models/create",
        "model-versions/create",
        "model-versions/set-tag",
        "registered-models/alias",
        "runs/log-parameter",
        "runs/create",
    ],
)
def test_a_promotion_whose_replies_are_lost_is_one_move_of_one_version(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, tmp_path: Path, own_name: str, lost: str
) -> None:
    run = tracker.log(record()).run
    registry = registry_of(place_of(fake_mlflow.uri, tmp_path), own_name)
    left = iter(range(1))
    fake_mlflow["POST", f"{API}/{lost}"] = lambda request, ask: (
        ask() if next(left, None) is None else after(reset)(request, ask)
    )
    done = promotion.promote(registry, candidate(run), alias="champion", now=NOW)
    assert [version.number for version in registry.versions()] == [done.version.number]
    assert registry.live("champion") == done.version.number
    (move,) = registry.ledger().moves
    assert move.done


# What it keeps, and does not


@needs_mlflow
@pytest.mark.parametrize("answer", [redirect("/login", 302), says(b"<html>log in</html>"), status(507)])
def test_a_file_that_only_seems_to_be_taken_is_an_error(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, answer: Script
) -> None:
    fake_mlflow["PUT", f"{ARTIFACTS}/*/report.json"] = answer
    with pytest.raises(AdapterError):
        tracker.log(record())
    fake_mlflow.mend()
    tracker.log(record())


@needs_mlflow
def test_a_file_that_is_cut_off_on_its_way_is_an_error(fake_mlflow: FakeMlflow, tracker: MlflowRuns) -> None:
    fake_mlflow["PUT", f"{ARTIFACTS}/*/report.json"] = says({})
    with pytest.raises(AdapterError, match=r"report\.json of run \w+ and does not have it whole") as raised:
        tracker.log(record())
    assert "proxy" in raised.value.hint


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "x", "7", "../..", "active", "FINISHED"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=60)
@given(answers=st.lists(st.tuples(st.booleans(), JSON), min_size=4, max_size=8))
def test_whatever_a_server_says_only_our_errors_come_of_it(answers: list[tuple[bool, object]]) -> None:
    said = cycle(answers)

    def say(request: Request, ask: Ask) -> Reply:
        fits, answer = next(said)
        field = next((field for end, field in TOP.items() if request.path.endswith(end)), "")
        return says({field: answer} if field and fits else answer)(request, ask)

    with faking() as fake:
        fake["*", "*"] = say
        place = StoreAddress(fake.uri, Path("nowhere"), 1.0)
        runs, registry = MlflowRuns(Server(place), "e"), registry_of(place, "m")
        one_of_them = MlflowBaseline(Server(place), "MLflow", "accept", of_run("0" * 32))
        for act in (partial(runs.log, record()), registry.versions, registry.ledger, one_of_them.load):
            with suppress(GateError):
                act()


@needs_mlflow
def test_versions_that_never_end_are_an_error(fake_mlflow: FakeMlflow, tmp_path: Path) -> None:
    fake_mlflow["GET", f"{API}/model-versions/search"] = says({"model_versions": [], "next_page_token": "more"})
    with pytest.raises(AdapterError, match="never end"):
        registry_of(place_of(fake_mlflow.uri, tmp_path), "m").versions()


# Where it leads


@needs_mlflow
@pytest.mark.parametrize("code", [301, 302, 307, 308])
@pytest.mark.parametrize("call", [CREATE, ("PUT", f"{ARTIFACTS}/*"), ("GET", f"{API}/experiments/get-by-name")])
def test_a_redirect_to_another_host_is_not_followed(
    fake_mlflow: FakeMlflow,
    tmp_path: Path,
    own_name: str,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    call: tuple[str, str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "anna")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-secret-of-anna")
    monkeypatch.setenv("MLFLOW_ALLOW_HTTP_REDIRECTS", "true")
    with faking() as other:
        fake_mlflow[call] = redirect(f"{other.uri}/inside", code)
        with pytest.raises(AdapterError) as raised:
            MlflowRuns(Server(place_of(fake_mlflow.uri, tmp_path)), own_name).log(record())
        assert other.calls == []
    assert "a-secret-of-anna" not in str(raised.value)


@needs_mlflow
@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc",
        "/etc",
        "etc",
        "http://127.0.0.1:1/x",
        "https://127.0.0.1:1/x",
        "ftp://127.0.0.1/x",
        "sftp://127.0.0.1/x",
        "mlflow-artifacts://other-host/1/a",
        "mlflow-artifacts://127.0.0.1:1/1/a",
        "mlflow-artifacts:/1/../../x",
        "mlflow-artifacts:/1/%2e%2e/x",
        "runs:/1/x",
        "models:/m/1",
        "",
        "s3://bucket/../x",
    ],
)
def test_files_go_nowhere_that_no_server_has_to_name(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, tmp_path: Path, uri: str
) -> None:
    fake_mlflow[CREATE] = rewritten(artifact_uri=uri)
    with pytest.raises(Refused) as raised:
        tracker.log(record())
    assert raised.value.exit_code == 5
    assert raised.value.hint
    assert not list(tmp_path.iterdir())


@needs_mlflow
@pytest.mark.parametrize("fault", [climbing, outside], ids=["id", "artifacts"])
@pytest.mark.parametrize("call", [CREATE, ("POST", f"{API}/runs/search"), ("GET", f"{API}/runs/get")], ids=str)
def test_paths_in_what_a_server_says_are_refused(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, tmp_path: Path, fault: Script, call: tuple[str, str]
) -> None:
    done = None if call == CREATE else tracker.log(verdict(tmp_path))
    fake_mlflow[call] = fault
    reads = baseline(fake_mlflow, tmp_path, done).load if done and call[0] == "GET" else None
    changed = replace(verdict(tmp_path), verdict=digest("another"))
    with pytest.raises(Refused):
        reads() if reads else tracker.log(changed)


# Evidence that is not what it was


def baseline(fake: FakeMlflow, folder: Path, done: LoggedRun) -> MlflowBaseline:
    return MlflowBaseline(Server(place_of(fake.uri, folder)), "MLflow run", "name another run", of_run(done.run))


def replaced(server: RealServer, done: LoggedRun, folder: Path, content: bytes) -> None:
    """Put another file in the evidence's place, as somebody who may write there."""
    place = Server(place_of(server.uri, folder))
    repository = place.repository(place.client.get_run(done.run).info.artifact_uri)
    path = folder / "evidence.jsonl.gz"
    path.write_bytes(content)
    repository.log_artifact(str(path), ARTIFACT_FOLDER)


def bomb() -> bytes:
    return gzip.compress(b" " * (64 << 20), 9)


@needs_mlflow
def test_evidence_comes_back_as_it_was(fake_mlflow: FakeMlflow, tracker: MlflowRuns, tmp_path: Path) -> None:
    done = tracker.log(verdict(tmp_path))
    assert baseline(fake_mlflow, tmp_path, done).load() == evidence()
    assert not [one for one in threading.enumerate() if one.name.startswith("Mlflow")]


@needs_mlflow
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("another run", Refused),
        (b"", EvidenceError),
        (b"not gzip", EvidenceError),
        ("cut off", EvidenceError),
        ("bomb", Refused),
    ],
)
def test_evidence_that_was_changed_is_never_a_baseline(
    mlflow_server: RealServer,
    fake_mlflow: FakeMlflow,
    tracker: MlflowRuns,
    tmp_path: Path,
    content: str | bytes,
    kind: type[GateError],
) -> None:
    done = tracker.log(verdict(tmp_path))
    path = tmp_path / "other.gz"
    evidence_file.write(path, evidence("another"))
    made = {"another run": path.read_bytes(), "cut off": path.read_bytes()[:-9], "bomb": bomb()}
    replaced(mlflow_server, done, tmp_path, content if isinstance(content, bytes) else made[content])
    with pytest.raises(kind) as raised:
        baseline(fake_mlflow, tmp_path, done).load()
    assert type(raised.value) is kind
    assert str(tmp_path) not in str(raised.value), "a person knows the run, not the file it was read from"


@needs_mlflow
def test_evidence_and_tag_changed_together_are_held_against_the_version_that_was_accepted(
    mlflow_server: RealServer, fake_mlflow: FakeMlflow, tracker: MlflowRuns, tmp_path: Path, own_name: str
) -> None:
    one = verdict(tmp_path)
    done = tracker.log(one)
    place = place_of(fake_mlflow.uri, tmp_path)
    registry = registry_of(place, own_name)
    promotion.promote(registry, candidate(done.run, evidence=one.evidence), alias="champion", now=NOW)
    found = MlflowBaseline(Server(place), "MLflow m@champion", "accept one", of_alias(registry, "champion"))
    assert found.load() == evidence()
    path = tmp_path / "other.gz"
    evidence_file.write(path, evidence("another"))
    replaced(mlflow_server, done, tmp_path, path.read_bytes())
    Server(place).client.set_tag(done.run, "mlgate.evidence", evidence("another").digest)
    with pytest.raises(Refused, match="was changed after it was logged"):
        found.load()


@needs_mlflow
def test_a_digest_that_somebody_edited_is_refused(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, tmp_path: Path, own_name: str
) -> None:
    one = verdict(tmp_path)
    done = tracker.log(one)
    place = place_of(fake_mlflow.uri, tmp_path)
    registry = registry_of(place, own_name)
    registry.register(candidate(done.run, evidence=one.evidence))
    Server(place).client.set_model_version_tag(own_name, "1", "mlgate.evidence", digest("another"))
    with pytest.raises(Refused) as raised:
        MlflowBaseline(Server(place), "MLflow m v1", "name another version", of_version(registry, 1)).load()
    assert raised.value.exit_code == 5


@needs_mlflow
def test_a_run_or_a_version_without_evidence_is_an_error_and_nothing_accepted_is_none(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, tmp_path: Path, own_name: str
) -> None:
    server = Server(place_of(fake_mlflow.uri, tmp_path))
    registry = registry_of(server.place, own_name)
    assert MlflowBaseline(server, "MLflow", "accept one", of_alias(registry, "champion")).load() is None
    assert MlflowBaseline(server, "MLflow", "accept one", of_branch(tracker, "main", {})).load() is None
    foreign = server.client.create_run(tracker.experiment_id).info.run_id
    finds = [of_run(foreign), of_run("0" * 32), of_version(registry, 7)]
    server.client.create_registered_model(own_name)
    server.client.create_model_version(own_name, "s3://bucket/model")
    finds.append(of_version(registry, 1))
    for find in finds:
        with pytest.raises(EvidenceError) as raised:
            MlflowBaseline(server, "MLflow", "accept one", find).load()
        assert raised.value.hint
    with pytest.raises(ConfigError):
        MlflowBaseline(server, "MLflow", "accept one", of_run(foreign)).save(evidence())


@needs_mlflow
@pytest.mark.parametrize("fault", [status(500), silent, reset, garbage, redirect("/login")])
def test_evidence_that_does_not_come_is_an_error(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, tmp_path: Path, fault: Script
) -> None:
    done = tracker.log(verdict(tmp_path))
    fake_mlflow["GET", f"{ARTIFACTS}/*"] = fault
    with pytest.raises(EvidenceError):
        baseline(fake_mlflow, tmp_path, done).load()
    assert fake_mlflow.count("GET", f"{ARTIFACTS}/*") <= REQUESTS + 1


@needs_mlflow
def test_a_server_cannot_send_the_client_elsewhere_for_the_evidence(
    fake_mlflow: FakeMlflow, tracker: MlflowRuns, tmp_path: Path
) -> None:
    done = tracker.log(verdict(tmp_path))
    with faking() as other:
        fake_mlflow["GET", "*server-info*"] = says(
            {"multipart_uploads_enabled": True, "multipart_downloads_enabled": True, "store_type": "x"}
        )
        fake_mlflow["GET", "*presigned*"] = says({"url": f"{other.uri}/inside", "headers": {}, "file_size": 10})
        fake_mlflow["GET", f"{API}-artifacts/artifacts"] = says(
            {"files": [{"path": "../../x", "is_dir": True}, {"path": "evidence.jsonl.gz", "is_dir": True}]}
        )
        assert baseline(fake_mlflow, tmp_path, done).load() == evidence()
        assert other.calls == []


# Secrets


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with ExitStack() as stack:
        yield stack.enter_context(real_server(tmp_path_factory.mktemp("guarded"), auth=True))


def patient(uri: str, folder: Path) -> StoreAddress:
    return replace(place_of(uri, folder), timeout_s=PATIENCE)  # a login's hash takes its time


@needs_mlflow
def test_a_real_login_is_demanded_and_given_by_address_or_environment(
    guarded: RealServer, tmp_path: Path, own_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AdapterError) as raised:
        MlflowRuns(Server(patient(guarded.uri, tmp_path)), own_name).log(record())
    assert raised.value.hint.startswith("set MLFLOW_TRACKING_TOKEN")
    by_address = Server(patient(guarded.uri_of_admin, tmp_path))
    done = MlflowRuns(by_address, own_name).log(verdict(tmp_path))
    assert PASSWORD not in done.where
    assert MlflowBaseline(by_address, "MLflow", "accept", of_run(done.run)).load() == evidence()
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    again = MlflowRuns(Server(patient(guarded.uri, tmp_path)), own_name)
    assert again.log(verdict(tmp_path)).run == done.run


@needs_mlflow
def test_who_may_only_read_is_told_so(
    guarded: RealServer, tmp_path: Path, own_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.add_user(own_name[-8:], "a-password-of-a-reader")
    MlflowRuns(Server(patient(guarded.uri_of_admin, tmp_path)), own_name).log(record(1))
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", own_name[-8:])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-password-of-a-reader")
    with pytest.raises(AdapterError) as raised:
        MlflowRuns(Server(patient(guarded.uri, tmp_path)), own_name).log(record())
    assert raised.value.hint.startswith("this account may not do that")
    assert "a-password-of-a-reader" not in str(raised.value)


ECHOES = ("s3cr3t-p%40ss/w", "s3cr3t-p@ss/w", "s3cr3t-p%40ss%2Fw", "t0k3n-of-anna")


@pytest.mark.parametrize("kind", ["401", "500", "reset", "garbage", "down", "echo"])
def test_no_secret_is_in_any_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0k3n-of-anna")

    def echo(request: Request, _ask: Ask) -> Reply:
        said = f"you are {request.headers.get('authorization')} {' '.join(ECHOES)}"
        return Reply(400, json.dumps({"error_code": "INVALID_PARAMETER_VALUE", "message": said}).encode())

    faults = {
        "401": status(401, " ".join(ECHOES)),
        "500": status(500),
        "reset": reset,
        "garbage": garbage,
        "echo": echo,
    }
    with faking() as fake:
        if kind in faults:
            fake["*", "*"] = faults[kind]
        address = fake.uri.replace("http://", "http://anna:s3cr3t-p%40ss%2Fw@")
        place = place_of(address, tmp_path)
        if kind != "down":
            errors = list(_all_errors(place))
    if kind == "down":
        errors = list(_all_errors(place))
    assert len(errors) == 5
    for error in errors:
        shown = f"{error} {error.__cause__} {error.__context__ if not error.__suppress_context__ else ''}"
        for secret in ("s3cr3t", "t0k3n"):
            assert secret not in shown


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql+psycopg2://anna:s3cr3t@127.0.0.1:1/x",
        "postgresql://127.0.0.1:1/x?password=s3cr3t",
        "nonsense://anna:s3cr3t@127.0.0.1:1/x",
        "mysql+pymysql://anna:s3cr3t@127.0.0.1:1/x",
        "mssql+pyodbc://127.0.0.1/?odbc_connect=PWD%3Ds3cr3t",
    ],
)
def test_no_secret_of_a_database_is_in_any_error(tmp_path: Path, uri: str) -> None:
    place = place_of(uri, tmp_path)
    assert "s3cr3t" not in place.shown
    for error in _all_errors(place):
        assert "s3cr3t" not in f"{error} {error.hint}"


def _all_errors(place: StoreAddress) -> Iterator[GateError]:
    server = Server(place)
    runs, registry = MlflowRuns(server, "e"), registry_of(place, "m")
    one = candidate("0" * 32)
    for act in (
        lambda: runs.log(record()),
        lambda: runs.last_passed("main", also={}),
        registry.versions,
        lambda: registry.register(one),
        lambda: MlflowBaseline(server, f"MLflow {place.shown}", "accept", of_run(one.run)).load(),
    ):
        with pytest.raises(GateError) as raised:
            act()
        yield raised.value


# What the client leaves in the process


QUIET = """
import logging, os, sys, threading, warnings
from pathlib import Path
from tests.support.mlflow_records import candidate, record, registry_of, NOW
from mlgate.adapters.mlflow.client import StoreAddress, Server
from mlgate.adapters.mlflow.runs import MlflowRuns
from mlgate.core.errors import AdapterError
from mlgate.flow import promotion
before = dict(os.environ)
place = StoreAddress(sys.argv[1], Path("artifacts"), 1.0)
try:
    run = MlflowRuns(Server(place), "quiet").log(record()).run
    registry = registry_of(place, "quiet", stages={"champion": "Production"})
    promotion.promote(registry, candidate(run), alias="champion", now=NOW)
    promotion.promote(registry, candidate(run, 1), alias="champion", now=NOW)
    registry.append(registry.ledger().moves[0].__class__(1, "champion", "promoted", 9, 0, NOW))
except AdapterError:
    assert sys.argv[2] == "fails"
assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())
assert logging.root.manager.disable == 0
import gc
gc.collect()
assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
"""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("server", marks=needs_mlflow), "down", "locked"])
def test_nothing_of_the_client_reaches_the_terminal_or_stays_in_the_process(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    if kind == "server":
        uri = request.getfixturevalue("mlflow_server").uri
    if kind == "down":
        with faking() as fake:
            uri = fake.uri
    if kind == "locked":
        (tmp_path / "mlflow.db").write_bytes(b"this is no database" * 100)
    env = child_environment(
        TMPDIR=str(tmp_path),
        PYTHONPATH=os.pathsep.join(sys.path),
        _MLFLOW_TELEMETRY_SESSION_ID="of the process that started this one",
    )
    words = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", textwrap.dedent(QUIET), uri]
    done = subprocess.run(
        [*words, "fails" if kind in ("down", "locked") else "works"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert {path.name for path in tmp_path.iterdir()} <= {"mlflow.db", "artifacts"}


def test_evidence_that_is_large_when_unpacked_is_not_unpacked() -> None:
    with pytest.raises(Refused, match="unpacks to more"):
        evidence_file.parse(bomb(), "a run")
