"""The gate over a pull request, run by act: whatever happens to its jobs, one check is there and says the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.act import runner
from tests.act.conftest import Act
from tests.act.consumer import FULL_NAME, Consumer, Event
from tests.act.judged import errors, held, one_error, report
from tests.act.project import BAD, WORSE, config, example, model, project, rows, write
from tests.act.ran import Ran
from tests.act.staging import Edit
from tests.support import fake_github
from tests.support.fake_github import FakeGithub, Fault
from tests.support.kept_baselines import archive, learn

from mlgate.cli.group import invoke

pytestmark = pytest.mark.needs_act

KEPT_BY_CI = "baseline: {from: ci}\n"


# --- a model that is good, and one that is not -------------------------------------------------


def test_a_pull_request_that_holds_its_rules_passes(act: Act, consumer: Consumer) -> None:
    project(consumer)
    write(consumer, {"model.py": model(WORSE)})
    ran = act(consumer, consumer.pull_request())
    held(ran, "passed", 0, "PASSED: rougeL 0.9231 is above the minimum 0.6", "<code>notes/rougeL</code>")
    assert (ran.job("plan"), ran.job("accuracy")) == ("success", "success")
    assert {ran.job("build"), ran.job("latency")} == {"skipped"}
    assert errors(ran) == []
    assert f"judged by the rules of <code>base {consumer.sha('main')[:10]}</code>" in ran.summary[0]
    assert report(ran)["outcome"] == "passed"
    assert (ran.artifact("mlgate-whole") / "evidence.jsonl.gz").is_file()


def test_a_pull_request_with_a_worse_model_is_blocked_at_the_line_of_its_rule(act: Act, consumer: Consumer) -> None:
    project(consumer)
    write(consumer, {"model.py": model(BAD)})
    ran = act(consumer, consumer.pull_request())
    held(ran, "failed", 1, "FAILED: notes: rougeL 0.4444 is below the minimum 0.6")
    assert ran.job("accuracy") == "success", "it observes; it does not judge"
    one_error(ran, "mlgate.yaml:9: rougeL 0.4444 is below the minimum 0.6")
    assert report(ran)["outcome"] == "failed"


ACTION = """\
name: gate
on: pull_request
permissions: {}
jobs:
  gate:
    name: gate
    runs-on: ubuntu-24.04
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {persist-credentials: false, fetch-depth: 2}
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
        with: {python-version: '3.11'}
      - uses: org/mlgate@0123456789abcdef0123456789abcdef01234567 # v0.1.0
        with: {requirements: needs.txt}
"""


def test_the_action_alone_gates_in_one_job_a_model_with_requirements_of_its_own(act: Act, consumer: Consumer) -> None:
    project(consumer, workflow=ACTION)
    for kept, verdict, code in ((WORSE, "passed", 0), (BAD, "failed", 1)):
        consumer.checkout("feature")
        write(consumer, {"needs.txt": "six==1.17.0\n", "model.py": f"import six\n\n{model(kept)}"})
        ran = act(consumer, consumer.pull_request())
        held(ran, verdict, code, f"judged by the rules of <code>base {consumer.sha('main')[:10]}</code>", check="gate")


# --- jobs that do not do what was planned ------------------------------------------------------

OUT_OF_MEMORY = """\
import os, signal
from pathlib import Path

def parent(pid):
    return int(Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()[1])

def gate():
    pid = os.getpid()
    while b"mlgate.cli" not in Path(f"/proc/{{pid}}/cmdline").read_bytes():
        pid = parent(pid)
    return pid

def answer(text):
    if text == {input!r}:
        os.kill(gate(), signal.SIGKILL)
    return " ".join(text.split()[:7])
"""
"""A model at one of whose inputs the kernel ends the whole step."""


def test_a_shard_that_is_killed_is_named_and_blocks(act: Act, consumer: Consumer) -> None:
    project(consumer, workflow=example(shards=2))
    fifth = json.loads(rows().splitlines()[4])["input"]
    write(consumer, {"model.py": OUT_OF_MEMORY.format(input=fifth)})
    ran = act(consumer, consumer.pull_request())
    assert sorted([ran.job("accuracy-1"), ran.job("accuracy-2")]) == ["failure", "success"], ran
    held(ran, "errored", 3, "12 of 24 examples", "the job accuracy failed")
    assert len(list(ran.artifacts.glob("*-evidence-*"))) == 1
    one_error(ran, "12 of 24 examples")


def test_a_shard_whose_evidence_is_lost_is_named_and_blocks(act: Act, consumer: Consumer) -> None:
    project(consumer, workflow=example(shards=2))
    ran = act(consumer, consumer.pull_request(), faults={"upload:mlgate-evidence-accuracy-2": "lose"})
    assert (ran.job("accuracy-1"), ran.job("accuracy-2")) == ("success", "success"), ran
    held(ran, "errored", 3, "12 of 24 examples", "1 of 2 evidence files that jobs sent are not here")


def test_evidence_that_is_cut_is_refused(act: Act, consumer: Consumer) -> None:
    """No job vouches for what arrived: cut on its way, or replaced by another job of the run."""
    project(consumer)
    ran = act(consumer, consumer.pull_request(), faults={"upload:mlgate-evidence-accuracy-1": "cut"})
    held(ran, "refused", 5, "REFUSED: no job of this run says that it sent this evidence")
    one_error(ran, "evidence-accuracy-1of1.jsonl.gz")


def cancelled(outputs: str) -> Edit:
    """What GitHub says of a job that was cancelled. act cannot cancel; so it is said to the verdict in its place."""
    accuracy = f'.accuracy = {{"result": "cancelled", "outputs": {outputs}}}'

    def edit(path: str, text: str) -> str:
        if path != "action/merge/action.yml":
            return text
        assert "      run: exec " in text
        said = f"""      run: |\n        MLGATE_NEEDS="$(jq '{accuracy}' <<< "$MLGATE_NEEDS")"\n        exec """
        return text.replace("      run: exec ", said)

    return edit


@pytest.mark.parametrize("evidence", ["lost", "whole"])
def test_a_job_that_was_cancelled_blocks(act: Act, consumer: Consumer, evidence: str) -> None:
    project(consumer)
    lost = evidence == "lost"
    faults = {"upload:mlgate-evidence-accuracy-1": "lose"} if lost else {}
    edit = cancelled("{}" if lost else ".accuracy.outputs")
    ran = act(consumer, consumer.pull_request(), faults=faults, edit=edit)
    said = "there is no evidence here" if lost else "all evidence is here and passes, but not all jobs ended well"
    held(ran, "errored", 3, f"{said}: the job accuracy was cancelled, or ran out of time")


def test_a_job_that_was_skipped_against_the_plan_blocks(act: Act, consumer: Consumer) -> None:
    project(consumer)

    def skip(path: str, text: str) -> str:
        return (
            text.replace("needs.plan.outputs.accuracy != '[]'", "false")
            if path.endswith("workflows/gate.yml")
            else text
        )

    ran = act(consumer, consumer.pull_request(), edit=skip)
    assert ran.job("accuracy") == "skipped"
    held(ran, "errored", 3, "the job accuracy was skipped")
    one_error(ran, "the job accuracy was skipped")


def test_a_checkout_that_fails_is_red_and_not_absent(act: Act, consumer: Consumer) -> None:
    project(consumer)
    ran = act(consumer, consumer.pull_request(), faults={"checkout:plan": "fail"})
    held(ran, "errored", 3, "the job plan failed")


def test_three_shards_and_their_verdict_equal_one_run(
    act: Act, consumer: Consumer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report and the summary are equal to the byte, the digest of the evidence among them."""
    gate = config("{min: 0.3, max_drop: 0.5}", "      bleu: {min: 5}\nbaseline: {from: file, path: kept.jsonl.gz}\n")
    project(consumer, gate=gate, workflow=example(shards=3))
    monkeypatch.chdir(consumer.root)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)  # our own CI is a pull request, which saves none
    assert invoke(["check", "-n", "0", "--save-baseline", "--bootstrap", "-o", str(tmp_path / "first")]) == 0
    consumer.checkout("main")
    consumer.commit("the baseline")
    consumer.branch("feature")
    write(consumer, {"model.py": model(WORSE)})
    ran = act(consumer, consumer.pull_request())
    held(ran, "passed", 0)
    assert [ran.job(f"accuracy-{k}") for k in (1, 2, 3)] == ["success"] * 3
    whole, summary, event = tmp_path / "whole", tmp_path / "summary.md", tmp_path / "event.json"
    event.write_text('{"repository": {"default_branch": "main"}}')
    for name, value in {
        "ACTIONS": "true",
        "EVENT_NAME": "workflow_dispatch",
        "EVENT_PATH": str(event),
        "REF": "refs/heads/main",
        "SHA": consumer.sha("main"),
        "SERVER_URL": "https://github.com",
        "REPOSITORY": "acme/model",
        "RUN_ID": str(ran.run_id),
        "OUTPUT": str(tmp_path / "outputs"),
        "STEP_SUMMARY": str(summary),
    }.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    assert invoke(["check", "-n", "0", "--base", consumer.sha("main"), "-o", str(whole)]) == 0
    assert (ran.artifact("mlgate-report") / "report.json").read_text() == (whole / "report.json").read_text()
    assert ran.summary == (summary.read_text(),)


# --- events ------------------------------------------------------------------------------------

SECRET = "deploy-key-5b1e9d0c77"  # noqa: S105 - a value that no log would hold by chance
SECRETS = (SECRET, runner.TOKEN)
NOSY = f"""\
import os

def answer(text):
    found = [name for name, value in os.environ.items() if "RUNTIME" in name or any(s in value for s in {SECRETS!r})]
    return " ".join(found or text.split()[:7])
"""
"""A model that answers with the names of the secrets that it finds."""


@pytest.mark.parametrize("fork", [False, True])
def test_a_fork_gets_the_same_verdict_and_no_model_ever_sees_a_secret(act: Act, consumer: Consumer, fork: bool) -> None:
    project(consumer)
    write(consumer, {"model.py": NOSY})
    ran = act(consumer, consumer.pull_request(fork=fork), secrets={"DEPLOY_KEY": SECRET})
    held(ran, "passed", 0, "PASSED: rougeL 1.0000 is above the minimum 0.6")


def test_a_forks_change_never_runs_on_a_machine_that_outlives_the_job(act: Act, consumer: Consumer) -> None:
    project(consumer)
    ran = act(consumer, consumer.pull_request(fork=True), env={"RUNNER_ENVIRONMENT": "self-hosted"})
    assert ran.job("accuracy") == "failure"
    assert ran.output("accuracy", "exit-code") == "5"
    held(ran, "errored", 3, "a fork's change on a self-hosted machine", "the job accuracy failed")


def test_a_merge_queue_is_judged_by_the_branch_that_it_merges_into(act: Act, consumer: Consumer) -> None:
    project(consumer)
    write(consumer, {"model.py": model(BAD), "mlgate.yaml": config("{min: 0.1}")})
    ran = act(consumer, consumer.merge_group())
    held(ran, "failed", 1, f"base {consumer.sha('main')[:10]}", "0.4444 is below the minimum 0.6")


# --- rules that a change would loosen for itself -----------------------------------------------


def loosened(consumer: Consumer, ratchet: str = "") -> None:
    """A worse model, and the limit that would let it pass."""
    project(consumer, gate=config(more=ratchet))
    write(consumer, {"model.py": model(BAD), "mlgate.yaml": config("{min: 0.1}", ratchet)})


def test_a_change_that_loosens_its_rules_is_judged_by_its_base_and_says_so(act: Act, consumer: Consumer) -> None:
    loosened(consumer)
    ran = act(consumer, consumer.pull_request())
    held(ran, "failed", 1, "0.4444 is below the minimum 0.6", "this change writes min 0.1")


def labelled(event: Event, label: str) -> Event:
    """The event that setting a label starts: only it says which head somebody looked at."""
    return replace(event, payload={**bearing(event, label).payload, "action": "labeled", "label": {"name": label}})


def bearing(event: Event, label: str) -> Event:
    """An event of a pull request that has had the label for a while."""
    pull = {**event.payload["pull_request"], "labels": [{"name": "docs"}, {"name": label}]}
    return replace(event, payload={**event.payload, "pull_request": pull})


def test_where_the_base_says_so_a_change_that_loosens_its_rules_is_refused_until_a_person_approves(
    act: Act, consumer: Consumer
) -> None:
    loosened(consumer, "ratchet: refuse\n")
    event = consumer.pull_request()
    ran = act(consumer, event)
    assert ran.job("plan") == "failure"
    held(ran, "refused", 5, "REFUSED: this change loosens its own gate")
    assert all("mlgate.yaml:9: " in said for said in errors(ran)), errors(ran)
    ran = act(consumer, labelled(event, "mlgate-rules-approved"))
    held(ran, "failed", 1, "0.4444 is below the minimum 0.6", "this change writes min 0.1")
    later = act(consumer, bearing(event, "mlgate-rules-approved"))
    held(later, "refused", 5)  # a label that was set for an older head says nothing of this one


# --- baselines ---------------------------------------------------------------------------------


@pytest.fixture
def github(consumer: Consumer) -> Iterator[FakeGithub]:
    """The API that the judge asks who kept the baseline."""
    assert fake_github.REPOSITORY == FULL_NAME
    project(consumer, gate=config("{min: 0.3, max_drop: 0.01}", KEPT_BY_CI))
    with fake_github.serving() as github:
        yield github


def asking(act: Act, consumer: Consumer, github: FakeGithub, event: Event) -> Ran:
    learn(github, consumer.root)
    env, secrets = {"GITHUB_API_URL": github.url}, {"GITHUB_TOKEN": fake_github.TOKEN}
    return act(consumer, event, env=env, secrets=secrets)


def uploads(ran: Ran) -> bytes:
    return archive((ran.artifact("mlgate-baseline") / "evidence.jsonl.gz").read_bytes())


@pytest.mark.needs_openapi
def test_a_baseline_that_is_missing_blocks_until_bootstrap_is_said(
    act: Act, consumer: Consumer, github: FakeGithub
) -> None:
    ran = asking(act, consumer, github, consumer.pull_request())
    held(ran, "inconclusive", 3, "no baseline")
    consumer.checkout("feature")
    write(consumer, {".github/workflows/pr.yml": example(bootstrap=True)})
    held(asking(act, consumer, github, consumer.pull_request()), "warned", 0, "no baseline")


@pytest.mark.needs_openapi
def test_what_main_passed_is_the_baseline_of_the_next_pull_request_whatever_that_uploads(
    act: Act, consumer: Consumer, github: FakeGithub
) -> None:
    first = asking(act, consumer, github, consumer.push())
    assert first.job("verdict") == "success", first
    github.upload(first.run_id, consumer.sha("main"), uploads(first))
    consumer.checkout("feature")
    write(consumer, {"model.py": model(WORSE)})
    event = consumer.pull_request()
    github.upload(900, event.payload["pull_request"]["head"]["sha"], b"", branch="main", event="pull_request")
    ran = asking(act, consumer, github, event)
    held(ran, "failed", 1, "rougeL 1.0000 became 0.9231", "worse, and more than max_drop 0.01")
    assert "min 0.3" in ran.summary[0]
    assert report(ran)["baseline"]["commit"] == consumer.sha("main")
    assert f"run {first.run_id} of main" in report(ran)["baseline"]["source"]
    assert not (ran.artifacts / "mlgate-baseline").exists()


KEEPING = """\
name: gate
on: [pull_request, push]
permissions: {}
jobs:
  gate:
    name: gate
    runs-on: ubuntu-24.04
    permissions: {contents: read, actions: read}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {persist-credentials: false, fetch-depth: 2}
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
        with: {python-version: '3.11'}
      - uses: org/mlgate@0123456789abcdef0123456789abcdef01234567 # v0.1.0
        id: gate
        with:
          github-token: ${{ github.token }}
          keep-baseline: true
          baseline-path: ${{ runner.temp }}/mlgate-baseline/evidence.jsonl.gz
      - if: ${{ steps.gate.outputs.baseline-kept == 'true' }}
        uses: actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1
        with:
          name: mlgate-baseline
          path: ${{ runner.temp }}/mlgate-baseline/evidence.jsonl.gz
          overwrite: true
"""
"""What docs/how-to/pull-requests.md says of a job of one's own."""


@pytest.mark.needs_openapi
def test_a_job_of_one_s_own_keeps_and_asks_the_same_way(act: Act, consumer: Consumer, github: FakeGithub) -> None:
    consumer.checkout("main")
    write(consumer, {".github/workflows/pr.yml": KEEPING})
    consumer.branch("feature")
    first = asking(act, consumer, github, consumer.push())
    assert first.job("gate") == "success", first
    github.upload(first.run_id, consumer.sha("main"), uploads(first))
    consumer.checkout("feature")
    write(consumer, {"model.py": model(WORSE)})
    ran = asking(act, consumer, github, consumer.pull_request())
    held(ran, "failed", 1, "rougeL 1.0000 became 0.9231", check="gate")
    assert not (ran.artifacts / "mlgate-baseline").exists()


@pytest.mark.needs_openapi
def test_the_judge_of_a_change_without_the_permission_to_ask_knows_nothing(
    act: Act, consumer: Consumer, github: FakeGithub
) -> None:
    github.faults.append(Fault("GET", "/actions/artifacts$", 403))
    ran = asking(act, consumer, github, consumer.pull_request())
    held(ran, "errored", 3, "the token may not list the baselines that runs have kept")
    one_error(ran, "give the job `permissions: {contents: read, actions: read}`")


# --- bad input ---------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, str | float], dict[str, str], str, str]] = {
    "shards": ({"shards": 99}, {}, "3", " Invalid value for '--shards': 99 is not in the range 1<=x<=8"),
    "packages": ({"packages": "x"}, {}, "", " the input `packages` is 'x': write base, mlflow, deploy or all"),
    "config": ({"config": "absent.yaml"}, {}, "2", "absent.yaml: there is no such file"),
    "requirements": ({"requirements": "absent.txt"}, {}, "3", "absent.txt: there is no such requirements file"),
    "two configurations": ({}, {"mlgate.yml": config()}, "", "mlgate.yml: there are mlgate.yaml and mlgate.yml"),
    "a key": ({}, {"mlgate.yaml": config().replace("rules:", "rulez:")}, "2", "mlgate.yaml:8: checks.notes.rulez"),
}
"""What is wrong: inputs of the workflow, files of the change; the verdict's exit code, where the verdict could even
begin; and what an error on the run's page says, behind the file that it is at.
"""


@pytest.mark.parametrize("what", WRONG)
def test_wrong_input_is_red_with_an_error_at_its_place(act: Act, consumer: Consumer, what: str) -> None:
    inputs, files, code, says = WRONG[what]
    project(consumer)
    write(consumer, {".github/workflows/pr.yml": example(**inputs), **files})
    ran = act(consumer, consumer.pull_request())
    assert (ran.code, ran.job("verdict")) == (1, "failure"), ran
    assert (ran.output("verdict", "exit-code") or "") == code, ran
    assert any(said.startswith(says) for said in errors(ran)), errors(ran)
    assert "Traceback" not in ran.log
