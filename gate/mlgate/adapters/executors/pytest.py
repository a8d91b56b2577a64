"""Observing by pytest: checks become items on xdist's workers, in processes of their own.

What comes back is rows, read from the workers' files while they run. pytest's exit code is never believed: it is 0
after `os._exit(0)`, after `--co`, and when every test is skipped. What was planned and did not come is a gap.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Self

from mlgate.adapters.executors.test_completion import is_entry, unsettled
from mlgate.adapters.files import plan_file, safe_file
from mlgate.adapters.files.evidence_file import older
from mlgate.adapters.files.plan_file import WorkerPlan
from mlgate.adapters.files.worker_rows import RowReader
from mlgate.core.check import Suite
from mlgate.core.errors import AdapterError
from mlgate.core.evidence import Gap, Row

PLAN = "plan.json"
_KEYS = {"MLGATE_GITHUB_TOKEN", "MLGATE_KUBECONFIG", "MLGATE_KEY", "MLGATE_KEY_PASSPHRASE"}
_OURS = frozenset({"PYTEST_ADDOPTS", "PYTEST_PLUGINS", *_KEYS})
"""What no worker gets: settings that are not the plan's, and mlgate's own keys."""
_POLL_S = 0.05
_GRACE_S = 3.0
_LOG_TAIL = 64 << 10


class PytestExecutor:
    """Runs the plan's items hermetically, then the user's own tests of `recorded` checks with the user's settings."""

    def __init__(self, plan: WorkerPlan, log: Path) -> None:
        self._plan = plan
        self._log = log

    def observe(self, suite: Suite) -> Iterator[Row]:
        """Yield rows as they come, then a gap for each planned example that never did."""
        asked = [check for check in suite.checks if "tests" not in check.params and check.examples]
        tested = [check for check in suite.checks if "tests" in check.params and check.examples]
        safe_file.clear(self._log)
        self._log.unlink(missing_ok=True)
        if asked:
            yield from self._session(replace(suite, checks=tuple(asked)), ())
        if tested:
            paths = dict.fromkeys(str(path) for check in tested for path in _texts(check.params["tests"]))
            yield from self._session(replace(suite, checks=tuple(tested)), tuple(paths))

    def _session(self, suite: Suite, tests: Sequence[str]) -> Iterator[Row]:
        """Yield the rows of one pytest session, then a gap for each test and each example that is still open."""
        unseen = dict.fromkeys((check.id, example.id) for check in suite.checks for example in check.examples)
        planned, account, codes = suite.planned, list[Row](), list[int]()
        for row in self._rows(suite, tests, codes):
            if is_entry(row):
                account.append(row)
            else:
                unseen.pop(row.key, None)
                yield row
        yield from unsettled(account, planned)
        for check, example in unseen:
            yield Gap(check, example, f"no row came: {self._why(codes)}")

    def _rows(self, suite: Suite, tests: Sequence[str], codes: list[int]) -> Iterator[Row]:
        """Yield what the session's processes send while they run; append pytest's exit code to *codes*."""
        with tempfile.TemporaryDirectory(prefix="mlgate-") as name:
            folder = Path(name)
            plan_file.write(folder / PLAN, replace(self._plan, suite=suite))
            reader = RowReader(folder, older(suite.most_rows))
            command, where = self._command(folder, tests), self._where(folder, tests)
            with self._log.open("ab") as log, _Child(command, where, log, alone=not tests) as child:
                while child.wait(_POLL_S) is None:
                    yield from reader.fresh()
            codes.append(child.returncode)
            yield from reader.fresh()

    def _command(self, folder: Path, tests: Sequence[str]) -> list[str]:
        hermetic = ["--noconftest", "-c", os.devnull, f"--rootdir={folder}", "-p", "no:cacheprovider"]
        workers = ["-p", "xdist.plugin"] if not tests else []
        spread = ["-n", str(self._plan.workers)] if self._plan.workers > 1 else []
        plan = [f"--mlgate-plan={folder / PLAN}", "-p", "mlgate.pytest_plugin"]
        own = ["--mlgate-no-items", "--", *tests] if tests else [*hermetic]
        return [sys.executable, "-m", "pytest", "-q", "--color=no", *workers, *plan, *spread, *own]

    def _where(self, folder: Path, tests: Sequence[str]) -> Path:
        return Path(self._plan.root) if tests else folder

    def _why(self, codes: Sequence[int]) -> str:
        code = codes[0] if codes else 0
        end = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        with self._log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL))
            text = log.read().decode("utf-8", "replace")
        telling = [
            line.strip() for line in text.splitlines() if line.startswith(("E  ", "ERROR", "FAILED", "INTERNALERROR"))
        ]
        telling += [line.strip() for line in text.splitlines() if "crashed" in line or "Exit:" in line]
        return f"pytest {end}" + (f" ({telling[0][:160]})" if telling else "")


def _texts(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)


class _Child:
    """A process group of our own that never outlives us: it ends when its lifeline is closed."""

    def __init__(self, command: Sequence[str], where: Path, log: IO[bytes], *, alone: bool) -> None:
        self.returncode = 0
        theirs, self._lifeline = os.pipe()
        environment = {k: v for k, v in os.environ.items() if k not in _OURS}
        if alone:  # mlgate's own items need no plug-in of the user's
            environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        environment[plan_file.LIFELINE] = str(theirs)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - an argument list of our own
                command,
                cwd=where,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._lifeline)
            raise AdapterError(f"could not start pytest: {error.strerror}", where=str(where)) from error
        finally:
            os.close(theirs)

    def wait(self, seconds: float) -> int | None:
        """Return the exit code, or None while it runs."""
        try:
            self.returncode = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return self.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                _signal(self._process.pid, end)
                self.wait(_GRACE_S)
        _signal(self._process.pid, signal.SIGKILL)  # workers that outlived their controller
        os.close(self._lifeline)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
