"""What is demanded of an attestation, decided without a file, a key or a clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mlgate.core.attestation.demands import Demands, RequiredRule, Signed, accepted
from mlgate.core.attestation.statement import Origin, Result, Statement, Subject
from mlgate.core.errors import Outdated, Refused

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
IMAGE, MODEL, RULES = "1" * 64, "2" * 64, "3" * 64
GOOD = Statement(
    subjects=(Subject("registry/model", IMAGE),),
    result=Result.PASSED,
    passed=("c/bleu/min", "c/ter/max[lang=de]", "c/ter/max[lang=en]"),
    warned=(),
    failed=(),
    rules_digest=RULES,
    model="summarizer",
    model_digest="m",
    report="4" * 64,
    expected=5,
    present=5,
    verified=NOW - timedelta(hours=1),
    expires=NOW + timedelta(days=1),
    origin=Origin(commit="abc"),
)
DEMANDS = Demands(
    subjects=(IMAGE,),
    rules_digest=RULES,
    model="summarizer",
    rules=(RequiredRule("c/bleu/min"), RequiredRule("c/ter/max", "lang")),
    max_age=timedelta(days=7),
    now=NOW,
)


def of(statement: Statement, name: str = "a") -> Signed:
    return Signed(statement, "the key k", "0" * 64, name)


def test_what_meets_every_demand_is_accepted() -> None:
    assert accepted([of(GOOD)], DEMANDS) == of(GOOD)


def test_t46_everything_that_is_deployed_must_be_a_subject() -> None:
    both = replace(DEMANDS, subjects=(IMAGE, MODEL))
    with pytest.raises(Refused, match=f"none of its subjects is sha256:{MODEL}"):
        accepted([of(GOOD)], both)
    covered = replace(GOOD, subjects=(Subject("weights", MODEL), Subject("image", IMAGE)))
    assert accepted([of(covered)], both)


@pytest.mark.parametrize(
    ("given", "demands", "says"),
    [
        ([], DEMANDS, "there is no attestation"),
        ([of(GOOD)], replace(DEMANDS, subjects=()), "nothing says what is to be deployed"),
        ([of(GOOD)], replace(DEMANDS, rules=()), "the file has no rules"),
        ([of(replace(GOOD, subjects=(Subject("a", ""),)))], replace(DEMANDS, subjects=("",)), "not about what is"),
        ([of(GOOD)], replace(DEMANDS, rules=(RequiredRule("c/ter/max"),)), "does not say that c/ter/max was kept"),
        ([of(GOOD)], replace(DEMANDS, rules=(RequiredRule("c/bleu/min", "lang"),)), "does not say that c/bleu/min"),
        ([of(replace(GOOD, present=6))], DEMANDS, "6 of 5 planned rows"),
        ([of(GOOD)], replace(DEMANDS, commit="def"), "the commit is another one"),
        ([of(GOOD)], replace(DEMANDS, model_digest=""), "the model's digest is another one"),
        ([of(replace(GOOD, failed=("c/x/min",)))], DEMANDS, "contradicts itself"),
    ],
)
def test_what_does_not_meet_one_is_refused(given: list[Signed], demands: Demands, says: str) -> None:
    with pytest.raises(Refused, match=says):
        accepted(given, demands)


@pytest.mark.parametrize("late", [timedelta(days=7), timedelta(days=1)])
def test_what_is_too_old_by_now_can_be_told_from_what_was_never_good(late: timedelta) -> None:
    with pytest.raises(Outdated, match="was good until"):
        accepted([of(GOOD)], replace(DEMANDS, now=NOW + late))


def test_five_minutes_of_another_clock_are_forgiven_and_no_more() -> None:
    ahead = replace(GOOD, verified=NOW + timedelta(minutes=5))
    assert accepted([of(ahead)], DEMANDS)
    with pytest.raises(Refused, match="in the future"):
        accepted([of(replace(ahead, verified=NOW + timedelta(minutes=5, seconds=1)))], DEMANDS)


def test_a_failure_counts_also_when_it_has_expired_before_the_pass() -> None:
    failed = replace(GOOD, result=Result.FAILED, verified=GOOD.verified + timedelta(minutes=1), expires=GOOD.verified)
    with pytest.raises(Refused, match="says FAILED"):
        accepted([of(GOOD), of(failed)], DEMANDS)


def test_the_sentence_names_the_file_that_decided() -> None:
    failed = replace(GOOD, result=Result.FAILED, verified=NOW)
    with pytest.raises(Refused) as refused:
        accepted([of(GOOD, "pass.json"), of(failed, "fail.json")], DEMANDS)
    assert refused.value.where == "fail.json"
