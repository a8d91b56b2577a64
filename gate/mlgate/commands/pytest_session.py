"""A session of the user's own pytest: it observes, and is prepared and finished like `mlgate check`."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from mlgate.adapters.executors import test_completion
from mlgate.adapters.executors.test_completion import settle
from mlgate.adapters.files import plan_file
from mlgate.adapters.files.run_folder import EVIDENCE
from mlgate.adapters.files.worker_rows import RowReader
from mlgate.adapters.terminal.run_progress import RunProgress
from mlgate.commands.finish import finish, seal
from mlgate.commands.fork_guard import refuse_strangers
from mlgate.commands.publish import tell_error
from mlgate.commands.run import Run, recorded, write_stop
from mlgate.commands.run_options import RunOptions
from mlgate.core.asked import marked
from mlgate.core.check import Suite
from mlgate.core.errors import GateError
from mlgate.core.evidence import Evidence
from mlgate.flow import paired_baseline
from mlgate.flow.check import settles
from mlgate.reports.content.escape import terminal
from mlgate.wiring import executors, models
from mlgate.wiring.error_redaction import secrets_at
from mlgate.wiring.kinds import KINDS, beside_tests, tests


class VerdictReset(Enum):
    """When a session makes the verdict of the run before it `incomplete`."""

    AT_START = "at start"
    """Before anything is read: a strict session judges, whatever it leaves out."""
    WHEN_FIRST_CHECK_RUNS = "when the first check runs"
    """A session that runs no check says nothing about the model."""
    NEVER = "never"
    """The session runs no test."""


@dataclass
class PytestSession:
    """What lives from the session's configuration to its end."""

    run: Run
    plan_path: Path
    reset: VerdictReset
    text: str = ""
    """What to print at the end."""
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _recorded: bool = False
    _verdict: int | None = None
    """The exit code of the verdict, when there is one."""

    @classmethod
    def begin(cls, choice: RunOptions, reset: VerdictReset) -> PytestSession:
        """Read what is to be asked, by whose rules, and write the plan.

        Raises GateError when the configuration cannot be used, or the change must not run here; the verdict says so.
        """
        folder = choice.folder
        with contextlib.ExitStack() as stack:
            if reset is VerdictReset.AT_START:
                stack.enter_context(recorded(folder, choice.config))
            said = io.StringIO()
            try:
                with contextlib.redirect_stderr(said):
                    refuse_strangers(allowed=choice.forks)
                    run = Run.prepare(choice, folder)
                    if reset is VerdictReset.AT_START and any(not tests(one) for one in run.project.suite.checks):
                        models.require_variables(run.project.config)
            except GateError as error:
                error.pass_through(secrets_at(choice.config).text)
                if reset is VerdictReset.WHEN_FIRST_CHECK_RUNS:
                    stack.enter_context(recorded(folder, choice.config))
                raise
            plan = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlgate-")), "plan.json")
            plan_file.write(plan, executors.plan(run.project, 1))
            begun = reset is VerdictReset.AT_START
            return cls(run, plan, reset, said.getvalue(), stack.pop_all(), begun)

    @property
    def is_strict(self) -> bool:
        """Return whether what was left out never passes."""
        return self.reset is VerdictReset.AT_START

    def reset_verdict(self) -> None:
        """Make the last verdict `incomplete`: a check is about to run."""
        if not self._recorded and self.reset is not VerdictReset.NEVER:
            self._stack.enter_context(recorded(self.run.folder, self.run.choice.config))
            self._recorded = True

    @property
    def late(self) -> set[str]:
        """Return the checks that are asked when the tests are done."""
        return {check.id for check in paired_baseline.asked(self.run.project.suite) if not beside_tests(check)}

    def leave(self, left_out: Collection[str], why: str) -> None:
        """Say that this session does not judge. Older words stand, unless a check was asked in it."""
        said = self._left_out(left_out, why)
        if self._recorded:
            with contextlib.suppress(GateError):
                self.run.folder.conclude("incomplete", 3, said)
        self.text += f"{terminal(said, 2000)}\n  next: pytest -p mlgate, without a selection; or mlgate check\n"

    def _left_out(self, left_out: Collection[str], why: str) -> str:
        asked = paired_baseline.asked(self.run.project.suite)
        return f"not judged: {len(left_out)} of {len(asked)} checks were deselected ({why})"

    def interrupt(self) -> None:
        """Say that there is no verdict. The file says `incomplete`."""
        self.text += "interrupted: no verdict\n"

    def finish(self, left_out: Collection[str] = (), why: str = "") -> int:
        """Judge the rows that came. Return the exit code; never raises, for pytest would hide it.

        A check that was *left_out* is not measured, whatever rows it has.
        """
        shown = io.StringIO()
        if left_out:
            said = f"{self._left_out(left_out, why)}; in CI, or with --mlgate-strict, that is no pass"
            shown.write(f"{terminal(said, 2000)}\n  next: pytest -p mlgate, without a selection; or mlgate check\n")
        try:
            self.reset_verdict()
            evidence = self._observe(left_out)
            seal(evidence, self.run.folder, EVIDENCE)  # before it is judged: the rows' own folder goes with the session
            with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
                code = finish(self.run, evidence, is_sealed=True)
        except GateError as error:
            code = error.exit_code
            error.pass_through(secrets_at(self.run.choice.config).text)
            tell_error(error, shown)
            self._stop(shown, str(error), code)
        except Exception as error:  # noqa: BLE001 - a border: Python's own exit code 1 would say "the model is worse"
            code = 3
            why = secrets_at(self.run.choice.config).text(f"unexpected {type(error).__name__}: {error}")
            self._stop(shown, why, code)
        self.text += shown.getvalue()
        self._verdict = code
        return code

    def ended(self, code: int) -> int:
        """Return the exit code of the whole session, which pytest would end with *code*.

        Where pytest says 0, a strict session says its verdict, or 3 where it came to none.
        """
        if code or not self.is_strict:
            return code
        if self._verdict is not None:
            return self._verdict
        shown = io.StringIO()
        why = "pytest ended before a check ran; look for options in its settings (addopts, PYTEST_ADDOPTS)"
        self._stop(shown, why, 3)
        sys.stderr.write(shown.getvalue())
        return 3

    def _stop(self, shown: io.StringIO, why: str, code: int) -> None:
        shown.write(f"mlgate: {terminal(why, 2000)}\n")
        write_stop(self.run.folder, why, code)

    def _observe(self, left_out: Collection[str]) -> Evidence:
        """Read what the tests and the items saw, then ask what they could not: what is timed, and a model beside."""
        run, project = self.run, self.run.project
        rows = list(RowReader(self.plan_path.parent, project.most_rows_of_older).fresh())
        recorded_by = [check.id for check in project.suite.checks if check.id in left_out and tests(check)]
        rows += [test_completion.failed(one, "deselected", "not all of its tests were selected") for one in recorded_by]
        rows = [project.secrets.row(row) for row in settle(rows, project.suite.planned)]
        baseline = run.baseline
        decided = settles(project.suite, KINDS, project.provenance, baseline)
        late = tuple(check for check in project.suite.checks if not beside_tests(check) and not left_out)
        with RunProgress(sum(len(check.rows) for check in late), sys.stderr) as progress:
            for row in executors.alone(project, run.folder.path, decided).observe(Suite(late)):
                rows.append(row)
                progress.advance(row)
        return marked(project.suite, Evidence.of(project.provenance, [project.environment], rows))

    def close(self) -> None:
        """Let go of the run's folder and the plan."""
        self._stack.close()
