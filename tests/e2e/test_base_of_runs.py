"""In GitHub Actions the base is a commit of this repository that somebody has let in, whatever is checked out."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.repository import Job, Repository, pull, pushed
from tests.e2e.test_base_rules import lazy, raised


@dataclass
class Checkout:
    """A job that has a fork's change checked out, as a workflow of the default branch may do."""

    here: Repository
    job: Job
    upstream: Path
    main: str
    """The last commit of this repository's `main`, whose rules the change does not pass."""

    def begin(self, event: str, **more: str) -> None:
        payload = {**pull(self.main, fork=True), **pushed()} if event.startswith("pull_request") else pushed()
        self.job.begin(event, payload, self.main, **{"GITHUB_REF": "refs/heads/main", **more})


@pytest.fixture
def fork(repository: Repository, job: Job, tmp_path: Path) -> Checkout:
    """A fork whose `main` asks for less, and whose change has a worse model."""
    raised(repository)
    main = repository.git("rev-parse", "main")
    upstream, theirs = repository.top, tmp_path / "fork"
    repository.git("clone", "-q", str(upstream), str(theirs))
    repository.top = repository.root = theirs
    repository.git("checkout", "-qB", "main", "origin/main")
    repository.edit("mlgate.yaml", "min: 0.6", "min: 0.1")
    repository.commit("loosened")
    repository.git("checkout", "-qb", "pr")
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.commit("worse")
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "-b", "pr", f"file://{theirs}", str(clone))
    repository.top = repository.root = clone
    os.chdir(clone)
    return Checkout(repository, job, upstream, main)


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("event", ["workflow_run", "issue_comment", "workflow_dispatch", "schedule", "push"])
def test_a_run_of_the_default_branch_judges_by_its_own_commit_and_not_by_a_forks_main(
    fork: Checkout, event: str
) -> None:
    fork.begin(event)
    done = fork.here.mlgate("check", "-n", "0")
    assert done.code == 1, done.out + done.err
    assert f"base {fork.main[:10]}" in done.out


def test_a_commit_of_the_run_that_is_not_here_is_fetched_or_an_error(fork: Checkout) -> None:
    fork.begin("workflow_run", GITHUB_SHA="7" * 40)
    done = fork.here.mlgate("check", "-n", "0")
    assert done.code == 3
    assert "7777777777 is not here" in done.err
    later = fork.here.git("commit-tree", "-p", fork.main, "-m", "later", f"{fork.main}^{{tree}}", at=fork.upstream)
    fork.here.git("update-ref", "refs/heads/main", later, at=fork.upstream)
    fork.here.git("remote", "set-url", "origin", f"file://{fork.upstream}")
    fork.begin("workflow_run", GITHUB_SHA=later)
    done = fork.here.mlgate("check", "-n", "0")
    assert done.code == 1, done.err
    assert f"base {later[:10]}" in done.out


@pytest.mark.parametrize("what", ["no repository", "no git"])
def test_where_git_cannot_say_what_is_checked_out_nothing_is_judged_and_nothing_kept(
    repository: Repository, job: Job, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    main = repository.git("rev-parse", "main")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("baseline: {from: file, path: b.jsonl.gz}\n")
    if what == "no git":
        monkeypatch.setenv("PATH", str(job.folder))
    else:
        shutil.rmtree(repository.top / ".git")
    assert repository.mlgate("check", "-n", "0").code == 0, "a desk needs no git"
    job.begin("push", pushed(), main, GITHUB_REF="refs/heads/main")
    done = repository.mlgate("check", "-n", "0", "--save-baseline")
    assert done.code == 3
    assert "git could not" in done.err
    own = repository.mlgate("check", "-n", "0", "--base", "none", "--bootstrap", "--save-baseline")
    assert "what is checked out is not the commit of this run" in own.err
    assert not (repository.root / "b.jsonl.gz").exists()


def test_a_push_of_a_branch_never_takes_the_rules_of_a_strangers_main(fork: Checkout) -> None:
    fork.begin("push", GITHUB_REF="refs/heads/feature")
    done = fork.here.mlgate("check", "-n", "0")
    assert done.code == 5
    assert "another repository" in done.err
    fork.here.git("remote", "set-url", "origin", fork.job.host(fork.upstream))
    fork.begin("push", GITHUB_REF="refs/heads/feature")
    done = fork.here.mlgate("check", "-n", "0")
    assert done.code == 1, done.err
    assert f"base {fork.main[:10]}" in done.out


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
@pytest.mark.parametrize("name", ["refs/remotes/origin/stable", "origin/stable", "stable", "refs/tags/stable"])
def test_a_ref_of_a_strangers_remote_is_neither_base_nor_baseline(fork: Checkout, event: str, name: str) -> None:
    here = fork.here
    here.git("update-ref", name if name.startswith("refs/") else "refs/remotes/origin/stable", "HEAD")
    here.git("branch", "-f", "stable", "HEAD")
    fork.begin(event)
    done = here.mlgate("check", "-n", "0", "--base", name)
    assert done.code == 5, done.out
    assert "another repository" in words(done.err)


def test_a_baseline_of_a_strangers_remote_is_refused_and_of_this_repository_it_judges(
    repository: Repository, job: Job, tmp_path: Path
) -> None:
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", "rougeL: {max_drop: 0.1}")
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("baseline: {from: git, ref: refs/remotes/origin/stable, path: b.jsonl.gz}\n")
    repository.git("update-ref", "refs/remotes/origin/stable", "HEAD")
    assert repository.mlgate("check", "-n", "0", "--save-baseline").code == 0
    main = repository.commit("compare")
    repository.git("branch", "stable")
    upstream, clone = repository.top, tmp_path / "clone"
    repository.git("clone", "-q", f"file://{upstream}", str(clone))
    repository.top = repository.root = clone
    os.chdir(clone)
    repository.git("checkout", "-q", "--detach")
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.commit("worse")
    for event in ("pull_request_target", "workflow_run"):
        job.begin(event, {**pull(main, fork=True), **pushed()}, main, GITHUB_REF="refs/heads/main")
        done = repository.mlgate("check", "-n", "0")
        assert done.code == 5, done.out
        assert "another repository" in words(done.err)
    repository.git("remote", "set-url", "origin", job.host(upstream))
    for event in ("pull_request_target", "workflow_run"):
        job.begin(event, {**pull(main, fork=True), **pushed()}, main, GITHUB_REF="refs/heads/main")
        assert repository.mlgate("check", "-n", "0").code == 1


def unreviewed(repository: Repository, job: Job, event: str) -> str:
    """A branch of this repository that loosens its rules in one commit, and has a worse model in the next."""
    raised(repository)
    main = repository.git("rev-parse", "main")
    repository.git("checkout", "-qB", "change", "main")
    repository.edit("mlgate.yaml", "min: 0.6", "min: 0.1")
    repository.commit("loosened")
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.commit("worse")
    repository.git("tag", "released", main)
    repository.git("update-ref", "refs/remotes/origin/main", main)
    repository.git("update-ref", "refs/remotes/origin/change", "HEAD")
    repository.git("remote", "add", "origin", job.host(repository.top))
    payload: dict[str, Any] = {**pull(main), **pushed()} if event == "pull_request" else pushed()
    head = repository.git("rev-parse", "HEAD")
    job.begin(event, payload, head, GITHUB_REF="refs/heads/change")
    return main


@pytest.mark.parametrize("event", ["push", "workflow_dispatch", "pull_request"])
def test_a_base_that_is_the_change_itself_is_refused_and_one_that_main_has_is_not(
    repository: Repository, job: Job, event: str
) -> None:
    main = unreviewed(repository, job, event)
    head, before = repository.git("rev-parse", "HEAD"), repository.git("rev-parse", "HEAD~1")
    for base in (head, before, "HEAD", "HEAD~1", "refs/heads/change", "refs/remotes/origin/change", "change~1"):
        done = repository.mlgate("check", "-n", "0", "--base", base)
        assert done.code == 5, f"{base}: {done.out}"
        assert "the change" in words(done.err)
    for base in (main, "refs/remotes/origin/main", "refs/tags/released", "main"):
        done = repository.mlgate("check", "-n", "0", "--base", base)
        assert done.code == 1, f"{base}: {done.err}"
        assert f"base {main[:10]}" in done.out


@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_another_branch_of_this_repository_may_be_the_base(repository: Repository, job: Job, event: str) -> None:
    main = unreviewed(repository, job, event)
    other = repository.git("commit-tree", "-p", main, "-m", "release", f"{main}^{{tree}}")
    repository.git("update-ref", "refs/remotes/origin/release", other)
    done = repository.mlgate("check", "-n", "0", "--base", "refs/remotes/origin/release")
    assert done.code == 1, done.err
    assert f"base {other[:10]}" in done.out


def test_a_new_branch_at_mains_own_commit_has_main_as_its_base(repository: Repository, job: Job) -> None:
    main = unreviewed(repository, job, "push")
    repository.git("checkout", "-q", "--detach", main)
    assert repository.mlgate("check", "-n", "0", "--base", "refs/remotes/origin/main").code == 0


def test_at_a_desk_a_base_may_be_counted_from_head(repository: Repository) -> None:
    raised(repository)
    lazy(repository, ("min: 0.6", "min: 0.1"))
    done = repository.mlgate("check", "-n", "0", "--base", "HEAD~1")
    assert done.code == 1, done.err


@pytest.mark.parametrize("word", ["AUTO", "Auto", "NONE", "None"])
def test_a_word_in_other_letters_says_what_to_write(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("MLGATE_BASE", word)
    done = repository.mlgate("check", "-n", "0")
    assert done.code == 2
    assert f"write {word.lower()}" in done.err
