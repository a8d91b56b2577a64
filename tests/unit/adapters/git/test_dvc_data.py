"""What DVC keeps is the content that the base's pointer names, wherever it lies and whatever the change's pointer says.

The hashes and the cache are as DVC 3.67.1 writes them.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

from mlgate.adapters.git import dvc_data
from mlgate.core.errors import AdapterError

SET = "97945d222e32b864e37edf265b70a22e.dir"
LISTING = (
    '[{"md5": "0cc175b9c0f1b6a831c399e269772661", "relpath": "deep/a.txt"}, '
    '{"md5": "2ad73ba74eb5cf3864fd74626f1b6f8a", "relpath": "\\u00e4.txt"}]'
)
ONE = "9dd4e461268c8034f5c8564e155c67a6"  # of x


def run(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, env=child_environment()
    ).stdout.strip()


def put(root: Path, name: str, content: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def keep(root: Path, name: str, content: str) -> None:
    put(root, name, content)
    run(root, "add", "-f", name)
    run(root, "commit", "-qm", "c")


def pointer(md5: str, path: str, *more: str) -> str:
    return "".join(f"{line}\n" for line in (*more, "outs:", f"- md5: {md5}", "  hash: md5", f"  path: {path}"))


def lock(path: str) -> str:
    return f"schema: '2.0'\nstages:\n  s:\n    outs:\n    - path: {path}\n      md5: {ONE}\n"


def said(root: Path, path: str) -> tuple[dvc_data.Tracked, ...]:
    return dvc_data.tracked(root, "HEAD", root / path)


def the(root: Path, path: str) -> dvc_data.Tracked:
    (found,) = said(root, path)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "top"
    root.mkdir()
    run(root, "init", "-q", "-b", "main")
    keep(root, "README", "x")
    return root


def test_a_file_is_the_one_with_the_pointers_hash(root: Path) -> None:
    keep(root, "data/one.txt.dvc", pointer(ONE, "one.txt"))
    assert said(root, "data/other.txt") == ()
    one = the(root, "data/one.txt")
    assert (one.version, one.where) == (f"dvc md5:{ONE}", "data/one.txt.dvc")
    file = root / "data/one.txt"
    assert dvc_data.find(root, one, file) is None
    put(root, "data/one.txt", "y")
    assert dvc_data.find(root, one, file) is None
    put(root, "data/one.txt", "x")
    assert dvc_data.find(root, one, file) == file


@pytest.mark.parametrize("layout", ["files/md5/", ""])
def test_a_copy_in_the_cache_stands_in_and_one_that_was_tampered_with_does_not(root: Path, layout: str) -> None:
    keep(root, "data/one.txt.dvc", pointer(ONE, "one.txt"))
    one = the(root, "data/one.txt")
    put(root, "data/one.txt", "y")
    copy = put(root, f".dvc/cache/{layout}{ONE[:2]}/{ONE[2:]}", "x")
    assert dvc_data.find(root, one, root / "data/one.txt") == copy
    put(root, f".dvc/cache/{layout}{ONE[:2]}/{ONE[2:]}", "z")
    assert dvc_data.find(root, one, root / "data/one.txt") is None


def folder(root: Path) -> None:
    put(root, "data/set/deep/a.txt", "a")
    put(root, "data/set/ä.txt", "b\r\nc\n"[:5])
    keep(root, "data/set.dvc", pointer(SET, "set"))


def test_a_folder_is_the_one_with_the_pointers_hash(root: Path, tmp_path: Path) -> None:
    folder(root)
    one = the(root, "data/set")
    assert dvc_data.place(root, one, root / "data/set", tmp_path / "whole")
    assert (tmp_path / "whole/deep/a.txt").read_text() == "a"
    put(root, "data/set/more.txt", "more")
    assert not dvc_data.place(root, one, root / "data/set", tmp_path / "more"), "one file more is another folder"


def test_a_folder_comes_from_the_cache_file_by_file(root: Path, tmp_path: Path) -> None:
    folder(root)
    one = the(root, "data/set")
    for name in ("deep/a.txt", "ä.txt"):
        content = (root / "data/set" / name).read_bytes()
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        put(root, f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}", content)
    put(root, f".dvc/cache/files/md5/{SET[:2]}/{SET[2:]}", LISTING)
    put(root, "data/set/deep/a.txt", "worse")
    assert dvc_data.place(root, one, root / "data/set", tmp_path / "there")
    assert (tmp_path / "there/deep/a.txt").read_text() == "a"
    inside = the(root, "data/set/deep/a.txt")
    found = dvc_data.find(root, inside, root / "data/set/deep/a.txt")
    assert found is not None
    assert found.read_text() == "a"


def test_a_file_in_a_folder_is_judged_by_the_folders_hash(root: Path) -> None:
    folder(root)
    inside = the(root, "data/set/deep/a.txt")
    file = root / "data/set/deep/a.txt"
    assert dvc_data.find(root, inside, file) == file
    put(root, "data/set/ä.txt", "edited")
    assert dvc_data.find(root, inside, file) is None, "without the folder's list nothing says which file differs"
    put(root, f".dvc/cache/files/md5/{SET[:2]}/{SET[2:]}", LISTING)
    assert dvc_data.find(root, inside, file) == file
    put(root, "data/set/deep/a.txt", "worse")
    assert dvc_data.find(root, inside, file) is None
    put(root, f".dvc/cache/files/md5/{SET[:2]}/{SET[2:]}", LISTING.replace("0cc1", "0cc2"))
    assert dvc_data.find(root, inside, file) is None, "a list that does not have its hash says nothing"


@pytest.mark.parametrize(
    ("where", "text", "path"),
    [
        ("other/name.dvc", pointer(ONE, "../data/one.txt"), "data/one.txt"),
        ("other/name.dvc", pointer(ONE, "one.txt", "wdir: ../data"), "data/one.txt"),
        ("data.dvc", pointer(SET, "data"), "data/one.txt"),
        ("dvc.lock", lock("data/one.txt"), "data/one.txt"),
        ("dvc.lock", f"s:\n  outs:\n  - path: data/one.txt\n    md5: {ONE}\n", "data/one.txt"),
        ("x/dvc.lock", lock("../data/one.txt"), "data/one.txt"),
        ("data/Dvcfile", pointer(ONE, "one.txt"), "data/one.txt"),
        ("data/one.txt.dvc", "outs:\n- etag: abcdef\n  path: one.txt\n", "data/one.txt"),
        ("data/one.txt.dvc", "outs:\n- path: one.txt\n", "data/one.txt"),
        ("data/set/one.txt.dvc", pointer(ONE, "one.txt"), "data/set"),
    ],
)
def test_every_pointer_that_puts_something_there_is_found(root: Path, where: str, text: str, path: str) -> None:
    keep(root, where, text)
    assert the(root, path).where == where


def test_a_stages_own_folder_stands_in_dvc_yaml(root: Path) -> None:
    keep(root, "x/dvc.yaml", "stages:\n  s:\n    cmd: c\n    wdir: ../data\n    outs: [one.txt]\n")
    keep(root, "x/dvc.lock", lock("one.txt"))
    assert the(root, "data/one.txt").where == "x/dvc.lock"
    assert said(root, "x/one.txt") == ()


def test_what_only_another_kind_of_hash_names_is_never_found(root: Path) -> None:
    put(root, "data/one.txt", "x")
    keep(root, "data/one.txt.dvc", "outs:\n- etag: abcdef\n  path: one.txt\n")
    assert dvc_data.find(root, the(root, "data/one.txt"), root / "data/one.txt") is None


def test_two_pointers_that_disagree_are_both_told(root: Path) -> None:
    keep(root, "a.dvc", pointer(ONE, "data/one.txt"))
    keep(root, "b.dvc", pointer("0" * 32, "data/one.txt"))
    assert len(said(root, "data/one.txt")) == 2


@pytest.mark.parametrize(
    "text", ["", "[", "outs: x", "outs:\n- 1", "- a", "outs:\n- path: [one.txt]", "\x00", "&a [*a]"]
)
def test_a_pointer_that_is_none_says_nothing(root: Path, text: str) -> None:
    keep(root, "data/one.txt.dvc", text)
    assert said(root, "data/one.txt") == ()


def test_a_link_in_a_pointers_place_is_an_error_and_the_index_is_no_commit(root: Path) -> None:
    put(root, "two.txt.dvc", pointer(ONE, "two.txt"))
    run(root, "add", "two.txt.dvc")
    assert said(root, "two.txt") == ()
    put(root, "elsewhere", pointer(ONE, "one.txt"))
    (root / "one.txt.dvc").symlink_to("elsewhere")
    run(root, "add", "one.txt.dvc")
    run(root, "commit", "-qm", "link")
    with pytest.raises(AdapterError, match="symbolic link"):
        said(root, "one.txt")
