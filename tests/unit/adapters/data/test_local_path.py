"""Paths that are none: an address, a pattern, a variable. Each says what to write in its place."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from mlgate.adapters.data.local_path import local
from mlgate.adapters.data.section_line import SectionLine
from mlgate.core.errors import ConfigError, EvidenceError


def hint(root: Path, written: str) -> str:
    line = SectionLine("data", {"path": written})
    with pytest.raises((ConfigError, EvidenceError)) as caught:
        local(root, written, line.with_path, "mlgate.yaml:5:11")
    return caught.value.hint


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    for name in ("b.jsonl", "a.jsonl", "notes.md"):
        (tmp_path / "data" / name).write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "https://example.org/d/test.jsonl?x=1",
            "`curl -fL -o ROOT/test.jsonl 'https://example.org/d/test.jsonl?x=1'`",
        ),
        ("s3://bucket/test.csv", "`aws s3 cp s3://bucket/test.csv ROOT/test.csv`"),
        ("s3a://bucket/test.csv", "`aws s3 cp s3://bucket/test.csv ROOT/test.csv`"),
        ("gs://bucket/test.csv", "`gcloud storage cp gs://bucket/test.csv ROOT/test.csv`"),
        ("hf://datasets/org/name", "`data: {dataset: org/name}`"),
        ("hf://datasets/org/name/d/x.csv", "`hf download org/name d/x.csv --repo-type dataset --local-dir ROOT`"),
        ("file:///srv/x.csv", "write `data: /srv/x.csv`"),
        ("~/x.csv", "write `data: /home/me/x.csv`"),
        ("$DATA/x.csv", "write `data: /srv/d/x.csv`"),
        ("${DATA}/x.csv", "write `data: /srv/d/x.csv`"),
        ("%DATA%/x.csv", "write `data: /srv/d/x.csv`"),
        ("data/*.jsonl", "write `data: data/a.jsonl`"),
        ("**/b.jsonl", "write `data: data/b.jsonl`"),
        ("data\\a.jsonl", "write `data: data/a.jsonl`"),
        ("data", "write `data: data/a.jsonl`"),
        ("data/", "write `data: data/a.jsonl`"),
    ],
)
def test_what_is_no_path_says_what_to_write(
    root: Path, written: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("DATA", "/srv/d")
    assert said.replace("ROOT", str(root)) in hint(root, written)


@pytest.mark.parametrize("written", ["$NOT_SET_AT_ALL/x.csv", "none/*.csv", "none/", "/abs/*.csv"])
def test_where_nothing_can_be_named_it_still_says_a_step(root: Path, written: str) -> None:
    assert hint(root, written)


def test_a_data_set_that_was_saved_is_named_as_one(root: Path) -> None:
    (root / "saved").mkdir()
    (root / "saved/dataset_dict.json").write_text("{}")
    assert "`data: {dataset: saved}`" in hint(root, "saved/")


@pytest.mark.parametrize("name", ["a*.csv", "$x.csv", "~x.csv", "a\\b.csv", "data[1].csv", "%A%.csv"])
def test_a_file_of_that_very_name_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    assert local(tmp_path, name, str) == tmp_path / name


def test_a_file_that_is_not_there_is_left_to_its_reader(tmp_path: Path) -> None:
    for name in ("x.csv", "x\0.csv", "x" * 5000):
        assert local(tmp_path, name, str) == tmp_path / name


def test_an_address_runs_nothing_when_the_command_of_the_hint_is_pasted(root: Path) -> None:
    said = hint(root, "hf://datasets/a;touch paid/$(touch paid)/x.csv")
    command = said.partition("`")[2].partition("`")[0]
    assert shlex.split(command)[:4] == ["hf", "download", "a;touch paid/$(touch paid)", "x.csv"]
