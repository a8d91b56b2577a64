"""Timed load in the reports for people."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.support.load_samples import ALL, late, load, noisy, slower, streaming, times
from tests.support.samples import passing

from mlgate.core.outcome import Outcome
from mlgate.core.report import LoadSummary, Report
from mlgate.core.stats.jackknife import Width
from mlgate.reports.content import text_width
from mlgate.reports.content.histogram import bar, columns_of, histogram, ticks
from mlgate.reports.content.next_steps import next_steps
from mlgate.reports.content.numbers import figures_of
from mlgate.reports.markdown import report as markdown
from mlgate.reports.terminal import report as terminal


def section(report: Report, width: int = 80) -> list[str]:
    text = terminal.render(report, width=width)
    return text[text.index("LATENCY") :].split("\n\nNEXT")[0].splitlines()


def with_load(report: Report, **changes: object) -> Report:
    return replace(report, loads=(replace(report.loads[0], **changes),))  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_a_load_fits_every_terminal(name: str, width: int) -> None:
    assert max(map(text_width.width, section(ALL[name](), width))) <= width


def test_a_percentile_carries_the_mark_of_its_rules() -> None:
    lines = section(slower())
    assert any(line.startswith("✗  p95 ") and "+10.6%" in line for line in lines)
    assert any(line.startswith("✓  p50 ") for line in lines)
    assert any(line.startswith("   p99 ") for line in lines)


def test_a_streams_times_stand_under_their_clock() -> None:
    lines = [line.strip() for line in section(streaming())]
    first, between = lines.index("to the first token"), lines.index("between tokens")
    assert between - first == 3
    assert lines[first + 2].startswith("✓  p95")


def test_a_baseline_that_was_not_asked_has_no_columns() -> None:
    assert not any("baseline" in line for line in section(late()))
    assert "baseline" not in markdown.render(late()).split("#### Latency")[1].split("</details>")[0]


def test_a_flaw_stands_before_the_numbers_and_is_told_once() -> None:
    lines = section(late())
    flaw = lines.index("⊘ no time of it is judged, for the reason above")
    assert flaw < next(index for index, line in enumerate(lines) if "p50" in line)
    alone = "\n".join(section(replace(late(), findings=())))
    assert "? no time of it is judged: the generator, not the model," in alone


def test_what_is_not_known_is_not_said() -> None:
    text = "\n".join(section(with_load(slower(), noise=math.nan, warm=0, late=0, generator=math.nan)))
    assert "noise" not in text
    assert "generator: 0.06 ms late (p99)\n" in text
    assert "warm-up" not in text


def test_one_look_is_not_counted_and_an_end_between_looks_is_told() -> None:
    assert "look" not in "".join(section(with_load(slower(), look=1, looks=1)))
    assert "between looks" in "\n".join(section(with_load(slower(), look=0)))


def test_many_loads_are_counted() -> None:
    many = replace(slower(), loads=slower().loads * 30)
    assert "and 25 more loads" in terminal.render(many)
    assert "and 20 more loads" in markdown.render(many)


def test_many_facts_of_a_start_are_cut() -> None:
    facts = tuple((f"probe.{number}", "x" * 500) for number in range(300))
    assert len(section(with_load(slower(), facts=facts))) < 25


def test_no_load_no_section() -> None:
    assert "LATENCY" not in terminal.render(passing())
    assert "Latency" not in markdown.render(passing())


def test_a_change_of_times_is_in_percent_with_and_without_a_rule() -> None:
    shown = {f.measured.name: (f.change, f.change_interval) for f in figures_of(slower())}
    assert shown["p95_ms"] == ("+10.6%", "[+8.4%, +12.9%]")
    assert shown["p99_ms"] == ("+13.8%", "")
    assert shown["error_rate"] == ("+0.0000", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"counts": ()},
        {"edges_ms": ()},
        {"counts": (0,) * 24},
        {"counts": (-1,) + (1,) * 23},
        {"edges_ms": (math.nan,) * 25},
        {"edges_ms": (1.0,) * 25},
        {"edges_ms": tuple(float(25 - number) for number in range(25))},
        {"edges_ms": tuple(float(number) for number in range(25))},
        {"edges_ms": tuple(1 + number * 2.3e-16 for number in range(25))},
    ],
)
def test_a_histogram_that_cannot_be_is_left_out(changes: dict[str, object]) -> None:
    report = with_load(slower(), **changes)
    assert histogram(report.loads[0], 80) is None
    assert "█" not in terminal.render(report)
    assert "█" not in markdown.render(report)


def test_joined_bins_keep_every_request() -> None:
    one: LoadSummary = slower().loads[0]
    shown = histogram(one, 7)
    assert shown
    assert len(shown.candidate) == len(shown.baseline) == 6
    assert len(shown.edges) == 7
    assert (shown.edges[0], shown.edges[-1]) == (one.edges_ms[0], one.edges_ms[-1])
    assert sum(shown.candidate) == pytest.approx(1)


def test_a_single_slow_request_is_seen() -> None:
    assert columns_of([0.9, 0.0, 0.0001], 0.9, 2, 1) == ["█", "█ ▁"]
    assert columns_of([0.5, 0.25], 1.0, 2, 2) == ["", "██▄▄"]
    assert (bar(0.0001, 1, 10), bar(0, 1, 10), bar(0.25, 1, 10)) == ("▏", "", "██▌")


@pytest.mark.parametrize(("median", "spread"), [(40, 0.3), (40, 0.001), (0.02, 0.1), (9_000, 1.2), (100, 0.05)])
def test_every_axis_has_ticks_to_read_it_by(median: float, spread: float) -> None:
    shown = histogram(load(times(median, spread, 500, 0), ()), 24)
    assert shown
    found = list(ticks(shown))
    assert 3 <= len(found) <= 20
    assert [time for time, _ in found] == sorted(time for time, _ in found)
    assert all(0 <= shown.place(time) <= 24 for time, _ in found)


def test_noise_asks_for_rounds_and_a_late_generator_for_a_lower_rate() -> None:
    assert next_steps(noisy())[0].do == "a longer budget for speed"
    assert next_steps(late())[0].do == "a lower rate for speed"


def test_a_check_without_a_budget_is_not_told_to_make_it_longer() -> None:
    first = next_steps(with_load(noisy(), look=1, looks=1))[0]
    assert first.do == "more time for speed"
    assert "a longer duration, or a budget" in first.why


def test_a_generator_that_was_held_up_by_others_asks_for_a_calmer_machine() -> None:
    idle = with_load(late(), generator=0.02)
    assert next_steps(idle)[0].do == "a calmer machine for speed"
    assert not any("rate" in step.do for step in next_steps(idle))


def test_a_check_that_was_decided_early_needs_no_longer_budget() -> None:
    early = with_load(noisy(), rounds=30)
    assert not any("budget" in step.do for step in next_steps(early))


def test_what_is_open_or_may_be_chance_names_the_command_that_has_the_numbers() -> None:
    opened, failed = next_steps(noisy()), next_steps(slower())
    assert "mlgate power" in [step.do for step in opened]
    assert [step.do for step in failed][:2] == ["mlgate check", "mlgate power"]
    assert not any(step.do == "mlgate power" for step in next_steps(late()))  # nothing was compared


def test_a_rule_is_named_beside_its_place() -> None:
    places = [step.why for step in next_steps(slower()) if step.do.startswith("mlgate.yaml")]
    assert places == ["the rule speed/p95_ms max_rise 5%"]


def test_what_latency_shows_is_not_repeated_under_measured() -> None:
    measured = terminal.render(slower()).split("LATENCY")[0].split("MEASURED")[1]
    assert "error_rate" in measured
    assert "p95_ms" not in measured
    assert "Measured" not in markdown.render(noisy())
    unseen = with_load(slower(), percentiles=())
    assert "p95_ms" in terminal.render(unseen).split("LATENCY")[0].split("MEASURED")[1]


def test_the_rounds_say_what_they_were_for() -> None:
    said = " ".join(" ".join(section(slower())).split())
    assert "30 of 60 rounds (26 judged, 3 warm-up, 1 sent late)" in said
    assert "30 of 60 rounds (3 warm-up, 9 sent late)" in " ".join(" ".join(section(late())).split())


def test_a_judged_change_has_one_interval_in_the_whole_report() -> None:
    p95 = slower().findings[0]
    assert p95.delta
    early = replace(p95.delta, alone=Width(0.08))
    report = replace(slower(), findings=(replace(p95, delta=early), *slower().findings[1:]))
    text = terminal.render(report)
    assert text.count("[+2.1%, +19.8%]") == 1
    assert "[+8.4%, +12.9%]" not in text


def test_no_example_is_behind_a_time() -> None:
    for report in (slower(), noisy(), late()):
        assert not any(step.do.startswith("mlgate explain") for step in next_steps(report))


def test_a_stored_baseline_is_told_how_to_be_asked_beside() -> None:
    finding = replace(slower().findings[0], topic="stored-baseline", outcome=Outcome.WARNED, delta=None)
    report = replace(slower(), findings=(finding,))
    assert next_steps(report)[0].do == "baseline: {from: image}"
    assert "63.28" in terminal.render(report)
