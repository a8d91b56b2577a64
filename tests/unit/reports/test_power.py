from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.samples import passing
from tests.unit.core.test_power import TIME, compared, finding

from mlgate.core.check import Check, Json, Suite
from mlgate.core.power import Foretold
from mlgate.core.statistics import Width
from mlgate.core.verdict import Delta, Finding
from mlgate.flow.power import foretell, silent
from mlgate.reports.power import render

LATENCY = Delta(0.4, Width(0.06), Width(0.08), base=40.0, rounds=60, error=0.03, by_request=True)


def of(*findings: Finding) -> list[Foretold]:
    """Foretell of findings of one report: of the check `c`, 60 rounds of two half seconds behind 4 to warm up."""
    check = Check("c", "latency", (), params={"block_s": 0.5, "warm": 4, "looks": [64]}, rounds=64)
    checks = [replace(check, id=name) for name in {each.check for each in findings}]
    return list(foretell(Suite.of(checks), replace(passing(), findings=findings)))


def test_a_table_says_what_would_let_harmless_changes_through() -> None:
    found = of(finding(compared(0.002)), finding(compared(0.01)), finding(LATENCY, 0.1, unit=TIME, relative=True))
    assert render(found, [], 80) == (
        "rule      margin  known to  pass  so that 95% pass\n"
        "c/rougeL  0.0100   ±0.0039  100%\n"
        "c/rougeL  0.0100   ±0.0196   17%  13,000 examples, or max_drop: 0.037\n"
        "c/p50_ms   10.0%     ±6.2%   88%  budget: 80s, or max_rise: 12%\n"
        "\n"
        "Of 100 changes that change nothing, about 15 would pass all of these\n"
        "comparisons. Most of the others are stopped by c/rougeL.\n"
    )


def test_a_run_that_is_started_over_has_the_budget_of_one_try() -> None:
    one = finding(LATENCY, 0.1, unit=TIME, relative=True)
    params: dict[str, Json] = {"block_s": 0.5, "warm": 4, "looks": [64]}
    once, twice = (
        next(iter(foretell(Suite.of([check]), replace(passing(), findings=(one,)))))
        for check in (
            Check("c", "latency", (), params=params, rounds=64),
            Check("c", "latency", (), params={**params, "once": 64}, rounds=128),
        )
    )
    assert once == twice
    assert once.budget_s == 80


@pytest.mark.parametrize("name", ["rate", "concurrency"])
@pytest.mark.parametrize(("within", "density"), [(1.0, 27), (0.9, 28), (0.1, 0)])
def test_a_denser_load_is_named_where_it_would_do(name: str, within: float, density: int) -> None:
    one = finding(replace(LATENCY, within=within), 0.1, unit=TIME, relative=True)
    check = Check("c", "latency", (), params={"block_s": 0.5, "warm": 4, "looks": [64], name: 20}, rounds=64)
    (told,) = foretell(Suite.of([check]), replace(passing(), findings=(one,)))
    assert (told.load, told.density) == ((name, density) if density else ("", 0))
    assert (f"{name}: {density}" in render([told], [], 80)) is bool(density)


def test_where_the_page_is_narrow_the_advice_has_lines_of_its_own() -> None:
    text = render(of(finding(compared(0.01))), [], 50)
    assert max(map(len, text.splitlines())) <= 60
    assert "c/rougeL: 13,000 examples, or max_drop: 0.037" in text


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_cannot_be_foretold_is_no_number(bad: float) -> None:
    lost = finding(replace(compared(0.01), alone=Width(bad), error=bad))
    text = render(of(lost, finding(compared(0.002))), [], 80)
    assert "?" in text
    assert "nothing can be foretold" in text


def test_a_name_from_outside_reaches_the_terminal_escaped() -> None:
    hostile = replace(finding(compared(0.002)), check="c\x1b[2J")
    text = render(of(hostile), [], 80)
    assert "\x1b" not in text


def test_a_margin_of_zero_has_no_number_of_examples() -> None:
    text = render(of(finding(compared(0.002), 0.0)), [], 80)
    assert "examples" not in text
    assert "max_drop" in text


def test_a_comparison_that_the_run_did_not_make_is_named() -> None:
    lost = replace(finding(LATENCY, unit=TIME), delta=None)
    told = list(silent(replace(passing(), findings=(finding(compared(0.002)), lost))))
    assert told == ["c/p50_ms"]
    assert "did not compare c/p50_ms" in render(of(finding(compared(0.002))), told, 80)


def test_nothing_to_compare_says_what_to_write() -> None:
    assert "write max_drop or max_rise" in render([], [], 80)
