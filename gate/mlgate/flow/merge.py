"""Joining shards: the union of their rows, refused when they are not of one run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.evidence import Evidence, Provenance
from mlgate.core.identity import CURRENT_FORM


def merge(parts: Sequence[tuple[str, Evidence]]) -> tuple[Evidence, tuple[str, ...]]:
    """Join named shards. Return the evidence and notices (a shard that was given twice)."""
    if not parts:
        raise EvidenceError("no evidence to merge", hint="name the files: mlgate merge shard-*.jsonl.gz")
    known: dict[str, str] = {}
    notices = []
    for name, evidence in parts:
        digest = evidence.digest
        if digest in known and evidence.rows:
            notices.append(f"{name} holds the same rows as {known[digest]}: counted once")
        known.setdefault(digest, name)
    return reduce(or_, (evidence for _, evidence in parts)), tuple(notices)


def refuse_foreign(evidence: Evidence, here: Provenance) -> None:
    """Refuse evidence of another commit, suite, model or data than the ones that judge it; in CI, of another run."""
    if evidence.form != CURRENT_FORM:
        raise Refused(
            f"the evidence is of form {evidence.form}, and this mlgate writes form {CURRENT_FORM}: "
            "another version observed it",
            hint="observe and merge with one version of mlgate; "
            "to judge old evidence by today's rules use `mlgate replay`",
        )
    seen = evidence.provenance
    for name, theirs, ours in (
        ("commit", seen.commit, here.commit),
        ("suite", seen.suite, here.suite),
        ("model", seen.model, here.model),
        ("data", seen.data, here.data),
        ("baseline", seen.baseline, here.baseline),
        ("run", seen.run, here.run or seen.run),
    ):
        if theirs != ours:
            raise Refused(
                f"the evidence is of another {name} than this checkout",
                hint="merge where the same commit and mlgate.yaml are checked out; "
                "to judge old evidence by today's rules use `mlgate replay`",
            )
