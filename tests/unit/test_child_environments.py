"""The suite's own promise: a test's child process sees what the test names, never what the suite happens to hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from tests.conftest import STEERS
from tests.support.child_environment import PASSED_ON, child_environment

TESTS = Path(__file__).parents[1]
WHOLE = {"child_environment.py", "conftest.py", "mlflow_writers.py"}
"""Who may look at the whole of it. The first chooses from it, the second puts it back, and the writers are
processes of `multiprocessing`, which replace their own by what they were given."""
STARTS = {"run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput"}
NEVER = {"system", "popen", "execv", "execvp", "execl", "execlp", "spawnv", "spawnvp", "spawnl", "spawnlp", "putenv"}
"""Functions of `os` that pass everything on: here nobody needs them."""


def faults(source: str, name: str) -> Iterator[str]:
    """Yield each place of a file that starts a process without naming its environment, or passes this one's on."""
    tree = ast.parse(source)
    single = {id(node) for parent in ast.walk(tree) for node in _of_one_name(parent)}
    for node in ast.walk(tree):
        place = f"{name}:{getattr(node, 'lineno', 0)}"
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="subprocess"), attr=attr)) if attr in STARTS:
                given = [one.value for one in node.keywords if one.arg == "env"]
                if not given or (isinstance(given[0], ast.Constant) and given[0].value is None):
                    yield f"{place}: starts a process and names no environment: env=child_environment(…)"
            case ast.Call(func=ast.Attribute(attr="create_subprocess_exec" | "create_subprocess_shell")):
                yield f"{place}: starts a process past `subprocess`"
            case ast.Attribute(value=ast.Name(id="os"), attr=attr) if attr in NEVER:
                yield f"{place}: os.{attr} passes everything on"
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb") if id(node) not in single:
                yield f"{place}: takes the whole of os.environ: child_environment(…) has what a child may see"
            case ast.ImportFrom(module="os" | "subprocess", names=names):
                for one in names:
                    if one.name in {"environ", *STARTS, *NEVER}:
                        yield f"{place}: write {node.module}.{one.name}, so that this test sees it"
            case _:
                pass


def _of_one_name(parent: ast.AST) -> Iterator[ast.AST]:
    """Yield the `os.environ` of an expression that asks for one variable."""
    match parent:
        case ast.Subscript(value=value, ctx=ast.Load()):
            yield value
        case ast.Attribute(value=value, attr="get"):
            yield value
        case ast.Compare(comparators=[value], ops=[ast.In() | ast.NotIn()]):
            yield value
        case _:
            pass


def test_every_child_of_a_test_gets_an_environment_that_the_test_names() -> None:
    found = [
        fault
        for path in sorted(TESTS.rglob("*.py"))
        if path.name not in WHOLE and "doubles" not in path.parts  # scripts of jobs, which act starts
        for fault in faults(path.read_text(), str(path.relative_to(TESTS.parent)))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "subprocess.run(['x'])",
        "subprocess.Popen(['x'], env=None)",
        "subprocess.check_output(['x'], cwd='y')",
        "subprocess.run(['x'], env={**os.environ, 'A': 'b'})",
        "subprocess.run(['x'], env=os.environ | {})",
        "subprocess.run(['x'], env=dict(os.environ))",
        "subprocess.run(['x'], env={k: v for k, v in os.environ.items() if k != 'A'})",
        "subprocess.run(['x'], env=os.environ.copy())",
        "start(folder, os.environ)",
        "os.environ['A'] = 'b'",
        "os.environ.update(a)",
        "os.system('x')",
        "asyncio.create_subprocess_exec('x', env={})",
        "from os import environ",
        "from subprocess import run",
    ],
)
def test_a_place_that_passes_the_suites_environment_on_is_found(code: str) -> None:
    assert list(faults(code, "x.py"))


@pytest.mark.parametrize(
    "code",
    [
        "subprocess.run(['x'], env=child_environment(A='b'))",
        "subprocess.Popen(['x'], env=env, **options)",
        "os.environ['A']",
        "os.environ.get('A', '')",
        "'A' in os.environ",
    ],
)
def test_a_named_environment_and_a_single_variable_are_fine(code: str) -> None:
    assert not list(faults(code, "x.py"))


def test_a_child_sees_the_machine_and_what_is_named_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_MLFLOW_TELEMETRY_SESSION_ID", "left by an import")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("PATH", "/somewhere")
    found = child_environment(MODEL_NAME="t")
    assert (found["PATH"], found["MODEL_NAME"]) == ("/somewhere", "t")
    assert not {"_MLFLOW_TELEMETRY_SESSION_ID", "GITHUB_ACTIONS"} & found.keys()
    assert not any(name.startswith(("MLGATE", "MLFLOW", "GIT", "PYTEST")) for name in PASSED_ON)


def test_what_a_test_or_an_import_leaves_in_the_environment_the_next_one_does_not_find(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_bytes((TESTS / "conftest.py").read_bytes())
    (tmp_path / "test_it.py").write_text(
        "import os\n"
        "os.environ['_MLFLOW_TELEMETRY_SESSION_ID'] = 'of an import'\n\n"
        "def test_that_leaves_much():\n"
        "    os.environ.update(LEFT='x', HOME='/elsewhere')\n"
        "    del os.environ['LANG']\n\n"
        "def test_behind_it():\n"
        "    names = ('_MLFLOW_TELEMETRY_SESSION_ID', 'GITHUB_ACTIONS', 'CI', 'LEFT', 'HOME', 'LANG', 'MINE')\n"
        "    assert [os.environ.get(name) for name in names] == [None, None, None, None, '/home/me', 'C', 'y']\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    env = child_environment(GITHUB_ACTIONS="true", CI="true", HOME="/home/me", LANG="C", MINE="y")
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_no_variable_that_mlgate_reads_reaches_a_test_from_outside() -> None:
    """A suite that CI runs has CI's variables, and a desk has a person's: both must see the same tests."""
    sources = (TESTS.parent / "gate").rglob("*.py")
    read = {name for path in sources for name in re.findall(r'environ(?:\.get\(|\[)"(\w+)"', path.read_text())}
    assert {"CI", "GITHUB_ACTIONS", "MLGATE_BASE"} <= read
    assert {name for name in read if not any(fnmatchcase(name, pattern) for pattern in STEERS)} == {"PATH"}
