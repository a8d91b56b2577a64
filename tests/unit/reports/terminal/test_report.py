from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.samples import ALL, EVIL, errored, failing, inconclusive, passing, warned

from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.reports import annotations as github
from mlgate.reports import junit
from mlgate.reports.content import text_width
from mlgate.reports.content.next_steps import Desk, next_steps
from mlgate.reports.markdown import report as markdown
from mlgate.reports.terminal import report as terminal


@pytest.mark.parametrize("name", ALL)
def test_the_first_word_is_the_verdict(name: str) -> None:
    report = ALL[name]()
    assert terminal.render(report).split()[1] == report.outcome.name


def test_a_report_without_rules_says_so() -> None:
    text = terminal.render(replace(passing(), findings=()))
    assert text.startswith("? INCONCLUSIVE  no rule was judged")
    assert "write at least one rule" in text


def test_columns_of_wide_characters_stay_aligned() -> None:
    lines = text_width.table([["名前", "1"], ["a", "23"]], frozenset({1}))
    assert lines == ["名前   1", "a     23"]
    assert text_width.width("名前   1") == 8


def test_wide_text_is_cut_and_folded_by_columns() -> None:
    assert text_width.cut("挨拶の文", 6) == "挨拶…"
    assert text_width.wrap("挨拶の文を返します", 7) == ["挨拶の", "文を返", "します"]
    assert text_width.width("é" + "e\u0301") == 2


def test_folding_never_begins_a_line_with_a_command() -> None:
    for columns_ in range(5, 60):
        for line in text_width.wrap(f"word {'::a ' * 9}{':' * 70} x", columns_):
            assert not line.startswith("::")
            assert text_width.width(line) <= columns_


def test_many_findings_are_counted_not_printed() -> None:
    finding = failing().findings[0]
    text = terminal.render(replace(failing(), findings=(finding,) * 100_000))
    assert "and 99,988 more that did not pass" in text
    assert len(text) < 20_000


def test_the_worst_slices_come_first_and_the_rest_is_counted() -> None:
    report = failing()
    parts = [m for m in report.measurements if m.slice]
    many = tuple(replace(parts[0], slice=f"module=m{i}") for i in range(50))
    text = terminal.render(replace(report, measurements=(*many, *parts)))
    table = text[text.index("SLICES") :]
    assert table.splitlines()[2].startswith("✗  module=parser")
    assert "  and 44 more\n" in table


def test_a_number_without_end_does_not_break_the_table() -> None:
    measured = replace(passing().measurements[0], value=1e300, low=-1e300, high=1e300)
    assert "1e+300" in terminal.render(replace(passing(), measurements=(measured,)))


def test_missing_answers_are_named_only_when_there_are_some() -> None:
    assert "195 of 200 answered, 3 failed, 2 never asked" in terminal.render(errored())
    assert "MISSING" not in terminal.render(passing())


@pytest.mark.parametrize(
    ("report", "steps"),
    [
        (passing(), []),
        (
            failing(),
            ["mlgate explain --metric=rougeL", "mlgate.yaml:12:31", "mlgate.yaml:16:31", failing().findings[0].docs],
        ),
        (errored(), ["mlgate check --resume", errored().findings[0].docs]),
        (
            inconclusive(),
            ["mlgate power", "mlgate explain --metric=rougeL", "mlgate.yaml:12:31", inconclusive().findings[0].docs],
        ),
        (warned(), ["mlgate explain --check=speech --metric=wer", "mlgate.yaml:21:31", warned().findings[0].docs]),
    ],
)
def test_every_verdict_but_a_pass_says_what_to_do_next(report: Report, steps: list[str]) -> None:
    assert [step.do for step in next_steps(report)] == steps


def test_a_metrics_name_cannot_add_a_command_to_the_advice() -> None:
    finding = failing().findings[0]
    finding = replace(finding, rule=replace(finding.rule, metric="x; rm -rf $(id)"))
    assert next_steps(replace(failing(), findings=(finding,)))[0].do == "mlgate explain --metric='x; rm -rf $(id)'"


def test_texts_of_ten_megabytes_are_cut() -> None:
    long = EVIL * 30_000
    segment = replace(failing().segments[0], input=long, answer=long, example=long, references=(long,) * 50)
    finding = replace(failing().findings[0], why=long, outcome=Outcome.FAILED)
    report = replace(failing(), findings=(finding,) * 9, segments=(segment,) * 9, notices=(long,) * 99, model=long)
    assert len(terminal.render(report)) < 40_000


def test_a_missing_baseline_is_told_how_to_make_one() -> None:
    finding = replace(failing().findings[0], topic="no-baseline", baseline=None, delta=None)
    assert next_steps(replace(failing(), findings=(finding,)))[0].do == "mlgate check --save-baseline"


def test_a_run_that_becomes_the_baseline_is_not_told_to_become_it() -> None:
    finding = replace(failing().findings[0], topic="no-baseline", baseline=None, delta=None, outcome=Outcome.WARNED)
    report = replace(failing(), findings=(finding,))
    assert "mlgate check --save-baseline" in terminal.render(report)
    assert "mlgate check --save-baseline" not in terminal.render(report, saved=True)


def test_why_a_check_was_not_measured_is_told_once() -> None:
    why = errored().findings[0].why
    text = " ".join(terminal.render(errored()).split())
    assert text.count(why) == 1
    assert text.count("not measured, for the reason above") == 2
    other = replace(errored().findings[0], check="translations", why="nothing of it was observed")
    both = replace(errored(), findings=(*errored().findings, other, replace(other, rule=errored().findings[1].rule)))
    text = " ".join(terminal.render(both).split())
    assert text.count("nothing of it was observed") == 1
    assert text.count("not measured, for the reason above") == 3


def test_two_rules_of_one_metric_are_told_apart() -> None:
    rules = terminal.render(failing()).split("RULES")[1].split("MEASURED")[0]
    assert "summaries/rougeL max_drop" in rules
    assert "summaries/rougeL min" in rules


def test_examples_of_a_run_that_was_compared_with_nothing_moved_no_change() -> None:
    assert "MOVED MOST  by its share of the change" in terminal.render(failing())
    alone = tuple(replace(segment, baseline=None) for segment in failing().segments)
    assert "WORST EXAMPLES" in terminal.render(replace(failing(), segments=alone))


def test_examples_of_which_each_is_as_bad_as_can_be_are_told_as_such() -> None:
    alone = tuple(replace(segment, baseline=None, moved=0.0) for segment in failing().segments)
    assert "every example has the worst value" in terminal.render(replace(failing(), segments=alone))


def test_where_an_answer_looks_like_its_reference_the_code_points_are_shown() -> None:
    told = "the answer has U+00A0 where the reference has U+0020"
    alike = tuple(replace(segment, unlike=told) for segment in failing().segments)
    assert "unlike" in terminal.render(replace(failing(), segments=alike))


def test_a_command_stands_on_one_line_however_long_it_is() -> None:
    desk = Desk(f"{'deep/' * 30}gate.yaml", f"{'far/' * 30}out", "e.jsonl.gz")
    lines = terminal.render(failing(), width=40, desk=desk).splitlines()
    assert f"mlgate explain e.jsonl.gz -c {desk.config} --metric=rougeL" in lines


def test_asking_again_is_not_offered_where_it_cannot_help() -> None:
    first, *_ = next_steps(errored(), desk=Desk(asking_helps=False))
    assert first.do == "mlgate check"
    assert "mended" in first.why


def test_a_baseline_that_is_missing_is_told_once() -> None:
    first, *_ = failing().findings
    findings = tuple(
        replace(first, rule=replace(first.rule, metric=name), topic="no-baseline", why="there is no baseline yet")
        for name in ("rougeL", "bleu", "chrf")
    )
    text = terminal.render(replace(failing(), findings=findings))
    assert text.split("RULES")[1].count("there is no baseline yet") == 0, "the verdict says it"
    assert text.count("not compared, for the reason above") == 3
    assert github.render(replace(failing(), findings=findings)).count("there is no baseline yet") == 1
    assert junit.render(replace(failing(), findings=findings)).count('message="there is no baseline yet') == 1
    assert markdown.render(replace(failing(), findings=findings)).count("there is no baseline yet") == 1


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_every_line_fits_the_terminal_but_a_link_and_a_command(name: str, width: int) -> None:
    lines = terminal.render(ALL[name](), width=width).splitlines()
    assert max(text_width.width(line) for line in lines if not line.startswith(("https://", "mlgate "))) <= width
