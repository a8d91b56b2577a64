"""What is not merged never becomes the baseline, whatever a workflow asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.e2e.repository import Job, Repository, pull, pushed

KEPT = """\
version: 1
model: {{name: clerk, python: "model:{function}"}}
checks:
  notes: {{data: data.jsonl, rules: {{rougeL: {{max_drop: 0.1}}}}}}
baseline: {{from: file, path: kept.jsonl.gz}}
"""
QUEUED = {"merge_group": {"base_sha": "1" * 40, "head_sha": "2" * 40}, **pushed()}
UNMERGED: list[tuple[str, Mapping[str, Any], str]] = [
    ("pull_request", pull("1" * 40), "refs/pull/7/merge"),
    ("pull_request_target", pull("1" * 40, fork=True), "refs/heads/main"),
    ("merge_group", QUEUED, "refs/heads/gh-readonly-queue/main/pr-7"),
    ("push", pushed(), "refs/heads/feature"),
    ("push", pushed(), "refs/tags/main"),
    ("push", {}, "refs/heads/main"),
    ("workflow_dispatch", pushed(), "refs/heads/feature"),
]


@pytest.mark.parametrize(("event", "payload", "ref"), UNMERGED, ids=[f"{one[0]} {one[2]}" for one in UNMERGED])
def test_a_change_that_is_not_merged_saves_and_promotes_nothing(
    repository: Repository, job: Job, event: str, payload: Mapping[str, Any], ref: str
) -> None:
    repository.project(KEPT)
    repository.commit()
    job.begin(event, payload, GITHUB_REF=ref)
    done = repository.mlgate("check", "-n", "0", "--base", "none", "--save-baseline")
    assert done.code == 3, "nor is it a first run, which would only warn"
    assert "the baseline stays what it is" in done.err
    assert not (repository.root / "kept.jsonl.gz").exists()
    assert "baseline-kept" not in job.outputs
    repository.mlgate("check", "-n", "0", "--base", "none", "--bootstrap")
    for verb in (("promote",), ("baseline", "accept"), ("rollback",), ("history",), ("sync",)):
        refused = repository.mlgate(*verb)
        assert refused.code == 5
        assert "not from here" in refused.err
    assert not (repository.root / "kept.jsonl.gz").exists()


def after(event: str, branch: str = "main", head: str = "acme/models") -> Mapping[str, Any]:
    """Return the event of a run that another one started by its end."""
    ended = {"event": event, "head_branch": branch, "head_repository": {"full_name": head}}
    return {"repository": {"default_branch": "main", "full_name": "acme/models"}, "workflow_run": ended}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (after("push"), 3),  # there is no verdict, and it would be taken
        (after("schedule"), 3),
        (after("pull_request"), 5),
        (after("pull_request_target"), 5),
        (after("merge_group"), 5),
        (after("push", branch="feature"), 5),
        (after("push", head="stranger/models"), 5),
        (after("push", head=""), 5),
        (pushed(), 5),
    ],
)
def test_what_a_change_left_behind_is_not_taken_by_a_run_that_its_end_started(
    repository: Repository, job: Job, payload: Mapping[str, Any], code: int
) -> None:
    """Its artifacts are whatever the change made of them; this job has the default branch's files and secrets."""
    repository.project(KEPT)
    repository.commit()
    job.begin("workflow_run", payload, GITHUB_REF="refs/heads/main")
    refused = repository.mlgate("baseline", "accept")
    assert refused.code == code
    assert ("not from here: this run follows one that was not of the default branch" in refused.err) == (code == 5)


@pytest.mark.parametrize("event", ["push", "workflow_dispatch", "schedule"])
def test_the_default_branch_saves(repository: Repository, job: Job, event: str) -> None:
    repository.project(KEPT)
    repository.commit()
    job.begin(event, pushed(), GITHUB_REF="refs/heads/main")
    assert repository.mlgate("check", "-n", "0", "--save-baseline").code == 0
    assert job.outputs["baseline-kept"] == "true"
    assert (repository.root / "kept.jsonl.gz").is_file()


@pytest.mark.parametrize("event", ["workflow_run", "issue_comment", "push"])
def test_a_change_that_a_reviewed_run_checks_out_is_judged_as_one(repository: Repository, job: Job, event: str) -> None:
    repository.git("checkout", "-q", "main")
    repository.project(KEPT.replace("max_drop: 0.1", "min: 0.6"))
    repository.commit("strict")
    sha = repository.git("rev-parse", "HEAD")
    repository.git("remote", "add", "origin", f"file://{repository.top}")
    repository.git("checkout", "-qB", "change")
    repository.project(KEPT.replace("max_drop: 0.1", "min: 0.1"), function="lazy")
    repository.commit("loosened")
    job.begin(event, pushed(), sha, GITHUB_REF="refs/heads/main")
    done = repository.mlgate("check", "-n", "0", "--base", "auto", "--save-baseline")
    assert done.code == 1, "by the default branch's rules"
    assert "what is checked out is not the commit of this run" in done.err
    assert repository.mlgate("promote").code == 5
