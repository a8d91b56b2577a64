"""Cutting, holding back or padding a stream makes no slower model look faster: it is judged by when its text came."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.test_latency import EXAMPLES, KINDS, observed, report_of, speed
from tests.support.law_load import LawLoad

from mlgate.adapters.protocols.openai import OpenAIChat
from mlgate.core.check import Bound, Example, Rule
from mlgate.core.errors import EvidenceError
from mlgate.core.evidence import Evidence, Observation
from mlgate.core.latency.block import LoadBlock, TimedReply, pack, unpack
from mlgate.core.latency.stream_text import Piece, pieces, visible, waits
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.flow.judge import judge

Shape = Callable[[TimedReply], TimedReply]
ITL = Rule("itl_p95_ms", Bound.MAX_RISE, 0.2, relative=True)
ITL_P50 = Rule("itl_p50_ms", Bound.MAX_RISE, 0.2, relative=True)
RATE = Rule("tokens_per_s", Bound.MAX_DROP, 0.2, relative=True)
ERRORS = Rule("error_rate", Bound.MAX, 1.0)


@dataclass
class Streams(LawLoad):
    """Says its answer token by token, eight of them behind the first; then a test's shape is put on it."""

    shape: Shape = field(default=lambda reply: reply)

    def _reply(self, examples: Sequence[Example], place: int, due: float, crowded: float) -> TimedReply:
        found = super()._reply(examples, place, due, crowded)
        return found if found.failure else self.shape(in_tokens(found, 9))


def in_tokens(one: TimedReply, count: int) -> TimedReply:
    """Return the reply with its text in *count* pieces of one length, evenly from half of its time to its end."""
    size, rest = divmod(len(one.answer), count)
    sizes = tuple(size + (i < rest) for i in range(count))
    step = one.done / 2 / count
    return replace(one, events=tuple(one.done / 2 + (i + 1) * step for i in range(count)), sizes=sizes)


def cut(one: TimedReply) -> TimedReply:
    """Send each character in an event of its own, 20 us apart."""
    found = [(at + k * 2e-5, 1) for at, size in zip(one.events, one.sizes, strict=True) for k in range(size)]
    return replace(one, events=tuple(at for at, _ in found), sizes=tuple(size for _, size in found))


def dribbled(one: TimedReply) -> TimedReply:
    """Hold all of it back, then send a token a millisecond."""
    last = one.events[-1]
    n = len(one.events)
    return replace(one, events=tuple(last - (n - 1 - i) * 0.0011 for i in range(n)))


def in_one_piece(one: TimedReply) -> TimedReply:
    return replace(one, events=one.events[-1:], sizes=(len(one.answer),))


def in_two(one: TimedReply) -> TimedReply:
    """Send nearly all at the end, and the last bit behind it."""
    return replace(one, events=(one.events[-1] - 0.002, one.events[-1]), sizes=(len(one.answer) - 2, 2))


def three_at_a_time(one: TimedReply) -> TimedReply:
    sizes = tuple(sum(one.sizes[i : i + 3]) for i in range(0, 9, 3))
    return replace(one, events=one.events[2::3], sizes=sizes)


def padded(one: TimedReply) -> TimedReply:
    """Put an invisible character behind each token, in an event of its own, and one in front of everything."""
    texts, start = ["\u200b"], 0
    for size in one.sizes:
        texts += [one.answer[start : start + size], "\u200b \n"]
        start += size
    times = [one.first / 100, *(at + more for at in one.events for more in (0.0, 0.0001))]
    return replace(one, answer="".join(texts), events=tuple(times), sizes=tuple(len(text) for text in texts))


def longer(one: TimedReply) -> TimedReply:
    return replace(one, answer=one.answer + "." * 60, sizes=(*one.sizes[:-1], one.sizes[-1] + 60))


def against(shape: Shape, *rules: Rule, slower: float = 2.0) -> Report:
    return report_of(speed(*rules), Streams(slower=slower, shape=shape), Streams(seed=2))


def test_an_equal_stream_passes_and_a_slower_one_fails() -> None:
    rules = (ITL, ITL_P50, RATE)
    assert against(lambda one: one, *rules, slower=1.0).outcome is Outcome.PASSED
    assert {one.outcome for one in against(lambda one: one, *rules).findings} == {Outcome.FAILED}


@pytest.mark.parametrize("shape", [cut, dribbled, in_one_piece, in_two, three_at_a_time, padded, longer])
@pytest.mark.parametrize("slower", [1.4, 2.0])
def test_no_shape_of_a_slower_stream_passes(shape: Shape, slower: float) -> None:
    for found in against(shape, ITL, ITL_P50, RATE, slower=slower).findings:
        assert found.outcome.blocks, found.why


@pytest.mark.parametrize("shape", [cut, padded])
def test_cutting_and_padding_change_no_number(shape: Shape) -> None:
    rules = (ITL, ITL_P50, RATE, Rule("ttft_p95_ms", Bound.MAX_RISE, 0.2, relative=True))
    plain, shaped = (against(one, *rules, slower=1.0) for one in (lambda one: one, shape))
    assert shaped.outcome is Outcome.PASSED
    for before, after in zip(plain.measurements, shaped.measurements, strict=True):
        assert after.value == pytest.approx(
            before.value, rel=0.05
        )  # gaps of a millisecond, and events of one token 0.1 ms apart


def test_text_that_is_held_back_and_let_go_of_quickly_is_not_faster() -> None:
    (found,) = against(dribbled, ITL, slower=1.5).findings
    assert (found.outcome, found.topic) == (Outcome.INCONCLUSIVE, "pieces")
    assert "whole replies took longer" in found.why


def test_pieces_of_another_size_and_texts_of_another_length_are_not_compared() -> None:
    (found,) = against(three_at_a_time, ITL, slower=1.0).findings
    assert (found.outcome, found.topic) == (Outcome.INCONCLUSIVE, "pieces")
    assert "pieces a token" in found.why
    for found in against(longer, ITL, RATE, slower=1.0).findings:
        assert (found.outcome, found.topic) == (Outcome.INCONCLUSIVE, "pieces")
        assert "tokens a reply" in found.why


def test_what_comes_mostly_in_one_piece_is_not_measured_and_no_rule_softens_that() -> None:
    soft = Rule("itl_p95_ms", Bound.MAX, 1e6, on_breach=Outcome.WARNED, on_inconclusive=Outcome.WARNED)
    for shape in (in_one_piece, in_two):
        report = report_of(speed(soft), Streams(shape=shape))
        assert (report.outcome, report.findings[0].topic) == (Outcome.ERRORED, "not-measured")
        assert "in one piece, or nearly" in report.reason


def test_some_replies_in_one_piece_count_with_all_of_their_time() -> None:
    rule = Rule("itl_p95_ms", Bound.MAX, 5.0)
    mixed = Streams(shape=lambda one: in_one_piece(one) if one.example % 5 == 0 else one)
    assert report_of(speed(rule), Streams()).outcome is Outcome.PASSED
    assert report_of(speed(rule), mixed).outcome is Outcome.FAILED


def test_failures_do_not_hide_among_the_waits_of_the_others() -> None:
    rule = Rule("itl_p95_ms", Bound.MAX, 100.0)
    assert report_of(speed(rule, ERRORS), Streams()).outcome is Outcome.PASSED
    assert report_of(speed(rule, ERRORS), Streams(fails=0.1)).outcome is Outcome.FAILED


def test_a_servers_own_count_of_tokens_is_a_claim_and_is_passed_over() -> None:
    text = json.dumps({"choices": [{"delta": {"content": "ten letters"}, "finish_reason": "stop"}]}).encode()
    usage = json.dumps({"choices": [], "usage": {"completion_tokens": 1000}}).encode()
    assert OpenAIChat("m", stream=True).decode_stream([text, usage, b"[DONE]"]) == ("ten letters", {0: 11})


def test_a_row_of_an_older_version_has_times_only_and_is_read_and_judged() -> None:
    rules = (Rule("itl_p95_ms", Bound.MAX, 30.0), Rule("tokens_per_s", Bound.MIN, 100.0))
    suite, evidence = observed(speed(*rules), Streams(shape=cut))
    rows = [
        replace(row, seen={name: value for name, value in row.seen.items() if name != "events_chars"})
        if isinstance(row, Observation)
        else row
        for row in evidence.rows.values()
    ]
    assert any("events_us" in row.seen for row in rows if isinstance(row, Observation))
    new, old = (
        judge(suite, KINDS, Evidence.of(evidence.provenance, [], one), None) for one in (evidence.rows.values(), rows)
    )
    assert (new.outcome, old.outcome) == (Outcome.PASSED, Outcome.PASSED)
    for before, after in zip(new.measurements, old.measurements, strict=True):
        assert after.value == pytest.approx(before.value, rel=0.3)


@pytest.mark.parametrize("sizes", ["1 2", "5 -1 1", "0 5", "2 2 2", "5", "x"])
def test_a_row_whose_pieces_are_not_its_answer_cannot_be_read(sizes: str) -> None:
    row = pack(LoadBlock((TimedReply(0, 0.0, 0.0, 0.1, 0.3, "hello", events=(0.1, 0.2), sizes=(2, 3)),)))
    assert unpack(row).replies[0].sizes == (2, 3)
    with pytest.raises(EvidenceError):
        unpack({**row, "events_chars": sizes})
    with pytest.raises(EvidenceError):
        unpack({**row, "events_us": "200000 100000"})


def test_a_person_sees_letters_and_no_fillers() -> None:
    assert visible("a b\n\u200b\u00ad\u3164\u2800c\u0301\u202e") == 3
    assert visible("\u6c49\u5b57\U0001f600") == 3


gaps = st.lists(st.floats(0.005, 0.5), min_size=6, max_size=40)


@settings(max_examples=200)
@given(gaps=gaps, factor=st.floats(1.3, 3.0), seed=st.randoms(use_true_random=False))
def test_however_a_slower_stream_is_cut_or_held_back_no_percentile_of_it_is_smaller(
    gaps: list[float], factor: float, seed: object
) -> None:
    times = np.cumsum([0.1, *gaps])
    text = "abcd" * len(times)
    honest = waits(pieces(text, times.tolist(), [4] * len(times)), float(times[-1]))
    draw = seed.random  # type: ignore[attr-defined]
    events: list[tuple[float, int]] = []
    held = 0
    for i, at in enumerate(times * factor):
        held += 4
        if 0 < i < len(times) - 1 and draw() < 0.3:
            continue  # it comes with the next one
        whole = draw() < 0.5
        events += [(float(at), held)] if whole else [(float(at) + k * 2e-5, 1) for k in range(held)]
        held = 0
    shaped = waits(pieces(text, [at for at, _ in events], [size for _, size in events]), events[-1][0])
    for quantile in (0.5, 0.9, 0.95, 0.99):
        before, after = (float(np.quantile(one, quantile, method="inverted_cdf")) for one in (honest, shaped))
        assert after >= before * 0.999, (quantile, before, after)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 9)), max_size=20), st.floats(0, 20))
def test_any_pieces_have_finite_waits_that_are_not_negative(given_: list[tuple[float, int]], whole: float) -> None:
    found = [Piece(at, size) for at, size in sorted(given_)]
    assert all(0 <= one < 25 for one in waits(found, whole))


def test_the_answers_of_the_examples_are_long_enough_for_these_tests() -> None:
    assert all(visible(one.references[0]) >= 24 for one in EXAMPLES)
