"""No way in leaves out the base: `mlgate check`, a replay and `pytest -p mlgate` take it from the event."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import click
import pytest
from tests.e2e.desk import Desk
from tests.e2e.repository import Job, Repository, pull
from tests.e2e.test_base_rules import lazy, raised
from tests.support.variants import variants
from tests.support.waiting import PATIENCE

from mlgate.adapters.files import plan_file
from mlgate.adapters.files.run_folder import RunFolder
from mlgate.cli.check import command
from mlgate.commands.run_options import RunOptions
from mlgate.core.errors import ConfigError
from mlgate.wiring import executors
from mlgate.wiring.project import Project

RECORDED = """\
version: 1
model: {name: clerk, python: model:answer}
checks:
  notes: {data: data.jsonl, rules: {rougeL: {min: 0.2}}}
  tone:
    kind: recorded
    tests: [tests/test_tone.py]
    examples: 6
    metrics: {politeness: {better: higher, unit: ratio}}
    rules: {politeness: {min: 0.5}}
"""
TONE = """\
import pytest

@pytest.mark.parametrize("i", range(1, 7))
def test_tone(gate, i):
    gate.record("tone", i, politeness=0.9)

def test_sanity():
    assert True
"""


def session(desk: Desk, *arguments: str, **env: str) -> tuple[int, str]:
    return with_cache(desk, "-p", "no:cacheprovider", *arguments, **env)


def with_cache(desk: Desk, *arguments: str, **env: str) -> tuple[int, str]:
    done = subprocess.run(
        [*desk.command(())[:1], "-m", "pytest", "-q", "-p", "mlgate", *arguments],
        cwd=desk.root,
        env={**desk.env(), **env},
        capture_output=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.fixture
def change(repository: Repository, job: Job) -> tuple[Repository, Job]:
    """A pull request that lowers its own limit, under GitHub's environment, with no word about the base."""
    raised(repository)
    base = repository.git("rev-parse", "main")
    lazy(repository, ("min: 0.6", "min: 0.1"))
    job.begin("pull_request", pull(base, fork=True), repository.merge("change"))
    return repository, job


def github() -> dict[str, str]:
    names = ("GITHUB_ACTIONS", "GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_SHA", "GITHUB_RUN_ID")
    return {name: os.environ[name] for name in (*names, "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}


@pytest.mark.parametrize("base", [None, "", "auto", " "])
def test_a_pull_request_is_judged_by_its_bases_rules_unasked(
    change: tuple[Repository, Job], monkeypatch: pytest.MonkeyPatch, base: str | None
) -> None:
    repository, job = change
    if base is not None:
        monkeypatch.setenv("MLGATE_BASE", base)
    assert repository.mlgate("check", "-n", "0").code == 1
    assert repository.mlgate("replay").code == 1
    env = {} if base is None else {"MLGATE_BASE": base}
    code, said = session(repository, **github(), **env)
    assert code == 1, said
    assert "RULES THAT THIS CHANGE EDITS" in said
    assert job.outputs["verdict"] == "failed"


def test_none_is_a_persons_word_and_is_told(change: tuple[Repository, Job]) -> None:
    repository, _ = change
    done = repository.mlgate("check", "-n", "0", "--base", "none")
    assert done.code == 0
    assert "this change is judged by its own rules" in " ".join(done.out.split())


def test_an_event_that_is_missing_is_no_reason_to_judge_by_ones_own_rules(change: tuple[Repository, Job]) -> None:
    repository, job = change
    (job.folder / "event.json").unlink()
    assert repository.mlgate("check", "-n", "0").code == 3
    code, said = session(repository, **github())
    assert code == 3, said
    assert "the event cannot be read" in said
    assert repository.verdict["outcome"] == "errored"


def test_a_strangers_change_is_refused_before_its_conftest_runs(change: tuple[Repository, Job]) -> None:
    repository, _ = change
    repository.write("conftest.py", "open('ran', 'w')\n")
    code, said = session(repository, **github(), RUNNER_ENVIRONMENT="self-hosted")
    assert code == 5, said
    assert not (repository.root / "ran").exists()
    assert repository.verdict["outcome"] == "refused"
    code, said = session(repository, **github(), RUNNER_ENVIRONMENT="self-hosted", MLGATE_ALLOW_FORKS="true")
    assert code == 1, said


def test_the_environment_means_the_same_to_the_plugin_as_to_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {
        "MLGATE_CONFIG": "a.yaml",
        "MLGATE_OUTPUT": "out",
        "MLGATE_BASE": "v1",
        "MLGATE_IMAGE": "m:1",
        "MLGATE_IMAGE_ARCHIVE": "m.tar",
        **dict.fromkeys(("MLGATE_APPROVE_POLICY", "MLGATE_BOOTSTRAP", "MLGATE_ALLOW_FORKS"), "yes"),
        **dict.fromkeys(("MLGATE_SAVE_BASELINE", "MLGATE_KEEP_BASELINE"), "1"),
    }
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    known = {one.envvar for one in command.params if isinstance(one, click.Option)}
    assert known - set(words) <= {"MLGATE_WORKERS", "MLGATE_SHARD", "MLGATE_PART", "MLGATE_IMAGE_ARCHIVE", None}
    with command.make_context("check", []) as context:
        said = context.params
    chosen = RunOptions.of_environment()
    assert (chosen.config, chosen.output, chosen.base, chosen.image) == tuple(
        said[name] for name in ("config", "output", "base", "image")
    )
    assert chosen.image_archive == said["image_archive"]
    assert chosen.approved
    assert chosen.bootstrap
    assert chosen.forks
    assert chosen.save_baseline
    assert chosen.keep_baseline
    with pytest.raises(ConfigError, match="neither on nor off"):
        RunOptions.of_environment(environ={"MLGATE_BOOTSTRAP": "perhaps"})


@pytest.fixture
def mixed(desk: Desk) -> Desk:
    desk.project()
    desk.write("mlgate.yaml", RECORDED)
    desk.write("tests/test_tone.py", TONE)
    desk.write("tests/test_mine.py", "def test_mine():\n    assert True\n")
    return desk


LEFT: list[tuple[tuple[str, ...], str, str]] = [
    (("--collect-only",), "2 of 2", "passed"),
    (("-k", "mine"), "2 of 2", "passed"),
    (("-m", "slow"), "2 of 2", "passed"),
    (("tests/test_mine.py::test_mine",), "2 of 2", "passed"),
    (("-k", "tone"), "1 of 2", "incomplete"),
    (("tests/test_tone.py::test_tone[1]",), "2 of 2", "incomplete"),
    (("tests/test_mine.py",), "1 of 2", "incomplete"),
    (("--deselect", "tests/test_tone.py::test_sanity"), "1 of 2", "incomplete"),
]


@pytest.mark.parametrize(("arguments", "count", "verdict"), variants(LEFT, 3), ids=[" ".join(one[0]) for one in LEFT])
def test_a_selection_is_not_judged_and_keeps_pytests_exit_code(
    mixed: Desk, arguments: tuple[str, ...], count: str, verdict: str
) -> None:
    assert session(mixed)[0] == 0
    code, said = session(mixed, *arguments)
    assert code == (5 if "-m" in arguments else 0), said
    assert f"not judged: {count} checks were deselected" in said
    assert mixed.verdict["outcome"] == verdict, "older words stand only where no check was asked"
    for strict in ({"CI": "true"}, {"GITHUB_ACTIONS": "true", "MLGATE_BASE": "none"}, {"MLGATE_STRICT": "1"}):
        code, said = session(mixed, *arguments, **strict)
        assert code == 3, said
        assert mixed.verdict["outcome"] == "errored"


def test_workers_say_what_was_deselected_there(mixed: Desk) -> None:
    deselected = ("-n", "2", "--deselect", "tests/test_tone.py::test_sanity")
    code, said = session(mixed, *deselected)
    assert (code, mixed.verdict["outcome"]) == (0, "incomplete"), said
    assert "not judged: 1 of 2 checks were deselected" in said
    code, said = session(mixed, *deselected, "--mlgate-strict")
    assert (code, mixed.verdict["outcome"]) == (3, "errored"), said


def test_a_session_that_stops_early_is_not_judged(mixed: Desk) -> None:
    mixed.write("tests/test_a.py", "def test_a():\n    assert False\n")
    code, said = session(mixed, "-x")
    assert code == 1, said
    assert "not judged: 1 of 2 checks were deselected (this session stopped early)" in said


@pytest.mark.parametrize("strict", [(), ("--mlgate-strict",)])
def test_nothing_is_written_into_a_folder_that_a_test_put_in_the_runs_place(
    mixed: Desk, strict: tuple[str, ...]
) -> None:
    swap = "import os\n\ndef test_swap():\n    os.rename('.mlgate', 'was')\n    os.mkdir('.mlgate')\n"
    mixed.write("tests/test_swap.py", swap)
    code, said = session(mixed, *strict)
    assert code == 5, said
    assert "the output folder was replaced" in said
    assert not any((mixed.root / ".mlgate").iterdir())


# --- settings of a change ------------------------------------------------------------------------

BEFORE_THE_PLUGIN = (
    *("minversion = 999", "addopts = -p no_such_module", "addopts = -k", "addopts = -p no:pytestconfig"),
)
"""pytest ends before it loads the plug-in: never with 0, and nobody is there to reset the older verdict."""
AGAINST_THE_VERDICT = [
    *("addopts = --mlgate-plan=p/plan.json", "addopts = --mlgate-no-items", "addopts = --mlgate-config=easy.yaml"),
    *("addopts = --mlgate-plan=p/plan.json --mlgate-no-items", "addopts = --help", "addopts = -h", "addopts = -V -V"),
    *("addopts = --markers", "addopts = --fixtures", "addopts = --fixtures-per-test", "addopts = --cache-show"),
    *("addopts = --collect-only", "addopts = --co -q", "addopts = --setup-plan", "addopts = --setup-only"),
    *("addopts = -k mine", "addopts = -m slow", "addopts = --no-such-option"),
    *("addopts = --deselect tests/test_tone.py::test_sanity", "addopts = tests/test_mine.py::test_mine"),
    *("addopts = --ignore=tests/test_tone.py", "addopts = --ignore-glob=*tone*", "testpaths = tests/test_mine.py"),
    *("python_files = mine_*.py", "python_functions = mine_*", "norecursedirs = tests", "addopts = --pyargs os"),
    *("addopts = -p no:mlgate.pytest_plugin -m slow", "addopts = -p no:python"),
    *("required_plugins = no-such-plugin", *BEFORE_THE_PLUGIN),
]


@pytest.mark.parametrize("setting", variants(AGAINST_THE_VERDICT, 10))
@pytest.mark.parametrize("strict", ["--mlgate-strict", "CI=true"])
def test_no_setting_of_a_change_ends_a_strict_session_well_without_a_verdict(
    mixed: Desk, setting: str, strict: str
) -> None:
    yesterday(mixed)
    mixed.write("easy.yaml", RECORDED.replace("0.2", "0"))
    (mixed.root / "p").mkdir()
    plan_file.write(mixed.root / "p/plan.json", executors.plan(Project.load(mixed.root / "mlgate.yaml"), 1))
    mixed.write("pytest.ini", f"[pytest]\n{setting}\n")
    arguments, env = ([strict], {}) if strict.startswith("--") else ([], dict([strict.split("=")]))
    code, said = with_cache(mixed, *arguments, **env)
    assert code not in (0, None), said
    if setting not in BEFORE_THE_PLUGIN:
        assert mixed.verdict["outcome"] in ("incomplete", "errored"), said


@pytest.mark.parametrize("options", ["--help", "--markers", "--mlgate-plan=p/plan.json", "--mlgate-config=easy.yaml"])
def test_options_in_the_environment_are_no_command_line_either(mixed: Desk, options: str) -> None:
    yesterday(mixed)
    code, said = session(mixed, "--mlgate-strict", PYTEST_ADDOPTS=options)
    assert code == (2 if "mlgate" in options else 3), said
    assert mixed.verdict["outcome"] in ("incomplete", "errored")


@pytest.mark.parametrize("setting", ["addopts = --mlgate-plan=p/plan.json", "addopts = --mlgate-config=easy.yaml"])
def test_what_is_wrong_with_the_settings_is_said_with_the_next_step(mixed: Desk, setting: str) -> None:
    mixed.write("pytest.ini", f"[pytest]\n{setting}\n")
    code, said = session(mixed)
    assert code == 2, said
    assert "pytest's settings set this option, and only the command line may" in said
    assert "take it out of addopts" in said


@pytest.mark.parametrize("option", ["--mlgate-plan=p/plan.json", "--mlgate-no-items"])
def test_a_plan_is_only_taken_from_the_gate_that_started_the_session(mixed: Desk, option: str) -> None:
    yesterday(mixed)
    code, said = session(mixed, option, "--mlgate-strict")
    assert code == 2, said
    assert "only `mlgate check` gives a session its plan" in said
    assert mixed.verdict["outcome"] == "incomplete"


HARMLESS = [
    *(
        "addopts = -ra -x --durations=3",
        "addopts = --strict-markers -p no:cacheprovider",
        "addopts = --lf",
        "addopts = -n 2",
    ),
    *("addopts = --mlgate-strict", "addopts = -p mlgate", "addopts = -p no:mlgate.pytest_plugin", "testpaths = tests"),
    *("addopts = --maxfail=1 --sw", "addopts = -p no:mlgate", "addopts = --version", "addopts = --setup-show"),
]


@pytest.mark.parametrize("setting", variants(HARMLESS, 5))
def test_settings_that_leave_nothing_out_are_judged(mixed: Desk, setting: str) -> None:
    mixed.write("pytest.ini", f"[pytest]\n{setting}\n")
    code, said = with_cache(mixed, CI="true")
    assert code == 0, said
    assert mixed.verdict["outcome"] == "passed"
    assert mixed.mlgate("check", "-n", "0").code == 0


@pytest.mark.parametrize("option", ["--help", "--markers", "-VV"])
def test_who_asks_about_pytest_itself_is_answered_in_ci_too(mixed: Desk, option: str) -> None:
    yesterday(mixed)
    code, said = session(mixed, option, CI="true")
    assert code == 0, said
    assert mixed.verdict["outcome"] == "passed"


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only", "--fixtures", "--cache-show", "--markers"])
def test_a_session_that_runs_no_tests_judges_nothing_at_a_desk(mixed: Desk, option: str) -> None:
    yesterday(mixed)
    code, said = with_cache(mixed, option)
    assert code == 0, said
    assert mixed.verdict["outcome"] == "passed"


def yesterday(desk: Desk) -> None:
    """Leave the verdict of a run that passed."""
    folder = RunFolder(desk.root / ".mlgate")
    with folder.held():
        folder.begin("the run has not ended")
        folder.conclude("passed", 0, "all rules hold", "0" * 64)


@pytest.mark.parametrize("env", [{}, {"MLGATE_CONFIG": "mlgate.yaml"}, {"CI": "true"}])
def test_mlgate_yml_is_the_gates_file_for_the_plugin_too(mixed: Desk, env: dict[str, str]) -> None:
    (mixed.root / "mlgate.yaml").rename(mixed.root / "mlgate.yml")
    code, said = session(mixed, **env)
    assert code == 0, said
    assert mixed.verdict["outcome"] == "passed"
    assert mixed.mlgate("check", "-n", "0").code == 0


def test_two_files_are_one_too_many_for_every_way_in(mixed: Desk) -> None:
    mixed.write("mlgate.yml", RECORDED)
    yesterday(mixed)
    code, said = session(mixed, "--mlgate-strict")
    assert code == 2, said
    assert "there are mlgate.yaml and mlgate.yml" in said
    assert mixed.verdict["outcome"] == "incomplete"
    assert mixed.mlgate("check").code == 2
    assert session(mixed, "--mlgate-strict", "--mlgate-config", "mlgate.yaml")[0] == 0


def test_below_pytests_root_the_file_may_be_called_yml(mixed: Desk) -> None:
    (mixed.root / "mlgate.yaml").rename(mixed.root / "mlgate.yml")
    mixed.write("pytest.ini", "[pytest]\n")
    done = subprocess.run(
        [*mixed.command(())[:1], "-m", "pytest", "-q", "-p", "mlgate", "-p", "no:cacheprovider", ".."],
        cwd=mixed.root / "tests",
        env=mixed.env(),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    assert mixed.verdict["outcome"] == "passed"


# --- another question under the same headline ---------------------------------------------------


def references(path: Path) -> str:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return "".join(json.dumps({"id": row["id"], "answer": f"{row['reference']}."}) + "\n" for row in rows)


def swapped(repository: Repository, rest: str = "") -> None:
    if rest:
        repository.git("checkout", "-q", "main")
        with (repository.root / "mlgate.yaml").open("a") as file:
            file.write(rest)
        repository.commit("ratchet")
        repository.git("checkout", "-qB", "change")
    repository.write("gold.jsonl", references(repository.root / "data.jsonl"))
    repository.edit("mlgate.yaml", "python: model:answer", "answers: gold.jsonl")
    repository.commit("swap")


def test_another_kind_of_model_is_a_warning_in_every_headline(repository: Repository) -> None:
    swapped(repository)
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 0
    assert repository.verdict["outcome"] == "warned"
    assert "not the question that the base asks: the model: python becomes answers" in repository.verdict["reason"]
    assert "WARNED" in done.out.splitlines()[0]
    assert "40 of 40 answers are the references" in " ".join(done.out.split())
    assert "not the question" in (repository.root / ".mlgate/junit.xml").read_text()
    assert "WARNED" in (repository.root / ".mlgate/summary.md").read_text().splitlines()[0]


def test_another_kind_of_model_meets_the_ratchet_unless_a_person_approves(repository: Repository) -> None:
    swapped(repository, "ratchet: refuse\n")
    assert repository.mlgate("check", "-n", "0", "--base", "main").code == 5
    approved = repository.mlgate("check", "-n", "0", "--base", "main", "--approve-policy")
    assert (approved.code, repository.verdict["outcome"]) == (0, "warned")


def test_answers_that_become_the_references_are_told(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "python: model:answer", "answers: said.jsonl")
    gold = references(repository.root / "data.jsonl").splitlines()
    own = [json.dumps({**json.loads(line), "answer": json.loads(line)["answer"] + " and so on"}) for line in gold]
    repository.write("said.jsonl", "\n".join(own) + "\n")
    repository.commit("answers")
    repository.git("checkout", "-qB", "change")
    assert repository.mlgate("check", "-n", "0", "--base", "main").code == 0
    assert repository.verdict["outcome"] == "passed"
    repository.write("said.jsonl", "\n".join([*gold[:-1], own[-1]]) + "\n")
    repository.commit("gold")
    assert repository.mlgate("check", "-n", "0", "--base", "main").code == 0
    assert repository.verdict["outcome"] == "warned"
    assert "39 of 40 answers are the references" in repository.verdict["reason"]


def gold_later(repository: Repository) -> None:
    """Answers that are not here before the run: only the evidence shows that they are the references."""
    own = references(repository.root / "data.jsonl")
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "python: model:answer", "answers: said.jsonl")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("ratchet: refuse\n")
    repository.write(".git/info/exclude", "said.jsonl\n")
    repository.commit("answers")
    repository.git("checkout", "-qB", "change")
    repository.write("said.jsonl", own)
    assert repository.mlgate("check", "-n", "0", "--base", "none").code == 0
    (repository.root / "said.jsonl").unlink()


def test_what_only_the_evidence_shows_meets_the_ratchet_unless_a_person_approves(repository: Repository) -> None:
    gold_later(repository)
    done = repository.mlgate("replay", "--base", "main")
    assert done.code == 5, done.out
    assert "40 of 40 answers are the references" in " ".join(done.err.split())
    approved = repository.mlgate("replay", "--base", "main", "--approve-policy")
    assert approved.code == 0, approved.err
    assert "WARNED" in approved.out.splitlines()[0]


def test_answers_of_ones_own_meet_no_ratchet(repository: Repository) -> None:
    gold_later(repository)
    rows = [json.loads(line) for line in references(repository.root / "data.jsonl").splitlines()]
    own = "".join(json.dumps({**row, "answer": row["answer"] + " and so on"}) + "\n" for row in rows)
    repository.write("said.jsonl", own)
    assert repository.mlgate("check", "-n", "0", "--base", "none").code == 0
    (repository.root / "said.jsonl").unlink()
    assert repository.mlgate("replay", "--base", "main").code == 0
