"""Where the time goes when 10,000 answered segments are judged with BLEU, chrF and ROUGE-L against a baseline.

    python benchmarks/judge.py [--segments 10000] [--no-peer]

The peer does the same job by the libraries' own means, side by side in this process, on the same texts: sacrebleu's
paired bootstrap (1,000 resamples) for BLEU and chrF, rouge_score and its BootstrapAggregator for ROUGE-L.
"""

from __future__ import annotations

import argparse
import ast
import random
import resource
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mlgate.adapters.files import evidence_file
from mlgate.checks.accuracy import AccuracyKind
from mlgate.core.check import Bound, Check, Example, MetricChoice, Rule, Suite, data_digest
from mlgate.core.evidence import Evidence, Observation, Provenance
from mlgate.core.ports import Reading
from mlgate.core.stats.jackknife import Statistics, Unscored
from mlgate.flow.fitting import Fit, fit
from mlgate.flow.judge import Baseline, judge
from mlgate.flow.scoring import Scored, score
from mlgate.reports.json_v1 import document as json_v1
from mlgate.reports.terminal import report as terminal

METRICS = ("bleu", "chrf", "rougeL")
KINDS = {"accuracy": AccuracyKind()}


class Remembering(AccuracyKind):
    """Scores each system once, so that what comes after scoring can be timed alone."""

    def __init__(self) -> None:
        self._known: dict[int, Sequence[Statistics | Unscored]] = {}

    def score(self, check: Check, reading: Reading) -> Sequence[Statistics | Unscored]:
        """Return what the first call returned."""
        key = hash(tuple(self.show(row) for row in reading.rows.values()))
        if key not in self._known:
            self._known[key] = super().score(check, reading)
        return self._known[key]


def sentences(count: int) -> list[str]:
    """Collect real sentences: first lines and bodies of the standard library's docstrings."""
    found: dict[str, None] = {}
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        try:
            tree = ast.parse(path.read_text())
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                for line in (ast.get_docstring(node) or "").split(". "):
                    text = " ".join(line.split())
                    if 6 <= len(text.split()) <= 40:
                        found[text] = None
        if len(found) >= count:
            break
    texts = list(found)
    return [texts[i % len(texts)] + (f" {i}" if i >= len(texts) else "") for i in range(count)]


def perturbed(text: str, rng: random.Random, share: float) -> str:
    """Drop or double some words."""
    words = [word for word in text.split() if rng.random() > share]
    return " ".join(word if rng.random() > share else f"{word} {word}" for word in words) or text


def main() -> None:
    """Print the split, the peak memory and the ratio to the peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--no-peer", action="store_true")
    given = parser.parse_args()
    references = sentences(given.segments)
    rng = random.Random(7)
    base = [perturbed(text, rng, 0.10) for text in references]
    candidate = [perturbed(text, rng, 0.101) for text in references]
    ours = dict(gate(references, base, candidate))
    total = sum(ours.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"mlgate, {given.segments:,} segments, {', '.join(METRICS)}, candidate against baseline")
    for name, seconds in ours.items():
        print(f"  {name:<34}{seconds:>8.2f} s {seconds / total:>6.0%}")
    print(f"  {'all':<34}{total:>8.2f} s    peak memory {peak:,.0f} MB")
    if not given.no_peer:
        theirs = dict(peer(references, base, candidate))
        print("sacrebleu and rouge_score by their own means")
        for name, seconds in theirs.items():
            print(f"  {name:<34}{seconds:>8.2f} s")
        print(f"  {'all':<34}{sum(theirs.values()):>8.2f} s    {sum(theirs.values()) / total:.1f} times mlgate's")


def gate(references: list[str], base: list[str], candidate: list[str]) -> Iterator[tuple[str, float]]:
    """Yield each step's name and seconds."""
    examples = tuple(Example(f"{i:06}", "", (text,)) for i, text in enumerate(references))
    rules = tuple(Rule(name, Bound.MAX_DROP, 1.0 if name != "rougeL" else 0.01) for name in METRICS)
    choices = tuple(MetricChoice(name, name) for name in METRICS)
    check = Check("mt", "accuracy", examples, choices, rules, (), data_digest(examples))
    suite = Suite.of([check])
    run = Provenance("", suite.digest, "", (("mt", check.data_digest),))
    evidence = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, answers in (("baseline", base), ("candidate", candidate)):
            rows = [Observation("mt", e.id, {"answer": a}) for e, a in zip(examples, answers, strict=True)]
            path = Path(folder, f"{name}.jsonl.gz")
            began = time.perf_counter()
            evidence_file.write(path, Evidence.of(run, [], rows))
            yield f"seal {name}", time.perf_counter() - began
            began = time.perf_counter()
            evidence[name] = evidence_file.read(path)
            yield f"read {name}", time.perf_counter() - began
    kind = KINDS["accuracy"]
    for name in METRICS:
        one = replace(check, metrics=(MetricChoice(name, name),))
        began = time.perf_counter()
        for system in ("baseline", "candidate"):
            found = fit(one, evidence[system])
            assert isinstance(found, Fit)
            assert isinstance(score(one, kind, found, kind.read(one, found.rows)), Scored)
        yield f"score {name}, both", time.perf_counter() - began
    kinds = {"accuracy": Remembering()}
    report = judge(suite, kinds, evidence["candidate"], Baseline("file b", evidence["baseline"]))
    began = time.perf_counter()
    judge(suite, kinds, evidence["candidate"], Baseline("file b", evidence["baseline"]))
    yield "compare and conclude", time.perf_counter() - began
    yield "report", timed(lambda: (json_v1.render(report), terminal.render(report)))


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that *call* takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def peer(references: list[str], base: list[str], candidate: list[str]) -> Iterator[tuple[str, float]]:
    """Yield the same job's steps by the libraries' own means."""
    from rouge_score import rouge_scorer, scoring
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.significance import PairedTest

    def significance() -> None:
        systems: list[tuple[str, Sequence[str]]] = [("base", base), ("candidate", candidate)]
        metrics = {"BLEU": BLEU(), "chrF": CHRF()}
        PairedTest(systems, metrics, references=[references], test_type="bs", n_samples=1000)()

    def rouge() -> None:
        scorer = rouge_scorer.RougeScorer(["rougeL"])
        for answers in (base, candidate):
            aggregator = scoring.BootstrapAggregator()
            for reference, answer in zip(references, answers, strict=True):
                aggregator.add_scores(scorer.score(reference, answer))
            aggregator.aggregate()

    yield "bleu, chrf: PairedTest, 1,000 bs", timed(significance)
    yield "rougeL: scorer and aggregator", timed(rouge)


if __name__ == "__main__":
    main()
