"""JSON documents, and JSON in files whose name says something else."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

from mlgate.adapters.data import json_file, jsonl_file
from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.section_line import SectionLine
from mlgate.core.errors import ConfigError

ROWS = [{"input": "q1", "reference": "r1"}, {"input": "q2", "reference": "r2"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def written(folder: Path, text: str, name: str = "x.json") -> tuple[Path, Fields]:
    path = folder / name
    path.write_text(text)
    return path, Fields(line=SectionLine("data", {"path": name}))


def refused(folder: Path, text: str, name: str = "x.json") -> ConfigError:
    path, fields = written(folder, text, name)
    with pytest.raises(ConfigError) as caught:
        (jsonl_file if name.endswith("jsonl") else json_file).read(path, fields)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        json.dumps({"version": "1", "data": ROWS}),
        LINES,
        "\n\n".join(json.dumps(row, indent=1) for row in ROWS),
        "\ufeff" + LINES,
    ],
    ids=["list", "indented", "in an object", "lines", "indented one by one", "byte order mark"],
)
def test_objects_are_found_wherever_they_stand(tmp_path: Path, text: str) -> None:
    path, fields = written(tmp_path, text)
    assert [one.references for one in json_file.read(path, fields).examples] == [("r1",), ("r2",)]


def test_one_object_is_a_row_when_it_has_the_input(tmp_path: Path) -> None:
    row = {"input": "q", "reference": "r", "passages": [{"text": "a"}]}
    path, fields = written(tmp_path, json.dumps(row))
    assert len(json_file.read(path, fields).examples) == 1


def test_errors_name_the_row(tmp_path: Path) -> None:
    assert refused(tmp_path, json.dumps([ROWS[0], {"input": "q"}])).where.endswith("x.json:2")
    assert refused(tmp_path, json.dumps([ROWS[0], 5])).message == "row 2 is not a JSON object"
    assert refused(tmp_path, '[\n{"input": 1},\n{"input"}]').where.endswith("x.json:3")


@pytest.mark.parametrize(
    "document",
    [
        {"train": ROWS, "test": ROWS},
        {"input": {"0": "q1", "1": "q2"}, "reference": {"0": "r1", "1": "r2"}},
    ],
    ids=["splits", "pandas' columns"],
)
def test_what_holds_rows_in_another_way_says_the_command_that_takes_them_out(
    tmp_path: Path, document: dict[str, object]
) -> None:
    hint = refused(tmp_path, json.dumps(document)).hint
    command, line = hint.split("`")[1], hint.split("`")[3]
    assert line == "data: x.new.json"
    subprocess.run(["bash", "-c", command], check=True, env=child_environment())
    assert len(json_file.read(tmp_path / "x.new.json").examples) == 2


@pytest.mark.parametrize("text", [json.dumps(ROWS), json.dumps(ROWS, indent=1), json.dumps(ROWS[0], indent=1)])
def test_a_document_in_a_file_of_lines_says_so(tmp_path: Path, text: str) -> None:
    hint = refused(tmp_path, text, "x.jsonl").hint
    assert hint == "if the file is one JSON document, write `data: {path: x.jsonl, format: json}`"
    assert json_file.read(tmp_path / "x.jsonl").examples


@pytest.mark.parametrize(
    "text",
    [
        "".join(json.dumps(row) + ",\n" for row in ROWS),
        "".join(f"{row}\n" for row in ROWS),
        LINES.replace("\n", "\r"),
    ],
    ids=["commas", "Python", "old Mac"],
)
def test_lines_that_a_command_repairs_say_the_command(tmp_path: Path, text: str) -> None:
    path, fields = written(tmp_path, "", "x.jsonl")
    path.write_text(text, newline="")
    with pytest.raises(ConfigError) as caught:
        jsonl_file.read(path, fields)
    subprocess.run(["bash", "-c", caught.value.hint.split("`")[1]], check=True, env=child_environment())
    assert len(jsonl_file.read(tmp_path / "x.new.jsonl").examples) == 2


@pytest.mark.parametrize("text", ['[{"a": NaN}]', '{"a": 1, "a": 2}', "[" * 100_000, '[{"a": 1e999}]', "[", '"x"', "5"])
def test_what_is_no_strict_json_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    assert "x.json" in refused(tmp_path, text).where


def test_a_name_in_the_file_runs_nothing_when_the_command_of_the_hint_is_pasted(tmp_path: Path) -> None:
    name = "x'; touch paid; '"
    hint = refused(tmp_path, json.dumps({name: ROWS, "other": ROWS})).hint
    command = hint.partition("`")[2].partition("`")[0]
    assert shlex.split(command)[:2] == ["jq", f".[{json.dumps(name)}]"]
