"""The whole line at a desk: what a person types, what they see, and the exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.e2e.desk import Desk
from tests.support.child_environment import child_environment

from mlgate.core.stats.jackknife import SMALLEST_SLICE


def test_a_good_model_passes_and_every_file_says_so(desk: Desk) -> None:
    desk.project()
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 0
    assert "PASSED" in done.out
    assert desk.verdict["outcome"] == "passed"
    assert desk.report["exit_code"] == 0
    assert {path.name for path in (desk.root / ".mlgate").iterdir()} >= {
        "verdict.json",
        "report.json",
        "evidence.jsonl.gz",
    }


def test_a_bad_model_is_blocked_with_the_number_and_the_limit(desk: Desk) -> None:
    desk.project(function="lazy")
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 1
    assert "below the minimum" in done.out
    assert desk.verdict["outcome"] == "failed"


@pytest.mark.parametrize("workers", ["1", "3"])
def test_the_number_of_workers_never_shows_in_the_report(desk: Desk, workers: str) -> None:
    desk.project()
    assert desk.mlgate("check", "-n", "0").code == 0
    inline = (desk.root / ".mlgate/report.json").read_bytes()
    assert desk.mlgate("check", "-n", workers).code == 0
    assert (desk.root / ".mlgate/report.json").read_bytes() == inline


def test_pytest_with_the_plugin_gives_the_same_report(desk: Desk) -> None:
    desk.project()
    assert desk.mlgate("check", "-n", "0").code == 0
    inline = (desk.root / ".mlgate/report.json").read_bytes()
    desk.write("test_mine.py", "def test_mine():\n    assert True\n")
    for spread in ((), ("-n", "2")):
        done = subprocess.run(
            [*desk.command(())[:1], "-m", "pytest", "-q", "-p", "mlgate", *spread],
            cwd=desk.root,
            env=desk.env(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        assert b"PASSED" in done.stdout
        assert (desk.root / ".mlgate/report.json").read_bytes() == inline


def test_pytest_with_the_plugin_exits_1_when_the_model_is_worse(desk: Desk) -> None:
    desk.project(function="lazy")
    done = subprocess.run(
        [*desk.command(())[:1], "-m", "pytest", "-q", "-p", "mlgate"],
        cwd=desk.root,
        env=desk.env(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"below the minimum" in done.stdout
    assert desk.verdict["outcome"] == "failed"


def test_shards_and_merge_give_the_whole_runs_report_byte_for_byte(desk: Desk) -> None:
    desk.project()
    assert desk.mlgate("check", "-n", "0").code == 0
    whole = (desk.root / ".mlgate/report.json").read_bytes()
    for k in (1, 2, 3):
        done = desk.mlgate("check", "-n", "0", "--shard", f"{k}/3", "-o", f"part{k}")
        assert done.code == 0
        assert f"shard {k} of 3" in done.out
        assert json.loads((desk.root / f"part{k}/verdict.json").read_text())["outcome"] == "incomplete"
    parts = [f"part{k}/evidence-{k}of3.jsonl.gz" for k in (3, 1, 2)]
    assert desk.mlgate("merge", *parts).code == 0
    assert (desk.root / ".mlgate/report.json").read_bytes() == whole


def test_a_missing_shard_exits_3_and_names_what_is_missing(desk: Desk) -> None:
    desk.project()
    for k in (1, 3):
        assert desk.mlgate("check", "-n", "0", "--shard", f"{k}/3", "-o", f"part{k}").code == 0
    done = desk.mlgate("merge", "part1/evidence-1of3.jsonl.gz", "part3/evidence-3of3.jsonl.gz")
    assert done.code == 3
    assert "13 of 40 examples were never observed (n01, n04, n07, …)" in " ".join(done.out.split())
    assert desk.verdict["outcome"] == "errored"


def test_a_shard_given_twice_counts_once_and_is_told(desk: Desk) -> None:
    desk.project()
    for k in (1, 2):
        desk.mlgate("check", "-n", "0", "--shard", f"{k}/2", "-o", f"part{k}")
    one = "part1/evidence-1of2.jsonl.gz"
    done = desk.mlgate("merge", one, one, "part2/evidence-2of2.jsonl.gz")
    assert done.code == 0
    assert "the same rows" in done.err


def test_the_baseline_blocks_a_worse_model_and_not_an_equal_one(desk: Desk) -> None:
    desk.project(n=2 * SMALLEST_SLICE)
    desk.write("mlgate.yaml", _config("answer"))
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 3
    assert " ".join(done.out.split()).count("no baseline yet") == 1
    assert "--save-baseline" in done.out
    done = desk.mlgate("check", "-n", "0", "--bootstrap")
    assert done.code == 0
    assert desk.verdict["outcome"] == "warned"
    assert desk.mlgate("check", "-n", "0", "--save-baseline").code == 0
    assert desk.mlgate("check", "-n", "0").code == 0
    assert desk.verdict["outcome"] == "passed"
    desk.write("mlgate.yaml", _config("lazy"))
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 1
    assert "95% interval" in done.out
    slices = [finding["slice"] for finding in desk.report["findings"] if finding["outcome"] == "failed"]
    assert slices == ["", "kind=even", "kind=odd"]


def test_a_worse_model_never_becomes_the_baseline(desk: Desk) -> None:
    desk.project()
    desk.write("mlgate.yaml", _config("answer"))
    desk.mlgate("check", "-n", "0", "--save-baseline")
    before = (desk.root / "baseline.jsonl.gz").read_bytes()
    desk.write("mlgate.yaml", _config("lazy"))
    done = desk.mlgate("check", "-n", "0", "--save-baseline")
    assert done.code == 1
    assert "the baseline stays what it was" in done.err
    assert (desk.root / "baseline.jsonl.gz").read_bytes() == before


def test_replay_judges_old_evidence_by_todays_rules(desk: Desk) -> None:
    desk.project()
    assert desk.mlgate("check", "-n", "0").code == 0
    stricter = (desk.root / "mlgate.yaml").read_text().replace("min: 0.2", "min: 0.99")
    desk.write("mlgate.yaml", stricter)
    desk.write("model.py", "raise SystemExit('never asked')\n")
    done = desk.mlgate("replay")
    assert done.code == 1
    assert "below the minimum 0.99" in done.out
    assert desk.verdict["outcome"] == "passed"
    again = json.loads(desk.mlgate("replay", "--json").out)
    assert again["outcome"] == "failed"


def test_explain_shows_input_reference_baseline_and_candidate(desk: Desk) -> None:
    desk.project()
    desk.write("mlgate.yaml", _config("answer"))
    desk.mlgate("check", "-n", "0", "--save-baseline")
    desk.write("mlgate.yaml", _config("lazy"))
    desk.mlgate("check", "-n", "0")
    done = desk.mlgate("explain", "--metric", "rougeL", "--count", "2")
    assert done.code == 0
    for word in ("input", "reference", "baseline", "candidate", "rougeL"):
        assert word in done.out
    assert desk.mlgate("explain", "--metric", "rugeL").code == 2


@pytest.mark.parametrize(("rows", "margin"), [(20, 0.11), (300, 0.02), (5000, 0.01)])
def test_init_proposes_a_margin_that_so_many_examples_can_hold(desk: Desk, rows: int, margin: float) -> None:
    (desk.root / "mine").mkdir()
    (desk.root / "mine/data.csv").write_text(
        "id,input,reference\n" + "".join(f'{n},"two\nlines",text {n}\n' for n in range(rows))
    )
    assert desk.mlgate("init", "mine", "--data", "data.csv").code == 0
    text = (desk.root / "mine/mlgate.yaml").read_text()
    assert f"rougeL: {{min: 0.5, max_drop: {margin:g}}}" in text
    assert f"Your {rows:,} examples are enough" in text


@pytest.mark.parametrize("rows", [1, 19])
def test_init_proposes_no_margin_that_so_few_examples_cannot_hold(desk: Desk, rows: int) -> None:
    (desk.root / "mine").mkdir()
    (desk.root / "mine/data.jsonl").write_text(
        "".join(f'{{"input": {n}, "reference": "text {n}"}}\n' for n in range(rows))
    )
    assert desk.mlgate("init", "mine", "--data", "data.jsonl").code == 0
    text = (desk.root / "mine/mlgate.yaml").read_text()
    assert "max_drop: " not in text
    assert "It takes 20 examples or more" in text


def test_power_says_how_many_harmless_changes_would_pass(desk: Desk) -> None:
    desk.project(n=2 * SMALLEST_SLICE)
    assert desk.mlgate("check", "-n", "0").code == 0
    assert "nothing to foretell" in desk.mlgate("power").out
    desk.write("mlgate.yaml", _config("answer"))
    desk.mlgate("check", "-n", "0", "--save-baseline")
    desk.write("mlgate.yaml", _config("lazy"))
    assert desk.mlgate("check", "-n", "0").code == 1
    done = desk.mlgate("power")
    assert done.code == 0
    assert "so that 95% pass" in done.out
    assert "notes/rougeL" in done.out
    assert desk.verdict["outcome"] == "failed", "it writes nothing"


def test_init_writes_a_project_that_passes_and_overwrites_nothing(desk: Desk) -> None:
    assert desk.mlgate("init", "fresh").code == 0
    assert desk.mlgate("check", "-c", "fresh/mlgate.yaml", "-n", "0").code == 0
    assert desk.mlgate("init", "fresh").code == 2
    assert desk.mlgate("doctor", "-c", "fresh/mlgate.yaml").code == 0


def test_a_baseline_from_git_is_the_base_branchs_whatever_this_branch_changed(desk: Desk) -> None:
    desk.project()
    desk.write("mlgate.yaml", _config("answer"))
    desk.write(".gitignore", ".mlgate/\n__pycache__/\n")
    _git(desk.root, "init", "-q", "-b", "main")
    assert desk.mlgate("check", "-n", "0", "--save-baseline").code == 0
    _git(desk.root, "add", "-A")
    _git(desk.root, "commit", "-qm", "base")
    _git(desk.root, "switch", "-qc", "pull-request")
    desk.write("mlgate.yaml", _config("lazy"))
    assert desk.mlgate("check", "-n", "0").code == 1
    desk.write("mlgate.yaml", _config("lazy").replace("from: file", "from: file"))
    (desk.root / "baseline.jsonl.gz").write_bytes(b"")
    desk.write("mlgate.yaml", _config("lazy").replace("{from: file,", "{from: git, ref: main,"))
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 1
    assert "95% interval" in done.out
    desk.write("mlgate.yaml", _config("lazy").replace("{from: file,", "{from: git, ref: origin/main,"))
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 3
    assert "git fetch origin main" in done.err


def test_rows_that_the_users_own_tests_record_are_gated(desk: Desk) -> None:
    desk.project()
    desk.write(
        "mlgate.yaml",
        "version: 1\nmodel: {python: model:answer}\nchecks:\n  tone:\n    kind: recorded\n    tests: [test_tone.py]\n"
        "    examples: 6\n    metrics: {politeness: {better: higher, unit: ratio}}\n"
        "    rules: {politeness: {min: 0.5}}\n",
    )
    desk.write(
        "test_tone.py",
        "import pytest\n\n@pytest.mark.parametrize('i', range(1, 7))\ndef test_tone(gate, i):\n"
        "    gate.record('tone', i, politeness=0.4 + i / 10)\n",
    )
    for workers in ("0", "1", "2"):
        done = desk.mlgate("check", "-n", workers)
        assert done.code == 0, done.out + done.err
        assert "0.7500" in done.out
    plain = subprocess.run(
        [*desk.command(())[:1], "-m", "pytest", "-q", "-p", "mlgate"],
        cwd=desk.root,
        env=desk.env(),
        capture_output=True,
        check=False,
    )
    assert plain.returncode == 0, plain.stdout.decode()


def _config(function: str) -> str:
    return (
        f"version: 1\nmodel:\n  name: clerk\n  python: model:{function}\nchecks:\n  notes:\n    data: data.jsonl\n"
        "    rules:\n      rougeL: {min: 0.05, max_drop: 0.05}\n    slices: [kind]\n"
        "baseline: {from: file, path: baseline.jsonl.gz}\n"
    )


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments],
        cwd=root,
        check=True,
        env=child_environment(),
    )
