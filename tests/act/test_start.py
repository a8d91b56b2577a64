"""What sets mlgate up: never with a module that a change put into its tree, never a fork's code where it would stay."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.act.runner import ROOT
from tests.support.child_environment import TO_THE_INDEX, child_environment, only
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.needs_act

START = ROOT / "action/start.py"
MARK = "import os, pathlib; pathlib.Path(os.environ['MARK']).write_text(__name__); raise SystemExit(0)\n"
MODULES = ("venv", "pip", "json", "click", "mlgate", "sitecustomize", "usercustomize", "rouge_score", "setuptools")


def start(*arguments: str, workspace: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(START), *arguments],
        cwd=workspace,
        env={**child_environment(), **only(TO_THE_INDEX), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_no_module_of_the_workspace_runs_in_our_process(tmp_path: Path) -> None:
    workspace, mark = tmp_path / "tree", tmp_path / "ran"
    workspace.mkdir()
    for name in MODULES:
        (workspace / f"{name}.py").write_text(MARK)
    about = {"MLGATE_HOME": str(tmp_path / "home"), "MARK": str(mark)}
    done = start("setup", workspace=workspace, **about)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("mlgate ")
    assert "is set up in" in done.stdout
    asked = start("run", "--version", workspace=workspace, **about)
    assert asked.stdout.startswith("mlgate, version "), asked.stderr
    assert not mark.exists(), mark.read_text()


def test_every_child_of_the_set_up_is_isolated() -> None:
    for node in ast.walk(ast.parse(START.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        words = [one.value if isinstance(one, ast.Constant) else "" for one in node.args]
        if "-m" in words:
            assert "-I" in words[: words.index("-m")], ast.unparse(node)


@pytest.mark.parametrize(
    ("head", "allowed", "code"), [("stranger/model", "", 5), ("acme/model", "", 0), ("x/y", "true", 0)]
)
def test_a_forks_requirements_are_not_installed_where_they_would_stay(
    tmp_path: Path, head: str, allowed: str, code: int
) -> None:
    (tmp_path / "requirements.txt").write_text("")
    sides = {"head": {"repo": {"full_name": head}}, "base": {"repo": {"full_name": "acme/model"}}}
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": sides}))
    words = "import start, sys; sys.argv = ['start.py']; start.home().mkdir(); start.model()"
    done = subprocess.run(
        [sys.executable, "-c", words],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(START.parent),
            "MLGATE_HOME": str(tmp_path / "home"),
            "MLGATE_REQUIREMENTS": "requirements.txt",
            "MLGATE_ALLOW_FORKS": allowed,
            "RUNNER_ENVIRONMENT": "self-hosted",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("a fork's change on a self-hosted machine" in done.stdout) == bool(code)


ALONE = """\
import os, pathlib, sys
sys.argv = ["start.py"]
import start
start.home().mkdir()
"""
INSTALLS = """\
asks = "import os, sys; sys.exit(str([name for name in os.environ if name.startswith(sys.argv[1])]))"
start.call(sys.executable, "-c", asks, "MLFLOW_")
"""
RUNS = """\
start.python = lambda: pathlib.Path(sys.executable)
os.execv = lambda program, words: print(sorted(k for k in os.environ if k.startswith("MLFLOW_")))
start.run(["check"])
"""


def alone(words: str, tmp_path: Path, **environment: str) -> str:
    about = {"PATH": os.environ["PATH"], "PYTHONPATH": str(START.parent), "MLGATE_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", ALONE + words]
    done = subprocess.run(command, env={**about, **environment}, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_what_is_installed_never_sees_the_keys_of_mlflow(tmp_path: Path) -> None:
    said = alone(INSTALLS, tmp_path, MLFLOW_TRACKING_PASSWORD="secret", MLFLOW_TRACKING_TOKEN="")  # noqa: S106 - no real one
    assert "setting up failed: []" in said, said


def test_what_is_installed_never_sees_the_key_that_signs(tmp_path: Path) -> None:
    asks = INSTALLS.replace('"MLFLOW_"', '"MLGATE_KEY"')
    assert "setting up failed: []" in alone(asks, tmp_path, MLGATE_KEY="gate.key", MLGATE_KEY_PASSPHRASE="secret")  # noqa: S106 - no real one


def test_a_secret_that_is_not_set_is_no_variable(tmp_path: Path) -> None:
    said = alone(
        RUNS, tmp_path, MLFLOW_TRACKING_URI="", MLFLOW_TRACKING_INSECURE_TLS="", MLFLOW_TRACKING_USERNAME="ada"
    )
    assert said == "['MLFLOW_TRACKING_USERNAME']\n", said
