"""Whole reports, one for each way a gate can end: what the golden files and the unit tests look at."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tests.support import load_samples

from mlgate.core.check import Bound, Rule
from mlgate.core.comparison import hold_baseline, hold_slice
from mlgate.core.evidence import Environment, Provenance
from mlgate.core.limits import hold_limit
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.report import BaselineSummary, CheckSummary, Report, Segment
from mlgate.core.stats.jackknife import Width
from mlgate.core.verdict import Delta, Finding, Measurement, unmeasured

ROUGE = Metric("rougeL", "ratio", Better.HIGHER)
BLEU = Metric("bleu", "points", Better.HIGHER)
ERRORS = Metric("wer", "ratio", Better.LOWER)

_PROVENANCE = Provenance(
    commit="3f9c2d1b7a6e5f4c3b2a190817263544f0e1d2c3",
    suite="b9" * 32,
    model="python:examples.summarizer:summarize",
    data=(("summaries", "d4" * 32),),
)
_BASELINE = BaselineSummary("file baseline.jsonl.gz", "a81b0c27d6e5f4c3b2a190817263544f0e1d2c3b", "4e" * 32, "c7" * 32)


def measured(
    metric: Metric, value: float, half: float = math.nan, *, n: int = 200, slice_: str = "", check: str = "summaries"
) -> Measurement:
    signature = f"{metric.name}|nrefs:1|version:1"
    return Measurement(check, metric.name, metric, value, n, value - half, value + half, signature, slice_)


def rule(bound: Bound, limit: float, metric: str = "rougeL", line: int = 12, **options: Any) -> Rule:
    return replace(Rule(metric, bound, float(limit), where=f"mlgate.yaml:{line}:31"), **options)


def delta(value: float, half: float) -> Delta:
    return Delta(value, Width(half, half / 9), Width(half * 1.12, half / 8))


def report(findings: list[Finding], measurements: list[Measurement], before: list[Measurement], **more: Any) -> Report:
    whole = Report(
        model="docstring-summarizer",
        suite=_PROVENANCE.suite,
        evidence="e1" * 32,
        provenance=_PROVENANCE,
        environments=(Environment("3.11.7", "Linux-x86_64", "Example CPU", (("sacrebleu", "2.6.0"),)),),
        checks=(CheckSummary("summaries", "accuracy", 200, 200, 0),),
        findings=tuple(sorted(findings, key=lambda f: -f.outcome)),
        measurements=tuple(measurements),
        before=tuple(before),
        baseline=_BASELINE if before else None,
    )
    return replace(whole, **more)


def passing() -> Report:
    rouge, bleu = measured(ROUGE, 0.33871, 0.0122), measured(BLEU, 14.2034, 1.31)
    rouge_before, bleu_before = measured(ROUGE, 0.3312, 0.0119), measured(BLEU, 13.87, 1.27)
    findings = [
        hold_limit(rule(Bound.MIN, 0.3), rouge),
        hold_baseline(rule(Bound.MAX_DROP, 0.01), rouge, rouge_before, delta(0.00751, 0.0069)),
        hold_limit(rule(Bound.MIN, 12, "bleu", 13), bleu),
    ]
    return report(findings, [rouge, bleu], [rouge_before, bleu_before])


def failing() -> Report:
    rouge, bleu = measured(ROUGE, 0.3121, 0.012), measured(BLEU, 13.1, 1.4)
    rouge_before, bleu_before = measured(ROUGE, 0.3312, 0.0119), measured(BLEU, 13.87, 1.27)
    sizes = {
        "parser": (31, -0.071, 0.031),
        "cli": (64, -0.004, 0.02),
        "net": (57, -0.012, 0.022),
        "io": (48, 0.006, 0.024),
    }
    drop = rule(Bound.MAX_DROP, 0.01)
    sliced = rule(Bound.MAX_DROP, 0.02, line=16, slice_by="module")
    parts, parts_before, slices = [], [], []
    for name, (n, change, half) in sizes.items():
        before = measured(ROUGE, 0.3312, 0.02, n=n, slice_=f"module={name}")
        part = measured(ROUGE, 0.3312 + change, 0.02, n=n, slice_=f"module={name}")
        parts.append(part)
        parts_before.append(before)
        slices.append(hold_slice(sliced, part, before, delta(change, half)))
    findings = [
        hold_baseline(drop, rouge, rouge_before, delta(-0.0191, 0.0071)),
        hold_limit(rule(Bound.MIN, 0.3), rouge),
        hold_limit(rule(Bound.MIN, 12, "bleu", 13), bleu),
        hold_baseline(
            rule(Bound.MAX_DROP, 0.5, "bleu", 13, on_breach=Outcome.WARNED), bleu, bleu_before, delta(-0.77, 0.6)
        ),
        *slices,
    ]
    segments = tuple(
        Segment("summaries", "rougeL", f"ex-{i:04}", moved, source, (reference,), answer, before)
        for i, moved, source, reference, answer, before in [
            (
                42,
                -0.0031,
                "def parse(tokens):\n    tree = Tree()\n    for token in tokens:\n        tree.add(token)",
                "Build a tree from a list of tokens, consuming the list.",
                "Parses.",
                "Build a tree from tokens, consuming them.",
            ),
            (
                7,
                -0.0024,
                "def close(self): ...",
                "Close the connection and release its socket.",
                "",
                "Close the connection.",
            ),
            (
                113,
                -0.0019,
                "def 挨拶(名前): return f'こんにちは、{名前}さん'",
                "名前を付けて挨拶の文を返します。",
                "Returns a string.",
                "挨拶の文を返します。",
            ),
        ]
    )
    return report(findings, [rouge, bleu, *parts], [rouge_before, bleu_before, *parts_before], segments=segments)


def errored() -> Report:
    findings = [
        unmeasured("summaries", rule(Bound.MIN, 0.3), "5 of 200 examples have no answer: 3 failed, 2 were never asked"),
        unmeasured(
            "summaries",
            rule(Bound.MIN, 12, "bleu", 13),
            "5 of 200 examples have no answer: 3 failed, 2 were never asked",
        ),
    ]
    checks = (CheckSummary("summaries", "accuracy", 200, 195, 3),)
    notices = ("3 rows of data/test.jsonl have the same input", "1 of 4 shards sent no evidence: 4/4")
    return report(findings, [], [], checks=checks, notices=notices)


def inconclusive() -> Report:
    rouge, before = measured(ROUGE, 0.3259, 0.021, n=60), measured(ROUGE, 0.3312, 0.02, n=60)
    findings = [
        hold_limit(rule(Bound.MIN, 0.3), rouge),
        hold_baseline(rule(Bound.MAX_DROP, 0.01), rouge, before, delta(-0.0053, 0.0181)),
    ]
    checks = (CheckSummary("summaries", "accuracy", 60, 60, 0),)
    return report(findings, [rouge], [before], checks=checks)


def warned() -> Report:
    errors, before = measured(ERRORS, 0.1423, 0.011, check="speech"), measured(ERRORS, 0.1211, 0.01, check="speech")
    rouge = measured(ROUGE, 0.3387, 0.0122)
    rise = rule(Bound.MAX_RISE, 0.1, "wer", 21, relative=True, on_breach=Outcome.WARNED)
    findings = [
        hold_baseline(rise, errors, before, delta(0.0212, 0.0064)),
        hold_limit(rule(Bound.MIN, 0.3), rouge),
    ]
    checks = (CheckSummary("summaries", "accuracy", 200, 200, 0), CheckSummary("speech", "accuracy", 200, 200, 0))
    return report(findings, [rouge, errors], [before], checks=checks)


EVIL = (
    "::set-output name=verdict::pass\n::stop-commands::t\r  ::error file=a::x ##[set-output name=v;]pass\x1b[2J"
    "\x1b]52;c;ZQ==\x07\x9b"
    " | `x` ``` <img src=x onerror=alert(1)> </details></table> ![a](http://evil.example/p.png) [b](javascript:x)"
    " @org/team @octocat #1 GH-2 www.evil.example https://evil.example \u202egnp\u200b\u2028\ud800 e"
    + "\u0301" * 30
    + " ]]> $x$ &amp; --> <!-- :tada:"
)
"""One of everything that a model could answer to take over a reader or a runner."""


def hostile() -> Report:
    value = measured(ROUGE, 0.2, 0.01)
    evil_check = replace(value, check=EVIL[:40], slice=f"module={EVIL}")
    finding = hold_limit(rule(Bound.MIN, 0.3), value)
    findings = [
        replace(finding, why=EVIL, check=EVIL, topic="min"),
        unmeasured(
            "summaries", replace(rule(Bound.MIN, 12, EVIL), where=f"a,b::c\n{EVIL}:1:2"), f"the model said: {EVIL}"
        ),
        replace(finding, slice=f"module={EVIL}", outcome=Outcome.WARNED),
    ]
    segments = (Segment("summaries", "rougeL", EVIL, -0.01, EVIL, (EVIL, ""), "", EVIL),)
    return report(
        findings,
        [value, evil_check],
        [value],
        segments=segments,
        notices=(EVIL,),
        model=EVIL,
        baseline=BaselineSummary(EVIL, EVIL, EVIL, EVIL),
        provenance=Provenance(EVIL, EVIL, EVIL, ((EVIL, EVIL),)),
        checks=(CheckSummary(EVIL, EVIL, 3, 1, 1),),
        loads=(
            replace(
                load_samples.late().loads[0],
                check=EVIL,
                load=EVIL,
                flaw=EVIL,
                facts=((EVIL, EVIL), ("sandbox", EVIL), (":", ":x::")),
            ),
        ),
    )


ALL = {
    "passing": passing,
    "failing": failing,
    "errored": errored,
    "inconclusive": inconclusive,
    "warned": warned,
    "hostile": hostile,
    **load_samples.ALL,
}
