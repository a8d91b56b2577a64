"""Hypothesis strategies for reports of every shape, hostile text included."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import strategies as st
from tests.support.samples import EVIL

from mlgate.core.check import Bound, Rule
from mlgate.core.evidence import Environment, Provenance
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.report import BaselineSummary, CheckSummary, LoadSummary, Percentile, Report, Segment
from mlgate.core.rule_change import Direction, Policy, RuleChange
from mlgate.core.stats.jackknife import Width
from mlgate.core.verdict import Delta, Finding, Measurement

FRAGMENTS = [
    *(
        "::",
        "::error::x",
        "##[",
        "##[set-output name=v;]pass",
        "\n",
        "\r",
        "\t",
        "  ",
        "\x1b[2J",
        "\x1b]8;;http://e.example\x07",
    ),
    *(
        "\x9b",
        "\u202e",
        "\u200b",
        "\u2028",
        "\x85",
        "\ufe0f",
        "\ud800",
        "\x00",
        "\ufffe",
        "a\u0301\u0301\u0301\u0301\u0301\u0301",
    ),
    *(
        "|",
        "`",
        "```",
        "<img src=x>",
        "</details>",
        "</code>",
        "</table>",
        "<!--",
        "-->",
        "]]>",
        "&amp;",
        "&#64;",
        "\\",
        "\\|",
    ),
    *(
        "![a](http://e.example/a.png)",
        "[b](javascript:c)",
        "http://e.example",
        "https://e.example",
        "www.e.example",
        "a@b.example",
    ),
    *(
        "@octocat",
        "@org/team",
        "#1",
        "org/repo#1",
        "GH-1",
        ":tada:",
        ":100:",
        "$x$",
        "$$",
        "*a*",
        "_b_",
        "~~c~~",
        "# d",
        "- e",
        "1. f",
    ),
    *(
        "> g",
        "---",
        "===",
        "    h",
        "挨拶",
        "😀",
        "名",
        " ",
        ":",
        "#",
        "[",
        "]",
        ",",
        "%",
        "%0A",
        "%3A",
        "=",
        "word",
        "9",
    ),
]
"""What attacks are made of; joined at random they make attacks that nobody wrote down."""


def _whole(text: str) -> str:
    """Join pairs of surrogates into the character that they encode, as every JSON file does."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


_any_character = st.characters(codec=None, categories=None)
hostile = st.one_of(
    st.sampled_from(["", "summaries", EVIL]),
    st.lists(st.sampled_from(FRAGMENTS), max_size=6).map("".join),
    st.text(_any_character, max_size=12),
).map(_whole)
numbers = st.floats(allow_nan=True, allow_infinity=True).map(lambda x: math.nan if math.isnan(x) else x)
counts = st.integers(0, 10**9)
metrics = st.builds(
    Metric, hostile, st.sampled_from(["points", "ratio", "ms", "MB", "s", "1/s", "times", ""]), st.sampled_from(Better)
)
names = st.one_of(st.sampled_from(["rougeL", "bleu", "summaries", "module=parser", ""]), hostile)
places = st.one_of(st.just("mlgate.yaml:12:31"), hostile)
measurements = st.builds(
    Measurement, names, names, metrics, numbers, counts, numbers, numbers, hostile, names, st.none() | counts
)
widths = st.builds(Width, numbers, numbers).filter(lambda width: not width.half < 0)
deltas = st.builds(Delta, numbers, widths, widths, st.booleans(), st.just(0.0) | numbers, st.just(0.0) | numbers)
rules = st.builds(
    Rule,
    metric=names,
    bound=st.sampled_from([bound for bound in Bound if bound.is_of_checks]),
    limit=numbers,
    relative=st.booleans(),
    confidence=numbers,
    on_breach=st.sampled_from(Outcome),
    on_inconclusive=st.sampled_from(Outcome),
    slice_by=names,
    where=places,
)
findings = st.builds(
    Finding,
    check=names,
    rule=rules,
    outcome=st.sampled_from(Outcome),
    why=hostile,
    topic=st.one_of(st.just("max_drop"), hostile),
    slice=names,
    measured=st.none() | measurements,
    baseline=st.none() | measurements,
    delta=st.none() | deltas,
)
pairs = st.lists(st.tuples(hostile, hostile), max_size=2).map(tuple)


def _few(items: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(items, max_size=2).map(tuple)


clocks = st.sampled_from(["latency", "service", "ttft", "itl"]) | hostile
quantiles = st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.0]) | numbers
percentiles = st.builds(Percentile, clocks, quantiles, numbers, numbers, numbers, numbers, numbers, numbers, numbers)
Bins = tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]
"""Edges, and the counts of both sides."""


def _bins(bins: int) -> st.SearchStrategy[Bins]:
    edges = st.lists(st.floats(1e-6, 1e9), min_size=bins + 1, max_size=bins + 1, unique=True)
    filled = st.lists(counts, min_size=bins, max_size=bins).map(tuple)
    return st.tuples(edges.map(lambda some: tuple(sorted(some))), filled, st.just(()) | filled)


_any_counts = st.lists(st.integers(-(10**30), 10**400), max_size=6).map(tuple)
_any_bins: st.SearchStrategy[Bins] = st.tuples(st.lists(numbers, max_size=6).map(tuple), _any_counts, _any_counts)
"""What a report that was read from a file may say of a histogram."""
_sizes = counts | st.just(10**400)
_loads = st.builds(
    LoadSummary,
    check=names,
    load=hostile,
    requests=_sizes,
    failed=_sizes,
    rounds=_sizes,
    planned=_sizes,
    warm=_sizes,
    late=_sizes,
    look=_sizes,
    looks=_sizes,
    late_p99_ms=numbers,
    generator=numbers,
    noise=numbers,
    percentiles=st.lists(percentiles, max_size=5).map(tuple),
    edges_ms=st.just(()),
    counts=st.just(()),
    facts=st.lists(st.tuples(hostile, hostile), max_size=4).map(tuple),
    flaw=st.just("") | hostile,
)
loads = st.tuples(_loads, st.integers(0, 60).flatmap(_bins) | _any_bins).map(
    lambda parts: replace(parts[0], edges_ms=parts[1][0], counts=parts[1][1], before=parts[1][2])
)


_sorted_findings = st.lists(findings, max_size=4).map(lambda some: tuple(sorted(some, key=lambda f: -f.outcome)))
reports = st.builds(
    Report,
    model=names,
    suite=hostile,
    evidence=hostile,
    provenance=st.builds(Provenance, hostile, hostile, hostile, pairs, hostile),
    environments=_few(st.builds(Environment, hostile, hostile, hostile, pairs)),
    checks=_few(st.builds(CheckSummary, names, hostile, counts, counts, counts)),
    findings=_sorted_findings,
    measurements=st.lists(measurements, max_size=4).map(tuple),
    before=_few(measurements),
    baseline=st.none() | st.builds(BaselineSummary, hostile, hostile, hostile, hostile),
    segments=_few(
        st.builds(
            Segment,
            names,
            names,
            hostile,
            numbers,
            hostile,
            st.lists(hostile, max_size=3).map(tuple),
            hostile,
            st.none() | hostile,
        )
    ),
    notices=_few(hostile),
    policy=st.none()
    | st.builds(Policy, hostile, _few(st.builds(RuleChange, st.sampled_from(Direction), hostile, places))),
    loads=_few(loads),
)
