"""What goes wrong at a desk: the gate stays shut, says why, and nothing that was observed is lost.

The numbers T.. are the rows of the list of bad inputs that this project keeps.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.desk import Desk
from tests.support.child_environment import child_environment
from tests.support.waiting import PATIENCE, alive, until

STOPS = """\
import os, time

asked = 0

def answer(text):
    global asked
    asked += 1
    while asked > 5 and not os.path.exists("go"):
        time.sleep(0.01)
    words = text.split()
    return " ".join(words[: len(words) // 2 + 3])
"""
"""Each process of this model answers five times, and then only once the file `go` is there."""

RECORDED = """\
version: 1
model: {python: model:answer}
checks:
  tone:
    kind: recorded
    tests: [test_tone.py]
    examples: 4
    metrics: {politeness: {better: higher, unit: ratio}}
    rules: {politeness: {min: 0.1}}
"""

GOOD_TESTS = """\
import pytest

@pytest.mark.parametrize("i", range(1, 5))
def test_tone(gate, i):
    gate.record("tone", i, politeness=1.0)
"""


def rows_in(path: Path) -> int:
    return max(0, path.read_bytes().count(b"\n") - 1) if path.exists() else 0


# --- data and answers --------------------------------------------------------------------------


@pytest.mark.parametrize(("answers", "references"), [(2, 1), (1, 2)], ids=["T23 two for one", "T23 one for two"])
def test_lengths_that_differ_are_never_zipped(desk: Desk, answers: int, references: int) -> None:
    desk.write("source.txt", "a b c d e f\n" * references)
    desk.write("reference.txt", "a b c d e f\n" * references)
    desk.write("answers.txt", "a b c d e f\n" * answers)
    desk.write(
        "mlgate.yaml",
        "version: 1\nmodel: {answers: answers.txt}\nchecks:\n  mt:\n"
        "    data: {source: source.txt, references: [reference.txt]}\n    rules: {bleu: {min: 1}}\n",
    )
    done = desk.mlgate("check")
    assert done.code == 3
    assert str(answers) in done.err
    assert desk.verdict["outcome"] == "errored"


def test_references_that_are_fewer_than_sources_are_refused(desk: Desk) -> None:
    desk.write("source.txt", "a b c d e f\n" * 3)
    desk.write("reference.txt", "a b c d e f\n" * 2)
    desk.write("answers.txt", "a b c d e f\n" * 3)
    desk.write(
        "mlgate.yaml",
        "version: 1\nmodel: {answers: answers.txt}\nchecks:\n  mt:\n"
        "    data: {source: source.txt, references: [reference.txt]}\n    rules: {bleu: {min: 1}}\n",
    )
    done = desk.mlgate("check")
    assert done.code == 2
    assert "reference.txt" in done.err


def answers_project(desk: Desk, values: list[Any], rules: str = "{chrf: {min: 30}}") -> None:
    desk.write("data.jsonl", "".join(json.dumps(row) + "\n" for row in desk.rows(len(values))))
    lines = [json.dumps({"id": f"n{i:02}", "answer": value}) for i, value in enumerate(values)]
    desk.write("answers.jsonl", "\n".join(lines) + "\n")
    desk.write(
        "mlgate.yaml",
        f"version: 1\nmodel: {{answers: answers.jsonl}}\nchecks:\n  notes:\n    data: data.jsonl\n    rules: {rules}\n",
    )


@pytest.mark.parametrize(
    ("value", "code"),
    [("", 1), (None, 3), (7, 1), (["a"], 3), ("\ud800", 3), ("word " * 200_000, 1)],
    ids=["empty", "null", "a number", "a list", "lone surrogate", "1 MB"],
)
def test_t24_every_answer_bad_in_one_way(desk: Desk, value: Any, code: int) -> None:
    answers_project(desk, [value] * 3)
    assert desk.mlgate("check").code == code


def test_t24_zero_segments(desk: Desk) -> None:
    answers_project(desk, [])
    done = desk.mlgate("check")
    assert done.code == 3
    assert "data.jsonl" in done.err


@pytest.mark.parametrize(
    ("text", "rules", "advice"),
    [
        ("two words", "{bleu: {min: 1}}", "chrf"),
        ("今天天气很好", "{rougeL: {min: 0.1}}", "unicode"),
    ],
    ids=["BLEU of two tokens", "ASCII ROUGE of Chinese"],
)
def test_t25_an_unsuitable_metric_is_refused_with_advice(desk: Desk, text: str, rules: str, advice: str) -> None:
    rows = [{"id": str(i), "input": "x", "reference": f"{text}{'' if i else ' '}"} for i in range(3)]
    desk.write("data.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    desk.write("answers.txt", f"{text}\n" * 3)
    desk.write(
        "mlgate.yaml",
        f"version: 1\nmodel: {{answers: answers.txt}}\nchecks:\n  c:\n    data: data.jsonl\n    rules: {rules}\n",
    )
    done = desk.mlgate("check")
    assert done.code == 2
    assert advice in done.err
    assert "mlgate.yaml:6:" in done.err


def test_t26_long_texts_do_not_hang_rouge(desk: Desk) -> None:
    text = " ".join(f"w{i % 50}" for i in range(4000))
    desk.write("data.jsonl", json.dumps({"id": "n00", "input": "x", "reference": text[::-1]}) + "\n")
    desk.write("answers.jsonl", json.dumps({"id": "n00", "answer": text}) + "\n")
    desk.write(
        "mlgate.yaml",
        "version: 1\nmodel: {answers: answers.jsonl}\nchecks:\n  notes:\n    data: data.jsonl\n"
        "    rules: {rougeL: {min: 0.001}, rougeLsum: {min: 0.001}, ter: {max: 99.9}}\n",
    )
    began = time.process_time()
    assert desk.mlgate("check").code in {0, 1, 3}
    assert time.process_time() - began < 60  # not a benchmark: a hang would be hours


# --- evidence ----------------------------------------------------------------------------------


def sharded(desk: Desk) -> tuple[Path, Path]:
    desk.project(n=12)
    for k in (1, 2):
        assert desk.mlgate("check", "-n", "0", "--shard", f"{k}/2", "-o", f"part{k}").code == 0
    return desk.root / "part1/evidence-1of2.jsonl.gz", desk.root / "part2/evidence-2of2.jsonl.gz"


def forged(path: Path, change: Callable[[list[str]], list[str]], *, seal: bool = False) -> None:
    """Rewrite an evidence file's lines; with *seal* also its footer, as somebody who knows the format would."""
    lines = change(gzip.decompress(path.read_bytes()).decode().splitlines())
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    if seal:
        from mlgate.adapters.files import evidence_file, evidence_header
        from mlgate.core.evidence import Evidence, decode

        first = evidence_header.parse(lines[0].encode(), "x")
        rows = [decode(line) for line in lines[1:-1]]
        evidence_file.write(path, Evidence.of(first.provenance, first.environments, rows, first.form))


def test_t29_a_shard_twice_with_different_answers_is_refused(desk: Desk) -> None:
    one, two = sharded(desk)
    other = desk.root / "other.jsonl.gz"
    other.write_bytes(one.read_bytes())
    forged(other, lambda lines: [line.replace('"answer":"', '"answer":"better ', 1) for line in lines], seal=True)
    done = desk.mlgate("merge", str(one), str(other), str(two))
    assert done.code == 5
    assert "observed twice, differently" in done.err
    assert desk.verdict["outcome"] == "refused"


@pytest.mark.parametrize("field", ["commit", "suite", "model", "data"])
def test_t30_a_shard_of_another_run_is_refused(desk: Desk, field: str) -> None:
    one, two = sharded(desk)

    def change(lines: list[str]) -> list[str]:
        header = json.loads(lines[0])
        header[field] = {"notes": "0" * 64} if field == "data" else "something else"
        return [json.dumps(header, sort_keys=True), *lines[1:]]

    forged(two, change, seal=True)
    done = desk.mlgate("merge", str(one), str(two))
    assert done.code == 5
    assert field in done.err


def test_t30_shards_of_one_other_commit_are_refused_here(desk: Desk) -> None:
    one, two = sharded(desk)

    def change(lines: list[str]) -> list[str]:
        return [json.dumps({**json.loads(lines[0]), "commit": "elsewhere"}, sort_keys=True), *lines[1:]]

    for path in (one, two):
        forged(path, change, seal=True)
    done = desk.mlgate("merge", str(one), str(two))
    assert done.code == 5
    assert "another commit than this checkout" in done.err


def test_t31_a_score_in_the_evidence_is_not_evidence(desk: Desk) -> None:
    one, two = sharded(desk)
    forged(one, lambda lines: [lines[0], lines[1][:-1] + ',"bleu":99}', *lines[2:]])
    done = desk.mlgate("merge", str(one), str(two))
    assert done.code == 3
    assert "neither an observation nor a gap" in done.err


def test_t32_rows_that_nobody_planned_are_refused(desk: Desk) -> None:
    one, two = sharded(desk)
    forged(one, lambda lines: [*lines[:-1], lines[-2].replace('"example":"n', '"example":"x'), lines[-1]], seal=True)
    done = desk.mlgate("merge", str(one), str(two))
    assert done.code == 5
    assert "nobody planned" in done.err


def test_rows_changed_after_they_were_sealed_are_refused(desk: Desk) -> None:
    one, two = sharded(desk)
    forged(one, lambda lines: [line.replace('"answer":"', '"answer":"better ', 1) for line in lines])
    done = desk.mlgate("merge", str(one), str(two))
    assert done.code == 5
    assert "changed after it was written" in done.err


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda data: data[: len(data) // 2], 3),
        (lambda data: gzip.compress(gzip.decompress(data)[:-30]), 3),
        (lambda data: gzip.compress(b"\n".join(gzip.decompress(data).splitlines()[:-2]) + b"\n"), 3),
        (lambda _: b"", 3),
        (lambda _: b"PK\x03\x04 this is no evidence", 3),
        (lambda data: data + data, 5),
        (lambda _: gzip.compress(b"\0" * (64 << 20)), 5),
    ],
    ids=["gz cut", "cut in a line", "cut at a line", "empty", "a zip", "twice in one", "a bomb"],
)
def test_t33_t36_damaged_evidence(desk: Desk, damage: Callable[[bytes], bytes], code: int) -> None:
    one, two = sharded(desk)
    one.write_bytes(damage(one.read_bytes()))
    done = desk.mlgate("merge", str(one), str(two))
    assert done.code == code
    assert "part1/evidence-1of2.jsonl.gz" in done.err
    assert desk.verdict["outcome"] in {"errored", "refused"}


def test_t38_a_name_with_escapes_is_shown_harmless(desk: Desk) -> None:
    desk.project()
    done = desk.mlgate("merge", "\x1b[2J::set-output name=verdict::pass")
    assert done.code == 3
    assert "\x1b" not in done.err
    assert not any(line.lstrip().startswith("::") for line in done.err.splitlines())


def test_t08_t09_a_baseline_that_cannot_be_compared_is_inconclusive(desk: Desk) -> None:
    desk.project()
    with_baseline = (
        "version: 1\nmodel: {python: model:answer}\nchecks:\n  notes:\n    data: data.jsonl\n"
        "    rules:\n      rougeL: {min: 0.5, max_drop: 0.05}\nbaseline: {from: file, path: baseline.jsonl.gz}\n"
    )
    desk.write("mlgate.yaml", with_baseline)
    assert desk.mlgate("check", "-n", "0", "--save-baseline").code == 0
    whole = (desk.root / "baseline.jsonl.gz").read_bytes()
    rows = desk.rows()
    rows[0]["reference"] += " changed"
    desk.write("data.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 3
    assert "other data" in " ".join(done.out.split())
    desk.project()
    desk.write("mlgate.yaml", with_baseline)
    (desk.root / "baseline.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 3
    assert "damaged" in done.out


# --- workers and processes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "conftest",
    [
        "import os\ndef pytest_sessionstart(session):\n    os._exit(0)\n",
        "import os, signal\ndef pytest_runtest_setup(item):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
        "import pytest\ndef pytest_runtest_setup(item):\n    pytest.exit('enough', returncode=0)\n",
        "def pytest_collection_modifyitems(items):\n    items.clear()\n",
        "import pytest\ndef pytest_runtest_setup(item):\n    pytest.skip('today not')\n",
        "def pytest_configure(config):\n    config.option.collectonly = True\n",
        (
            "def pytest_runtest_setup(item):\n    raise RuntimeError('no')\n"
            "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
        ),
    ],
    ids=["os._exit(0)", "SIGKILL", "pytest.exit(0)", "deselected", "skipped", "--co", "exitstatus=0"],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_t83_pytest_is_never_believed(desk: Desk, conftest: str, workers: str) -> None:
    desk.project()
    desk.write("mlgate.yaml", RECORDED)
    desk.write("test_tone.py", GOOD_TESTS)
    desk.write("conftest.py", conftest)
    done = desk.mlgate("check", "-n", workers)
    assert done.code == 3
    assert "4 of 4 examples were not answered" in " ".join(done.out.split()) or "not answered" in done.out


def test_t83_addopts_in_the_environment_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project()
    monkeypatch.setenv("PYTEST_ADDOPTS", "--co -q")
    assert desk.mlgate("check", "-n", "1").code == 0


@pytest.mark.parametrize("name", ["MLGATE_KUBECONFIG", "MLGATE_KEY", "MLGATE_KEY_PASSPHRASE", "MLGATE_GITHUB_TOKEN"])
def test_a_projects_own_tests_never_see_the_gates_keys(desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    desk.project()
    desk.write("mlgate.yaml", RECORDED)
    desk.write("test_tone.py", f"{GOOD_TESTS}    import os\n    assert {name!r} not in os.environ\n")
    monkeypatch.setenv(name, "a secret of the job")
    assert desk.mlgate("check", "-n", "1").code == 0


AGAIN = """\
import pathlib
import pytest

@pytest.mark.flaky(reruns=2)
@pytest.mark.parametrize("i", range(1, 5))
def test_tone(gate, i):
    seen = pathlib.Path("seen")
    first = not seen.exists()
    gate.record("tone", i, politeness=0.2 if i == 3 and first else 1.0)
    if i == 3 and first:
        seen.write_text("x")
        assert False, "flaky"
"""


def test_a_test_that_passes_when_it_is_run_again_is_called_a_rerun(desk: Desk) -> None:
    """pytest says that it passed: a second chance is chosen by how the first came out."""
    pytest.importorskip("pytest_rerunfailures", reason="needs pytest-rerunfailures: pip install pytest-rerunfailures")
    desk.project()
    desk.write("mlgate.yaml", RECORDED)
    desk.write("test_tone.py", AGAIN)
    done = desk.mlgate("check", "-n", "1")
    assert done.code == 3
    said = " ".join(done.out.split())
    assert "it was run again after it failed, and only the first run counts" in said
    assert "it failed in call: AssertionError: flaky" in said


def test_a_recorded_test_that_fails_after_recording_blocks(desk: Desk) -> None:
    desk.project()
    desk.write("mlgate.yaml", RECORDED)
    desk.write("test_tone.py", GOOD_TESTS + "    assert i != 3, 'three is rude'\n")
    done = desk.mlgate("check", "-n", "1")
    assert done.code == 3
    assert "three is rude" in " ".join(done.out.split())


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_recorded_number_that_is_none_blocks(desk: Desk, number: str) -> None:
    desk.project()
    desk.write("mlgate.yaml", RECORDED)
    desk.write("test_tone.py", GOOD_TESTS.replace("1.0", f"float('{number}') if i == 2 else 1.0"))
    assert desk.mlgate("check", "-n", "1").code == 3


@pytest.mark.parametrize(
    "body",
    [
        "import os\n    os._exit(0)",
        "import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)",
        "raise SystemExit(0)",
    ],
    ids=["os._exit(0)", "SIGKILL", "SystemExit"],
)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_model_that_dies_is_an_error_with_the_reason(desk: Desk, body: str, workers: str) -> None:
    desk.project(n=4)
    desk.write("model.py", f"def answer(text):\n    {body}\n")
    done = desk.mlgate("check", "-n", workers)
    assert done.code == 3
    assert "4 of 4 examples were not answered" in " ".join(done.out.split())


def test_a_model_that_cannot_be_imported_is_an_error_with_its_line(desk: Desk) -> None:
    desk.project(n=4)
    desk.write("model.py", "import nothing_like_this\n")
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 3
    assert "nothing_like_this" in done.out


def test_failures_can_be_gated_as_a_rate_and_then_count_as_empty_answers(desk: Desk) -> None:
    desk.project(n=20)
    desk.write(
        "model.py",
        "def answer(text):\n    if text == FIRST:\n        raise ValueError('no')\n"
        "    return ' '.join(text.split()[:7])\n\n"
        "import json\nFIRST = json.loads(open('data.jsonl').readline())['input']\n",
    )
    config = (desk.root / "mlgate.yaml").read_text()
    assert desk.mlgate("check", "-n", "0").code == 3
    desk.write("mlgate.yaml", config + "      error_rate: {max: 0}\n")
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 1
    assert "error_rate 0.0500 is above the maximum 0" in done.out
    desk.write("mlgate.yaml", config + "      error_rate: {max: 0.1}\n")
    assert desk.mlgate("check", "-n", "0").code == 0


# --- signals and resuming ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["Ctrl-C", "SIGTERM", "SIGKILL"],
)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_interrupted_run_keeps_its_rows_and_goes_on(desk: Desk, number: int, code: int, workers: str) -> None:
    desk.project(n=60)
    desk.write("model.py", STOPS)
    journal = desk.root / ".mlgate/journal.jsonl"
    run = desk.spawn("check", "-n", workers, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until(lambda: rows_in(journal) >= 5)
    run.send_signal(number)
    _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == code
    assert desk.verdict["outcome"] == "incomplete"
    kept = rows_in(journal)
    assert 5 <= kept < 60
    if number != signal.SIGKILL:
        assert b"--resume" in said
    desk.write("go", "")
    done = desk.mlgate("check", "-n", "0", "--resume")
    assert done.code == 0, done.err
    assert desk.report["checks"][0]["answered"] == 60
    assert not journal.exists()
    assert desk.mlgate("check", "-n", "0").code == 0


def test_resuming_asks_only_what_is_missing(desk: Desk) -> None:
    desk.project(n=10)
    desk.write(
        "model.py",
        "import pathlib\n\ndef answer(text):\n    with open('asked.txt', 'a') as file:\n        file.write('x')\n"
        "    if pathlib.Path('broken').exists() and len(open('asked.txt').read()) > 6:\n        raise OSError('down')\n"
        "    return ' '.join(text.split()[:7])\n",
    )
    desk.write("broken", "")
    assert desk.mlgate("check", "-n", "0").code == 3
    assert "--resume" in desk.mlgate("replay").out
    (desk.root / "broken").unlink()
    asked = len((desk.root / "asked.txt").read_text())
    assert desk.mlgate("check", "-n", "0", "--resume").code == 0
    assert len((desk.root / "asked.txt").read_text()) - asked == 4


def test_resuming_another_models_run_is_refused(desk: Desk) -> None:
    desk.project(n=10)
    desk.write("model.py", "def answer(text):\n    raise OSError('down')\n")
    assert desk.mlgate("check", "-n", "0").code == 3
    desk.write("model.py", "def answer(text):\n    return text\n")
    done = desk.mlgate("check", "-n", "0", "--resume")
    assert done.code == 5
    assert "without --resume" in done.err


def test_no_process_outlives_the_gate(desk: Desk) -> None:
    desk.project(n=60)
    desk.write("model.py", STOPS.replace("import os, time", "import os, time\nopen(f'pid-{os.getpid()}', 'w')"))
    run = desk.spawn("check", "-n", "2", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: len(list(desk.root.glob("pid-*"))) == 2)
    run.kill()
    run.wait()
    pids = [int(path.name.removeprefix("pid-")) for path in desk.root.glob("pid-*")]
    until(lambda: not any(map(alive, pids)))


def test_two_runs_in_one_folder_do_not_mix(desk: Desk) -> None:
    desk.project(n=60)
    desk.write("model.py", STOPS)
    run = desk.spawn("check", "-n", "0", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: rows_in(desk.root / ".mlgate/journal.jsonl") >= 2)
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 3
    assert "another run holds this folder" in done.err
    desk.write("go", "")
    run.wait(timeout=PATIENCE)
    assert run.returncode == 0


# --- disks, streams, files ---------------------------------------------------------------------


@pytest.mark.needs_root
def test_t84_a_full_disk_never_leaves_yesterdays_pass(desk: Desk) -> None:
    desk.project()
    small = desk.root / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=True, env=child_environment())
    try:
        desk.mlgate("check", "-n", "0", "-o", "small/out")
        (small / "out").mkdir(exist_ok=True)
        (small / "out/verdict.json").write_text('{"outcome": "passed", "exit_code": 0}\n')
        with (small / "ballast").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 512)
            except OSError:
                pass
        done = desk.mlgate("check", "-n", "0", "-o", "small/out")
        assert done.code == 3
        assert "free some space" in done.err
        verdict = small / "out/verdict.json"
        assert not verdict.exists() or json.loads(verdict.read_text() or "{}").get("outcome") != "passed"
        assert "Traceback" not in done.err
    finally:
        subprocess.run(["umount", str(small)], check=True, env=child_environment())


@pytest.mark.parametrize("function", ["answer", "lazy"])
def test_t85_a_full_or_closed_stdout_does_not_change_the_verdict(desk: Desk, function: str) -> None:
    desk.project(function=function, n=6)
    want = 0 if function == "answer" else 1
    with Path("/dev/full").open("wb") as full:
        assert desk.shell("check", "-n", "0", stdout=full, stderr=full).code == want
    assert desk.verdict["exit_code"] == want
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert desk.shell("check", "-n", "0", stdout=writer, stderr=writer).code == want
    finally:
        os.close(writer)
    assert desk.verdict["exit_code"] == want


@pytest.mark.parametrize(
    "setting", [{"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}, {"COLUMNS": "1"}, {"TERM": "dumb"}]
)
def test_t85_odd_terminals_do_not_change_the_verdict(desk: Desk, setting: dict[str, str]) -> None:
    desk.project(n=6)
    done = desk.shell("check", "-n", "0", env=setting, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.code == 0, done.err
    assert "PASSED" in done.out


def test_an_unreadable_or_absent_file_says_which_and_what_next(desk: Desk) -> None:
    assert desk.mlgate("check").code == 2
    desk.project()
    (desk.root / "data.jsonl").unlink()
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 3
    assert "data.jsonl" in done.err
    assert desk.verdict["outcome"] == "errored"


def test_a_broken_configuration_unsays_yesterdays_pass(desk: Desk) -> None:
    desk.project()
    assert desk.mlgate("check", "-n", "0").code == 0
    desk.write("mlgate.yaml", "version: 1\nmodl: {}\n")
    assert desk.mlgate("check").code == 2
    assert desk.verdict["outcome"] != "passed"
    assert not (desk.root / ".mlgate/report.json").exists()


def test_an_unexpected_exception_is_not_pythons_exit_code_1(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project()

    def broken(_: object) -> int:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("mlgate.commands.check.run_check", broken)
    done = desk.mlgate("check")
    assert done.code == 3
    assert "this is a bug" in done.err


# --- hostile text ------------------------------------------------------------------------------


HOSTILE = [
    "::set-output name=verdict::pass",
    "  ::error::x",
    "x ##[set-output name=v;]pass",
    "::add-mask::e",
    "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[31mPASSED",
    "a\r::stop-commands::t",
    "\u202eevil\u2028::error::x",
    "| <img src=x onerror=alert(1)> ![x](http://evil.example/x) @org/team #1 </details> ``` ",
    "]]>\x00\x01 <testcase/>",
    "e" + "\u0301" * 60,
]


def test_t60_t69_hostile_answers_stay_text_in_every_report(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from xml.etree import ElementTree as ET

    answers_project(desk, [HOSTILE[i % len(HOSTILE)] for i in range(30)], "{chrf: {min: 90}, bleu: {min: 50}}")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("NO_COLOR", "1")  # the only escapes of our own
    monkeypatch.setenv("MLGATE_BASE", "none")
    summary = desk.write("step-summary.md", "")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = desk.mlgate("check")
    assert done.code == 1
    for line in done.out.splitlines():
        assert "##[" not in line
        if line.lstrip().startswith("::"):
            assert line.startswith("::error file=mlgate.yaml,line=6")
    for sign in ("\x1b", "\x07", "\u202e", "\u2028", "\r"):
        assert sign not in done.out
    text = summary.read_text()
    assert "<img" not in text
    assert "\n::" not in text
    assert json.loads((desk.root / ".mlgate/report.json").read_text())["outcome"] == "failed"
    junit = desk.root / ".mlgate/junit.xml"
    assert ET.fromstring(junit.read_text()).tag == "testsuites"  # noqa: S314 - our own file is under test


@pytest.mark.parametrize("name", ["$(touch pwned)", "a;touch pwned", "-rf", "--config=x", "`touch pwned`"])
def test_t71_names_are_never_run(desk: Desk, name: str) -> None:
    desk.project(n=4)
    text = (desk.root / "mlgate.yaml").read_text().replace("name: clerk", f"name: {json.dumps(name)}")
    desk.write("mlgate.yaml", text)
    assert desk.mlgate("check", "-n", "1").code == 0
    assert not (desk.root / "pwned").exists()
    assert desk.report["model"] == name
