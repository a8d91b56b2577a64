"""What is printed at a desk runs as it stands, and what is typed wrongly is told."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest
from tests.e2e.desk import Desk
from tests.support.child_environment import child_environment


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("chek", "mlgate check"),
        ("Check", "mlgate check"),
        ("run", "mlgate check"),
        ("doctr", "mlgate doctor"),
        ("validate", "mlgate doctor"),
        ("help", "mlgate --help"),
        ("version", "mlgate --version"),
    ],
)
def test_a_verb_that_there_is_not_names_the_one_that_is_meant(desk: Desk, typed: str, meant: str) -> None:
    done = desk.mlgate(typed)
    assert done.code == 2
    assert f"next: run `{meant}`" in done.err


def test_a_wrong_option_leads_to_the_help_of_its_verb(desk: Desk) -> None:
    done = desk.mlgate("check", "--confg", "x")
    assert done.code == 2
    assert "mlgate check --help" in done.err


def test_python_runs_the_package() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlgate", "--version"],
        capture_output=True,
        check=True,
        text=True,
        env=child_environment(),
    )
    assert done.stdout.startswith("mlgate, version ")


@pytest.mark.parametrize("output", ["", "some where"])
def test_every_command_that_is_printed_runs_as_it_stands(desk: Desk, output: str) -> None:
    desk.project(n=12)
    (desk.root / "mlgate.yaml").rename(desk.root / "my gate.yaml")
    desk.write("my gate.yaml", (desk.root / "my gate.yaml").read_text().replace("min: 0.2", "min: 0.99"))
    done = desk.mlgate("check", "-n", "0", "-c", "my gate.yaml", *(["-o", output] if output else []))
    assert done.code == 1
    commands = [line.partition("  ")[0] for line in done.out.splitlines() if line.startswith("mlgate ")]
    assert any(command.startswith("mlgate explain") for command in commands)
    for command in commands:
        again = desk.mlgate(*shlex.split(command)[1:])
        assert again.code in (0, 1), f"{command}: {again.err}"


ENDPOINT = (
    "{endpoint: {url: 'http://127.0.0.1:9', protocol: json, request: '{input}', answer: a, "
    "headers: {A: {env: NOT_SET_1}, B: {env: NOT_SET_2}}}}"
)
FUNCTION = "{python: {target: 'model:answer', env: [NOT_SET_1, NOT_SET_2]}}"


@pytest.mark.parametrize("written", [ENDPOINT, FUNCTION])
def test_variables_that_are_not_set_are_told_all_at_once_before_anything_is_asked(desk: Desk, written: str) -> None:
    desk.project(n=3)
    desk.write("model.py", "import pathlib\npathlib.Path('asked').touch()\n\ndef answer(text):\n    return text\n")
    text = (desk.root / "mlgate.yaml").read_text()
    before, _, after = text.partition("model:")
    desk.write("mlgate.yaml", f"{before}model: {written}\n{after[after.index('checks:') :]}")
    done = desk.mlgate("check")
    assert done.code == 2
    for name in ("NOT_SET_1", "NOT_SET_2"):
        assert (
            f"mlgate.yaml:2:{1 + f'model: {written}'.index(name)}: the environment variable {name} is not set"
            in done.err
        )
        assert f"export {name}=" in done.err
    assert not (desk.root / "asked").exists()
    assert json.loads((desk.root / ".mlgate/verdict.json").read_text())["exit_code"] == 2


def test_an_older_verdict_needs_no_variable_to_be_judged_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project(n=12)
    text = (
        (desk.root / "mlgate.yaml")
        .read_text()
        .replace("python: model:answer", "python: {target: model:answer, env: [SET_ONCE]}")
    )
    desk.write("mlgate.yaml", text)
    monkeypatch.setenv("SET_ONCE", "1")
    assert desk.mlgate("check", "-n", "0").code == 0
    monkeypatch.delenv("SET_ONCE")
    assert desk.mlgate("replay").code == 0


def test_a_cause_that_stays_is_not_asked_again(desk: Desk) -> None:
    desk.project(n=3)
    desk.write("model.py", "def answer(text):\n    return text + 1\n")
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 3
    assert "--resume" not in done.out
    assert "mlgate check " in done.out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--metric=nix"], "no check measures nix"),
        (["--check=nix"], "no check is called nix"),
        (["--check=notes", "--metric=nix"], "notes does not measure nix"),
    ],
)
def test_what_cannot_be_explained_is_told_in_one_sentence(desk: Desk, asked: list[str], said: str) -> None:
    desk.project(n=3)
    assert desk.mlgate("check", "-n", "0").code == 0
    done = desk.mlgate("explain", *asked)
    assert done.code == 2
    assert said in done.err
