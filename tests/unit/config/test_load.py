"""What a sound configuration means."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.config.small import ENDPOINT, EVERY_KEY, RULE, config, told

from mlgate.config.load import parse
from mlgate.config.sections.check import RecordedCheck
from mlgate.config.sections.data import DatasetData, FileData, LinesData
from mlgate.config.sections.document import GitBaseline
from mlgate.config.sections.model import ModelSection
from mlgate.config.sections.rule import Margin


def test_the_design_pages_example_means_what_it_says() -> None:
    whole = parse(EVERY_KEY, "m.yaml")
    endpoint = whole.model.endpoint
    assert endpoint is not None
    assert (endpoint.timeout, whole.model.served_name) == (timedelta(seconds=30), "summarizer-v2")
    assert {name: (header.env, header.prefix) for name, header in endpoint.headers.items()} == {
        "Authorization": ("TOKEN", "Bearer ")
    }
    summaries, table, wmt, hub, tone = whole.checks.values()
    assert isinstance(summaries.data, FileData)
    assert (summaries.data.file_format, summaries.data.references) == ("jsonl", ("reference",))
    assert summaries.rules["rougeL"].max_drop == Margin(0.01)
    assert summaries.rules["ter"].max_rise == Margin(0.02, relative=True)
    assert isinstance(table.data, FileData)
    assert (table.data.delimiter, table.data.quoting, table.data.split_lists) == (";", "csv", True)
    assert isinstance(wmt.data, LinesData)
    assert isinstance(hub.data, DatasetData)
    assert isinstance(tone, RecordedCheck)
    assert (tone.tests, tone.examples) == (("tests/test_tone.py",), 40)
    assert isinstance(whole.baseline, GitBaseline)
    assert (whole.baseline.ref, whole.report) == ("origin/main", ("terminal", "junit", "markdown", "github"))


def test_what_is_left_out_has_the_documented_defaults() -> None:
    small = config()
    assert small.model.name == "model"
    assert small.baseline is None
    assert small.report == ("terminal", "junit", "markdown", "github")
    assert small.checks["c"].kind == "accuracy"
    assert small.checks["c"].rules["bleu"].confidence == 0.95


@pytest.mark.parametrize(
    "model", ["{python: a:b}", "{answers: {path: a, id: i}}", ENDPOINT.format("openai-chat, timeout: 500ms")]
)
def test_a_model_section_comes_back_from_its_json(model: str) -> None:
    section = config(model=model).model
    written = json.loads(json.dumps(section.model_dump(mode="json", exclude_unset=True)))
    assert ModelSection.model_validate(written) == section


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("a.jsonl", "jsonl"),
        ("a.JSONL.gz", "jsonl"),
        ("a.b.tsv", "tsv"),
        ("x.parquet", "parquet"),
        ("a.json", "json"),
        ("a.JSON.XZ", "json"),
        ("a.csv.bz2", "csv"),
        ("a.tab.zst", "tsv"),
        ("a.txt", ""),
    ],
)
def test_a_files_format_is_told_by_its_ending(path: str, known: str) -> None:
    check = f"{{data: {path}, rules: {{bleu: {{min: 1}}}}}}"
    if known:
        data = config(check=check).checks["c"].data
        assert isinstance(data, FileData)
        assert data.file_format == known
    else:
        assert "does not end in a known format" in told(check=check)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{path: a.jsonl, delimiter: ';'}", "data.delimiter is for CSV and TSV"),
        ("{path: a.parquet, quoting: csv}", "data.quoting is for CSV and TSV"),
        ("{path: a.csv, delimiter: ';;'}", "data.delimiter must be one character, or tab"),
        ("{path: a.csv, delimiter: '\"'}", "data.delimiter must be one character, or tab"),
        ("{path: a.csv, quoting: all}", "data.quoting"),
        ("a.parquet.gz", "data.path is packed Parquet"),
    ],
)
def test_what_has_no_effect_on_how_a_file_is_read_is_refused(data: str, said: str) -> None:
    assert said in told(check=f"{{data: {data}, rules: {{bleu: {{min: 1}}}}}}")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("{path: a.jsonl, delimiter: ';'}", "answers.delimiter is for CSV and TSV"),
        ("{path: a.txt, match: id}", "answers.match has no effect: a file of one answer a line has no ids"),
        ("{path: a.csv, match: order, id: key}", "answers.id is not used where answers go by order"),
    ],
)
def test_what_has_no_effect_on_how_answers_are_read_is_refused(answers: str, said: str) -> None:
    assert said in told(model=f"{{answers: {answers}}}")


def test_a_recorded_check_needs_its_own_metrics_and_says_how_many_rows_there_are() -> None:
    start = "{kind: recorded, tests: [t.py], metrics: {polite: {better: higher}}, "
    assert told(check=start + "rules: {polite: {min: 1}}}") == (
        "m.yaml:3:10: checks.c needs `data` or `examples` (say how many rows the tests record: examples: 40)"
    )
    assert told(check=start + "examples: 4, rules: {polit: {min: 1}}}") == (
        "m.yaml:3:103: checks.c.rules.polit is no metric (did you mean `polite`? there are: polite)"
    )


@given(st.floats(0, 1, exclude_min=True) | st.integers(1, 1))
def test_a_limit_comes_through_without_a_change(limit: float) -> None:
    found = config(check=RULE.format(f"rougeL: {{min: {json.dumps(limit)}}}")).checks["c"].rules["rougeL"].min
    assert found == limit
