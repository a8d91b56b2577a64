"""Answers that were made before: whose they are must never be a guess."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.models import answers_file
from mlgate.adapters.models.answers import AnswersModel
from mlgate.adapters.models.answers_file import Layout
from mlgate.core.check import Example
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.ports import Failure

IDS = ["a", "b", "c"]
Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(name: str, content: str | bytes) -> Path:
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return to


def answers(path: Path, **options: Any) -> list[str | Failure]:
    model = AnswersModel.read(path, example_ids=IDS, **options)
    return list(model.answer([Example(name, "?") for name in IDS]))


JSONL = '{"id": "c", "answer": "C"}\n\n{"id": "a", "answer": ""}\n{"id": "b", "answer": "B\\nb"}'


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.ndjson", "X.JSONL", "x.JSONL.GZ"])
def test_json_lines_are_matched_by_id(write: Write, name: str) -> None:
    path = write(name.replace(".GZ", ".gz"), JSONL)
    assert answers(path) == ["", "B\nb", "C"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", 'answer,id,more\nC,c,1\n,a,2\n"B\nb",b,3\n'),
        ("x.csv.gz", 'answer,id\r\nC,c\r\n"",a\r\n"B\nb",b\r\n'),
    ],
)
def test_tables_are_matched_by_id(write: Write, name: str, text: str) -> None:
    assert answers(write(name, text)) == ["", "B\nb", "C"]


@pytest.mark.parametrize("name", ["x.txt", "x.txt.gz", "hypotheses", "x.en"])
@pytest.mark.parametrize("text", ["A\n\nC", "A\n\nC\n", "\ufeffA\r\n\r\nC\r\n"])
def test_plain_text_is_matched_by_order_and_a_blank_line_is_an_empty_answer(write: Write, name: str, text: str) -> None:
    assert answers(write(name, text)) == ["A", "", "C"]


def test_only_a_line_feed_ends_a_line(write: Write) -> None:
    assert answers(write("x.txt", "a\u2028a\nb\x85b\x0b\nc\rc")) == ["a\u2028a", "b\x85b\x0b", "c\rc"]


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"])), min_size=1, max_size=9))
def test_plain_text_and_json_lines_say_the_same(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("same")
    ids = [str(number) for number in range(len(texts))]
    (folder / "x.txt").write_bytes("".join(f"{text}\n" for text in texts).encode())
    rows = [json.dumps({"id": name, "answer": text}) for name, text in zip(ids, texts, strict=True)]
    (folder / "x.jsonl").write_text("\n".join(reversed(rows)))
    examples = [Example(name, None) for name in ids]
    plain = list(AnswersModel.read(folder / "x.txt", example_ids=ids).answer(examples))
    if not texts[0].startswith("\ufeff"):
        assert plain == texts
        assert plain == list(AnswersModel.read(folder / "x.jsonl", example_ids=ids).answer(examples))


@pytest.mark.parametrize(("text", "lines"), [("", 0), ("A\nB", 2), ("A\nB\nC\n\n", 4), ("A\n" * 2000, "2,000")])
def test_one_line_too_many_or_too_few_is_evidence_of_nothing(write: Write, text: str, lines: int | str) -> None:
    with pytest.raises(EvidenceError, match=f"it has {lines} lines for 3 examples"):
        answers(write("x.txt", text))


def test_fields_can_be_named_and_lie_deep(write: Write) -> None:
    path = write("x.jsonl", '{"key": {"n": 7}, "choices": [{"text": "seven"}]}\n')
    model = AnswersModel.read(path, example_ids=["7"], layout=Layout("key.n", "choices.0.text"))
    assert list(model.answer([Example("7", "?")])) == ["seven"]


def test_an_example_without_an_answer_is_the_gates_failure(write: Write) -> None:
    missing = Failure("no answer in x.jsonl", "gate")
    assert answers(write("x.jsonl", '{"id": "b", "answer": "B"}')) == [missing, "B", missing]
    assert answers(write("x.jsonl", "")) == [missing] * 3


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("null", "answered null, not text"),
        ("NaN", "answered NaN, not text"),
        ("-Infinity", "answered an infinite number, not text"),
        ('["x"]', "answered a list, not text"),
        ('{"text": "x"}', "answered an object, not text"),
        ('"\\udc00"', "answered text that is not Unicode: a lone surrogate U+DC00"),
        (json.dumps("x" * (1 << 21)), "answered 2097152 bytes: more than 1048576 are not taken"),
    ],
)
def test_what_is_not_text_is_the_models_failure(write: Write, value: str, why: str) -> None:
    assert answers(write("x.jsonl", f'{{"id": "a", "answer": {value}}}'))[0] == Failure(why)


def test_two_answers_to_one_example_are_refused_when_they_differ(write: Write) -> None:
    path = write("x.jsonl", '{"id": "a", "answer": "A"}\n{"id": "b", "answer": "B"}\n{"id": "a", "answer": "other"}')
    with pytest.raises(Refused, match="lines 1 and 3 answer `a` differently"):
        answers(path)
    assert answers(write("y.jsonl", '{"id": "a", "answer": "A"}\n' * 2))[0] == "A"


def test_an_answer_and_a_failure_to_one_example_differ_too(write: Write) -> None:
    with pytest.raises(Refused):
        answers(write("x.jsonl", '{"id": "a", "answer": null}\n{"id": "a", "answer": "A"}'))


def test_answers_to_other_data_are_refused(write: Write) -> None:
    path = write("x.jsonl", "".join(f'{{"id": {n}, "answer": ""}}\n' for n in range(9)))
    with pytest.raises(Refused, match="examples that the data has not: `0`, `1`, `2` and 6 more"):
        answers(path)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.jsonl", "{", "1: the line is not JSON"),
        ("x.jsonl", JSONL + '\n{"id": "a", "answ', "5: the line is not JSON"),
        ("x.jsonl", '["a", "b"]', "1: the line is not a JSON object"),
        ("x.jsonl", '{"id": "a", "answer": "A", "answer": "B"}', "a key stands twice"),
        ("x.jsonl", '{"id": "a", "text": "A"}', "there is no answer `answer`"),
        ("x.jsonl", '{"key": "a", "answer": "A"}', "there is no id `id`"),
        ("x.jsonl", '{"id": "", "answer": "A"}', "neither text nor a whole number"),
        ("x.jsonl", '{"id": true, "answer": "A"}', "neither text nor a whole number"),
        ("x.jsonl", '{"id": 1.5, "answer": "A"}', "neither text nor a whole number"),
        ("x.jsonl", "[" * 100_000, "the line is nested deeper than 64 levels"),
        ("x.jsonl", '{"id": ' + "9" * 9999 + "}", "the line is not JSON"),
        ("x.jsonl", b'{"id": "\xff"}', "not UTF-8"),
        ("x.txt", "a\nb\0\nc", "2: there is a NUL character"),
        ("x.txt", "x" * ((4 << 20) + 1), "1: the line has more than 4 MB"),
        ("x.txt", "x" * ((9 << 20) + 1), "1: the line has more than"),
        ("x.txt", b"\xff\xfea\0", "1: "),
        ("x.csv", "id,answer,id\n", "1: the header names the column `id` twice"),
        ("x.csv", "id,answer\na\n", "2: the record has 1 value, the header 2"),
        ("x.csv", 'id,answer\na,"A\n', "2: the record is not CSV"),
        ("x.csv", "", "EMPTY"),
        ("x.json", "{}", "there is no id `id`"),
        ("x.parquet", "PAR1", "answers are not read from .parquet"),
    ],
)
def test_damaged_files_are_evidence_errors_that_say_where(
    write: Write, name: str, content: str | bytes, why: str
) -> None:
    path = write(name, content)
    if why == "EMPTY":
        assert [type(one) for one in answers(path)] == [Failure] * 3
        return
    with pytest.raises(EvidenceError) as error:
        answers(path)
    assert why in str(error.value)


@pytest.mark.parametrize("cut", [0, 1, 10, 30, -9, -4])
def test_a_gzip_file_that_is_cut_off_is_an_evidence_error(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(JSONL.encode())[:cut])
    with pytest.raises(EvidenceError, match="gzip"):
        answers(path)


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_file, "LARGEST_FILE", 8 << 20)
    path = write("x.txt.gz", (b"a" * 1000 + b"\n") * (16 << 10))
    assert path.stat().st_size < 100_000
    with pytest.raises(Refused, match="more than 8 MB"):
        answers(path)


def test_a_bomb_of_empty_lines_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_file, "MOST_LINES", 1000)
    with pytest.raises(Refused, match="more than 1,000 lines"):
        answers(write("x.txt.gz", b"\n" * 1001))


@pytest.mark.parametrize("odd", ["missing", "folder", "fifo", "device"])
def test_what_is_no_file_is_an_evidence_error_and_never_waited_for(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "x.txt"
    match odd:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
    with pytest.raises(EvidenceError, match="cannot read"):
        answers(path)


def test_the_digest_is_of_the_content_however_it_is_packed(write: Write) -> None:
    expected = hashlib.sha256(JSONL.encode()).hexdigest()
    for name in ("x.jsonl", "x.jsonl.gz"):
        assert AnswersModel.read(write(name, JSONL), example_ids=IDS).digest == expected
