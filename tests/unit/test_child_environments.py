"""The suite's own promise: a test's child process sees what the test names, never what the suite happens to hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.child_environment import PASSED_ON, child_environment

TESTS = Path(__file__).parents[1]
WHOLE = {"child_environment.py", "conftest.py"}
"""The two files that may look at the whole of it: the one chooses from it, the other puts it back."""
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
