"""A cause is told once: what keeps a whole check from being judged is the same for each of its rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlgate.core.verdict import Finding

LONGEST = 500
"""Characters of a reason that every format shows whole."""
CAUSES = {
    "not-measured": "not measured, for the reason above",
    "no-baseline": "not compared, for the reason above",
    "unusable-baseline": "not compared, for the reason above",
}
"""Topics whose reason is not the rule's own, and what stands in its place the next time."""


def told_once(findings: Iterable[Finding], told: str = "") -> Iterator[tuple[Finding, str]]:
    """Yield each finding with its reason; for one that *told*, or an earlier finding, has said, where it stands."""
    said = told[:LONGEST]
    for finding in findings:
        again = CAUSES.get(finding.topic)
        if again is None or not finding.why:
            yield finding, finding.why
        elif finding.why in said:
            yield finding, again
        else:
            said = f"{said}\n{finding.why}"
            yield finding, finding.why


def grouped(findings: Iterable[Finding]) -> Iterator[tuple[Finding, list[Finding]]]:
    """Yield each finding with the later ones that have the same cause and are not told by themselves."""
    first: dict[tuple[str, str], tuple[Finding, list[Finding]]] = {}
    groups: list[tuple[Finding, list[Finding]]] = []
    for finding in findings:
        key = (finding.check, finding.why)
        if finding.topic in CAUSES and key in first:
            first[key][1].append(finding)
        else:
            groups.append((finding, []))
            first[key] = groups[-1]
    yield from groups
