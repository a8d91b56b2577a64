"""The model on the cluster is asked by the file's own checks before it gets traffic, beside the one that serves."""

from __future__ import annotations

import sys

from mlgate.adapters.files.run_folder import RunFolder
from mlgate.adapters.terminal.output import tell
from mlgate.commands.check import observe_all
from mlgate.commands.finish import finish
from mlgate.commands.publish import REPORT
from mlgate.commands.run import Run, recorded
from mlgate.commands.run_options import RunOptions
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.reports.json_v1 import document
from mlgate.wiring import online_checks
from mlgate.wiring.deploy import Target

FOLDER = "online"
_JOURNAL = "journal.jsonl"


def judge_online(target: Target, choice: RunOptions, record: ServiceRecord) -> Judgement:
    """Observe, judge and report; the files lie in `.mlgate/online`. Raises GateError."""
    assert record.candidate is not None
    project = online_checks.project(target.config, target.section, record.candidate, record.accepted)
    folder = RunFolder(choice.folder.path / FOLDER)
    tell(sys.stdout, f"online checks: {', '.join(target.section.checks)}")
    with recorded(folder, choice.config):
        run = Run(RunOptions(choice.config, folder.path, workers=0), project, folder, None)
        finish(run, observe_all(run, project.suite, _JOURNAL), journal=_JOURNAL)
    report = document.parse((folder.path / REPORT).read_text())
    return Judgement(report.outcome, f"online checks: {report.reason}")
