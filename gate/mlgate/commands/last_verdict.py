"""What the last run concluded, with the files that it left, held against each other."""

from __future__ import annotations

import hashlib

from mlgate.adapters.files import evidence_file, safe_file
from mlgate.adapters.files.run_folder import EVIDENCE, VERDICT
from mlgate.adapters.git import tracked_files
from mlgate.commands.publish import REPORT
from mlgate.commands.run_options import RunOptions
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.evidence import Evidence
from mlgate.core.report import Report
from mlgate.reports.json_v1 import document as json_v1

_LARGEST_REPORT = 1 << 28


def verified(choice: RunOptions) -> tuple[Evidence, Report, bytes]:
    """Return the evidence, the report and the bytes that it was read from, as the last run left them.

    Raises EvidenceError where no run came to a verdict, Refused where the files are not those that it wrote.
    """
    folder = choice.folder
    for name in (VERDICT, REPORT, EVIDENCE):
        if tracked_files.is_brought(choice.config.parent, folder.path / name):
            raise Refused(
                "the last verdict is committed: whoever did that made it",
                where=str(folder.path / name),
                hint="delete it, and let mlgate check make one",
            )
    concluded = folder.verdict()
    if not concluded.report:
        raise EvidenceError(f"the last run came to no verdict: it is {concluded.outcome}", hint="mlgate check")
    path = folder.path / REPORT
    try:
        text = safe_file.read(path, _LARGEST_REPORT)
    except OSError as error:
        raise EvidenceError(f"there is no report: {error.strerror}", where=str(path), hint="mlgate check") from error
    if hashlib.sha256(text).hexdigest() != concluded.report:
        raise Refused(
            "the report is not the one that the verdict was written for", where=str(path), hint="mlgate check"
        )
    _demand_named(choice.verdict, concluded.report, str(path))
    report = json_v1.parse(text.decode())
    evidence = evidence_file.read(
        folder.path / EVIDENCE, evidence_file.older(sum(one.planned for one in report.checks))
    )
    if evidence.digest != report.evidence:
        raise Refused(
            "the evidence is not the one that the report was made of",
            where=str(folder.path / EVIDENCE),
            hint="mlgate check",
        )
    return evidence, report, text


def _demand_named(wanted: str, found: str, where: str) -> None:
    """Raise Refused where a caller named another report, by its SHA-256."""
    if wanted and wanted != found:
        raise Refused(
            f"the verdict is another one than {wanted[:12]}…: its report is {found[:12]}…",
            where=where,
            hint="take the report of the run that judged: its output report-digest names it",
        )
