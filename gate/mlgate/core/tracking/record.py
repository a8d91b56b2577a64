"""One verdict as an experiment tracker remembers it: flat names, texts, numbers, files; of no server in particular."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DataUsed:
    """The data of one check, by content."""

    check: str
    digest: str
    """SHA-256 of ids, inputs and references: the same for the same examples, whatever file they lie in."""
    source: str
    """Where it came from, as the configuration names it: a path, a dataset's name."""
    examples: int
    version: str = ""
    """What a version control of data calls it, e.g. `dvc md5:d41d8…`; empty without one."""


@dataclass(frozen=True, slots=True)
class TrackingRecord:
    """One verdict, and all that led to it. The same key means the same verdict: written again, it is updated."""

    key: str
    """SHA-256 of the evidence, of the rules, of the evidence that it was held against, and of how it ended."""
    name: str
    """For people, one line: `summarizer passed 1a2b3c4`."""
    verdict: str
    """SHA-256 of report.json."""
    evidence: str
    """The evidence's digest."""
    began: int
    """When it was first recorded: milliseconds since 1970, UTC. Not part of the key."""
    params: Mapping[str, str] = field(default_factory=dict)
    """What was asked of what: equal for equal keys, but for where it ran."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Finite numbers by `check/metric`, of a slice by `check/field:value/metric`."""
    tags: Mapping[str, str] = field(default_factory=dict)
    data: tuple[DataUsed, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    """By name, without folders."""


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """Where a record went."""

    run: str
    """The tracker's own id."""
    where: str
    """For people: a page's address, or `run 1a2b3c in sqlite:///mlflow.db`."""
    folder: str
    """The URI under which its files lie, e.g. `runs:/1a2b3c/mlgate`."""
