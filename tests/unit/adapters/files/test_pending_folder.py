"""What waits for a server comes back as it was, or is an error; and it writes nowhere but in its own folder."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.disk import names, no_file_larger_than
from tests.support.strategies import hostile

from mlgate.adapters.files.pending_folder import RECORD, PendingFolder
from mlgate.core.check import digest_of
from mlgate.core.errors import AdapterError, EvidenceError
from mlgate.core.tracking.record import DataUsed, TrackingRecord

KEY = "a1" * 32
OTHER = "b2" * 32
SAMPLE = TrackingRecord(
    key=KEY,
    name="summarizer passed 1a2b3c4",
    verdict="c3" * 32,
    evidence="d4" * 32,
    began=1_795_410_000_000,
    params={"model": "summarizer"},
    metrics={"summaries/rougeL": 0.3387},
    tags={"mlgate.outcome": "passed"},
    data=(DataUsed("summaries", "e5" * 32, "data/test.jsonl", 200, "dvc md5:f6"),),
    files={"report.json": b"{}\n", "evidence.jsonl.gz": b"\x1f\x8b\x00"},
)

texts = st.dictionaries(hostile, hostile, max_size=3)
numbers = st.floats(allow_nan=False, allow_infinity=False)
records = st.builds(
    TrackingRecord,
    key=st.binary(min_size=32, max_size=32).map(bytes.hex),
    name=hostile,
    verdict=hostile,
    evidence=hostile,
    began=st.integers(0, 2**53),
    params=texts,
    metrics=st.dictionaries(hostile, numbers, max_size=3),
    tags=texts,
    data=st.lists(st.builds(DataUsed, hostile, hostile, hostile, st.integers(0), hostile), max_size=2).map(tuple),
    files=st.dictionaries(
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True).filter(lambda name: name != RECORD),
        st.binary(max_size=50),
        max_size=3,
    ),
)


@given(st.lists(records, max_size=3, unique_by=lambda record: record.key))
@settings(max_examples=60)
def test_what_was_added_comes_back_until_it_is_removed(some: list[TrackingRecord]) -> None:
    with TemporaryDirectory() as root:
        pending = PendingFolder(Path(root, "pending"))
        assert pending.keys() == ()
        for record in some:
            pending.add(record)
        assert list(pending.keys()) == sorted(record.key for record in some)
        assert [pending.read(record.key) for record in some] == some
        for record in some:
            pending.remove(record.key)
        assert list(pending.keys()) == []


def test_the_same_key_replaces_and_leaves_no_file_of_the_older_one(tmp_path: Path) -> None:
    pending = PendingFolder(tmp_path)
    pending.add(replace(SAMPLE, files={**SAMPLE.files, "older.json": b""}))
    pending.add(SAMPLE)
    assert pending.read(KEY) == SAMPLE
    assert names(tmp_path / KEY) == ["evidence.jsonl.gz", RECORD, "report.json"]


def test_one_that_is_not_there_may_be_removed(tmp_path: Path) -> None:
    PendingFolder(tmp_path / "pending").remove(KEY)
    assert names(tmp_path) == []


@pytest.mark.parametrize("left", [0, 1, 100, -2])
@pytest.mark.parametrize("name", [RECORD, "report.json", "evidence.jsonl.gz"])
def test_a_file_that_was_cut_off_is_an_error_and_stays(tmp_path: Path, name: str, left: int) -> None:
    pending = PendingFolder(tmp_path)
    pending.add(SAMPLE)
    file = tmp_path / KEY / name
    if len(file.read_bytes()[:left]) == len(file.read_bytes()):
        file.write_bytes(b"")
    else:
        file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(EvidenceError, match="cannot be read") as caught:
        pending.read(KEY)
    assert "mlgate check" in caught.value.hint
    assert list(pending.keys()) == [KEY]


@pytest.mark.parametrize("name", ["report.json", "evidence.jsonl.gz"])
def test_a_file_that_is_gone_is_an_error(tmp_path: Path, name: str) -> None:
    PendingFolder(tmp_path).add(SAMPLE)
    (tmp_path / KEY / name).unlink()
    with pytest.raises(EvidenceError):
        PendingFolder(tmp_path).read(KEY)


def test_a_verdict_whose_own_file_was_never_written_does_not_wait(tmp_path: Path) -> None:
    PendingFolder(tmp_path).add(SAMPLE)
    (tmp_path / KEY / RECORD).unlink()
    assert list(PendingFolder(tmp_path).keys()) == []
    with pytest.raises(EvidenceError):
        PendingFolder(tmp_path).read(KEY)


@given(st.data())
@settings(max_examples=100)
def test_one_changed_byte_is_an_error(data: st.DataObject) -> None:
    with TemporaryDirectory() as root:
        pending = PendingFolder(Path(root))
        pending.add(SAMPLE)
        file = Path(root, KEY, data.draw(st.sampled_from([RECORD, "report.json", "evidence.jsonl.gz"])))
        content = bytearray(file.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        file.write_bytes(content)
        try:
            assert pending.read(KEY) == SAMPLE  # a blank that became another one says the same
            assert file.name == RECORD
        except EvidenceError:
            pass


WRONG: dict[str, dict[str, Any]] = {
    "no format": {"format": None},
    "a format to come": {"format": "mlgate.record/2"},
    "files that are none": {"files": ["report.json"]},
    "a file elsewhere": {"files": {"../secret": "0" * 64}},
    "a file by its whole path": {"files": {"/etc/passwd": "0" * 64}},
    "itself as a file": {"files": {RECORD: "0" * 64}},
    "no text": {"params": [["a", "b"]]},
    "no number": {"metrics": {"a": "much"}},
    "a number too large": {"metrics": {"a": 10**400}},
    "no time": {"began": "yesterday"},
    "a field too much": {"data": [{"check": "a", "digest": "b", "source": "c", "examples": 1, "more": 1}]},
    "no data": {"data": [1]},
    "another key": {"key": OTHER},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_mlgate_would_not_have_written_is_an_error_whoever_wrote_it(tmp_path: Path, wrong: dict[str, Any]) -> None:
    PendingFolder(tmp_path).add(SAMPLE)
    file = tmp_path / KEY / RECORD
    said = {**json.loads(file.read_text()), **wrong}
    del said["sha256"]
    file.write_text(json.dumps({**said, "sha256": digest_of(said)}))
    with pytest.raises(EvidenceError):
        PendingFolder(tmp_path).read(KEY)


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"', "[" * 100_000, '{"metrics": ' + "9" * 10_000 + "}", "\x00"])
def test_json_that_says_nothing_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / KEY).mkdir()
    (tmp_path / KEY / RECORD).write_text(text)
    with pytest.raises(EvidenceError):
        PendingFolder(tmp_path).read(KEY)


@pytest.mark.parametrize("key", ["", ".", "..", "../x", "a1" * 31, "A1" * 32, f"{KEY}\n", f"{KEY}/..", "x" * 64])
def test_a_key_that_is_none_leads_nowhere(tmp_path: Path, key: str) -> None:
    pending = PendingFolder(tmp_path / "pending")
    for act in (pending.read, pending.remove, lambda name: pending.add(replace(SAMPLE, key=name))):
        with pytest.raises(EvidenceError, match="no verdict's key"):
            act(key)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/x", ".hidden", "a\n", RECORD, "x" * 101, "ü"])
def test_a_file_under_a_hostile_name_is_not_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(EvidenceError, match="cannot be called"):
        PendingFolder(tmp_path / "pending").add(replace(SAMPLE, files={name: b"x"}))
    assert names(tmp_path) == []


def test_files_of_somebody_else_are_neither_listed_nor_read_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / OTHER).write_text("a file where a folder belongs")
    pending = PendingFolder(tmp_path)
    pending.add(SAMPLE)
    (tmp_path / KEY / "notes.txt").write_text("")
    assert list(pending.keys()) == [KEY]
    assert pending.read(KEY) == SAMPLE
    pending.remove(KEY)
    assert names(tmp_path) == [OTHER, "folder", "notes.txt"]
    with pytest.raises(EvidenceError):
        pending.read(OTHER)


def test_a_linked_verdict_is_not_listed_nor_read_and_only_the_link_is_removed(tmp_path: Path) -> None:
    real, pending = PendingFolder(tmp_path / "real"), PendingFolder(tmp_path / "pending")
    real.add(SAMPLE)
    pending.path.mkdir()
    (pending.path / KEY).symlink_to(real.path / KEY)
    assert list(pending.keys()) == []
    with pytest.raises(EvidenceError, match="symbolic link"):
        pending.read(KEY)
    pending.remove(KEY)
    assert names(pending.path) == []
    assert real.read(KEY) == SAMPLE


def test_a_verdict_is_not_written_through_a_link_in_its_place(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    pending = PendingFolder(tmp_path / "pending")
    pending.path.mkdir()
    (pending.path / KEY).symlink_to(victim)
    pending.add(SAMPLE)
    assert names(victim) == []
    assert pending.read(KEY) == SAMPLE


@pytest.mark.parametrize("name", [RECORD, "report.json"])
def test_a_linked_file_is_not_read_even_when_it_says_the_same(tmp_path: Path, name: str) -> None:
    PendingFolder(tmp_path).add(SAMPLE)
    file, elsewhere = tmp_path / KEY / name, tmp_path / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    with pytest.raises(EvidenceError):
        PendingFolder(tmp_path).read(KEY)


@pytest.mark.parametrize("name", [RECORD, "report.json"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    PendingFolder(tmp_path).add(SAMPLE)
    (tmp_path / KEY / name).unlink()
    os.mkfifo(tmp_path / KEY / name)
    with pytest.raises(EvidenceError):
        PendingFolder(tmp_path).read(KEY)


def test_the_folder_itself_may_not_be_a_link(tmp_path: Path) -> None:
    real, pending = PendingFolder(tmp_path / "real"), PendingFolder(tmp_path / "pending")
    real.add(SAMPLE)
    pending.path.symlink_to(real.path)
    assert pending.keys() == ()
    with pytest.raises(AdapterError, match="symbolic link"):
        pending.add(replace(SAMPLE, key=OTHER))
    with pytest.raises(EvidenceError, match="symbolic link"):
        pending.read(KEY)
    pending.remove(KEY)
    assert list(real.keys()) == [KEY]
    assert real.read(KEY) == SAMPLE


def test_a_file_in_the_folders_place_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "pending").write_text("")
    pending = PendingFolder(tmp_path / "pending")
    assert pending.keys() == ()
    with pytest.raises(AdapterError) as caught:
        pending.add(SAMPLE)
    assert "move it" in caught.value.hint


@pytest.mark.parametrize("size", [0, 2, 200])
def test_on_a_full_disk_a_verdict_does_not_half_wait(tmp_path: Path, size: int) -> None:
    pending = PendingFolder(tmp_path)
    with no_file_larger_than(size), pytest.raises(AdapterError, match="could not write"):
        pending.add(SAMPLE)
    assert list(pending.keys()) == []
    pending.add(SAMPLE)
    assert pending.read(KEY) == SAMPLE


def test_a_folder_in_the_records_place_is_not_listed_and_goes_with_the_rest(tmp_path: Path) -> None:
    (tmp_path / KEY / RECORD).mkdir(parents=True)
    pending = PendingFolder(tmp_path)
    assert list(pending.keys()) == []
    pending.remove(KEY)
    assert names(tmp_path) == []
