"""Git's bad day is never read as "there is no baseline yet"."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

from mlgate.adapters.git import repository
from mlgate.core.errors import AdapterError, EvidenceError


def run(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
        env=child_environment(),
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    root.mkdir()
    run(root, "init", "-q", "-b", "main")
    (root / "b").write_text("top")
    (root / "project/sub").mkdir(parents=True)
    (root / "project/sub/b").write_text("deep")
    (root / "project/link").symlink_to("sub/b")
    run(root, "add", "-A")
    run(root, "commit", "-qm", "all")
    return root


def failed(root: Path, ref: str, path: str) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        repository.show(root, ref, path)
    return caught.value


def test_a_path_is_relative_to_the_project_wherever_in_the_repository_it_lies(root: Path) -> None:
    assert repository.show(root, "main", "b") == b"top"
    assert repository.show(root / "project", "main", "sub/b") == b"deep"
    assert repository.show(root / "project", "main", "./sub//b") == b"deep"
    assert repository.show(root / "project", "main", "b") is None
    assert repository.show(root / "project", "main", "project/sub/b") is None


def test_what_the_ref_never_had_is_none_even_when_the_work_tree_has_it(root: Path) -> None:
    (root / "new").write_text("x")
    (root / "folder").mkdir()
    (root / "folder/new").write_text("x")
    assert repository.show(root, "main", "new") is None
    assert repository.show(root / "folder", "main", "new") is None
    assert repository.show(root, "main", "b/deeper") is None


@pytest.mark.parametrize(
    "name",
    ["ä b.gz", 'a"b', "a\\b", "a\tb", "*", "b?", ":(top)b", "-x", "今天", b"\xff".decode(errors="surrogateescape")],
)
def test_odd_names_are_names(root: Path, name: str) -> None:
    assert repository.show(root, "main", name) is None
    (root / name).write_text("odd")
    run(root, "add", "-A")
    run(root, "commit", "-qm", "odd")
    assert repository.show(root, "main", name) == b"odd"


@pytest.mark.parametrize(
    "path", ["project", "project/sub", "project/sub/", "project/link", ".", "..", "project/../..", ""]
)
def test_what_is_there_and_no_file_is_an_error(root: Path, path: str) -> None:
    error = failed(root, "main", path)
    assert error.where == f"main:{path}"


def test_a_submodule_in_the_files_place_is_an_error(root: Path) -> None:
    run(root, "update-index", "--add", "--cacheinfo", f"160000,{run(root, 'rev-parse', 'HEAD')},module")
    run(root, "commit", "-qm", "module")
    assert "submodule" in failed(root, "main", "module").message


@pytest.mark.parametrize("lost", ["main:b", "main^{tree}"], ids=["file", "tree"])
def test_an_object_that_is_lost_is_an_error_with_the_next_step(root: Path, lost: str) -> None:
    name = run(root, "rev-parse", lost)
    (root / ".git/objects" / name[:2] / name[2:]).unlink()
    error = failed(root, "main", "b")
    assert error.where == "main:b"
    assert "git fetch origin main" in error.hint


def test_a_file_that_a_partial_clone_cannot_get_any_more_is_an_error(root: Path) -> None:
    run(root, "config", "uploadpack.allowFilter", "true")
    clone = root.parent / "clone"
    run(root.parent, "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{root}", str(clone))
    root.rename(root.parent / "gone")
    assert repository.show(clone, "origin/main", "nothing") is None
    error = failed(clone, "origin/main", "b")
    assert error.where == "origin/main:b"
    assert "git fetch origin main" in error.hint


@pytest.mark.parametrize("ref", ["nowhere", "--help", "main:b", "a\0b", "\ud800", "", "main:"])
def test_a_ref_that_git_does_not_know_is_an_error(root: Path, ref: str) -> None:
    assert "ref" in failed(root, ref, "b").message


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_a_path_that_no_file_can_have_is_an_error(root: Path, path: str) -> None:
    failed(root, "main", path)


def test_outside_a_repository_there_is_no_commit_and_a_baseline_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # the caller's settings do not reach us
    assert repository.commit(tmp_path) == ""
    assert "not a git repository" in failed(tmp_path, "main", "b").message
    assert repository.commit(tmp_path / "nowhere") == ""
    failed(tmp_path / "nowhere", "main", "b")


def test_without_git_there_is_no_commit_and_a_baseline_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    assert repository.commit(root) == ""
    assert "install git" in failed(root, "main", "b").hint


def test_before_the_first_commit_there_is_none(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, env=child_environment())
    assert repository.commit(tmp_path) == ""
    assert not repository.is_commit_of(tmp_path, "a" * 40)
    assert repository.is_commit_of(tmp_path, "")


def test_a_repository_of_another_user_is_an_error_that_says_what_to_do(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{root}:{os.environ['PATH']}")
    fake = root / "git"
    fake.write_text("#!/bin/sh\necho \"fatal: detected dubious ownership in repository at '$PWD'\" >&2\nexit 128\n")
    fake.chmod(0o755)
    with pytest.raises(AdapterError, match="another user owns it") as caught:
        repository.commit(root)
    assert "git config --global --add safe.directory" in caught.value.hint


def test_a_head_that_git_cannot_read_is_an_error(root: Path) -> None:
    git_folder = root / ".git"
    (git_folder / "refs/heads/main").write_text("nonsense\n")
    (git_folder / "packed-refs").unlink(missing_ok=True)
    with pytest.raises(AdapterError, match="which commit is checked out"):
        repository.commit(root)


def test_a_file_larger_than_evidence_may_be_is_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "LARGEST_FILE", 2)
    with pytest.raises(EvidenceError, match="larger"):
        repository.show(root, "main", "b")


def test_the_commit_says_whether_the_tree_had_changes(root: Path) -> None:
    head = run(root, "rev-parse", "HEAD")
    assert repository.commit(root) == head
    (root / "untracked").write_text("")
    assert repository.commit(root) == head
    (root / "b").write_text("changed")
    assert repository.commit(root) == f"{head}+dirty"


def test_a_tree_that_git_cannot_compare_is_not_called_clean(root: Path) -> None:
    (root / ".git/index").write_bytes(b"broken")
    assert repository.commit(root).endswith("+dirty")
