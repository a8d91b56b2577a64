from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from tests.support.disk import names

from mlgate.adapters.files import evidence_file
from mlgate.core.errors import EvidenceError
from mlgate.core.evidence import Evidence, Observation, Provenance

RUN = Provenance("abc", "suite", "model", (("c", "data"),))


def of(*answers: str | float) -> Evidence:
    return Evidence.of(RUN, [], [Observation("c", str(i), {"answer": answer}) for i, answer in enumerate(answers)])


def refused(path: Path, evidence: Evidence) -> EvidenceError:
    path.write_text("old")
    with pytest.raises(EvidenceError) as caught:
        evidence_file.write(path, evidence)
    assert path.read_text() == "old"
    assert names(path.parent) == [path.name]
    return caught.value


def test_a_row_as_long_as_may_be_is_read_back_and_a_longer_one_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, evidence = tmp_path / "e.jsonl.gz", of("x" * 500)
    monkeypatch.setattr(evidence_file, "LONGEST_ROW", len(next(evidence.lines())) + 1)
    evidence_file.write(path, evidence)
    assert evidence_file.read(path) == evidence
    error = refused(path, of("x" * 501))
    assert "c/0" in error.message
    assert error.where == str(path)


def test_evidence_as_large_as_may_be_is_read_back_and_larger_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, evidence = tmp_path / "e.jsonl.gz", of("x" * 500, "y" * 500)
    evidence_file.write(path, evidence)
    monkeypatch.setattr(evidence_file, "LARGEST_FILE", len(gzip.decompress(path.read_bytes())))
    evidence_file.write(path, evidence)
    assert evidence_file.read(path) == evidence
    assert "more than" in refused(path, of("x" * 500, "y" * 501)).message
    assert "more than" in refused(path, of("x" * 500, "y" * 500, "z" * 500)).message


def test_a_header_that_could_not_be_read_back_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_file, "LONGEST_ROW", 300)
    checks = tuple((f"check-{i}", "digest") for i in range(20))
    assert "more than" in refused(tmp_path / "e", Evidence.of(Provenance("", "", "", checks), [], [])).message


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    assert "c/0" in refused(tmp_path / "e", of(float("nan"))).message


def test_no_evidence_says_where_the_run_before_left_its_own(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl.gz"
    with pytest.raises(EvidenceError, match="no evidence file here") as caught:
        evidence_file.read(path)
    assert "mlgate check" in caught.value.hint
    evidence_file.write(tmp_path / "evidence.previous.jsonl.gz", of("x"))
    with pytest.raises(EvidenceError) as caught:
        evidence_file.read(path)
    assert "evidence.previous.jsonl.gz" in caught.value.hint


@pytest.mark.parametrize("odd", ["folder", "fifo", "link to itself", "behind a file", "long name", "nul"])
def test_what_is_no_file_is_an_error_and_not_waited_for(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "evidence.jsonl.gz"
    match odd:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "link to itself":
            path.symlink_to(path)
        case "behind a file":
            path.write_text("")
            path /= "deeper"
        case "long name":
            path = tmp_path / ("x" * 300)
        case _:
            path = tmp_path / "a\0b"
    with pytest.raises(EvidenceError):
        evidence_file.read(path)


def test_a_link_that_a_person_names_is_followed(tmp_path: Path) -> None:
    evidence_file.write(tmp_path / "real", of("x"))
    (tmp_path / "link").symlink_to("real")
    assert evidence_file.read(tmp_path / "link") == of("x")


def test_a_folder_is_told_which_file_in_it_is_meant(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="this is a folder") as caught:
        evidence_file.read(tmp_path)
    assert caught.value.hint == "run mlgate check, which writes it"
    evidence_file.write(tmp_path / "evidence.jsonl.gz", of("x"))
    with pytest.raises(EvidenceError) as caught:
        evidence_file.read(tmp_path)
    assert caught.value.hint == f"name the file in it: {tmp_path / 'evidence.jsonl.gz'}"


OTHERS = {
    "yaml": b"version: 1\n",
    "a report": b'{"outcome": "passed"}\n',
    "packed data": gzip.compress(b'{"id": "1"}\n'),
    "a packed list": gzip.compress(b"[1]\n"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_file_is_not_called_damaged_evidence(tmp_path: Path, other: str) -> None:
    (tmp_path / "other").write_bytes(OTHERS[other])
    with pytest.raises(EvidenceError) as caught:
        evidence_file.read(tmp_path / "other")
    assert caught.value.message == "this is no evidence file"
