"""Our rules over our own workflows, actions and examples: what no linter knows."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator

import click
import pytest
from tests.workflows import files, rules_promise, rules_scripts, rules_shape, rules_trust, tables
from tests.workflows.files import Document

from mlgate.cli.group import VERBS, group

DOCUMENTS = files.everything()
CODE = ("action", "gate/mlgate/wiring", "gate/mlgate/adapters")
"""Where a variable may be read that is no option of the command line."""
RULES: list[Callable[[Document], Iterator[str]]] = [
    *rules_trust.RULES,
    *rules_shape.RULES,
    rules_scripts.of_document,
    rules_promise.inputs_are_used,
]


def verbs() -> dict[str, set[str]]:
    """Each verb's environment variables, as click knows them."""
    found: dict[str, set[str]] = {}
    for verb in VERBS:
        command = group.get_command(click.Context(group), verb)
        assert command is not None
        names = [p.envvar for p in command.params if p.envvar]
        found[verb] = {n for name in names for n in ([name] if isinstance(name, str) else name)}
    return found


def document(path: str) -> Document:
    return next(d for d in DOCUMENTS if d.path == path)


@pytest.mark.parametrize("path", [d.path for d in DOCUMENTS])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_holds(rule: Callable[[Document], Iterator[str]], path: str) -> None:
    faults = list(rule(document(path)))
    assert not faults, "\n".join(faults)


def test_scripts_hold_the_rules_too() -> None:
    faults: list[str] = []
    for path in files.scripts():
        name, text = path.relative_to(files.ROOT).as_posix(), path.read_text()
        faults += [*rules_scripts.of_shell(name, text), *rules_scripts.silences_nothing(name, text)]
    for path in (files.ROOT / "action").rglob("*.py"):
        faults += rules_scripts.python_installs_are_locked(path.name, path.read_text())
    assert not faults, "\n".join(faults)


def test_no_code_reads_input_variables() -> None:
    faults: list[str] = []
    for folder in ("gate", "action"):
        for path in (files.ROOT / folder).rglob("*.py"):
            faults += rules_scripts.reads_no_input_variables(path.name, path.read_text())
    assert not faults, "\n".join(faults)


def test_the_root_action_is_the_gate() -> None:
    faults = list(rules_promise.the_root_is_the_gate(document("action.yml"), document("action/gate/action.yml")))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", [d.path for d in DOCUMENTS if d.is_action])
def test_an_actions_inputs_reach_the_command_line(path: str) -> None:
    action = document(path)
    code = "".join(p.read_text() for folder in CODE for p in (files.ROOT / folder).rglob("*.py"))
    faults = [
        *rules_promise.inputs_reach_one_variable(action),
        *rules_promise.variables_are_read(action, verbs(), code),
    ]
    assert not faults, "\n".join(faults)


def test_an_input_has_one_variable_and_one_meaning_in_all_actions() -> None:
    """`config` is MLGATE_CONFIG everywhere, with one description and one default."""
    seen: dict[str, tuple[object, ...]] = {}
    for action in (d for d in DOCUMENTS if d.is_action):
        variables = {
            e[1]: v
            for v, x in rules_promise.environment(action).items()
            if (e := rules_promise.EXPRESSION.fullmatch(x))
        }
        for name, about in action.inputs.items():
            if (action.path, name) in tables.OWN_MEANING:
                continue
            meaning = (variables.get(name), about.get("default"), about.get("description"))
            assert seen.setdefault(name, meaning) == meaning, f"{action.path}: {name}"


def test_the_keys_of_mlflow_reach_the_one_step_that_judges() -> None:
    """No job that runs a line of a change sees them, and of the job that judges no other step."""
    given = {
        (d.path, job, str(step.data.get("name")))
        for d in DOCUMENTS
        for job in d.jobs
        for step in d.steps_of(job)
        if re.search(r"secrets\.mlflow|MLFLOW_", json.dumps(step.data))
    }
    assert given == tables.ONE_STEP
    assert not [d.path for d in DOCUMENTS if not d.is_example and "MLFLOW_" in json.dumps(d.data.get("env", ""))]


def test_the_job_s_token_reaches_no_step_that_runs_a_line_of_a_change() -> None:
    """Who kept the baseline is for the judge to ask: a model that had the token could ask for other things."""
    asking = {path for path, _, _ in tables.ASKS_GITHUB}
    given = {
        (d.path, job, str(step.data.get("name")))
        for d in DOCUMENTS
        for job in d.jobs
        for step in d.steps_of(job)
        if d.path in asking and re.search(r"github\.token|secrets\.GITHUB_TOKEN", json.dumps(step.data))
    }
    assert given == tables.ASKS_GITHUB
    for path in ("action.yml", "action/gate/action.yml", "action/merge/action.yml"):
        assert document(path).inputs["github-token"]["default"] == ""


@pytest.mark.parametrize("path", [d.path for d in DOCUMENTS if d.is_example])
def test_an_example_names_what_exists(path: str) -> None:
    ours = rules_promise.by_path([d for d in DOCUMENTS if not d.is_example])
    faults = list(rules_promise.examples_name_what_exists(document(path), ours))
    assert not faults, "\n".join(faults)


def test_all_pins_of_one_action_are_the_same_commit() -> None:
    """Two versions of one action are two things to review."""
    refs: dict[str, set[str]] = {}
    for d in DOCUMENTS:
        for line in re.findall(r"uses:\s*(\S+@[0-9a-f]{40} # \S+)", d.text):
            refs.setdefault("/".join(line.split("@")[0].split("/")[:2]), set()).add(line.split("@", 1)[1])
    assert {name: found for name, found in refs.items() if len(found) > 1} == {}


def test_the_tables_name_only_what_is_there() -> None:
    """A row that is left behind would let a new job of that name in unseen."""
    there = {(d.path, job) for d in DOCUMENTS for job in d.jobs}
    assert {(path, job) for path, jobs in tables.PERMISSIONS.items() for job in jobs} - there == set()
    texts = {d.path: d.text for d in DOCUMENTS}
    assert {row for row in tables.ACCEPTED if row[1] not in texts.get(row[0], "")} == set()
    assert set(tables.ONE_AFTER_THE_OTHER) - set(texts) == set()
    assert {row for row in tables.OUTSIDE_ENVIRONMENTS if row[2] not in texts.get(row[0], "")} == set()
    assert {row for row in tables.OWN_MEANING if row[1] not in document(row[0]).inputs} == set()


def test_a_job_that_fetches_an_image_hands_its_file_to_the_gate() -> None:
    """The gate looks the baseline up first, and takes the image in without its names."""
    gate = document(".github/workflows/gate.yml")
    fetching = 0
    for name in gate.jobs:
        steps = gate.steps_of(name)
        if not any("download-artifact" in step.uses and "image" in step.inputs.get("name", "") for step in steps):
            continue
        fetching += 1
        (observe,) = [step for step in steps if step.uses.endswith("action/gate")]
        assert "mlgate-image/image.tar" in observe.inputs["image-archive"]
        assert not any("docker" in step.run for step in steps)
    assert fetching == 2


@pytest.mark.parametrize(("given", "code"), [("a" * 64, 0), ("", 1), ("a" * 63, 1), (f"{'a' * 64}\nx", 1)])
def test_a_deploy_without_the_reports_digest_would_take_any_report_and_ends_at_once(given: str, code: int) -> None:
    """An output of another job is empty where its name is misspelt, or where GitHub takes it for a secret."""
    first = document(".github/workflows/deploy.yml").steps_of("deploy")[0]
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", first.run]
    assert subprocess.run(words, env={"VERDICT": given}, check=False).returncode == code
