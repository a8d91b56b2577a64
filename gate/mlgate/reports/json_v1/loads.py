"""The part of a version 1 report about timed load: how it is written, read and described, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from mlgate.core.report import LoadSummary, Percentile
from mlgate.reports.json_v1.schema_parts import COUNT, NUMBER, TEXT, array, record, told
from mlgate.reports.json_v1.strict_json import Node, Value, number

_NUMBERS = ("quantile", "value", "low", "high", "baseline", "ratio", "ratio_low", "ratio_high")
"""Of a percentile; its fields are called the same."""
_COUNTS = ("requests", "failed", "rounds", "planned", "warm", "late", "look", "looks")
_SHARES = ("late_p99_ms", "generator", "noise")


def write(load: LoadSummary) -> Value:
    """Return one load as JSON."""
    return {
        "check": load.check,
        "load": load.load,
        **{name: getattr(load, name) for name in _COUNTS},
        **{name: number(getattr(load, name)) for name in _SHARES},
        "percentiles": [
            {"clock": one.clock, **{name: number(getattr(one, name)) for name in _NUMBERS}} for one in load.percentiles
        ],
        "edges_ms": [number(edge) for edge in load.edges_ms],
        "counts": list(load.counts),
        "baseline_counts": list(load.before),
        "facts": [{"name": name, "value": value} for name, value in load.facts],
        "flaw": load.flaw,
        **({"begun": load.begun} if load.begun else {}),
        **({"narrowed": {"metric": load.narrowed, "known": _pairs(load.known)}} if load.narrowed else {}),
    }


def _pairs(known: Sequence[tuple[int, float]]) -> Value:
    return [{"rounds": rounds, "half": number(half)} for rounds, half in known]


def read(node: Node) -> LoadSummary:
    """Return the load that `write` wrote. Raises EvidenceError for anything else."""
    fields = node.fields(
        *("check", "load", *_COUNTS, *_SHARES),
        *("percentiles", "edges_ms", "counts", "baseline_counts", "facts", "flaw"),
        sometimes=["begun", "narrowed"],
    )
    narrowed = fields["narrowed"].fields("metric", "known") if "narrowed" in fields else {}
    return LoadSummary(
        check=fields["check"].text(),
        load=fields["load"].text(),
        requests=fields["requests"].count(),
        failed=fields["failed"].count(),
        rounds=fields["rounds"].count(),
        planned=fields["planned"].count(),
        warm=fields["warm"].count(),
        late=fields["late"].count(),
        look=fields["look"].count(),
        looks=fields["looks"].count(),
        late_p99_ms=fields["late_p99_ms"].number(),
        generator=fields["generator"].number(),
        noise=fields["noise"].number(),
        percentiles=fields["percentiles"].each(_percentile),
        edges_ms=fields["edges_ms"].numbers(),
        counts=fields["counts"].counts(),
        before=fields["baseline_counts"].counts(),
        facts=fields["facts"].each(_fact),
        flaw=fields["flaw"].text(),
        begun=fields["begun"].count() if "begun" in fields else 0,
        narrowed=narrowed["metric"].text() if narrowed else "",
        known=narrowed["known"].each(_known) if narrowed else (),
    )


def _known(node: Node) -> tuple[int, float]:
    fields = node.fields("rounds", "half")
    return fields["rounds"].count(), fields["half"].number()


def _percentile(node: Node) -> Percentile:
    fields = node.fields("clock", *_NUMBERS)
    return Percentile(fields["clock"].text(), *(fields[name].number() for name in _NUMBERS))


def _fact(node: Node) -> tuple[str, str]:
    fields = node.fields("name", "value")
    return fields["name"].text(), fields["value"].text()


def definitions() -> dict[str, Value]:
    """Return the schema's definitions of a load and its percentiles."""
    counts: dict[str, Value] = {"type": "array", "items": COUNT}
    fact = record("How the model was started, one fact.", name=TEXT, value=told(TEXT, "Of the engine, not ours."))
    return {
        "load": record(
            "What one latency check sent and saw.",
            sometimes=["begun", "narrowed"],
            check=TEXT,
            load=told(TEXT, "How it was loaded, for people. Its wording may improve within a version."),
            requests=told(COUNT, "Of the candidate, in the rounds that count."),
            failed=told(COUNT, "Of the candidate, in all rounds."),
            rounds=told(COUNT, "Carried out."),
            planned=told(COUNT, "The most rounds that there could have been."),
            warm=told(COUNT, "Rounds cut at the start as warm-up."),
            late=told(COUNT, "Rounds left out because the generator was late."),
            look=told(COUNT, "At which of its looks it ended, from 1; 0 between them."),
            looks=told(COUNT, "How often it could be looked whether the rules are settled."),
            late_p99_ms=told(NUMBER, "How much later than due requests were sent: the generator's own error."),
            generator=told(NUMBER, "Share of its core that the generator used."),
            noise=told(NUMBER, "By how much, relative, a side's median differs from itself: no margin goes below."),
            percentiles=array("percentile"),
            edges_ms=told({"type": "array", "items": NUMBER}, "Of the histogram's bins; one more than counts."),
            counts=told(counts, "The candidate's requests in each bin."),
            baseline_counts=told(counts, "The baseline's, in the same bins; empty when it was not asked in turn."),
            facts={"type": "array", "items": fact},
            flaw=told(TEXT, "Why no time could be judged; empty when it could."),
            begun=told(COUNT, "Rounds of a first try that the machine disturbed, so that it was started over."),
            narrowed=record(
                "What more rounds bought: the metric that is known least well for its margin.",
                metric=TEXT,
                known={
                    "type": "array",
                    "items": record(
                        "Half the width of its 95 % interval, as a share, after so many rounds.",
                        rounds=COUNT,
                        half=NUMBER,
                    ),
                },
            ),
        ),
        "percentile": record(
            "One percentile of both sides in milliseconds, and their ratio, each with its 95 % interval; nan for none.",
            clock=told(TEXT, "`latency` from due, `service` from sent, `ttft` to the first token, `itl` between them."),
            quantile=told(NUMBER, "0.95 for a p95."),
            value=told(NUMBER, "Of the candidate."),
            low=NUMBER,
            high=NUMBER,
            baseline=NUMBER,
            ratio=told(NUMBER, "Candidate over baseline, in the rounds that both have."),
            ratio_low=NUMBER,
            ratio_high=NUMBER,
        ),
    }
