"""`mlgate --help` feels instant because it imports nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

HEAVY = {
    "pydantic", "sacrebleu", "numpy", "mlflow", "docker", "pytest", "_pytest", "xdist", "rouge_score", "nltk",
    "rapidfuzz", "urllib3", "yaml", "pyarrow", "datasets", "hypothesis",
}  # fmt: skip
ROOMS = {"mlgate", "mlgate.cli", "mlgate.cli.group", "mlgate.core", "mlgate.core.errors"}


def modules_after(code: str) -> set[str]:
    script = f"import json, sys\n{code}\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True, env=child_environment()
    )
    return set(json.loads(done.stderr))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    found = modules_after(f"from mlgate.cli.group import invoke\ninvoke({arguments!r})")
    assert not {name.partition(".")[0] for name in found} & HEAVY
    assert {name for name in found if name.partition(".")[0] == "mlgate"} == ROOMS


def test_the_core_imports_nothing_outside_but_numpy() -> None:
    before = modules_after("import numpy, statistics")
    core = sorted(path.stem for path in Path("gate/mlgate/core").resolve().glob("*.py")) or ["check"]
    found = modules_after(
        "import numpy, statistics\n" + "\n".join(f"import mlgate.core.{name}" for name in core if name != "__init__")
    )
    extra = {name.partition(".")[0] for name in found - before} - {"mlgate", "numpy"} - set(sys.stdlib_module_names)
    assert extra == set()


def test_the_package_itself_imports_nothing_until_pytest_asks() -> None:
    assert "mlgate.pytest_plugin" not in modules_after("import mlgate")
