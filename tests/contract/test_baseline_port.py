"""Every baseline store: absent is None, damaged is an error, what was saved comes back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

from mlgate.adapters.files.baseline_file import FileBaseline
from mlgate.adapters.git.baseline import GitBaseline
from mlgate.core.errors import AdapterError, ConfigError, EvidenceError, GateError
from mlgate.core.evidence import Evidence, Observation, Provenance
from mlgate.core.ports import BaselineStore

EVIDENCE = Evidence.of(Provenance("", "s", "m", (("c", "d"),)), [], [Observation("c", "a", {"answer": "x"})])
Made = Callable[[Path], tuple[BaselineStore, Callable[[], None]]]


def git(root: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments],
        cwd=root,
        check=True,
        env=child_environment(),
    )


def by_file(root: Path) -> tuple[BaselineStore, Callable[[], None]]:
    return FileBaseline(root / "sub/b.jsonl.gz", "sub/b.jsonl.gz"), lambda: None


def by_git(root: Path) -> tuple[BaselineStore, Callable[[], None]]:
    git(root, "init", "-q", "-b", "main")
    git(root, "commit", "-qm", "empty", "--allow-empty")

    def accept() -> None:
        git(root, "add", "-A")
        git(root, "commit", "-qm", "accept")

    return GitBaseline(root, "main", "sub/b.jsonl.gz"), accept


STORES = pytest.mark.parametrize("made", [by_file, by_git], ids=["file", "git"])


@STORES
def test_a_baseline_that_was_never_saved_is_none(made: Made, tmp_path: Path) -> None:
    store, _ = made(tmp_path)
    assert store.load() is None
    assert "b.jsonl.gz" in store.source


@STORES
def test_what_was_saved_comes_back(made: Made, tmp_path: Path) -> None:
    store, accept = made(tmp_path)
    store.save(EVIDENCE)
    accept()
    assert store.load() == EVIDENCE


@STORES
def test_a_damaged_baseline_is_an_error_and_not_absent(made: Made, tmp_path: Path) -> None:
    store, accept = made(tmp_path)
    store.save(EVIDENCE)
    path = tmp_path / "sub/b.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-9])
    accept()
    with pytest.raises(EvidenceError):
        store.load()


def test_a_work_tree_that_changed_does_not_change_the_baseline_of_a_ref(tmp_path: Path) -> None:
    store, accept = by_git(tmp_path)
    store.save(EVIDENCE)
    accept()
    store.save(Evidence.of(EVIDENCE.provenance, [], []))
    assert store.load() == EVIDENCE


@STORES
@pytest.mark.parametrize("odd", ["folder", "link to nowhere", "link to a folder"])
def test_what_is_there_and_cannot_be_evidence_is_an_error_and_not_absent(made: Made, tmp_path: Path, odd: str) -> None:
    store, accept = made(tmp_path)
    path = tmp_path / "sub/b.jsonl.gz"
    path.parent.mkdir()
    if odd == "folder":
        path.mkdir()
        (path / "file").write_text("x")
    else:
        path.symlink_to("nowhere" if odd == "link to nowhere" else ".")
    accept()
    with pytest.raises((EvidenceError, AdapterError)):
        store.load()


@pytest.mark.parametrize("odd", ["link to nowhere", "file", "link to itself"])
def test_a_folder_that_is_not_there_is_absent_and_one_that_is_something_else_is_an_error(
    tmp_path: Path, odd: str
) -> None:
    store, _ = by_file(tmp_path)
    assert store.load() is None
    folder = tmp_path / "sub"
    match odd:
        case "link to nowhere":
            folder.symlink_to("nowhere")
        case "file":
            folder.write_text("")
        case _:
            folder.symlink_to(folder)
    with pytest.raises(EvidenceError):
        store.load()


def test_a_pipe_in_the_baselines_place_is_an_error_and_not_waited_for(tmp_path: Path) -> None:
    store, _ = by_file(tmp_path)
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "sub/b.jsonl.gz")
    with pytest.raises(EvidenceError):
        store.load()


@STORES
def test_saving_replaces_a_link_and_leaves_what_it_leads_to(made: Made, tmp_path: Path) -> None:
    store, _ = made(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "sub/b.jsonl.gz").symlink_to("../victim")
    store.save(EVIDENCE)
    assert (tmp_path / "victim").read_text() == "precious"


@pytest.mark.parametrize("leads", ["..", "itself"])
def test_a_baseline_of_a_ref_is_not_saved_through_a_folder_that_leads_elsewhere(tmp_path: Path, leads: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    store, _ = by_git(root)
    (root / "sub").symlink_to(".." if leads == ".." else "sub")
    with pytest.raises(ConfigError if leads == ".." else GateError):
        store.save(EVIDENCE)
    assert not (tmp_path / "b.jsonl.gz").exists()


def test_a_project_in_a_folder_of_its_repository_has_its_own_baseline(tmp_path: Path) -> None:
    _, accept = by_git(tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    store = GitBaseline(project, "main", "sub/b.jsonl.gz")
    store.save(EVIDENCE)
    accept()
    assert store.load() == EVIDENCE
    assert GitBaseline(tmp_path, "main", "sub/b.jsonl.gz").load() is None


def test_without_a_repository_a_baseline_of_a_ref_is_an_error_and_not_absent(tmp_path: Path) -> None:
    with pytest.raises(AdapterError):
        GitBaseline(tmp_path, "main", "b.jsonl.gz").load()
