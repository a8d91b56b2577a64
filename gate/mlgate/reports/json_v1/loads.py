"""The part of a version 1 report about timed load: what a latency check sent and saw."""

from __future__ import annotations

from mlgate.core.report import LoadSummary, Narrowed, Percentile
from mlgate.reports.json_v1.shape import COUNT, NUMBER, TEXT, Definition, Member, array, pair

PERCENTILE = Definition(
    Percentile,
    "One percentile of both sides in milliseconds, and their ratio, each with its 95 % interval; nan for none.",
    (
        Member(
            "clock", TEXT, "`latency` from due, `service` from sent, `ttft` to the first token, `itl` between them."
        ),
        Member("quantile", NUMBER, "0.95 for a p95."),
        Member("value", NUMBER, "Of the candidate."),
        Member("low", NUMBER),
        Member("high", NUMBER),
        Member("baseline", NUMBER),
        Member("ratio", NUMBER, "Candidate over baseline, in the rounds that both have."),
        Member("ratio_low", NUMBER),
        Member("ratio_high", NUMBER),
    ),
)
_KNOWN = pair(
    "Half the width of its 95 % interval, as a share, after so many rounds.",
    ("rounds", COUNT, ""),
    ("half", NUMBER, ""),
)
_NARROWED = Definition(
    Narrowed,
    "What more rounds bought: the metric that is known least well for its margin.",
    (Member("metric", TEXT), Member("known", array(_KNOWN))),
)
_FACT = pair("How the model was started, one fact.", ("name", TEXT, ""), ("value", TEXT, "Of the engine, not ours."))
LOAD = Definition(
    LoadSummary,
    "What one latency check sent and saw.",
    (
        Member("check", TEXT),
        Member("load", TEXT, "How it was loaded, for people. Its wording may improve within a version."),
        Member("requests", COUNT, "Of the candidate, in the rounds that count."),
        Member("failed", COUNT, "Of the candidate, in all rounds."),
        Member("rounds", COUNT, "Carried out."),
        Member("planned", COUNT, "The most rounds that there could have been."),
        Member("warm", COUNT, "Rounds cut at the start as warm-up."),
        Member("late", COUNT, "Rounds left out because the generator was late."),
        Member("look", COUNT, "At which of its looks it ended, from 1; 0 between them."),
        Member("looks", COUNT, "How often it could be looked whether the rules are settled."),
        Member("late_p99_ms", NUMBER, "How much later than due requests were sent: the generator's own error."),
        Member("generator", NUMBER, "Share of its core that the generator used."),
        Member("noise", NUMBER, "By how much, relative, a side's median differs from itself: no margin goes below."),
        Member("percentiles", array(PERCENTILE.named("percentile"))),
        Member("edges_ms", array(NUMBER), "Of the histogram's bins; one more than counts."),
        Member("counts", array(COUNT), "The candidate's requests in each bin."),
        Member(
            "baseline_counts",
            array(COUNT),
            "The baseline's, in the same bins; empty when it was not asked in turn.",
            at="before",
        ),
        Member("facts", array(_FACT)),
        Member("flaw", TEXT, "Why no time could be judged; empty when it could."),
        Member(
            "begun", COUNT, "Rounds of a first try that the machine disturbed, so that it was started over.", without=0
        ),
        Member("narrowed", _NARROWED.inline, without=None),
    ),
)
