"""A session of the user's own pytest: the same plan, the same judging, the same reports as `mlgate check`."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from mlgate.adapters import evidence_file, plan_file
from mlgate.adapters.account import settle
from mlgate.adapters.progress_line import ProgressLine
from mlgate.adapters.rows_folder import RowReader
from mlgate.adapters.run_folder import EVIDENCE, RunFolder
from mlgate.core.check import Suite
from mlgate.core.errors import GateError
from mlgate.core.evidence import Evidence
from mlgate.flow.judge import judge
from mlgate.reports.escape import terminal
from mlgate.wiring.baselines import baseline_of
from mlgate.wiring.choice import Choice, recorded
from mlgate.wiring.project import KINDS, Project, beside_tests
from mlgate.wiring.publish import publish
from mlgate.wiring.run import decided


@dataclass
class Standalone:
    """What lives from the session's configuration to its end."""

    choice: Choice
    project: Project
    plan_path: Path
    text: str = ""
    """What to print at the end."""
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @classmethod
    def begin(cls, config: Path) -> Standalone:
        """Write the incomplete verdict and the plan. Raises GateError when the configuration cannot be used."""
        choice = Choice(config)
        with contextlib.ExitStack() as stack:
            stack.enter_context(recorded(choice.folder))
            project = Project.load(choice.config)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlgate-")))
            plan_file.write(folder / "plan.json", project.plan(1))
            return cls(choice, project, folder / "plan.json", _stack=stack.pop_all())

    def conclude(self, *, interrupted: bool) -> int:
        """Judge the rows that came. Return the exit code; never raises, for pytest would hide it."""
        folder = self.choice.folder
        if interrupted:
            self.text = "interrupted: no verdict\n"
            return 3
        shown = io.StringIO()
        try:
            code = self._judge(shown)
        except GateError as error:
            code = error.exit_code
            self._stopped(folder, shown, str(error), code)
        except Exception as error:  # noqa: BLE001 - a border: Python's own exit code 1 would say "the model is worse"
            code = 3
            self._stopped(folder, shown, f"unexpected {type(error).__name__}: {error}", code)
        self.text = shown.getvalue()
        return code

    @staticmethod
    def _stopped(folder: RunFolder, shown: io.StringIO, why: str, code: int) -> None:
        shown.write(f"mlgate: {terminal(why, 2000)}\n")
        with contextlib.suppress(GateError):
            folder.conclude("refused" if code == 5 else "errored", code, why)  # noqa: PLR2004 - the documented code

    def _judge(self, shown: io.StringIO) -> int:
        project, folder = self.project, self.choice.folder
        came = list(RowReader(self.plan_path.parent, project.most_rows_of_older).fresh())
        rows = [project.secrets.row(row) for row in settle(came, project.suite.planned)]
        baseline = baseline_of(project, self.choice)
        late = tuple(check for check in project.suite.checks if not beside_tests(check))
        with ProgressLine(sum(len(check.rows) for check in late), sys.stderr) as progress:
            for row in project.alone(folder.path, decided(project, baseline)).observe(Suite(late)):
                rows.append(row)
                progress.advance(row)
        evidence = Evidence.of(project.provenance, [project.environment], rows)
        evidence_file.write(folder.path / EVIDENCE, evidence)
        report = judge(project.suite, KINDS, evidence, baseline)
        digest = publish(report, folder, project.config.report, shown, sys.stderr)
        folder.conclude(report.outcome.name.lower(), report.outcome.exit_code, report.reason, digest)
        return report.outcome.exit_code

    def close(self) -> None:
        """Let go of the run's folder and the plan."""
        self._stack.close()
