"""Evidence may come from anybody. Whatever it holds, it is judged or refused; it never stops the gate otherwise."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.test_judge import LIMIT, recorded, spoken
from tests.laws.test_latency import RISE, observed, speed
from tests.support.law_load import LawLoad

from mlgate.adapters.files import evidence_file, evidence_header, journal_file
from mlgate.adapters.files.worker_rows import RowReader
from mlgate.checks.accuracy import AccuracyKind
from mlgate.checks.latency import LatencyKind
from mlgate.checks.recorded import RecordedKind
from mlgate.core.check import Bound, Rule, Suite
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.evidence import Environment, Evidence, Gap, Observation, Provenance, Row, decode, encode
from mlgate.core.ports import Kinds
from mlgate.flow.judge import Baseline, judge
from mlgate.reports import junit
from mlgate.reports.json_v1 import document as json_v1
from mlgate.reports.markdown import report as markdown
from mlgate.reports.terminal import report as terminal

KINDS: Kinds = {"accuracy": AccuracyKind(), "recorded": RecordedKind(), "latency": LatencyKind()}
HEADER = evidence_header.line_of(
    Evidence.of(Provenance("c", "s", "m", (("a", "d"),)), [Environment("3", "L", "c")], [])
)
ROW = '{"check":"a","example":"e","seen":{"answer":"x"}}'
SEEN = '{{"check":"a","example":"e","seen":{{"answer":"x","n":{}}}}}'

WHOLES = ["9" * 400, "-" + "9" * 400, "9" * 5000, "9007199254740993", "-0", "1_000", "0x10", "\u0661"]
FLOATS = ["1e999", "-1e999", "1e-999", "-0.0", "1E400", "0.1e400", "NaN", "Infinity", "-Infinity"]
OTHERS = ["true", "null", "[]", "{}", '"\\ud800"', '"\\uDFFF"', '"\\u0000"', '"\x00"', "'", '{"a":1,"a":2}']
DEEP = ["[" * 5000, "[" * 100_000, '{"a":' * 5000]

odd_numbers = st.sampled_from([*WHOLES, *FLOATS, *OTHERS, *DEEP])
odd_texts = st.text(max_size=30) | st.sampled_from(["\x00", "-" * 50, "9" * 400, "1e400", "[[[", "[" * 9999, "\ud800"])


def packed(*lines: str | bytes) -> bytes:
    return gzip.compress(b"".join(line if isinstance(line, bytes) else line.encode() for line in lines))


def gate(act: Callable[[], object]) -> None:
    """Do it; only the errors that say what to do may come of it."""
    with contextlib.suppress(EvidenceError, Refused):
        act()


@given(odd_numbers)
def test_an_odd_value_in_a_row_is_a_value_or_damage_with_its_line(odd: str) -> None:
    line = SEEN.format(odd)
    try:
        row = decode(line)
    except EvidenceError:
        with pytest.raises(EvidenceError, match=r"damaged: ") as caught:
            evidence_file.parse(packed(HEADER, line, "\n"), "e.gz")
        assert caught.value.where == "e.gz:2"
        assert caught.value.hint
    else:
        assert decode(encode(row)) == row


@given(odd_numbers, st.integers(0, len(HEADER) - 1), st.integers(0, 40))
def test_an_odd_value_anywhere_in_a_header_is_read_or_damage(odd: str, place: int, width: int) -> None:
    line = HEADER[:place] + odd + HEADER[place + width :].rstrip("\n") + "\n"
    gate(lambda: evidence_file.parse(packed(line.encode("utf-8", "surrogatepass"), ROW, "\n"), "e.gz"))


@pytest.mark.parametrize("name", ["commit", "suite", "model", "baseline", "run"])
@pytest.mark.parametrize("odd", ["\ud800", "\x00", 7, [], {}, None, 10**400])
def test_a_header_with_a_word_that_is_none_is_damaged_or_read(name: str, odd: object) -> None:
    header = json.dumps({**json.loads(HEADER), name: odd})
    gate(lambda: evidence_file.parse(packed(header, "\n", '{"digest":"x","rows":0}\n'), "e.gz"))


@pytest.mark.parametrize(
    "environments",
    [
        [{"python": 1, "platform": {}, "cpu": [], "versions": {"a": {"b": 1}}}],
        [{"python": "3", "platform": "L", "cpu": "c", "versions": {str(i): "v" for i in range(1001)}}],
        [{"python": "3", "platform": "L", "cpu": str(i), "versions": {}} for i in range(10_001)],
        [[]],
        ["3"],
        [{}],
    ],
)
def test_a_place_that_is_none_is_damage(environments: list[Any]) -> None:
    header = json.dumps({**json.loads(HEADER), "environments": environments})
    with pytest.raises(EvidenceError, match="not an evidence header"):
        evidence_file.parse(packed(header, "\n"), "e.gz")


@given(odd_numbers)
def test_an_odd_last_line_is_damage_or_refused(odd: str) -> None:
    for footer in (f'{{"digest": {odd}, "rows": 0}}\n', f'{{"digest": "x", "rows": {odd}}}\n'):
        with pytest.raises((EvidenceError, Refused)):
            evidence_file.parse(packed(HEADER, footer.encode("utf-8", "surrogatepass")), "e.gz")


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"") * 20_000,
        gzip.compress(HEADER.encode()) + gzip.compress(ROW.encode()),
        packed(HEADER) + b"\0" * 1000,
        packed(HEADER) + b"PK",
        packed(HEADER)[:-1],
        packed(HEADER)[:-8],
        b"\x1f\x8b\x08\x00" + b"\xff" * 100,
        b"PK\x03\x04",
    ],
)
def test_what_is_not_one_packed_file_is_damage(content: bytes) -> None:
    with pytest.raises((EvidenceError, Refused), match=r"damaged|no evidence file"):
        evidence_file.parse(content, "e.gz")


def test_a_bomb_is_refused_when_its_first_line_is_too_long() -> None:
    with pytest.raises(Refused, match="unpacks to more"):
        evidence_file.parse(gzip.compress(b"\0" * (64 << 20)), "e.gz")


def test_more_rows_than_were_planned_are_refused_before_one_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(_: object) -> Row:
        raise AssertionError

    monkeypatch.setattr(evidence_file, "decode", decoded)
    lines = [json.dumps({"blame": "gate", "check": "x", "example": str(i), "gap": "g"}) + "\n" for i in range(12)]
    with pytest.raises(Refused, match="more rows than the 10 that") as caught:
        evidence_file.parse(packed(HEADER, *lines), "e.gz", 10)
    assert caught.value.where == "e.gz:12"
    assert "collect this part again" in caught.value.hint


def test_as_many_rows_as_were_planned_are_read(tmp_path: Path) -> None:
    evidence = Evidence.of(Provenance("c", "s", "m", ()), [], [Gap("x", str(i), "g") for i in range(10)])
    evidence_file.write(tmp_path / "e.gz", evidence)
    assert evidence_file.read(tmp_path / "e.gz", 10) == evidence
    with pytest.raises(Refused, match="more rows"):
        evidence_file.read(tmp_path / "e.gz", 9)


def test_a_journal_with_more_rows_than_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text(HEADER + (ROW + "\n") * 5)
    with pytest.raises(Refused, match="more rows than the 4"):
        journal_file.read(tmp_path / "journal.jsonl", Provenance("c", "s", "m", (("a", "d"),)), 4)


def test_a_worker_that_sends_more_rows_than_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows-gw0.jsonl").write_text((ROW + "\n") * 3)
    (tmp_path / "rows-gw1.jsonl").write_text((ROW + "\n") * 3)
    with pytest.raises(Refused, match="more than the 5 rows") as caught:
        list(RowReader(tmp_path, 5).fresh())
    assert caught.value.where == "rows-gw1.jsonl:3"


@given(odd_numbers)
def test_what_a_worker_sends_is_a_row_or_an_error_with_its_line(tmp_path_factory: Any, odd: str) -> None:
    folder = tmp_path_factory.mktemp("rows")
    (folder / "rows-main.jsonl").write_bytes((ROW + "\n" + SEEN.format(odd) + "\n").encode("utf-8", "surrogatepass"))
    gate(lambda: list(RowReader(folder, 5).fresh()))


@cache
def timed() -> tuple[Suite, Evidence]:
    return observed(
        speed(RISE, Rule("error_rate", Bound.MAX, 0.1), Rule("ttft_p95_ms", Bound.MAX, 50.0), rounds=8),
        LawLoad(seed=1),
        LawLoad(seed=2),
    )


@cache
def said() -> tuple[Suite, Evidence]:
    asked, rows = spoken(1, 12, Rule("bleu", Bound.MIN, 1), Rule("rougeL", Bound.MAX_DROP, 1))
    tone = recorded(4, LIMIT)
    rows += [Observation("tone", one.id, {"quality": 1.0}) for one in tone.examples]
    suite = Suite.of([asked, tone])
    return suite, Evidence.of(Provenance("abc", suite.digest, "m", ()), [], rows)


def judged(suite: Suite, evidence: Evidence) -> None:
    report = judge(suite, KINDS, evidence, Baseline("file b", said()[1]))
    for render in (json_v1.render, markdown.render, terminal.render, junit.render):
        render(report)


@settings(max_examples=60)
@given(st.data())
def test_a_changed_row_is_judged_or_refused(data: st.DataObject) -> None:
    suite, evidence = data.draw(st.sampled_from([timed, said]))()
    rows = dict(evidence.rows)
    key = data.draw(st.sampled_from(sorted(rows)))
    row = rows[key]
    assert isinstance(row, Observation)
    name = data.draw(st.sampled_from(sorted(row.seen)))
    held = row.seen[name]
    odd: st.SearchStrategy[str | float] = odd_texts | st.floats() | st.integers(-(10**400), 10**400)
    if isinstance(held, str):
        place = data.draw(st.integers(0, len(held)))
        other = data.draw(odd_texts)
        odd |= st.just(held[:place] + other + held[place + data.draw(st.integers(0, 3)) :])
    value = data.draw(odd)

    def merged() -> None:
        try:
            line = json.dumps({"check": row.check, "example": row.example, "seen": {**row.seen, name: value}})
        except ValueError:  # Python itself writes no whole number of so many digits
            return
        changed = Evidence.of(evidence.provenance, [], [decode(line), *(r for k, r in rows.items() if k != key)])
        judged(suite, changed)

    gate(merged)


@settings(max_examples=40)
@given(st.data())
def test_rows_that_are_gone_renamed_or_gaps_are_judged_or_refused(data: st.DataObject) -> None:
    suite, evidence = data.draw(st.sampled_from([timed, said]))()
    rows: list[Row] = []
    for key in sorted(evidence.rows):
        row = evidence.rows[key]
        match data.draw(st.sampled_from(["keep", "keep", "keep", "gone", "gap", "renamed"])):
            case "keep":
                rows.append(row)
            case "gap":
                rows.append(Gap(*key, data.draw(odd_texts), data.draw(st.sampled_from(["model", "gate"]))))
            case "renamed":
                rows.append(Gap(key[0], data.draw(odd_texts), "renamed"))
    gate(lambda: judged(suite, Evidence.of(evidence.provenance, [], rows)))
