"""Ways to open the gate that were tried on it, each shut: what a reviewer found stays found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.e2e.desk import Desk

RECORDED = """\
version: 1
model: {{python: model:answer}}
checks:
  tone:
    kind: recorded
    tests: {tests}
    examples: 4
    metrics: {{politeness: {{better: higher, unit: ratio}}}}
    rules: {{politeness: {{min: 0.1}}}}
"""
GOOD = """\
import pytest

@pytest.mark.parametrize("i", range(1, 5))
def test_tone(gate, i):
    gate.record("tone", i, politeness=1.0)
"""


def answered(desk: Desk, references: list[str], answers: list[Any], check: str, baseline: str = "") -> None:
    rows = [{"id": f"e{i}", "input": "x", "reference": r, "mod=ule": "a"} for i, r in enumerate(references)]
    desk.write("data.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    desk.write("answers.jsonl", "".join(json.dumps({"id": f"e{i}", "answer": a}) + "\n" for i, a in enumerate(answers)))
    desk.write("mlgate.yaml", f"version: 1\nmodel: {{answers: answers.jsonl}}\nchecks:\n  c:\n{check}{baseline}")


WITH_BASELINE = "baseline: {from: file, path: baseline.jsonl.gz}\n"
RIGHT = [f"the right answer {i}" for i in range(30)]
WRONG = ["no idea"] * 30


def test_a_slice_field_with_an_equals_sign_keeps_its_rules(desk: Desk) -> None:
    check = '    data: data.jsonl\n    rules: {cer: {max: 0.99}}\n    slices: {"mod=ule": {exact_match: {min: 0.9}}}\n'
    answered(desk, RIGHT, WRONG, check)
    assert desk.mlgate("check").code == 1


@pytest.mark.parametrize("harm", ["cut", "deleted", "other data"])
def test_no_rule_option_softens_a_baseline_that_is_gone(desk: Desk, harm: str) -> None:
    check = "    data: data.jsonl\n    rules: {exact_match: {max_drop: 0.01, on_inconclusive: warn}}\n"
    answered(desk, RIGHT, RIGHT, check, WITH_BASELINE)
    assert desk.mlgate("check", "--save-baseline").code == 0
    answered(desk, [*RIGHT[:-1], "changed"] if harm == "other data" else RIGHT, WRONG, check, WITH_BASELINE)
    path = desk.root / "baseline.jsonl.gz"
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif harm == "deleted":
        path.unlink()
    assert desk.mlgate("check").code == 3


def test_a_model_that_is_worse_with_a_warning_never_becomes_the_baseline(desk: Desk) -> None:
    check = "    data: data.jsonl\n    rules: {exact_match: {max_drop: 0.01, on_breach: warn}}\n"
    answered(desk, RIGHT, RIGHT, check, WITH_BASELINE)
    assert desk.mlgate("check", "--save-baseline").code == 0
    before = (desk.root / "baseline.jsonl.gz").read_bytes()
    answered(desk, RIGHT, WRONG, check, WITH_BASELINE)
    done = desk.mlgate("check", "--save-baseline")
    assert done.code == 0
    assert "the baseline stays what it was" in done.err
    assert (desk.root / "baseline.jsonl.gz").read_bytes() == before


def test_a_baseline_in_the_output_folder_is_refused_before_it_is_overwritten(desk: Desk) -> None:
    check = "    data: data.jsonl\n    rules: {exact_match: {max_drop: 0.01}}\n"
    answered(desk, RIGHT, RIGHT, check, "baseline: {from: file, path: .mlgate/evidence.jsonl.gz}\n")
    done = desk.mlgate("check", "--save-baseline")
    assert done.code == 2
    assert "output folder" in done.err


def test_saving_a_baseline_without_a_place_for_it_is_told_before_anything_is_asked(desk: Desk) -> None:
    desk.project()
    desk.write("model.py", "raise SystemExit('asked')\n")
    assert desk.mlgate("check", "--save-baseline").code == 2


def failing(desk: Desk, rules: str, metrics: str = "") -> None:
    desk.project(n=10)
    rows = [{"id": f"e{i}", "input": "x", "reference": ""} for i in range(10)]
    desk.write("data.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    desk.write("model.py", "def answer(text):\n    raise ValueError('down')\n")
    desk.write(
        "mlgate.yaml",
        "version: 1\nmodel: {python: model:answer}\nchecks:\n  c:\n    data: data.jsonl\n"
        f"{metrics}    rules: {rules}\n",
    )


def test_a_failure_never_scores_where_an_empty_answer_is_right(desk: Desk) -> None:
    failing(desk, "{exact_match: {min: 0.9}, error_rate: {max: 0.99}}")
    assert desk.mlgate("check", "-n", "0").code == 3


def test_measuring_failures_without_a_rule_tolerates_none(desk: Desk) -> None:
    failing(desk, "{exact_match: {min: 0.001}}", "    metrics: [error_rate]\n")
    assert desk.mlgate("check", "-n", "0").code == 3


def test_asking_again_does_not_erase_failures(desk: Desk) -> None:
    desk.project(n=8)
    desk.write("mlgate.yaml", (desk.root / "mlgate.yaml").read_text() + "      error_rate: {max: 0}\n")
    model = (
        "import pathlib\n\ndef answer(text):\n    if pathlib.Path('down').exists():\n        raise OSError('down')\n"
    )
    desk.write("model.py", model + "    return ' '.join(text.split()[:7])\n")
    for run, state in (("first", True), ("second", False)):
        (desk.root / "down").touch() if state else (desk.root / "down").unlink()
        for k in (1, 2):
            assert desk.mlgate("check", "-n", "0", "--shard", f"{k}/2", "-o", f"{run}{k}").code == 0
    parts = [str(path) for path in sorted(desk.root.glob("*/evidence-*of2.jsonl.gz"))]
    assert len(parts) == 4
    done = desk.mlgate("merge", *parts)
    assert done.code == 5
    assert "a failure is an answer too" in done.err


CRASHES = {
    "a crash after recording": {"test_tone.py": GOOD + "    if i == 4:\n        import os\n        os._exit(0)\n"},
    "a signal after recording": {
        "test_tone.py": GOOD
        + "    if i == 4:\n        import os, signal\n        os.kill(os.getpid(), signal.SIGSEGV)\n"
    },
    "a test that never runs": {
        "test_tone.py": GOOD
        + "\ndef test_end(gate):\n    import os\n    os._exit(0)\n\ndef test_last():\n    assert False\n"
    },
    "a file that cannot be imported": {"test_tone.py": GOOD, "test_two.py": "import nothing_like_this\n"},
    "a test without the fixture that fails": {"test_tone.py": GOOD + "\ndef test_more():\n    assert False\n"},
    "teardown that fails": {
        "test_tone.py": GOOD.replace("def test", "def test").replace("(gate, i)", "(gate, i, shaky)")
        + "\n@pytest.fixture\ndef shaky():\n    yield\n    raise OSError('late')\n"
    },
}


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("case", CRASHES)
def test_a_test_that_does_not_end_well_blocks_whatever_it_recorded(desk: Desk, case: str, workers: str) -> None:
    desk.project()
    for name, text in CRASHES[case].items():
        desk.write(f"suite/{name}", text)
    desk.write("mlgate.yaml", RECORDED.format(tests="[suite]"))
    done = desk.mlgate("check", "-n", workers)
    assert done.code == 3, done.out
    assert "not pass" in " ".join(done.out.split())


def test_a_linked_folder_of_tests_is_the_same_folder(desk: Desk) -> None:
    desk.project()
    desk.write("real/test_tone.py", GOOD + "\ndef test_more():\n    assert False\n")
    (desk.root / "linked").symlink_to("real")
    desk.write("mlgate.yaml", RECORDED.format(tests="[linked]"))
    assert desk.mlgate("check", "-n", "1").code == 3


def test_an_example_with_a_tests_name_does_not_swallow_its_failure(desk: Desk) -> None:
    desk.project()
    desk.write(
        "test_tone.py",
        "def test_tone(gate):\n    gate.record('tone', 'test_tone.py::test_tone', politeness=1.0)\n    assert False\n",
    )
    desk.write("data.jsonl", json.dumps({"id": "test_tone.py::test_tone", "input": "x", "reference": "y"}) + "\n")
    desk.write("mlgate.yaml", RECORDED.format(tests="[test_tone.py]").replace("examples: 4", "data: data.jsonl"))
    assert desk.mlgate("check", "-n", "1").code == 3


def test_resuming_after_a_test_changed_or_was_mended(desk: Desk) -> None:
    desk.project()
    desk.write("test_tone.py", GOOD + "    assert i != 2\n")
    desk.write("mlgate.yaml", RECORDED.format(tests="[test_tone.py]"))
    assert desk.mlgate("check", "-n", "1").code == 3
    desk.write("test_tone.py", GOOD)
    done = desk.mlgate("check", "-n", "1", "--resume")
    assert done.code == 5
    assert "suite" in done.err
    assert desk.mlgate("check", "-n", "1").code == 0


def test_resuming_a_recorded_check_runs_its_tests_again(desk: Desk) -> None:
    desk.project()
    desk.write("test_tone.py", GOOD + "    import pathlib\n    assert i != 2 or pathlib.Path('mended').exists()\n")
    desk.write("mlgate.yaml", RECORDED.format(tests="[test_tone.py]"))
    assert desk.mlgate("check", "-n", "1").code == 3
    desk.write("mended", "")
    done = desk.mlgate("check", "-n", "1", "--resume")
    assert done.code == 0, done.out + done.err


def test_shards_of_another_model_than_this_checkouts_are_refused(desk: Desk) -> None:
    desk.project()
    for k in (1, 2):
        desk.mlgate("check", "-n", "0", "--shard", f"{k}/2", "-o", f"part{k}")
    desk.write("model.py", "def answer(text):\n    return ''\n")
    done = desk.mlgate("merge", "part1/evidence-1of2.jsonl.gz", "part2/evidence-2of2.jsonl.gz")
    assert done.code == 5
    assert "another model" in done.err


def test_a_shard_that_fails_leaves_no_older_shard_in_its_place(desk: Desk) -> None:
    desk.project()
    assert desk.mlgate("check", "-n", "0", "--shard", "1/2").code == 0
    desk.write("data.jsonl", "not json\n")
    assert desk.mlgate("check", "-n", "0", "--shard", "1/2").code == 2
    desk.project()
    desk.write("mlgate.yaml", (desk.root / "mlgate.yaml").read_text())
    assert desk.mlgate("merge", ".mlgate/evidence-1of2.jsonl.gz").code == 3


def test_merging_the_evidence_that_lies_in_the_output_folder_keeps_it(desk: Desk) -> None:
    desk.project()
    assert desk.mlgate("check", "-n", "0").code == 0
    assert desk.mlgate("merge", ".mlgate/evidence.jsonl.gz").code == 0
    assert (desk.root / ".mlgate/evidence.jsonl.gz").exists()


def test_a_typing_error_in_the_configuration_does_not_cost_the_evidence(desk: Desk) -> None:
    desk.project()
    assert desk.mlgate("check", "-n", "0").code == 0
    good = (desk.root / "mlgate.yaml").read_text()
    desk.write("mlgate.yaml", good.replace("rules:", "ruls:"))
    assert desk.mlgate("check", "-n", "0").code == 2
    desk.write("mlgate.yaml", good)
    assert desk.mlgate("replay", ".mlgate/evidence.previous.jsonl.gz").code == 0


def test_a_user_session_that_is_refused_says_so_in_the_verdict_file(desk: Desk) -> None:
    import subprocess

    desk.project()
    desk.write("test_tone.py", GOOD + "    gate.record('tone', 'stranger', politeness=1.0)\n")
    desk.write("mlgate.yaml", RECORDED.format(tests="[test_tone.py]"))
    done = subprocess.run(
        [*desk.command(())[:1], "-m", "pytest", "-q", "-p", "mlgate"],
        cwd=desk.root,
        env=desk.env(),
        check=False,
        capture_output=True,
    )
    assert done.returncode == 5
    assert desk.verdict["outcome"] == "refused"
