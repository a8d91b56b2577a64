"""Files as they stand at the commit that a change is based on, and nothing that the change could put in their place."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

from mlgate.adapters.git import base_commit, base_data, repository
from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.core.errors import AdapterError, Refused


def run(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, env=child_environment()
    ).stdout.strip()


def commit(root: Path) -> str:
    run(root, "add", "-A")
    run(root, "commit", "-qm", "c", "--allow-empty")
    return run(root, "rev-parse", "HEAD")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    top = tmp_path / "top"
    (top / "models/a").mkdir(parents=True)
    (top / "shared").mkdir()
    run(top, "init", "-q", "-b", "main")
    (top / "models/a/own").write_text("own")
    (top / "shared/data").write_text("base")
    commit(top)
    return top / "models/a"


def test_files_are_placed_as_the_commit_has_them_wherever_they_lie(root: Path, tmp_path: Path) -> None:
    base = run(root, "rev-parse", "HEAD")
    (root / "own").write_text("changed")
    (root.parents[1] / "shared/data").write_text("changed")
    commit(root)
    (tmp_path / "outside").write_text("outside")
    paths = ["own", "../../shared/data", "../../../outside", str(tmp_path / "outside"), "../../shared"]
    there, _ = base_data.place(BaseCommit(root, base), paths, tmp_path / "into")
    assert (there / "own").read_text() == "own"
    assert (there / "../../shared/data").read_text() == "base"
    assert (there / "../../../outside").read_text() == "outside"


def test_what_the_base_lacks_and_the_change_brings_is_an_error(root: Path, tmp_path: Path) -> None:
    base = run(root, "rev-parse", "HEAD")
    (root / "new").write_text("x")
    (root / "lies").symlink_to("own")
    commit(root)
    for path in ("new", "lies"):
        with pytest.raises(AdapterError, match="has no such file"):
            base_data.place(BaseCommit(root, base), [path], tmp_path / "into")


def test_what_git_never_kept_is_the_file_on_disk(root: Path, tmp_path: Path) -> None:
    (root / "fetched").write_text("x")
    there, _ = base_data.place(BaseCommit(root, "HEAD"), ["fetched", "nowhere"], tmp_path / "into")
    assert (there / "fetched").read_text() == "x"
    assert not (there / "nowhere").exists()


def test_a_link_to_what_git_keeps_is_not_what_git_never_kept(root: Path, tmp_path: Path) -> None:
    (root / "fetched").symlink_to("../../shared/data")
    with pytest.raises(AdapterError, match="has no such file"):
        base_data.place(BaseCommit(root, "HEAD"), ["fetched"], tmp_path / "into")


@pytest.mark.parametrize("path", ["link/data", "link"])
def test_a_link_at_the_base_is_an_error(root: Path, tmp_path: Path, path: str) -> None:
    (root / "link").symlink_to("../../shared")
    commit(root)
    with pytest.raises(AdapterError, match="symbolic link"):
        base_data.place(BaseCommit(root, "HEAD"), [path], tmp_path / "into")


def test_the_first_parent_of_githubs_merge_is_the_base_and_of_another_the_event_says(root: Path) -> None:
    base = run(root, "rev-parse", "HEAD")
    run(root, "checkout", "-qb", "change")
    commit(root)
    run(root, "checkout", "-q", "main")
    run(root, "merge", "-q", "--no-ff", "-m", "m", "change")
    merge = run(root, "rev-parse", "HEAD")
    other = run(root, "rev-parse", "change")
    assert base_commit.merged_onto(root, merge, other).id == base
    assert base_commit.merged_onto(root, "", other).id == other
    assert base_commit.merged_onto(root, "f" * 40, other).id == other


@pytest.mark.parametrize("base", ["f" * 40, "main", "", "--help"])
def test_a_base_that_is_not_here_is_an_error_with_advice(root: Path, base: str) -> None:
    with pytest.raises(AdapterError) as caught:
        base_commit.merged_onto(root, "", base)
    assert "fetch-depth: 2" in caught.value.hint


def test_a_shallow_clone_fetches_no_more_than_one_commit(root: Path, tmp_path: Path) -> None:
    first = run(root, "rev-parse", "HEAD")
    for _ in range(3):
        commit(root)
    clone = tmp_path / "clone"
    run(root, "clone", "-q", "--depth", "1", f"file://{root.parents[1]}", str(clone))
    assert base_commit.merged_onto(clone, "", first).id == first
    assert run(clone, "rev-list", "--all", "--count") == "1"


def test_a_folder_behind_a_link_inside_the_repository_is_refused(root: Path, tmp_path: Path) -> None:
    (root.parent / "b").symlink_to("a")
    with pytest.raises(Refused, match="symbolic link"):
        base_commit.refuse_links(root.parent / "b")
    outside = tmp_path / "way"
    outside.symlink_to(root.parents[1])
    base_commit.refuse_links(outside / "models/a")
    base_commit.refuse_links(root)


def test_a_text_that_is_no_text_is_an_error(root: Path) -> None:
    (root / "mlgate.yaml").write_bytes(b"\xff")
    commit(root)
    with pytest.raises(AdapterError, match="not UTF-8"):
        BaseCommit(root, "HEAD").text("mlgate.yaml")
    assert BaseCommit(root, "HEAD").text("other.yaml") is None


def test_replaced_objects_are_not_seen(root: Path) -> None:
    other = run(root, "hash-object", "-w", "../../shared/data")
    run(root, "replace", run(root, "rev-parse", "HEAD:./own"), other)
    assert run(root, "show", "HEAD:./own") == "base"
    assert repository.show(root, "HEAD", "own") == b"own"


def test_a_tree_cannot_bring_a_repository_of_its_own(root: Path) -> None:
    """Without `safe.bareRepository` git would take this folder for one, and run what its configuration names."""
    ran = root / "ran"
    for name in ("objects", "refs"):
        (root / name).mkdir()
    (root / "HEAD").write_text("ref: refs/heads/main\n")
    (root / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n\tfsmonitor = touch {ran}\n\tbare = false\n")
    assert repository.commit(root) == ""
    with pytest.raises(AdapterError):
        repository.resolved(root, "HEAD")
    assert not os.path.lexists(ran)


@pytest.mark.parametrize("way", ["folder", "link", "link above", "submodule"])
def test_a_data_sets_name_on_the_hub_never_becomes_what_the_change_brings(root: Path, tmp_path: Path, way: str) -> None:
    base = run(root, "rev-parse", "HEAD")
    there, _ = base_data.place(BaseCommit(root, base), ["org/name"], tmp_path / "before")
    assert not (there / "org/name").exists()
    outside = tmp_path / "outside/name"
    outside.mkdir(parents=True)
    (outside / "dataset_info.json").write_text("{}")
    if way == "link above":
        (root / "org").symlink_to(tmp_path / "outside")
    elif way == "link":
        (root / "org").mkdir()
        (root / "org/name").symlink_to(outside)
    else:
        (root / "org/name").mkdir(parents=True)
        (root / "org/name/dataset_info.json").write_text("{}")
    if way == "submodule":
        run(root, "update-index", "--add", "--cacheinfo", f"160000,{base},models/a/org")
        run(root, "commit", "-qm", "module")
    else:
        commit(root)
    with pytest.raises(AdapterError, match="has no such file"):
        base_data.place(BaseCommit(root, base), ["org/name"], tmp_path / "after")


def test_data_that_two_checks_share_are_placed_once(root: Path, tmp_path: Path) -> None:
    (root / "fetched").write_text("x")
    there, _ = base_data.place(
        BaseCommit(root, "HEAD"), ["fetched", "./fetched", "fetched", "own", "own"], tmp_path / "into"
    )
    assert (there / "fetched").read_text() == "x"


@pytest.mark.parametrize("kept", [True, False])
def test_an_absolute_path_into_the_repository_is_refused_where_git_keeps_it(
    root: Path, tmp_path: Path, *, kept: bool
) -> None:
    (root / "fetched").write_text("x")
    path = str(root / ("own" if kept else "fetched"))
    if not kept:
        base_data.place(BaseCommit(root, "HEAD"), [path], tmp_path / "into")
        return
    with pytest.raises(AdapterError, match="leads into the repository"):
        base_data.place(BaseCommit(root, "HEAD"), [path], tmp_path / "into")


def pointer(content: str) -> str:
    """Return what Git LFS commits in the place of a file."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"


@pytest.mark.parametrize("paths", [["set"], ["set", "./set/a"]])
def test_of_a_folder_in_git_lfs_each_file_that_the_change_moved_is_told_and_stands_in(
    root: Path, tmp_path: Path, paths: list[str]
) -> None:
    (root / "set").mkdir()
    for name in ("a", "b", "same"):
        (root / "set" / name).write_text(pointer(f"old {name}"))
    base = commit(root)
    for name in ("a", "b"):
        (root / "set" / name).write_text(pointer(f"new {name}"))
    commit(root)
    for name, content in (("a", "new a"), ("b", "new b"), ("same", "old same")):
        (root / "set" / name).write_text(content)
    there, other = base_data.place(BaseCommit(root, base), paths, tmp_path / "into", instead=True)
    assert [one.path for one in other] == ["set/a", "set/b"]
    assert {one.name: one.read_text() for one in (there / "set").iterdir()} == {
        "a": "new a",
        "b": "new b",
        "same": "old same",
    }
    there, other = base_data.place(BaseCommit(root, base), paths, tmp_path / "without")
    assert len(other) == 2
    assert [one.name for one in (there / "set").iterdir()] == ["same"], "nobody approved"
