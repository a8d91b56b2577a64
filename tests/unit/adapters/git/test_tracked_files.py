"""What a commit could have brought, whatever way leads there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

from mlgate.adapters.git.tracked_files import is_brought


def run(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, env=child_environment()
    ).stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "top/project"
    root.mkdir(parents=True)
    run(tmp_path / "top", "init", "-q", "-b", "main")
    (root / "own").write_text("own")
    keep(root)
    return root


def keep(root: Path) -> None:
    run(root, "add", "-Af")
    run(root, "commit", "-qm", "c")


def test_a_file_that_no_commit_has_is_not_brought(root: Path, tmp_path: Path) -> None:
    (root / "kept").mkdir()
    (root / "kept/b").write_text("x")
    assert not is_brought(root, root / "kept/b")
    assert not is_brought(root, root / "kept/nowhere")
    (tmp_path / "outside").write_text("x")
    assert not is_brought(root, tmp_path / "outside")
    (root / "way").symlink_to(tmp_path)
    assert not is_brought(root, root / "way/outside"), "a link that no commit has"
    assert not is_brought(tmp_path, tmp_path / "outside"), "no repository"
    assert is_brought(root, root / "kept/../own")


def _file(root: Path) -> Path:
    (root / "b").write_text("x")
    keep(root)
    return root / "b"


def _in_the_index_only(root: Path) -> Path:
    (root / "b").write_text("x")
    run(root, "add", "b")
    return root / "b"


def _in_the_commit_only(root: Path) -> Path:
    _file(root)
    run(root, "rm", "-q", "--cached", "b")
    return root / "b"


def _journal(root: Path) -> Path:
    (root / "b-wal").write_text("x")
    keep(root)
    return root / "b"


def _folder(root: Path) -> Path:
    (root / "kept").mkdir()
    (root / "kept/b").write_text("x")
    keep(root)
    return root / "kept"


def _link(root: Path) -> Path:
    (root / "b").symlink_to(root.parents[1] / "elsewhere")
    keep(root)
    (root.parents[1] / "elsewhere").write_text("x")
    return root / "b"


def _folder_link(root: Path) -> Path:
    (root / "kept").symlink_to("../../elsewhere")
    keep(root)
    (root.parents[1] / "elsewhere").mkdir()
    (root.parents[1] / "elsewhere/b").write_text("x")
    return root / "kept/b"


def _link_of_a_run_to_a_kept_file(root: Path) -> Path:
    (root / "b").symlink_to("own")
    return root / "b"


def _link_of_a_run_to_a_kept_link(root: Path) -> Path:
    (root / "way").symlink_to("made")
    keep(root)
    (root / "made").write_text("x")
    (root / "b").symlink_to("way")
    return root / "b"


def _behind_a_link_and_up(root: Path) -> Path:
    outside = root.parents[1] / "outside/deep"
    outside.mkdir(parents=True)
    (outside.parent / "b").write_text("x")
    (root / "way").symlink_to(outside)
    keep(root)
    return root / "way/../b"


def _submodule(root: Path) -> Path:
    run(root, "update-index", "--add", "--cacheinfo", f"160000,{run(root, 'rev-parse', 'HEAD')},project/module")
    (root / "module").mkdir()
    (root / "module/b").write_text("x")
    return root / "module/b"


def _in_another_letter_case(root: Path) -> Path:
    (root / "Kept").mkdir()
    (root / "Kept/B").write_text("x")
    keep(root)
    return root / "kept/b"


def _loop(root: Path) -> Path:
    (root / "b").symlink_to("b")
    return root / "b"


WAYS: dict[str, Callable[[Path], Path]] = {
    name.strip("_").replace("_", " "): way
    for name, way in list(globals().items())
    if name.startswith("_") and callable(way) and not name.startswith("__")
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_to_a_kept_file_is_overlooked(root: Path, way: str) -> None:
    assert is_brought(root, WAYS[way](root))


def test_names_that_look_like_patterns_are_names(root: Path) -> None:
    (root / "ab").write_text("x")
    (root / "a").mkdir()
    (root / "a/b").write_text("x")
    keep(root)
    for name in ("a*", "a?", "[a]b", ":(top)project/own"):
        assert not is_brought(root, root / name)
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_text("x")
        keep(root)
        assert is_brought(root, root / name)


def test_what_git_cannot_say_is_taken_for_brought(root: Path) -> None:
    (root.parent / ".git/index").write_bytes(b"broken")
    assert is_brought(root, root / "new")
