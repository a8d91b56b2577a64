"""The suite's own promise: that a machine is busy fails no test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
WAITS = {"wait", "join", "communicate", "acquire", "run", "until"}


def faults(source: str, name: str) -> Iterator[str]:
    """Yield each place with a bound of its own: a number of seconds after which a wait fails, or a deadline."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        place = f"{name}:{node.lineno}"
        for one in node.keywords:
            if one.arg == "deadline":
                yield f"{place}: no example has a deadline: see tests/conftest.py"
            if one.arg == "suppress_health_check" and "too_slow" not in ast.dump(one.value):
                yield f"{place}: a busy machine is slow: suppress HealthCheck.too_slow, too"
            if one.arg == "timeout" and _is_a_second_or_more(one.value):
                yield f"{place}: write tests.support.waiting.PATIENCE for a time-out that must not be reached"
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in WAITS and any(map(_is_a_second_or_more, node.args)):
            yield f"{place}: write tests.support.waiting.PATIENCE for a wait that must not end by itself"


def _is_a_second_or_more(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and float(str(node.value)) >= 1


def test_no_wait_of_a_test_has_a_bound_of_its_own() -> None:
    found = [
        fault
        for path in sorted(TESTS.rglob("*.py"))
        if path.name != "conftest.py"
        for fault in faults(path.read_text(), str(path.relative_to(TESTS.parent)))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "run.communicate(timeout=60)",
        "event.wait(30)",
        "thread.join(5.0)",
        "urlopen(request, timeout=20)",
        "until(lambda: True, 30)",
        "settings(deadline=200)",
        "settings(suppress_health_check=[HealthCheck.filter_too_much])",
    ],
)
def test_a_bound_that_a_busy_machine_breaks_is_found(code: str) -> None:
    assert list(faults(code, "x.py"))


@pytest.mark.parametrize("code", ["run.communicate(timeout=PATIENCE)", "event.wait(0.01)", "'-'.join(parts)"])
def test_the_one_bound_and_a_pause_are_fine(code: str) -> None:
    assert not list(faults(code, "x.py"))
