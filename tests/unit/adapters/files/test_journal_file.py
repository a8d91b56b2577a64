from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.disk import names, no_file_larger_than

from mlgate.adapters.files import evidence_file, journal_file
from mlgate.adapters.files.journal_file import JournalFile
from mlgate.core.errors import AdapterError, EvidenceError, Refused
from mlgate.core.evidence import Environment, Evidence, Observation, Provenance, Row

RUN = Provenance("abc", "suite", "model", (("c", "data"),))
HERE = Environment("3.11", "Linux", "a cpu")
ROWS: list[Row] = [Observation("c", f"n{i:02}", {"answer": f"answer {i}"}) for i in range(25)]
WHOLE = Evidence.of(RUN, [HERE], ROWS)


def test_a_resumed_journal_has_the_kept_rows_and_the_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path, Evidence.of(RUN, [], ROWS[:20]), HERE) as journal:
        for row in ROWS[20:]:
            journal.append(row)
    assert journal_file.read(path, RUN) == WHOLE


def test_a_journal_that_cannot_begin_anew_leaves_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path, WHOLE, HERE):
        pass
    before = path.read_bytes()
    with no_file_larger_than(len(before) // 2), pytest.raises(AdapterError):
        JournalFile(path, journal_file.read(path, RUN), HERE)
    assert path.read_bytes() == before
    assert names(tmp_path) == ["journal.jsonl"]


def test_a_full_disk_stops_the_run_and_what_was_kept_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path, Evidence.of(RUN, [], []), HERE) as journal:
        journal.append(ROWS[0])
        with no_file_larger_than(path.stat().st_size + 20), pytest.raises(AdapterError):
            journal.append(ROWS[1])
    assert list(journal_file.read(path, RUN).rows.values()) == ROWS[:1]


def test_a_row_that_could_not_be_read_back_is_not_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_file, "LONGEST_ROW", 200)
    path = tmp_path / "journal.jsonl"
    with JournalFile(path, Evidence.of(RUN, [], []), HERE) as journal:
        with pytest.raises(EvidenceError, match="c/long"):
            journal.append(Observation("c", "long", {"answer": "x" * 200}))
        journal.append(ROWS[0])
    assert list(journal_file.read(path, RUN).rows.values()) == ROWS[:1]


def test_a_journal_never_grows_beyond_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path, Evidence.of(RUN, [], ROWS[:5]), HERE) as journal:
        monkeypatch.setattr(journal_file, "LARGEST_FILE", path.stat().st_size + 80)
        journal.append(ROWS[5])
        with pytest.raises(EvidenceError, match="more than"):
            journal.append(ROWS[6])
    assert list(journal_file.read(path, RUN).rows.values()) == ROWS[:6]
    path.write_bytes(path.read_bytes() + b"\n" * 81)
    with pytest.raises(Refused, match="larger"):
        journal_file.read(path, RUN)


@pytest.mark.parametrize("odd", ["link", "link to nowhere", "fifo", "folder"])
def test_what_is_no_file_is_not_resumed_from(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(tmp_path / "other", WHOLE, HERE):
        pass
    match odd:
        case "link":
            path.symlink_to("other")
        case "link to nowhere":
            path.symlink_to("nowhere")
        case "fifo":
            os.mkfifo(path)
        case _:
            path.mkdir()
    with pytest.raises(EvidenceError) as caught:
        journal_file.read(path, RUN)
    assert "without --resume" in caught.value.hint


@pytest.mark.parametrize("odd", ["link", "fifo", "second name"])
def test_a_journal_is_not_written_through_what_lies_in_its_place(tmp_path: Path, odd: str) -> None:
    path, victim = tmp_path / "journal.jsonl", tmp_path / "victim"
    victim.write_text("precious")
    match odd:
        case "link":
            path.symlink_to(victim)
        case "fifo":
            os.mkfifo(path)
        case _:
            path.hardlink_to(victim)
    with JournalFile(path, Evidence.of(RUN, [], []), HERE) as journal:
        journal.append(ROWS[0])
    assert victim.read_text() == "precious"
    assert list(journal_file.read(path, RUN).rows.values()) == ROWS[:1]


def test_a_folder_in_the_journals_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(AdapterError) as caught:
        JournalFile(tmp_path / "journal.jsonl", WHOLE, HERE)
    assert "move it" in caught.value.hint


def test_no_journal_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert not journal_file.read(tmp_path / "journal.jsonl", RUN).rows
