"""Findings as GitHub annotations, at the line of mlgate.yaml that each rule stands on."""

from __future__ import annotations

from collections.abc import Sequence

from mlgate.core.errors import ConfigError, GateError
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.rule_change import RuleChange
from mlgate.core.verdict import Finding
from mlgate.reports.content.causes import grouped
from mlgate.reports.content.escape import command_data, command_property, terminal

MOST_ANNOTATIONS = 10
"""GitHub shows ten errors and ten warnings a step, and drops the rest without a word."""

_NAMED = 5
"""Rules of one cause that are named."""


def render(report: Report) -> str:
    """Return one workflow command a line: errors for findings that block, then warnings; worst first, ten of each."""
    blocking = [f for f in report.findings if f.outcome.blocks]
    warned = [f for f in report.findings if f.outcome is Outcome.WARNED]
    lines = [*_commands("error", blocking), *map(_question, report.questions[:1]), *_commands("warning", warned)]
    if report.outcome.blocks and not blocking:
        lines.append(f"::error title=mlgate::{command_data(terminal(report.reason))}")
    return "".join(line + "\n" for line in lines)


def _question(change: RuleChange) -> str:
    message = command_data(terminal(f"not the question that the base asks: {change.what}", 2_000))
    shown = ",".join(
        f"{name}={command_property(value)}" for name, value in [*_place(change.where), ("title", "mlgate")]
    )
    return f"::warning {shown}::{message}"


def stopped(error: GateError) -> str:
    """Return what stopped a run as errors, each at its place: there is no report to render then."""
    others = error.more if isinstance(error, ConfigError) else ()
    return "".join(f"{_annotation_of_error(one)}\n" for one in (error, *others)[:MOST_ANNOTATIONS])


def _annotation_of_error(error: GateError) -> str:
    place = _place(error.where) or _configuration(error.where)
    said = error.message if place or not error.where else f"{error.where}: {error.message}"
    message = command_data(terminal(f"{said}; next: {error.hint}" if error.hint else said, 2_000))
    shown = ",".join(f"{name}={command_property(value)}" for name, value in [*place, ("title", "mlgate")])
    return f"::error {shown}::{message}"


def _commands(command: str, findings: Sequence[Finding]) -> list[str]:
    groups = list(grouped(findings))
    if len(groups) <= MOST_ANNOTATIONS:
        return [_command(command, *group) for group in groups]
    rest = sum(1 + len(others) for _, others in groups[MOST_ANNOTATIONS - 1 :])
    more = f"::{command} title=mlgate::and {rest:,} more: the job summary and the log have them"
    return [*(_command(command, *group) for group in groups[: MOST_ANNOTATIONS - 1]), more]


def _command(command: str, finding: Finding, others: Sequence[Finding]) -> str:
    """Return one annotation; *others* are further rules of the same cause."""
    title = terminal(f"{finding.outcome.name.lower()}: {finding.id}", 200)
    also = f"; the same holds for {_names(others)}" if others else ""
    message = command_data(terminal(f"{finding.why}{also} ({finding.docs})", 2_000))
    properties = [*_place(finding.rule.where), ("title", title)]
    shown = ",".join(f"{name}={command_property(value)}" for name, value in properties)
    return f"::{command} {shown}::{message}"


def _names(findings: Sequence[Finding]) -> str:
    some = ", ".join(finding.id for finding in findings[:_NAMED])
    return f"{some} and {len(findings) - _NAMED:,} more" if len(findings) > _NAMED else some


def _place(where: str) -> list[tuple[str, str]]:
    """Read `file:line:column`; anything else gets no place, for GitHub drops an annotation whose line is no number."""
    file, _, rest = where.rpartition(":")
    file, _, line = file.rpartition(":")
    if not (file and _is_number(line) and _is_number(rest)):
        return []
    return [("file", terminal(file, 1_000)), ("line", line), ("col", rest)]


def _configuration(where: str) -> list[tuple[str, str]]:
    """Read the name of a configuration, which GitHub shows at its first line; where else it is, it is said in words."""
    is_one = where.endswith((".yaml", ".yml")) and not where.startswith("/")
    return [("file", terminal(where, 1_000))] if is_one else []


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004 - GitHub reads 32-bit numbers
