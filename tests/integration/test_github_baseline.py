"""The baseline that CI keeps, asked for at a GitHub that holds every call against GitHub's own OpenAPI description."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_github import REPOSITORY, STRANGERS, TOKEN, FakeGithub, Fault, serving
from tests.support.kept_baselines import archive

from mlgate.adapters.files import evidence_file
from mlgate.adapters.github import artifacts
from mlgate.adapters.github.artifacts import GithubArtifacts
from mlgate.adapters.github.baseline import EVIDENCE_NAME, GithubBaseline, Judged
from mlgate.adapters.github.client import GithubClient
from mlgate.adapters.github.retries import Retries
from mlgate.core.errors import AdapterError, EvidenceError, GateError, Refused
from mlgate.core.evidence import Evidence, Observation, Provenance

pytestmark = pytest.mark.needs_openapi

BASE, BEFORE, FIRST, SIDE = (letter * 40 for letter in "abcd")
HISTORY = {BASE: (BEFORE, SIDE), BEFORE: (FIRST,), SIDE: (FIRST,), FIRST: ()}
"""main has been FIRST, BEFORE and BASE; SIDE is a pull request's commit that a merge brought in."""


def evidence(run: int, sha: str, answer: str = "x") -> Evidence:
    provenance = Provenance(sha, "s", "m", (("c", "d"),), run=f"github-{run}")
    return Evidence.of(provenance, [], [Observation("c", "a", {"answer": answer})])


@dataclass
class Judge:
    """A job that judges the change with run number 7, and a clock that only its own waits move."""

    github: FakeGithub
    folder: Path
    change: bool = True
    waits: list[float] = field(default_factory=list)

    def keep(self, run: int, sha: str, answer: str = "x", **more: Any) -> None:
        """A run uploads its evidence under the baseline's name."""
        path = self.folder / "sent.jsonl.gz"
        evidence_file.write(path, evidence(run, sha, answer))
        self.github.upload(run, sha, archive(path.read_bytes()), **more)

    def lies_here(self) -> Path:
        """What a cache restored: evidence that says to be main's."""
        evidence_file.write(self.here, evidence(100, BASE, "forged"))
        return self.here

    @property
    def here(self) -> Path:
        return self.folder / "kept/evidence.jsonl.gz"

    def store(self) -> GithubBaseline:
        return GithubBaseline(self.here, Judged("mlgate-baseline", "7", self.change), lambda _: BASE, self._artifacts)

    def load(self) -> Evidence | None:
        return self.store().load()

    @contextmanager
    def _artifacts(self) -> Iterator[GithubArtifacts]:
        patience = Retries(sleep=self.waits.append, clock=lambda: 0.0, now=lambda: 1_700_000_000.0)
        with GithubClient(self.github.url, TOKEN, patience) as line:
            yield GithubArtifacts(line, REPOSITORY)


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[Judge]:
    with serving() as github:
        github.commits.update(HISTORY)
        yield Judge(github, tmp_path)


def test_what_main_kept_judges_and_says_of_which_run_it_is_and_how_old(judge: Judge) -> None:
    judge.keep(100, BEFORE)
    store = judge.store()
    assert store.load() == evidence(100, BEFORE)
    assert store.source == "run 100 of main, 2026-01-02, 1 commit before the base"
    asked = [
        call.split("?")[0].removeprefix("GET ").removeprefix(f"/repos/{REPOSITORY}") for call in judge.github.calls
    ]
    assert asked == [
        "",
        "/actions/artifacts",
        "/commits",
        "/actions/runs/100",
        "/actions/artifacts/9000/zip",
        "/stored/9000",
    ]


FORGED: Mapping[str, Mapping[str, Any]] = {
    "by the pull request's own run": {"run": 7, "branch": "feature", "event": "pull_request"},
    "by an earlier run of the pull request": {"run": 6, "branch": "feature", "event": "pull_request"},
    "by a fork whose branch is main": {"branch": "main", "event": "pull_request", "head": STRANGERS},
    "by a fork that is gone": {"branch": "main", "event": "pull_request", "head": None},
    "by a pull request from main": {"branch": "main", "event": "pull_request"},
    "by pull_request_target": {"event": "pull_request_target"},
    "by a workflow_run on main": {"event": "workflow_run"},
    "by the merge queue": {"branch": "gh-readonly-queue/main/pr-7", "event": "merge_group"},
    "by a push of a branch": {"branch": "master"},
    "by a tag called main": {"sha": "e" * 40},
    "by a tag called main at a commit of a merged change": {"sha": SIDE},
    "long ago": {"expired": True},
}


@pytest.mark.parametrize("how", FORGED)
def test_what_was_uploaded_otherwise_is_never_the_baseline(judge: Judge, how: str) -> None:
    judge.keep(100, BEFORE, "true")
    judge.keep(**{"run": 200, "sha": BASE, "answer": "forged", **FORGED[how]})
    assert judge.load() == evidence(100, BEFORE, "true")


@pytest.mark.parametrize("how", FORGED)
def test_where_nothing_vouches_there_is_none_and_the_message_says_why(judge: Judge, how: str) -> None:
    judge.keep(**{"run": 200, "sha": BASE, "answer": "forged", **FORGED[how]})
    store = judge.store()
    assert store.load() is None
    assert "where it keeps the artifact mlgate-baseline; others of that name do not count: 1 " in store.accept


def test_evidence_that_a_cache_restored_is_refused_where_nothing_vouches_for_a_baseline(judge: Judge) -> None:
    path = judge.lies_here()
    with pytest.raises(Refused, match="no run of the default branch vouches for this baseline") as caught:
        judge.load()
    assert (caught.value.where, caught.value.exit_code) == (str(path), 5)


def test_a_link_to_nowhere_is_refused_as_well(judge: Judge) -> None:
    judge.here.parent.mkdir()
    judge.here.symlink_to("nowhere")
    with pytest.raises(Refused):
        judge.load()


def test_evidence_that_a_cache_restored_is_never_read_where_main_kept_one(judge: Judge) -> None:
    judge.lies_here()
    judge.keep(100, BASE, "true")
    assert judge.load() == evidence(100, BASE, "true")


def test_on_main_what_lies_here_is_not_read_either_and_stops_nobody(judge: Judge) -> None:
    judge.lies_here()
    assert replace(judge, change=False).load() is None


def test_an_old_baseline_is_not_brought_back_by_starting_its_run_again(judge: Judge) -> None:
    judge.keep(101, BASE, "new")
    judge.keep(100, BEFORE, "weaker")
    assert judge.load() == evidence(101, BASE, "new")


def test_the_newest_run_of_one_commit_counts_and_never_the_run_that_asks(judge: Judge) -> None:
    judge.keep(100, BASE, "first")
    judge.keep(101, BASE, "by hand", event="workflow_dispatch")
    judge.keep(7, BASE, "itself")
    assert judge.load() == evidence(101, BASE, "by hand")


def test_the_age_is_told_for_the_base_itself_and_for_main_s_own_run(judge: Judge) -> None:
    judge.keep(100, BASE)
    for change, said in ((True, "of the base"), (False, "of this commit")):
        store = replace(judge, change=change).store()
        store.load()
        assert store.source == f"run 100 of main, 2026-01-02, {said}"


def test_what_main_kept_after_the_base_is_not_what_the_base_had(judge: Judge) -> None:
    judge.github.commits["f" * 40] = (BASE,)
    judge.keep(100, BEFORE)
    judge.keep(102, "f" * 40, "later")
    assert judge.load() == evidence(100, BEFORE)


def test_a_history_and_a_list_of_many_pages_are_read(judge: Judge) -> None:
    chain = [f"{number:040x}" for number in range(250)]
    judge.github.commits.update({sha: chain[i + 1 : i + 2] for i, sha in enumerate(chain)})
    judge.github.commits[BASE] = (chain[0],)
    judge.keep(100, chain[230])
    for run in range(1000, 1210):
        judge.keep(run, BASE, branch="feature", event="pull_request")
    store = judge.store()
    assert store.load() == evidence(100, chain[230])
    assert store.source.endswith("231 commits before the base")


def flood(judge: Judge) -> None:
    for run in range(1000, 1250):
        judge.github.upload(run, BASE, b"", branch="main", event="pull_request", head=STRANGERS)


def test_many_uploads_of_strangers_keep_nobody_from_being_judged(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "PAGES", 2)
    flood(judge)
    judge.keep(100, BEFORE)
    assert judge.load() == evidence(100, BEFORE)


def test_where_nothing_vouches_among_as_many_as_are_read_nothing_is_known(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "PAGES", 2)
    judge.keep(100, BEFORE)
    flood(judge)
    with pytest.raises(AdapterError, match="more than 2 pages") as caught:
        judge.load()
    assert "200 of a fork" in caught.value.hint
    assert "run the default branch again" in caught.value.hint


def test_artifacts_of_other_gates_are_not_looked_at(judge: Judge) -> None:
    judge.keep(100, BASE, name="translator-baseline")
    judge.keep(101, BASE, name="mlgate-baseline-2")
    assert judge.load() is None


# --- evidence that is not what it should be -----------------------------------------------------


@pytest.mark.parametrize(
    "told", [evidence(99, BASE), evidence(100, BEFORE), evidence(100, FIRST + "+dirty"), evidence(100, "")]
)
def test_evidence_of_another_run_than_the_one_that_kept_it_is_refused(judge: Judge, told: Evidence) -> None:
    path = judge.folder / "sent.jsonl.gz"
    evidence_file.write(path, told)
    judge.github.upload(100, BASE, archive(path.read_bytes()))
    with pytest.raises(Refused, match="the baseline was observed by another run"):
        judge.load()


def bomb() -> bytes:
    return archive(gzip.compress(b"0" * 50_000_000))


ODD: Mapping[str, Callable[[], bytes]] = {
    "no archive": lambda: b"PK or not PK",
    "nothing": lambda: b"",
    "cut": lambda: archive(b"x" * 5000)[:40],
    "another file": lambda: archive(b"x", "evidence.json"),
    "a path out of it": lambda: archive(b"x", f"../{EVIDENCE_NAME}"),
    "no evidence": lambda: archive(b"x"),
    "much of nothing": bomb,
}


@pytest.mark.parametrize("what", ODD)
def test_an_artifact_that_is_no_evidence_is_damaged_and_not_absent(judge: Judge, what: str) -> None:
    judge.github.upload(100, BASE, ODD[what]())
    with pytest.raises((EvidenceError, Refused)) as caught:
        judge.load()
    assert "of run 100" in caught.value.where


def test_what_arrives_is_held_against_the_digest_that_github_names(judge: Judge) -> None:
    judge.keep(100, BASE)
    judge.github.faults.append(Fault("GET", "/stored/", 200, raw=archive(b"another")))
    with pytest.raises(AdapterError, match="is not what was uploaded"):
        judge.load()


# --- a GitHub that does not answer ---------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [rf"^/repos/{REPOSITORY}$", "/actions/artifacts$", "/actions/runs/", "/commits", "/zip$"]
)
def test_a_token_that_may_not_ask_says_which_permissions_to_give(judge: Judge, path: str) -> None:
    judge.keep(100, BASE)
    said = {"message": "Resource not accessible by integration", "documentation_url": "x", "status": "403"}
    judge.github.faults.append(Fault("GET", path, 403, body=said))
    with pytest.raises(AdapterError, match=r"Resource not accessible by integration") as caught:
        judge.load()
    assert caught.value.hint == "give the job `permissions: {contents: read, actions: read}`"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "path", [rf"^/repos/{REPOSITORY}$", "/actions/artifacts$", "/actions/runs/", "/commits", "/zip$", "/stored/"]
)
@pytest.mark.parametrize("status", [0, 502])
def test_a_github_that_is_down_is_asked_again_and_then_nothing_is_known(judge: Judge, path: str, status: int) -> None:
    judge.keep(100, BASE)
    judge.github.faults.append(Fault("GET", path, status, times=2))
    assert judge.load() == evidence(100, BASE)
    judge.github.faults.append(Fault("GET", path, status, times=99))
    with pytest.raises(GateError) as caught:
        judge.load()
    assert caught.value.exit_code == 3
    assert "a-key" not in str(caught.value)


def test_a_run_that_was_deleted_meanwhile_is_not_known(judge: Judge) -> None:
    judge.keep(100, BASE)
    judge.github.faults.append(Fault("GET", "/actions/runs/", 404))
    with pytest.raises(AdapterError):
        judge.load()


@pytest.mark.parametrize(
    "to", ["", "ftp://127.0.0.1/x", "http://example.org/x", "http://169.254.169.254/x", "/stored/9000"]
)
def test_the_store_is_only_asked_over_https(judge: Judge, to: str) -> None:
    judge.keep(100, BASE)
    judge.github.faults.append(Fault("GET", "/zip$", 302, headers={"Location": to}))
    with pytest.raises(AdapterError, match="no address over https"):
        judge.load()
