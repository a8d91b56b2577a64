"""A run's folder comes with the tree, so that somebody else may have filled it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from tests.support.disk import names

from mlgate.adapters.files.run_folder import Concluded, RunFolder
from mlgate.core.errors import AdapterError, EvidenceError, Refused


def began(path: Path) -> RunFolder:
    folder = RunFolder(path)
    with folder.held():
        folder.begin("the run has not ended")
    return folder


def outcome(path: Path) -> str:
    return str(json.loads((path / "verdict.json").read_text())["outcome"])


def put(path: Path, odd: str, victim: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    match odd:
        case "link":
            path.symlink_to(victim)
        case "link to nothing yet":
            path.symlink_to(victim.with_name("made"))
        case "second name":
            path.hardlink_to(victim)
        case "fifo":
            os.mkfifo(path)


@pytest.mark.parametrize("odd", ["link", "link to nothing yet", "second name", "fifo"])
@pytest.mark.parametrize("name", ["verdict.json", "lock", ".gitignore", "evidence.jsonl.gz", "report.json"])
def test_what_somebody_put_in_a_files_place_is_neither_written_through_nor_waited_for(
    tmp_path: Path, name: str, odd: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    put(tmp_path / "out" / name, odd, victim)
    folder = began(tmp_path / "out")
    assert outcome(folder.path) == "incomplete"
    folder.conclude("passed", 0, "all rules hold")
    assert outcome(folder.path) == "passed"
    assert victim.read_text() == "precious"
    assert names(tmp_path) == ["out", "victim"]
    assert not any(path.is_symlink() or path.is_fifo() for path in folder.path.iterdir())


@pytest.mark.parametrize(
    "name", ["verdict.json", "lock", ".gitignore", "evidence.jsonl.gz", "evidence.previous.jsonl.gz", "report.json"]
)
def test_a_folder_in_a_files_place_is_an_error_that_says_which_and_what_next(tmp_path: Path, name: str) -> None:
    (tmp_path / "out" / name).mkdir(parents=True)
    if "previous" in name:
        (tmp_path / "out/evidence.jsonl.gz").write_text("")
    with pytest.raises(AdapterError) as caught:
        began(tmp_path / "out")
    assert str(tmp_path / "out") in caught.value.where
    assert "move it" in caught.value.hint


@pytest.mark.parametrize("other", ["link", "link above", "folder", "file", "link to nothing"])
def test_a_folder_that_is_replaced_during_the_run_is_not_written_through(tmp_path: Path, other: str) -> None:
    elsewhere = tmp_path / "elsewhere/out"
    elsewhere.mkdir(parents=True)
    folder = RunFolder(tmp_path / "above/out")
    with folder.held():
        folder.begin("the run has not ended")
        folder.write("report.json", "{}")
        folder.path.rename(tmp_path / "moved")
        match other:
            case "link":
                folder.path.symlink_to(elsewhere)
            case "link above":
                folder.path.parent.rmdir()
                folder.path.parent.symlink_to(elsewhere.parent)
            case "folder":
                folder.path.mkdir()
            case "file":
                folder.path.write_text("")
            case "link to nothing":
                folder.path.symlink_to(tmp_path / "nothing")
        for write in (
            lambda: folder.write("report.json", "{}"),
            lambda: folder.conclude("passed", 0, "all rules hold"),
            lambda: folder.own("evidence.jsonl.gz"),
        ):
            with pytest.raises(Refused, match="was replaced while the run"):
                write()
    assert names(elsewhere) == []
    assert not (tmp_path / "nothing").exists()
    assert outcome(tmp_path / "moved") == "incomplete"


def test_a_folder_that_is_removed_during_the_run_is_made_anew(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "out")
    with folder.held():
        folder.begin("the run has not ended")
        shutil.rmtree(folder.path)
        folder.conclude("passed", 0, "all rules hold")
        assert outcome(folder.path) == "passed"
        folder.path.rename(tmp_path / "moved")
        folder.path.symlink_to(tmp_path)
        with pytest.raises(Refused):
            folder.write("report.json", "{}")


def test_a_folder_whose_parent_was_renamed_and_given_back_is_the_same(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "above/out")
    with folder.held():
        folder.begin("the run has not ended")
        (tmp_path / "above").rename(tmp_path / "moved")
        (tmp_path / "above").symlink_to(tmp_path / "moved")
        folder.conclude("passed", 0, "all rules hold")
    assert outcome(tmp_path / "moved/out") == "passed"


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, there: bool) -> None:
    real = tmp_path / "real"
    if there:
        real.mkdir()
    (tmp_path / "out").symlink_to(real)
    with pytest.raises(AdapterError, match="symbolic link") as caught:
        began(tmp_path / "out")
    assert "--output DIR" in caught.value.hint
    assert not there or not names(real)


def test_a_file_in_the_folders_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(AdapterError) as caught:
        began(tmp_path / "out")
    assert "move it" in caught.value.hint


def test_the_evidence_of_the_run_before_is_put_aside_and_outlives_runs_that_observe_nothing(tmp_path: Path) -> None:
    for name in ("evidence.jsonl.gz", "report.json", "junit.xml", "summary.md", "model.log", "baseline.log"):
        (tmp_path / name).write_text(f"old {name}")
    for _ in range(3):
        began(tmp_path)
    assert (tmp_path / "evidence.previous.jsonl.gz").read_text() == "old evidence.jsonl.gz"
    assert names(tmp_path) == [".gitignore", "evidence.previous.jsonl.gz", "lock", "verdict.json"]


def test_yesterdays_pass_is_unsaid_even_when_its_files_cannot_be_put_away(tmp_path: Path) -> None:
    RunFolder(tmp_path).conclude("passed", 0, "")
    (tmp_path / "report.json").mkdir()
    with pytest.raises(AdapterError):
        began(tmp_path)
    assert outcome(tmp_path) == "incomplete"


def test_a_second_run_in_the_same_folder_waits_for_nothing_and_is_refused(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path).held(),
        pytest.raises(AdapterError, match="another run holds this folder"),
        RunFolder(tmp_path).held(),
    ):
        pass
    with RunFolder(tmp_path).held():
        pass


def test_an_ignore_file_of_the_users_own_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("!report.json\n")
    began(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "!report.json\n"


def test_what_a_run_concluded_can_be_read_again(tmp_path: Path) -> None:
    RunFolder(tmp_path).conclude("passed", 0, "all rules hold", "e1" * 32)
    assert RunFolder(tmp_path).verdict() == Concluded("passed", 0, "e1" * 32)


def test_a_run_that_only_began_concluded_nothing_with_a_report(tmp_path: Path) -> None:
    assert began(tmp_path).verdict() == Concluded("incomplete", 3, "")


def test_where_no_run_was_there_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no run has concluded here") as caught:
        RunFolder(tmp_path / "out").verdict()
    assert caught.value.hint == "mlgate check"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        '{"outcome": "passed", "exit_code": 0}',
        '{"outcome": "passed", "exit_code": [], "report_sha256": ""}',
        '{"outcome": "passed", "exit_code": 1e999, "report_sha256": ""}',
        '{"outcome": "passed", "exit_code": 0, "report_sha256": ""',
        "\x00",
    ],
)
def test_a_verdict_that_says_nothing_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "verdict.json").write_text(text)
    with pytest.raises(EvidenceError, match="cannot be read"):
        RunFolder(tmp_path).verdict()


@pytest.mark.parametrize("odd", ["link", "fifo", "folder"])
def test_a_verdict_is_not_read_through_what_somebody_put_in_its_place(tmp_path: Path, odd: str) -> None:
    RunFolder(tmp_path / "other").conclude("passed", 0, "")
    path = tmp_path / "out" / "verdict.json"
    put(path, odd, tmp_path / "other/verdict.json")
    if odd == "folder":
        path.mkdir()
    with pytest.raises(EvidenceError, match="cannot be read"):
        RunFolder(tmp_path / "out").verdict()
