"""No name that a change controls chooses the rules or the baseline that judge it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.e2e.repository import Job, Repository, pull

LOOSE = ("min: 0.6", "min: 0.1")


@pytest.fixture
def clone(repository: Repository, tmp_path: Path) -> Repository:
    """A clone at the change: main demands more than the change's model gives, and the change asks for less."""
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", "rougeL: {min: 0.6}")
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    repository.commit("strict")
    repository.git("checkout", "-qB", "change")
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.edit("mlgate.yaml", *LOOSE)
    repository.commit("loose")
    repository.git("checkout", "-q", "main")
    clone = tmp_path / "clone"
    repository.git("clone", "-q", str(repository.top), str(clone))
    repository.top = repository.root = clone
    os.chdir(clone)
    repository.git("checkout", "-q", "--detach", "refs/remotes/origin/change")
    return repository


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_a_ref_called_like_the_remotes_branch_is_not_the_base(clone: Repository, kind: str) -> None:
    clone.git(kind, "origin/main", "HEAD")
    assert clone.mlgate("check", "-n", "0").code == 0, "by its own rules it passes"
    for name in ("origin/main", "refs/remotes/origin/main"):
        assert clone.mlgate("check", "-n", "0", "--base", name).code == 1
        assert clone.mlgate("replay", "--base", name).code == 1


def test_a_tag_called_like_the_base_is_ambiguous(clone: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.git("tag", "main", "HEAD")
    monkeypatch.setenv("MLGATE_BASE", "main")
    done = clone.mlgate("check", "-n", "0")
    assert done.code == 5
    assert "ambiguous" in done.err
    assert "refs/tags/main" in done.err
    assert "refs/heads/main" in done.err
    assert clone.verdict["outcome"] == "refused"


def test_in_ci_a_local_main_may_be_a_forks(clone: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.git("branch", "-f", "main", "HEAD")
    assert clone.mlgate("check", "-n", "0", "--base", "main").code == 0, "at a desk it is the person's own"
    monkeypatch.setenv("CI", "true")
    done = clone.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 5
    assert "refs/remotes/origin/main" in done.err
    assert "CI is set" in done.err
    monkeypatch.setenv("CI", "off")
    assert clone.mlgate("check", "-n", "0", "--base", "main").code == 0


def test_in_a_pull_requests_run_the_base_branch_is_what_the_event_says(clone: Repository, job: Job) -> None:
    """A workflow that checks a fork out has the fork's branches under `origin`."""
    base = clone.git("rev-parse", "refs/remotes/origin/main")
    for ref in ("refs/heads/main", "refs/remotes/origin/main"):
        clone.git("update-ref", ref, "HEAD")
    event = pull(base, fork=True)
    event["pull_request"]["base"]["ref"] = "main"
    job.begin("pull_request", event, "3" * 40)
    for name in ("main", "origin/main", "refs/remotes/origin/main"):
        done = clone.mlgate("check", "-n", "0", "--base", name)
        assert done.code == 1, done.err
        assert f"base {base[:10]}" in done.out


@pytest.mark.parametrize("name", ["HEAD", "HEAD~1", "HEAD^"])
def test_in_a_pull_requests_run_what_is_counted_from_the_change_is_refused(
    clone: Repository, job: Job, name: str
) -> None:
    base = clone.git("rev-parse", "refs/remotes/origin/main")
    clone.commit("one more")
    job.begin("pull_request", pull(base), "3" * 40)
    done = clone.mlgate("check", "-n", "0", "--base", name)
    assert done.code == 5
    assert "the change chooses" in done.err


def test_a_baseline_that_is_counted_from_the_change_is_refused(clone: Repository) -> None:
    clone.git("checkout", "-q", "main")
    clone.edit("mlgate.yaml", "rougeL: {min: 0.6}", "rougeL: {max_drop: 0.1}")
    with (clone.root / "mlgate.yaml").open("a") as file:
        file.write("baseline: {from: git, ref: HEAD~1, path: b.jsonl.gz}\n")
    base = clone.commit("compare")
    clone.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    assert clone.mlgate("check", "-n", "0", "--save-baseline").code == 0
    clone.commit("forged")
    clone.commit("on top")
    done = clone.mlgate("check", "-n", "0", "--base", base)
    assert done.code == 5
    assert "the change chooses its baseline" in done.err


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_a_baseline_at_a_remotes_branch_is_not_the_changes_ref_called_so(clone: Repository, kind: str) -> None:
    clone.git("checkout", "-q", "main")
    clone.edit("mlgate.yaml", "rougeL: {min: 0.6}", "rougeL: {max_drop: 0.1}")
    with (clone.root / "mlgate.yaml").open("a") as file:
        file.write("baseline: {from: git, ref: origin/stable, path: b.jsonl.gz}\n")
    clone.commit("compare")
    clone.git("update-ref", "refs/remotes/origin/stable", "HEAD")
    assert clone.mlgate("check", "-n", "0", "--save-baseline").code == 0
    base = clone.commit("accepted")
    clone.git("update-ref", "refs/remotes/origin/stable", "HEAD")
    clone.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    (clone.root / "b.jsonl.gz").unlink()
    clone.commit("worse")
    assert clone.mlgate("check", "-n", "0", "--base", base).code == 1
    clone.edit("mlgate.yaml", "from: git, ref: origin/stable", "from: file")
    assert clone.mlgate("check", "-n", "0", "--save-baseline").code == 0
    clone.git("checkout", "-q", "mlgate.yaml")
    clone.commit("forged")
    clone.git(kind, "origin/stable", "HEAD")
    done = clone.mlgate("check", "-n", "0", "--base", base)
    assert done.code == 1, done.out
    clone.git("branch", "stable", "refs/remotes/origin/stable")
    clone.git("tag", "stable", "HEAD")
    clone.edit("mlgate.yaml", "ref: origin/stable", "ref: stable")
    ambiguous = clone.mlgate("check", "-n", "0", "--base", "none")
    assert ambiguous.code == 5
    assert "refs/tags/stable" in ambiguous.err
