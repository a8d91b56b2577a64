"""What of the base holds beside its rules: its reports, and its branch as a baseline."""

from __future__ import annotations

import pytest
from tests.e2e.repository import Job, Repository, pull
from tests.e2e.test_base_rules import baseline


def test_a_change_cannot_take_its_verdict_off_the_page(repository: Repository, job: Job) -> None:
    base = repository.git("rev-parse", "main").strip()
    repository.git("checkout", "-qB", "change")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("report: [terminal]\n")
    repository.commit("quiet")
    job.begin("pull_request", pull(base), "3" * 40)
    assert repository.mlgate("check", "-n", "0", "--base", "auto").code == 0
    assert "PASSED" in job.summary


def test_the_base_branch_as_a_baseline_needs_no_remote(repository: Repository, job: Job) -> None:
    baseline(repository)
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "{from: file, path: ", "{from: git, ref: origin/main, path: ")
    repository.commit("kept in git")
    base = repository.git("rev-parse", "main").strip()
    repository.git("checkout", "-qB", "change")
    repository.write("README.md", "a change\n")
    repository.commit("change")
    assert "git knows no ref" in repository.mlgate("check", "-n", "0", "--base", "main").err
    event = pull(base)
    event["pull_request"]["base"]["ref"] = "main"
    job.begin("pull_request", event, "3" * 40)
    done = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert done.code == 0, done.err
    assert f"git {base[:10]}:" in done.out


def test_parts_of_two_attempts_are_told(repository: Repository, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.begin("push", {}, "5" * 40)
    monkeypatch.setenv("MLGATE_BASE", "none")
    for k in (1, 2):
        monkeypatch.setenv("GITHUB_RUN_ATTEMPT", str(k))
        where = str(repository.top / f"run-{k}")
        part = ("--part", "accuracy", "--shard", f"{k}/2", "-n", "0", "-o", where)
        assert repository.mlgate("check", *part).code == 0
    done = repository.mlgate("merge", *(str(repository.top / f"run-{k}") for k in (1, 2)))
    assert done.code == 0, done.err
    assert "attempts 1 and 2" in " ".join(done.out.split())
