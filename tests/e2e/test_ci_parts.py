"""A run that CI divides among jobs: the plan, the parts, and one verdict that only whole evidence can pass."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.desk import Done
from tests.e2e.repository import Job, Repository, errors, pull, pushed

CONFIG = """\
version: 1
model: {{name: clerk, python: "model:{function}"}}
checks:
  notes: {{data: data.jsonl, rules: {{rougeL: {{min: 0.2}}}}}}
  again: {{data: data.jsonl, rules: {{chrf: {{min: 1}}}}}}
"""


def observed(repository: Repository, job: Job, shards: int = 3, *options: str) -> dict[str, Any]:
    """Run the shards as jobs do; return what GitHub says of them."""
    outputs = {}
    for k in range(1, shards + 1):
        job.clear()
        where = str(repository.top / "runs" / str(k))
        part = ("--part", "accuracy", "--shard", f"{k}/{shards}", "-n", "0", "-o", where)
        assert repository.mlgate("check", *part, *options).code == 0
        said = job.outputs
        assert set(said) == {"evidence-path", "evidence-digest"}
        target = repository.top / "artifacts" / Path(said["evidence-path"]).name
        target.parent.mkdir(exist_ok=True)
        Path(said["evidence-path"]).rename(target)
        outputs[f"evidence-{k}"] = said["evidence-digest"]
    job.clear()
    skipped = {name: {"result": "skipped", "outputs": {}} for name in ("build", "image-accuracy", "latency")}
    return {
        "plan": {"result": "success", "outputs": {"accuracy": "[1, 2, 3]"}},
        "accuracy": {"result": "success", "outputs": outputs},
        **skipped,
    }


def merged(repository: Repository, needs: object, *options: str) -> Done:
    text = needs if isinstance(needs, str) else json.dumps(needs)
    return repository.mlgate("merge", "artifacts", "--needs", text, *options)


@pytest.fixture
def parts(repository: Repository, job: Job) -> dict[str, Any]:
    repository.project(CONFIG)
    repository.write(".gitignore", ".mlgate/\n__pycache__/\nruns/\nartifacts/\n")
    repository.commit("two checks")
    job.begin("push", {}, "5" * 40, MLGATE_BASE="none")
    return observed(repository, job)


def test_the_plan_says_what_the_jobs_are(repository: Repository, job: Job) -> None:
    repository.project(CONFIG)
    job.begin("push", {}, "5" * 40, MLGATE_BASE="none")
    done = repository.mlgate("plan", "--shards", "3")
    assert done.code == 0
    assert "accuracy: 80 rows in 3 jobs" in done.out
    assert job.outputs == {
        "accuracy": "[1, 2, 3]",
        "image-accuracy": "[]",
        "accuracy-of": "3",
        "image-accuracy-of": "0",
        "latency": "false",
        "build": "false",
    }


def test_no_job_is_planned_without_an_example(repository: Repository, job: Job) -> None:
    repository.project(n=2)
    job.begin("push", {}, MLGATE_BASE="none")
    assert repository.mlgate("plan", "--shards", "8").code == 0
    assert job.outputs["accuracy"] == "[1, 2]"


def test_the_plan_of_a_change_says_whose_rules_bind(repository: Repository, job: Job) -> None:
    base = repository.git("rev-parse", "main")
    repository.edit("mlgate.yaml", "min: 0.2", "min: 0.1")
    repository.commit()
    job.begin("pull_request", pull(base), "6" * 40)
    done = repository.mlgate("plan", "--base", "auto")
    assert f"rules of base {base[:10]}" in done.out
    assert "looser: notes/rougeL: min 0.2 becomes min 0.1" in done.out


def test_parts_that_are_whole_give_the_report_of_one_run(
    repository: Repository, parts: dict[str, Any], job: Job
) -> None:
    assert merged(repository, parts).code == 0
    assert job.outputs["verdict"] == "passed"
    together = repository.report
    assert repository.mlgate("check", "-n", "0").code == 0
    assert together == repository.report, "not even the environment differs: it is the same machine"


def test_parts_of_a_change_are_judged_by_the_base(repository: Repository, job: Job) -> None:
    repository.git("checkout", "-q", "main")
    repository.project(CONFIG)
    repository.edit("mlgate.yaml", "min: 0.2", "min: 0.6")
    repository.commit("strict")
    base = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "-qB", "change")
    repository.edit("mlgate.yaml", "min: 0.6", "min: 0.1")
    repository.edit("mlgate.yaml", "model:answer", "model:lazy")
    repository.write(".gitignore", ".mlgate/\n__pycache__/\nruns/\nartifacts/\n")
    repository.commit("loose")
    job.begin("pull_request", pull(base), "6" * 40)
    needs = observed(repository, job, 3, "--base", "auto")
    done = merged(repository, needs, "--base", "auto")
    assert done.code == 1, done.err
    assert job.outputs["verdict"] == "failed"
    assert "the base's rule" in job.summary


def test_a_shard_that_is_missing_blocks(repository: Repository, parts: dict[str, Any], job: Job) -> None:
    next((repository.top / "artifacts").glob("*2of3*")).unlink()
    done = merged(repository, parts)
    assert done.code == 3
    assert "1 of 3 evidence files that jobs sent are not here" in " ".join(done.out.split())
    assert job.outputs["verdict"] == "errored"


@pytest.mark.parametrize(
    ("result", "says"),
    [("failure", "accuracy failed"), ("cancelled", "accuracy was cancelled"), ("skipped", "accuracy was sk")],
)
def test_whole_evidence_does_not_pass_where_a_job_did_not_end_well(
    repository: Repository, parts: dict[str, Any], job: Job, result: str, says: str
) -> None:
    parts["accuracy"]["result"] = result
    done = merged(repository, parts)
    assert done.code == 3
    assert says in done.err
    assert job.outputs == {
        "verdict": "errored",
        "exit-code": "3",
        "report-path": "",
        "evidence-path": job.outputs["evidence-path"],
        "report-digest": "",
    }
    assert says in job.summary


@pytest.mark.parametrize("name", ["plan", "build", "other"])
def test_any_job_that_failed_blocks(repository: Repository, parts: dict[str, Any], name: str) -> None:
    parts[name] = {"result": "failure", "outputs": {}}
    assert merged(repository, parts).code == 3


def test_evidence_that_was_replaced_is_refused(repository: Repository, parts: dict[str, Any], job: Job) -> None:
    one = next((repository.top / "artifacts").glob("*2of3*"))
    text = gzip.decompress(one.read_bytes())
    one.write_bytes(gzip.compress(text, 1))
    done = merged(repository, parts)
    assert done.code == 5
    assert "no job of this run says that it sent this evidence" in done.err
    assert job.outputs["verdict"] == "refused"


def test_evidence_of_another_run_is_refused(
    repository: Repository, parts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_RUN_ID", "8")
    done = merged(repository, parts)
    assert done.code == 5
    assert "of another run" in done.err


def test_no_evidence_at_all_is_told_with_what_the_jobs_came_to(
    repository: Repository, parts: dict[str, Any], job: Job
) -> None:
    for one in (repository.top / "artifacts").iterdir():
        one.unlink()
    parts["accuracy"] = {"result": "failure", "outputs": {}}
    for _ in ("empty", "missing"):
        done = merged(repository, parts)
        assert done.code == 3
        assert "there is no evidence here: the job accuracy failed" in done.err
        assert job.outputs["exit-code"] == "3"
        if (repository.top / "artifacts").exists():
            (repository.top / "artifacts").rmdir()


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "{}",
        "null",
        '"x"',
        '{"accuracy": 1}',
        '{"accuracy": {"result": "neutral", "outputs": {}}}',
        '{"accuracy": {"result": ["success"], "outputs": {}}}',
        '{"accuracy": {"result": "success", "outputs": []}}',
        '{"accuracy": {"result": "success", "outputs": {"evidence-1": ["x"]}}}',
        '{"accuracy": {"result": "success", "outputs": {"evidence-1": {"x": 1}}}}',
        '{"accuracy": {"result": "success", "outputs": {"evidence-1": null}}}',
        '{"accuracy": {"result": "success", "outputs": {"evidence-1": "abc"}}}',
        '{"accuracy": {"result": "failure", "outputs": {}, "result": "success"}}',
        "[" * 50_000,
        '{"accuracy": "' + "x" * (2 << 20) + '"}',
    ],
    ids=lambda text: text[:60],
)
def test_what_github_would_not_say_of_jobs_is_no_word_of_theirs(
    repository: Repository, parts: dict[str, Any], text: str
) -> None:
    assert parts
    done = merged(repository, text)
    assert done.code == 2
    assert "--needs is not what GitHub says" in done.err
    assert errors(done)


def test_odd_things_among_the_evidence(repository: Repository, parts: dict[str, Any], tmp_path: Path) -> None:
    folder = repository.top / "artifacts"
    good = next(folder.glob("*2of3*"))
    (folder / "evidence-2of3.previous.jsonl.gz").write_bytes(b"old")
    (folder / "deeper").mkdir()
    good.rename(folder / "deeper" / good.name)
    assert merged(repository, parts).code == 0, "an older file is left alone, a folder of a job is looked into"
    os.mkfifo(folder / "evidence-pipe.jsonl.gz")
    assert merged(repository, parts).code == 5, "a pipe is not waited for"
    (folder / "evidence-pipe.jsonl.gz").unlink()
    (folder / "evidence-x.jsonl.gz").symlink_to(tmp_path / "nowhere")
    assert merged(repository, parts).code == 5
    (folder / "evidence-x.jsonl.gz").unlink()
    (folder / "evidence-\x1b[31m\n::set-output name=verdict::passed.jsonl.gz").write_bytes(b"x")
    done = merged(repository, parts)
    assert done.code == 5
    assert "\x1b" not in done.err + done.out
    assert not any(line.startswith("::set-output") for line in (done.out + done.err).splitlines())


# --- what GitHub Actions is told ---------------------------------------------------------------


def test_a_run_that_passes_says_so(repository: Repository, job: Job) -> None:
    job.begin("push", {}, MLGATE_BASE="none")
    assert repository.mlgate("check", "-n", "0").code == 0
    assert job.outputs["verdict"] == "passed"
    assert job.outputs["exit-code"] == "0"
    assert Path(job.outputs["report-path"]).is_file()
    assert Path(job.outputs["evidence-path"]).is_file()
    assert "PASSED" in job.summary


def test_all_mistakes_of_the_file_are_errors_at_their_lines(repository: Repository, job: Job) -> None:
    job.begin("push", {}, MLGATE_BASE="none")
    lines = "".join(f"  c{i}: {{data: d.jsonl, rules: {{bleu: {{mni: 1}}}}}}\n" for i in range(15))
    repository.write("mlgate.yaml", f"version: 1\nmodel: {{python: a:b}}\nchecks:\n{lines}")
    done = repository.mlgate("check")
    assert done.code == 2
    empty = dict.fromkeys(("report-path", "evidence-path", "report-digest"), "")
    assert job.outputs == {"verdict": "errored", "exit-code": "2", **empty}
    assert len(errors(done)) == 10
    assert re.match(r"::error file=mlgate\.yaml,line=4,col=\d+,title=mlgate::.*mni", errors(done)[0])
    assert "mlgate.yaml:4:" in job.summary


def test_a_file_that_is_not_there_and_two_that_are(
    repository: Repository, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.begin("push", {}, MLGATE_BASE="none")
    monkeypatch.setenv("MLGATE_CONFIG", "mlgate.yaml")  # as the action says when its user says nothing
    repository.write("mlgate.yml", (repository.root / "mlgate.yaml").read_text())
    two = repository.mlgate("check", "-n", "0")
    assert two.code == 2
    assert "there are mlgate.yaml and mlgate.yml" in errors(two)[0]
    assert "two" in job.summary or "mlgate.yml" in job.summary
    (repository.root / "mlgate.yaml").unlink()
    assert repository.mlgate("check", "-n", "0").code == 0, "the one that is there"
    (repository.root / "mlgate.yml").unlink()
    job.clear()
    none = repository.mlgate("check")
    assert none.code == 2
    assert "there is no such file" in errors(none)[0]
    assert "no such file" in job.summary


@pytest.mark.parametrize(
    ("verb", "name", "value"),
    [
        ("check", "MLGATE_SHARD", "x"),
        ("check", "MLGATE_SHARD", "3/2"),
        ("check", "MLGATE_WORKERS", "-1"),
        ("check", "MLGATE_PART", "all"),
        ("check", "MLGATE_BOOTSTRAP", "perhaps"),
        ("check", "MLGATE_IMAGE", "-rf"),
        ("plan", "MLGATE_SHARDS", "99"),
        ("plan", "MLGATE_SHARDS", "0"),
    ],
)
def test_a_wrong_option_is_an_error_with_its_summary(
    repository: Repository, job: Job, verb: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.begin("push", {}, MLGATE_BASE="none")
    monkeypatch.setenv(name, value)
    done = repository.mlgate(verb)
    assert done.code == 2
    assert errors(done)
    assert "ERRORED" in job.summary


EMPTY = ("CONFIG", "BASE", "APPROVE_POLICY", "BOOTSTRAP", "IMAGE", "PART", "SHARD", "WORKERS", "KEEP_BASELINE")


def test_empty_variables_say_nothing_and_false_says_no(
    repository: Repository, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.begin("push", pushed(), GITHUB_REF="refs/heads/main")
    for name in (*EMPTY, "BASELINE", "ALLOW_FORKS", "OUTPUT", "SAVE_BASELINE", "NEEDS", "SHARDS"):
        monkeypatch.setenv(f"MLGATE_{name}", "")
    assert repository.mlgate("check").code == 0
    assert repository.verdict["outcome"] == "passed"
    assert repository.mlgate("plan").code == 0
    assert repository.mlgate("merge", str(repository.root / ".mlgate/evidence.jsonl.gz")).code == 0
    for name in ("APPROVE_POLICY", "BOOTSTRAP", "KEEP_BASELINE", "ALLOW_FORKS", "SAVE_BASELINE"):
        monkeypatch.setenv(f"MLGATE_{name}", "false")
    assert repository.mlgate("check", "-n", "0").code == 0
    base = repository.git("rev-parse", "main")
    job.begin("pull_request", pull(base, fork=True), RUNNER_ENVIRONMENT="self-hosted")
    assert repository.mlgate("check", "-n", "0").code == 5, "'false' does not let forks in"


def test_t06_a_forks_change_does_not_run_on_a_machine_that_stays(
    repository: Repository, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("model.py", "open('ran', 'w').close()\n" + (repository.root / "model.py").read_text())
    repository.commit()
    base = repository.git("rev-parse", "main")
    for event in ("pull_request", "pull_request_target"):
        job.begin(event, pull(base, fork=True), RUNNER_ENVIRONMENT="self-hosted")
        done = repository.mlgate("check", "-n", "0", "--base", "auto")
        assert done.code == 5
        assert job.outputs["verdict"] == "refused"
        assert "REFUSED" in job.summary
        assert not (repository.root / "ran").exists()
    monkeypatch.setenv("MLGATE_ALLOW_FORKS", "true")
    assert repository.mlgate("check", "-n", "0", "--base", "auto").code == 0


def test_an_unexpected_exception_is_not_known_and_its_outputs_say_so(
    repository: Repository, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("::set-output name=verdict::passed\n::error ::x")

    job.begin("push", {}, MLGATE_BASE="none")
    monkeypatch.setattr("mlgate.commands.finish.judge", broken)
    done = repository.mlgate("check", "-n", "0")
    assert done.code == 3
    assert job.outputs["verdict"] == "errored"
    assert job.outputs["exit-code"] == "3"
    assert not any(line.startswith("::set-output") for line in done.out.splitlines())
    assert "RuntimeError" in job.summary


@pytest.mark.parametrize(
    "name",
    [
        "a b.yaml",
        "$(touch ran).yaml",
        "`touch ran`.yaml",
        "a;touch ran.yaml",
        "100%0A.yaml",
        "ä今.yaml",
        "a\n::set-output name=verdict::passed\n.yaml",
        "a\nverdict=passed\n.yaml",
        b"\xff.yaml".decode(errors="surrogateescape"),
    ],
)
@pytest.mark.parametrize("there", [True, False], ids=["there", "missing"])
def test_t71_odd_names_are_names(
    repository: Repository, job: Job, name: str, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.begin("push", {}, GITHUB_HEAD_REF="$(touch ran)\nverdict=passed", MLGATE_BASE="none")
    monkeypatch.setenv("MLGATE_CONFIG", name)
    text = (repository.root / "mlgate.yaml").read_text()
    (repository.root / "mlgate.yaml").unlink()
    if there:
        (repository.root / name).write_text(text.replace("min: 0.2", "mni: 0.2"))
    done = repository.mlgate("check", "-n", "0")
    assert done.code == 2
    assert job.outputs["verdict"] == "errored"
    assert len(errors(done)) == 1
    assert not any(line.startswith("::set-output") for line in done.out.splitlines())
    assert not (repository.root / "ran").exists()


def test_a_folder_whose_name_would_be_a_second_output_sets_none(repository: Repository, job: Job) -> None:
    job.begin("push", {}, MLGATE_BASE="none")
    done = repository.mlgate("check", "-n", "0", "-o", "x\nverdict=passed\ny")
    assert done.code == 3
    assert job.outputs == {}
    assert "is not one line of text" in errors(done)[0]


# --- the baseline that CI keeps ----------------------------------------------------------------


def test_keeping_a_baseline_means_nothing_where_ci_keeps_none(repository: Repository) -> None:
    assert repository.mlgate("check", "-n", "0", "--keep-baseline").code == 0
