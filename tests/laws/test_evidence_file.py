"""An evidence file says what was seen, or it says that it is damaged. Nothing in between."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.adapters.files import evidence_file, journal_file
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.evidence import Environment, Evidence, Gap, Observation, Provenance

RUN = Provenance("abc", "suite", "model", (("c", "data"), ("d", "more")))
HERE = Environment("3.11", "Linux", "a cpu", (("numpy", "2.0"),))
THERE = Environment("3.12", "Linux", "another cpu")
WHOLE = Evidence.of(
    RUN,
    [HERE, THERE],
    [
        Observation("c", "a", {"answer": "one\ntwo \u202e \x00 ä"}),
        Observation("c", "b", {"answer": "", "seconds": 0.25}),
        Gap("d", "a", "no answer within 30 s", "model"),
    ],
)
in_place = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@pytest.fixture
def written(tmp_path: Path) -> bytes:
    evidence_file.write(tmp_path / "e.jsonl.gz", WHOLE)
    return (tmp_path / "e.jsonl.gz").read_bytes()


def test_what_is_written_is_read_back_and_written_again_byte_for_byte(tmp_path: Path, written: bytes) -> None:
    again = evidence_file.parse(written, "e")
    assert again == WHOLE
    evidence_file.write(tmp_path / "again", again)
    assert (tmp_path / "again").read_bytes() == written


@in_place
@given(data=st.data())
def test_a_file_that_is_cut_anywhere_is_damaged(written: bytes, data: st.DataObject) -> None:
    cut = written[: data.draw(st.integers(0, len(written) - 1))]
    with pytest.raises(EvidenceError):
        evidence_file.parse(cut, "e")


@in_place
@given(data=st.data())
def test_text_that_is_cut_anywhere_is_damaged(written: bytes, data: st.DataObject) -> None:
    text = gzip.decompress(written)
    with pytest.raises(EvidenceError):
        evidence_file.parse(gzip.compress(text[: data.draw(st.integers(0, len(text) - 1))]), "e")


@in_place
@given(data=st.data())
def test_a_changed_byte_is_noticed_or_changes_nothing_that_was_seen(written: bytes, data: st.DataObject) -> None:
    text = bytearray(gzip.decompress(written))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))
    try:
        found = evidence_file.parse(gzip.compress(bytes(text)), "e")
    except (EvidenceError, Refused):
        return
    assert (found.rows, found.provenance) == (WHOLE.rows, WHOLE.provenance)


@given(st.binary(max_size=200))
def test_any_bytes_are_evidence_or_an_error(content: bytes) -> None:
    for packed in (content, gzip.compress(content)):
        try:
            evidence_file.parse(packed, "e")
        except (EvidenceError, Refused):
            continue


@in_place
@given(data=st.data())
def test_a_journal_that_is_torn_anywhere_gives_back_its_whole_rows(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "journal.jsonl"
    with journal_file.JournalFile(path, Evidence.of(RUN, [], []), HERE) as journal:
        for row in WHOLE.rows.values():
            journal.append(row)
    whole = path.read_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    path.write_bytes(cut)
    kept = journal_file.read(path, RUN)
    assert len(kept.rows) == max(0, cut.count(b"\n") - 1)
    assert all(WHOLE.rows[key] == row for key, row in kept.rows.items())
