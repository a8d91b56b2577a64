"""Every baseline store: absent is None, damaged is an error, what was saved comes back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mlgate.adapters.file_baseline import FileBaseline
from mlgate.adapters.git_baseline import GitBaseline
from mlgate.core.errors import EvidenceError
from mlgate.core.evidence import Evidence, Observation, Provenance
from mlgate.core.ports import BaselineStore

EVIDENCE = Evidence.of(Provenance("", "s", "m", (("c", "d"),)), [], [Observation("c", "a", {"answer": "x"})])
Made = Callable[[Path], tuple[BaselineStore, Callable[[], None]]]


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments], cwd=root, check=True)


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
