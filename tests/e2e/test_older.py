"""What mlgate wrote at c8848c2 is read, verified and compared, or said to be of an older form with what to do."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.desk import Desk, Done

OLD = Path("tests/golden/form1").absolute()
projects = pytest.mark.parametrize("name", ["sliced", "served"])


def left_by_yesterday(desk: Desk, name: str) -> None:
    """Lay out a project as `mlgate check --save-baseline` at c8848c2 left it."""
    old = OLD / name
    for file in ("mlgate.yaml", "data.jsonl", "baseline.jsonl.gz"):
        shutil.copy(old / file, desk.root / file)
    if (old / "model.py.txt").exists():
        shutil.copy(old / "model.py.txt", desk.root / "model.py")
    shutil.copytree(old / "run", desk.root / ".mlgate")
    shutil.copy(old / "baseline.jsonl.gz", desk.root / ".mlgate/evidence.jsonl.gz")


def edit(desk: Desk, old: str, new: str) -> None:
    path = desk.root / "mlgate.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def flat(done: Done) -> str:
    return " ".join((done.out + done.err).split())


def check(desk: Desk, *arguments: str) -> Done:
    return desk.mlgate("check", "-n", "0", *arguments)


def first_line(path: Path) -> dict[str, Any]:
    with gzip.open(path, "rt") as file:
        found: dict[str, Any] = json.loads(file.readline())
    return found


def test_a_baseline_of_form_1_is_compared_and_replaced_by_one_of_today(desk: Desk) -> None:
    left_by_yesterday(desk, "sliced")
    yesterday = desk.report["evidence"]
    assert "written by an older mlgate: it is read as it is" in flat(desk.mlgate("doctor"))
    assert check(desk).code == 0
    assert desk.verdict["outcome"] == "passed"
    assert desk.report["baseline"]["digest"] == yesterday
    edit(desk, "python: model:answer", "python: model:worse")
    desk.write("model.py", (desk.root / "model.py").read_text() + "\n\ndef worse(text):\n    return text[:5]\n")
    assert check(desk).code == 1, "it is held against yesterday's answers"
    edit(desk, "python: model:worse", "python: model:answer")
    assert check(desk, "--save-baseline").code == 0
    assert first_line(desk.root / "baseline.jsonl.gz")["format"] == "mlgate.evidence/2"
    assert check(desk).code == 0


@pytest.mark.parametrize("fields", ["kind, half", "half, kind"])
def test_slices_are_added_to_a_check_and_its_baseline_is_compared(desk: Desk, fields: str) -> None:
    left_by_yesterday(desk, "sliced")
    edit(desk, "[kind]", f"[{fields}]")
    for _ in ("the baseline of form 1", "the baseline of today"):
        assert check(desk, "--save-baseline").code == 0
        assert desk.verdict["outcome"] == "passed"
    edit(desk, f"    slices: [{fields}]\n", "")
    assert check(desk).code == 0
    assert desk.verdict["outcome"] == "passed"


def test_slices_in_another_order_or_by_fewer_fields_than_form_1_had(desk: Desk) -> None:
    left_by_yesterday(desk, "sliced")
    shutil.copy(OLD / "sliced/half-and-kind.jsonl.gz", desk.root / "baseline.jsonl.gz")
    edit(desk, "[kind]", "[kind, half]")
    assert check(desk).code == 0
    edit(desk, "[kind, half]", "[kind]")
    done = check(desk)
    assert done.code == 3
    assert "its digest is of an older form, which covered them; name that field again, or accept a new" in flat(done)


def test_an_edited_example_is_other_data_for_a_baseline_of_form_1(desk: Desk) -> None:
    left_by_yesterday(desk, "sliced")
    data = desk.root / "data.jsonl"
    data.write_text(data.read_text().replace("alpha0", "alpha9", 1))
    done = check(desk)
    assert done.code == 3
    assert "it was observed on other data" in flat(done)


@projects
def test_evidence_of_form_1_is_judged_by_todays_rules_and_explained(desk: Desk, name: str) -> None:
    left_by_yesterday(desk, name)
    assert desk.mlgate("replay").code == 0
    assert desk.mlgate("explain", "--check", "notes").code == 0


@projects
def test_a_verdict_of_form_1_is_accepted_where_its_model_is_here(desk: Desk, name: str) -> None:
    left_by_yesterday(desk, name)
    baseline = desk.root / "baseline.jsonl.gz"
    before = baseline.read_bytes()
    baseline.unlink()
    done = desk.mlgate("baseline", "accept")
    assert done.code == 0, done.err
    assert baseline.read_bytes() == before, "it keeps its form, and so its digest"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("sliced", "model:answer", "model:other"), ("served", "Summarise", "Translate"), ("served", "seed: 7", "seed: 8")],
)
def test_a_verdict_of_form_1_is_refused_where_another_model_is_here(desk: Desk, name: str, old: str, new: str) -> None:
    left_by_yesterday(desk, name)
    (desk.root / "baseline.jsonl.gz").unlink()
    edit(desk, old, new)
    done = desk.mlgate("baseline", "accept")
    assert done.code == 5
    assert "not the one that was judged" in done.err


def test_evidence_of_form_1_that_was_changed_is_refused(desk: Desk) -> None:
    left_by_yesterday(desk, "sliced")
    path = desk.root / "baseline.jsonl.gz"
    text = gzip.decompress(path.read_bytes())
    for old, new in ((b"alpha0", b"alpha9"), (b"evidence/1", b"evidence/2"), (b'"commit": ""', b'"commit": "1"')):
        path.write_bytes(gzip.compress(text.replace(old, new, 1)))
        done = check(desk)
        assert done.code == 5
        assert "it was changed after it was written" in flat(done)


def test_evidence_of_a_form_that_is_not_there_yet_is_told_and_no_baseline(desk: Desk) -> None:
    left_by_yesterday(desk, "sliced")
    path = desk.root / "baseline.jsonl.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"evidence/1", b"evidence/3", 1)))
    done = check(desk)
    assert done.code == 3
    assert (
        "unknown evidence format `mlgate.evidence/3`: this mlgate reads mlgate.evidence/1, mlgate.evidence/2"
        in flat(done)
    )


def test_a_part_of_form_1_is_never_merged_with_a_run_of_today(desk: Desk) -> None:
    left_by_yesterday(desk, "sliced")
    done = desk.mlgate("merge", "baseline.jsonl.gz")
    assert done.code == 5
    assert "of form 1, and this mlgate writes form 2" in flat(done)
    assert "mlgate replay" in flat(done)
    assert check(desk, "--shard", "1/1").code == 0
    done = desk.mlgate("merge", "baseline.jsonl.gz", ".mlgate/evidence-1of1.jsonl.gz")
    assert done.code == 5
    assert "two forms" in flat(done)


def test_a_run_that_was_interrupted_in_form_1_is_begun_anew(desk: Desk) -> None:
    left_by_yesterday(desk, "served")
    shutil.copy(OLD / "served/journal.jsonl", desk.root / ".mlgate/journal.jsonl")
    done = check(desk, "--resume")
    assert done.code == 5
    assert "begun by another version of mlgate" in flat(done)
    assert "without --resume" in flat(done)


@pytest.mark.needs_mlflow
def test_a_champion_of_form_1_is_the_baseline_and_is_replaced(desk: Desk) -> None:
    left_by_yesterday(desk, "sliced")
    edit(desk, "{from: file, path: baseline.jsonl.gz}", "{from: mlflow}\ntracking: {mlflow: sqlite:///mlflow.db}")
    done = desk.mlgate("promote")
    assert done.code == 0, done.err
    assert check(desk, "--save-baseline").code == 0
    assert desk.verdict["outcome"] == "passed"
    assert desk.mlgate("history").out.count("promoted") == 2
    edit(desk, "[kind]", "[kind, half]")
    assert check(desk).code == 0
    assert desk.mlgate("rollback").code == 0
    assert check(desk, "--save-baseline").code == 0
    assert desk.verdict["outcome"] == "passed", "it is held against the version of form 1 again"


@pytest.mark.needs_mlflow
def test_a_verdict_of_form_1_that_waits_for_a_server_is_logged(desk: Desk) -> None:
    shutil.copy(OLD / "pending/mlgate.yaml", desk.root / "mlgate.yaml")
    shutil.copytree(OLD / "pending", desk.root / ".mlgate/pending", ignore=shutil.ignore_patterns("mlgate.yaml"))
    edit(desk, "http://127.0.0.1:9", "sqlite:///mlflow.db")
    done = desk.mlgate("sync")
    assert done.code == 0, done.err
    assert "1 of 1: clerk warned" in done.out
