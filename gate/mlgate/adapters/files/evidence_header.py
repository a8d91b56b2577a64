"""The first line of an evidence file and of a journal: what was observed, of what, where."""

from __future__ import annotations

import json
from dataclasses import dataclass

from mlgate.core.errors import EvidenceError
from mlgate.core.evidence import Environment, Evidence, Provenance
from mlgate.core.identity import FORMS

_FORMATS = {f"mlgate.evidence/{form}": form for form in FORMS}
"""What a first line calls itself, and the form of the digests behind it."""
MOST_PLACES = 10_000
"""Environments that one run can be observed in: as many as it has shards."""
MOST_VERSIONS = 1_000
"""Versions that one environment can name."""


@dataclass(frozen=True, slots=True)
class EvidenceHeader:
    """What the first line of an evidence file or a journal says."""

    provenance: Provenance
    environments: frozenset[Environment]
    form: int


def line_of(evidence: Evidence) -> str:
    """Return the first line of an evidence file or a journal."""
    provenance = evidence.provenance
    value = {
        "format": f"mlgate.evidence/{evidence.form}",
        "commit": provenance.commit,
        "suite": provenance.suite,
        "model": provenance.model,
        "data": dict(provenance.data),
        **({"baseline": provenance.baseline} if provenance.baseline else {}),
        **({"run": provenance.run} if provenance.run else {}),
        "environments": [
            {"python": e.python, "platform": e.platform, "cpu": e.cpu, "versions": dict(e.versions)}
            for e in sorted(evidence.environments)
        ],
    }
    return json.dumps(value, sort_keys=True, ensure_ascii=True) + "\n"


def parse(line: bytes, name: str) -> EvidenceHeader:
    """Read a first line back."""
    try:
        value = json.loads(line)
        if not isinstance(value, dict) or "format" not in value:
            raise no_evidence(name)
        json.dumps(value, ensure_ascii=False).encode()  # halves of surrogate pairs cannot be digested
        match value:
            case {
                "format": str(form),
                "commit": str(commit),
                "suite": str(suite),
                "model": str(model),
                "data": dict(data),
                "environments": list(environments),
                **more,
            } if form in _FORMATS and all(isinstance(d, str) for d in data.values()):
                baseline, run = more.get("baseline", ""), more.get("run", "")
                if isinstance(baseline, str) and isinstance(run, str) and len(environments) <= MOST_PLACES:
                    provenance = Provenance(commit, suite, model, tuple(sorted(data.items())), baseline, run)
                    found = frozenset(_environment(one) for one in environments)
                    return EvidenceHeader(provenance, found, _FORMATS[form])
            case {"format": form} if form not in _FORMATS:
                shown = form[:60] if isinstance(form, str) else "no text"
                raise EvidenceError(
                    f"unknown evidence format `{shown}`: this mlgate reads {', '.join(_FORMATS)}",
                    where=name,
                    hint="read it with the version of mlgate that wrote it, or a newer one",
                )
    except (ValueError, RecursionError) as error:
        raise damage(name, "its first line is not an evidence header") from error
    raise damage(name, "its first line is not an evidence header")


def _environment(value: object) -> Environment:
    match value:
        case {"python": str(python), "platform": str(platform), "cpu": str(cpu), "versions": dict(versions)}:
            if len(versions) <= MOST_VERSIONS and all(isinstance(one, str) for one in versions.values()):
                return Environment(python, platform, cpu, tuple(sorted(versions.items())))
    raise ValueError("no environment")


def damage(name: str, why: str) -> EvidenceError:
    """Return the error of evidence that was written by mlgate, and is not whole."""
    return EvidenceError(f"the evidence is damaged: {why}", where=name, hint="collect this part again")


def no_evidence(name: str) -> EvidenceError:
    """Return the error of a file that mlgate never wrote."""
    hint = "name what mlgate check wrote: .mlgate/evidence.jsonl.gz"
    return EvidenceError("this is no evidence file", where=name, hint=hint)
