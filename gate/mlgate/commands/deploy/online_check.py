"""The models on the cluster are asked by the file's own checks: the candidate, beside the one that serves.

Before the candidate gets traffic that is waited for. While it has some, rounds of it run in a process of their own: the
rollout goes on looking at the cluster, and can be taken back at any moment.
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from mlgate.adapters.files.run_folder import RunFolder
from mlgate.adapters.process.background import BackgroundProcess
from mlgate.adapters.terminal.output import tell
from mlgate.commands.check import observe_all
from mlgate.commands.finish import finish
from mlgate.commands.publish import REPORT
from mlgate.commands.run import Run, recorded
from mlgate.commands.run_options import RunOptions
from mlgate.config.config import Config
from mlgate.config.load import load
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.errors import AdapterError, EvidenceError, GateError, Refused
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.reports.json_v1 import document
from mlgate.wiring import online_checks

FOLDER = "online"
_JOURNAL, _LOG = "journal.jsonl", "round.log"


def judge_online(
    config: Config, choice: RunOptions, candidate: str, stable: str | None, folder: str = FOLDER
) -> Report:
    """Observe, judge and report by the names of two models; None: nothing serves beside. Raises GateError.

    The files lie in a *folder* of `.mlgate`.
    """
    section = config.document.deploy
    assert section is not None
    project = online_checks.project(config, section, candidate, stable)
    own = RunFolder(choice.folder.path / folder)
    tell(sys.stdout, f"online checks: {', '.join(section.checks)}")
    with recorded(own, choice.config):
        run = Run(RunOptions(choice.config, own.path, workers=0), project, own, None)
        finish(run, observe_all(run, project.suite, _JOURNAL), journal=_JOURNAL)
    return _report(own)


def _report(folder: RunFolder) -> Report:
    content = (folder.path / REPORT).read_bytes()
    if hashlib.sha256(content).hexdigest() != folder.verdict().report:
        raise EvidenceError("report.json is not the one that the verdict is about", where=str(folder.path))
    return document.parse(content.decode())


def verdict_of(report: Report) -> Judgement:
    """Return how the models came out by a report of theirs."""
    return Judgement(report.outcome, f"online checks: {report.reason}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class OnlineRounds:
    """Rounds of the online checks, each in a process of its own. To be used in a `with`, which ends it."""

    def __init__(self, choice: RunOptions) -> None:
        self._choice = choice
        self._rules = _digest(choice.config)
        self._suite = ""
        """The digest of what was asked first: the examples stay what they are, too."""
        self._folder = RunFolder(choice.folder.path / FOLDER)
        self._process: BackgroundProcess | None = None
        self._fault = ""
        """Why the round could not begin."""

    def __enter__(self) -> Self:
        """Begin nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the round that is under way."""
        self.cancel()

    def first(self, config: Config, record: ServiceRecord) -> Judgement:
        """Ask before the candidate gets traffic, and wait for that. Raises GateError."""
        assert record.candidate is not None
        stable = record.accepted.name if record.accepted else None
        report = judge_online(config, self._choice, record.candidate.name, stable)
        self._suite = report.provenance.suite
        return verdict_of(report)

    def begin(self, record: ServiceRecord) -> None:
        """Begin a round. What an older one said is gone first, so that it cannot be taken for this one's."""
        assert record.candidate is not None
        self._process, self._fault = None, ""
        stable = record.accepted.name if record.accepted else None
        paths = [str(self._choice.config.resolve()), str(self._choice.folder.path.resolve())]
        words = json.dumps([*paths, self._rules, record.candidate.name, stable])
        try:
            with self._folder.held():
                self._folder.begin("the round has not begun")
            self._process = BackgroundProcess("mlgate.commands.deploy.online_round", [words], self._folder.own(_LOG))
        except (AdapterError, OSError) as error:
            self._fault = f"online checks: a round could not begin: {error}"

    def ended(self) -> Judgement | None:
        """Return how the round came out; None while it is under way. Without a verdict of its own it is ERRORED."""
        if self._process is None:
            return Judgement(Outcome.ERRORED, self._fault)
        code = self._process.ended()
        if code is None:
            return None
        self._process.end()
        with suppress(GateError, OSError, ValueError):
            report = _report(self._folder)
            self._suite = self._suite or report.provenance.suite
            if report.provenance.suite == self._suite:
                return verdict_of(report)
            return Judgement(Outcome.ERRORED, "online checks: the examples or rules are others than at first")
        return Judgement(Outcome.ERRORED, f"online checks: no verdict (exit code {code}){self._last()}")

    def cancel(self) -> None:
        """End the round that is under way."""
        if self._process is not None:
            self._process.end()

    def _last(self) -> str:
        """Return the last line that the round printed."""
        try:
            lines = (self._folder.path / _LOG).read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return f": {lines[-1][:300]}" if lines else ""


def round_of(words: str) -> None:
    """Ask one round, as `OnlineRounds` wrote it down."""
    config, output, rules, candidate, stable = json.loads(words)
    if _digest(Path(config)) != rules:
        raise Refused(
            "the file changed while the rollout was under way: a change does not choose what judges it",
            where=config,
            hint="the next rollout is judged by it",
        )
    choice = RunOptions(Path(config), Path(output))
    judge_online(load(choice.config), choice, candidate, stable)
