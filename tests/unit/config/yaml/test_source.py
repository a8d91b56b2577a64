"""Threat T22: whatever the path of a configuration turns out to be, the answer comes at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlgate.config.load import load
from mlgate.core.errors import ConfigError

SOUND = "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: x.csv, rules: {bleu: {min: 1}}}}\n"


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(f"{path.parent}/", "")


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    assert refused(tmp_path / "m.yaml") == "m.yaml: there is no such file (write one with `mlgate init`)"


def test_an_empty_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_bytes(b"")
    assert refused(tmp_path / "m.yaml") == "m.yaml:1:1: the file is empty (write one with `mlgate init`)"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").mkdir()
    assert refused(tmp_path / "m.yaml") == "m.yaml: it is a folder (name the file in it: m.yaml/mlgate.yaml)"


def test_a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.yaml")
    assert refused(tmp_path / "m.yaml") == "m.yaml: it is no regular file (name a file, e.g. mlgate.yaml)"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/stdin"])
def test_a_device_is_refused(device: str, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").symlink_to(device)
    assert refused(tmp_path / "m.yaml").startswith("m.yaml: ")


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").symlink_to("m.yaml")
    assert refused(tmp_path / "m.yaml").startswith("m.yaml: it cannot be read: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(SOUND)
    (tmp_path / "m.yaml").chmod(0)
    assert refused(tmp_path / "m.yaml").startswith("m.yaml: it cannot be read: Permission denied")


def test_a_path_with_a_nul_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"it cannot be read: .*embedded null"):
        load(Path("a\0b"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("version: 1\n# Größe\n".encode("latin-1"), "m.yaml:2:5: byte 0xf6 is not UTF-8 (save the file as UTF-8)"),
        (SOUND.encode("utf-16"), "m.yaml:1:1: byte 0xff is not UTF-8 (save the file as UTF-8)"),
        (b"a: \xed\xa0\x80", "m.yaml:1:4: byte 0xed is not UTF-8 (save the file as UTF-8)"),
        (
            b"a: b\0c",
            (
                "m.yaml:1:5: here is a character that nobody can see: U+0000 "
                "(delete it; inside double quotes it can be written as an escape)"
            ),
        ),
        (
            b"#" * (256 * 1024 + 1),
            "m.yaml: a configuration has at most 256 KB (keep data in files and name them here)",
        ),
    ],
)
def test_bytes_that_are_no_configuration_are_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "m.yaml").write_bytes(content)
    assert refused(tmp_path / "m.yaml") == told


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + SOUND.encode(), SOUND.replace("\n", "\r\n").encode()])
def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.yaml").write_bytes(content)
    config = load(tmp_path / "m.yaml")
    assert config.checks.keys() == {"c"}
    assert config.where("checks", "c", "data") == f"{tmp_path / 'm.yaml'}:3:20"


def test_the_path_is_shown_as_it_was_given_and_the_root_is_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate/m.yaml").write_text(SOUND)
    monkeypatch.chdir(tmp_path)
    config = load(Path("gate/m.yaml"))
    assert config.path == Path("gate/m.yaml")
    assert config.root == tmp_path / "gate"
    assert config.where("version") == "gate/m.yaml:1:10"
