"""What `mlgate power` foretells from one run is what the judge makes of the next ones."""

from __future__ import annotations

import math
from statistics import mean

from tests.laws.test_latency import ABSENT, KINDS, observed, speed
from tests.support.law_load import LawLoad

from mlgate.core.check import Bound, Rule
from mlgate.core.outcome import Outcome
from mlgate.flow.judge import judge
from mlgate.flow.power import foretell


def test_about_as_many_harmless_changes_pass_the_judge_as_their_runs_foretell() -> None:
    check = speed(Rule("p50_ms", Bound.MAX_RISE, 0.02, relative=True))
    told, passed = [], []
    for seed in range(16):
        suite, evidence = observed(check, LawLoad(seed=100 + seed), LawLoad(seed=500 + seed))
        report = judge(suite, KINDS, evidence, ABSENT)
        told += [one.power.passes for one in foretell(suite, report, ABSENT).found]
        passed.append(report.findings[0].outcome is Outcome.PASSED)
    assert len(told) == len(passed)
    assert abs(mean(told) - mean(passed)) < 0.25  # 16 runs of two in three: a deviation is 0.12


def test_an_early_look_says_how_sure_it_was_and_the_last_one_is_foretold() -> None:
    check = speed(Rule("p50_ms", Bound.MAX_RISE, 0.05, relative=True), rounds=122, looks=[32, 62, 92, 122])
    suite, evidence = observed(check, LawLoad(), LawLoad(seed=2))
    report = judge(suite, KINDS, evidence, ABSENT)
    (told,) = foretell(suite, report, ABSENT).found
    delta = report.findings[0].delta
    assert delta is not None
    assert delta.rounds < told.planned == 120
    assert delta.sure > 0.99
    assert told.power.known < 0.6 * math.expm1(delta.alone.half)
