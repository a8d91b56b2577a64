from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from tests.support.disk import names, no_file_larger_than

from mlgate.adapters.files import safe_file
from mlgate.core.errors import AdapterError


def test_a_link_in_the_files_place_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("precious")
    path = tmp_path / "report.json"
    path.symlink_to(other)
    safe_file.write(path, b"ours")
    assert (other.read_text(), path.read_text(), path.is_symlink()) == ("precious", "ours", False)


def test_a_folder_in_the_files_place_is_an_error_that_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(AdapterError) as caught:
        safe_file.write(tmp_path / "report.json", b"ours")
    assert "move it" in caught.value.hint
    assert names(tmp_path) == ["report.json"]


@pytest.mark.parametrize("lies", ["file", "link to nowhere"])
def test_what_lies_in_the_folders_place_is_an_error_that_says_what_to_do(tmp_path: Path, lies: str) -> None:
    folder = tmp_path / "out"
    if lies == "file":
        folder.write_text("")
    else:
        folder.symlink_to("nowhere")
    for path in (folder / "report.json", folder / "deeper/report.json"):
        with pytest.raises(AdapterError) as caught:
            safe_file.write(path, b"ours")
        assert "move it" in caught.value.hint


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    with no_file_larger_than(100), pytest.raises(AdapterError):
        safe_file.write(path, b"x" * 1000)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.json"]


@pytest.mark.parametrize(
    ("number", "step"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "--output DIR"),
        (errno.EROFS, "--output DIR"),
        (errno.EISDIR, "move it"),
        (errno.ENOTDIR, "move it"),
    ],
)
def test_each_cause_has_its_own_next_step(number: int, step: str) -> None:
    assert step in safe_file.next_step(OSError(number, "x"))


@pytest.mark.parametrize("odd", ["folder", "fifo", "device", "link to a device", "link to itself"])
@pytest.mark.parametrize("follow", [False, True])
def test_only_regular_files_are_read_and_none_is_waited_for(tmp_path: Path, odd: str, follow: bool) -> None:
    path = tmp_path / "odd"
    match odd:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "device":
            path = Path("/dev/zero")
        case "link to a device":
            path.symlink_to("/dev/zero")
        case _:
            path.symlink_to(path)
    with pytest.raises(OSError, match=r"regular|symbolic"):
        safe_file.read(path, 10, follow=follow)


@pytest.mark.parametrize("odd", ["folder", "fifo", "device"])
def test_only_regular_files_are_opened_whatever_lay_there_a_moment_ago(tmp_path: Path, odd: str) -> None:
    path = Path("/dev/null") if odd == "device" else tmp_path / "odd"
    match odd:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
    with pytest.raises(OSError, match="regular"):
        safe_file.opened(path, os.O_RDONLY)


def test_a_link_is_followed_only_where_a_person_named_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    assert safe_file.read(tmp_path / "link", 10, follow=True) == b"text"
    with pytest.raises(OSError, match="regular"):
        safe_file.read(tmp_path / "link", 10)
    with pytest.raises(OSError, match="symbolic"):
        safe_file.opened(tmp_path / "link", os.O_RDONLY)


def test_one_byte_too_many_shows_and_no_more_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    assert len(safe_file.read(tmp_path / "file", 100)) == 100
    assert len(safe_file.read(tmp_path / "file", 7)) == 8


@pytest.mark.parametrize("odd", ["link", "fifo", "socket", "nothing"])
def test_what_is_no_file_is_cleared_away(tmp_path: Path, odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    match odd:
        case "link":
            Path("odd").symlink_to("/etc/passwd")
        case "fifo":
            os.mkfifo("odd")
        case "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind("odd")
    safe_file.clear(Path("odd"))
    assert not os.path.lexists("odd")


def test_a_file_stays_and_a_folder_or_a_device_is_not_ours_to_clear(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    safe_file.clear(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "text"
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(AdapterError, match="lies where a file belongs"):
            safe_file.clear(path)
