"""A run that is killed at any moment, also while it still imports its libraries, leaves no older run's verdict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.e2e.desk import Desk
from tests.support.child_environment import child_environment

from mlgate.adapters.files.run_folder import RunFolder

HEAVY = (
    "pydantic",
    "pydantic_core",
    "numpy",
    "sacrebleu",
    "yaml",
    "urllib3",
    "mlflow",
    "mlgate.wiring",
    "mlgate.config",
)

KILLED_AT_THE_FIRST_HEAVY_IMPORT = """
import os, signal, sys

class Reaper:
    def find_spec(self, name, path=None, target=None):
        if name in {heavy!r}:
            os.kill(os.getpid(), signal.SIGKILL)

sys.meta_path.insert(0, Reaper())
"""
VERB = "from mlgate.cli import main\nmain({arguments!r})"
PYTEST = "import pytest\nsys.exit(pytest.main(['-p', 'mlgate', '-p', 'no:cacheprovider', *{arguments!r}]))"


def passed(folder: Path) -> Path:
    """Leave what a run that passed leaves."""
    yesterday = RunFolder(folder)
    with yesterday.held():
        yesterday.begin("the run has not ended")
        yesterday.write("report.json", "{}")
        yesterday.write("junit.xml", "<testsuites/>")
        yesterday.conclude("passed", 0, "all rules hold", "0" * 64)
    return folder


def outcome(folder: Path) -> str:
    return str(json.loads((folder / "verdict.json").read_text())["outcome"])


def killed(tmp_path: Path, body: str, arguments: list[str], env: Mapping[str, str] | None = None) -> int:
    script = KILLED_AT_THE_FIRST_HEAVY_IMPORT.format(heavy=HEAVY) + body.format(arguments=arguments)
    child = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**child, **(env or {})}, capture_output=True, check=False
    )
    return done.returncode


@pytest.mark.parametrize(
    ("arguments", "env", "folder"),
    [
        (["check"], {}, ".mlgate"),
        (["check", "-n", "0", "--output", "out"], {}, "out"),
        (["check", "-oout"], {}, "out"),
        (["check"], {"MLGATE_OUTPUT": "out"}, "out"),
        (["check", "-c", "sub/mlgate.yaml"], {}, "sub/.mlgate"),
        (["--debug", "check"], {"MLGATE_CONFIG": "sub/mlgate.yaml"}, "sub/.mlgate"),
        (["merge", "evidence-1of2.jsonl.gz"], {}, ".mlgate"),
        (["merge", "evidence-1of2.jsonl.gz", "--output=out"], {}, "out"),
    ],
)
def test_a_run_that_is_killed_at_its_first_heavy_import_leaves_no_older_verdict(
    tmp_path: Path, arguments: list[str], env: dict[str, str], folder: str
) -> None:
    (tmp_path / "sub").mkdir()
    left = passed(tmp_path / folder)
    assert killed(tmp_path, VERB, arguments, env) == -signal.SIGKILL
    assert outcome(left) == "incomplete"
    assert not (left / "report.json").exists()
    assert not (left / "junit.xml").exists()


def test_a_pytest_session_that_is_killed_at_its_first_heavy_import_leaves_no_older_verdict(tmp_path: Path) -> None:
    left = passed(tmp_path / ".mlgate")
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # other plug-ins import what they like, before anybody is asked
    assert killed(tmp_path, PYTEST, ["--mlgate-strict"], alone) == -signal.SIGKILL
    assert outcome(left) == "incomplete"


def test_a_conftest_that_ends_the_process_leaves_no_older_verdict(desk: Desk) -> None:
    desk.project()
    left = passed(desk.root / ".mlgate")
    desk.write("conftest.py", "import os\nos._exit(0)\n")
    script = "import sys\n" + PYTEST.format(arguments=[".", "--mlgate-strict"])
    subprocess.run(
        [sys.executable, "-c", script], cwd=desk.root, capture_output=True, check=True, env=child_environment()
    )
    assert outcome(left) == "incomplete"


@pytest.mark.parametrize("arguments", [["check", "--no-such-option"], ["check", "-n", "many"], ["merge"]])
def test_a_command_that_cannot_be_read_leaves_no_older_verdict(tmp_path: Path, arguments: list[str]) -> None:
    left = passed(tmp_path / ".mlgate")
    assert killed(tmp_path, VERB, arguments) == 2
    assert outcome(left) == "incomplete"


@pytest.mark.parametrize("arguments", [["check", "--help"], ["merge", "-o", ".mlgate", "--help"], ["--help"]])
def test_asking_for_help_unsays_nothing_and_imports_nothing(tmp_path: Path, arguments: list[str]) -> None:
    left = passed(tmp_path / ".mlgate")
    assert killed(tmp_path, VERB, arguments) == 0
    assert outcome(left) == "passed"


def test_a_second_run_at_once_leaves_the_first_ones_record_alone(tmp_path: Path) -> None:
    left = passed(tmp_path / ".mlgate")
    with RunFolder(left).held():
        assert killed(tmp_path, VERB, ["check"]) == 3
    assert outcome(left) == "passed"
    assert (left / "report.json").exists()


def test_a_link_in_the_folders_place_is_not_followed(tmp_path: Path) -> None:
    left = passed(tmp_path / "elsewhere")
    (tmp_path / ".mlgate").symlink_to(left)
    assert killed(tmp_path, VERB, ["check"]) == -signal.SIGKILL
    assert outcome(left) == "passed"


def test_evidence_that_is_to_be_merged_is_still_there_when_it_is_read(tmp_path: Path) -> None:
    left = passed(tmp_path / ".mlgate")
    (left / "evidence.jsonl.gz").write_bytes(b"what a run observed")
    assert killed(tmp_path, VERB, ["merge", ".mlgate/evidence.jsonl.gz"]) == -signal.SIGKILL
    assert (left / "evidence.jsonl.gz").read_bytes() == b"what a run observed"
