"""The pytest plug-in: mlgate's checks as items, and the `gate` fixture for the user's own tests.

`pytest -p mlgate` reads mlgate.yaml, adds its checks to the session, judges at the end and prints the verdict. What a
session leaves out of them is not judged: at a desk it says so, in CI (`--mlgate-strict`) it does not pass.
`mlgate check` uses the same plug-in with a plan (`--mlgate-plan`) and judges outside of pytest.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlgate.adapters.executors import pytest_options, test_completion
from mlgate.adapters.executors.pytest_options import CommandLine
from mlgate.adapters.executors.pytest_selection import Selection, batches, node
from mlgate.adapters.files import gate_file, plan_file
from mlgate.adapters.files.plan_file import WorkerPlan
from mlgate.adapters.files.run_folder import RunFolder
from mlgate.adapters.files.worker_rows import RowWriter
from mlgate.core.check import Check, Example
from mlgate.core.errors import ConfigError, GateError
from mlgate.core.evidence import Observation

if TYPE_CHECKING:  # heavy, and imported where it is used: the last verdict is reset first
    from xdist.workermanage import WorkerController

    from mlgate.commands.pytest_session import PytestSession
    from mlgate.core.ports import Model
    from mlgate.pytest_timing import Stopwatch

_COLLECTOR = pytest.StashKey["Collector"]()
_STANDALONE: pytest.StashKey[PytestSession] = pytest.StashKey()
_SELECTION = pytest.StashKey[Selection]()
_COMMAND_LINE = pytest.StashKey[CommandLine]()
_CURRENT: list[pytest.Config] = []
"""The configuration of this process: the hook of a failed collection is not given one."""


class Collector:
    """What one process needs to observe: the plan, the model (started when first asked) and where rows go."""

    def __init__(self, path: Path, worker: str) -> None:
        self.plan_path = path
        self.plan: WorkerPlan = plan_file.read(path)
        self.rows = RowWriter(path.parent, worker)
        self._model: Model | None = None

    @property
    def model(self) -> Model:
        """Return the model under test, started once a process."""
        if self._model is None:
            from mlgate.wiring.models import model

            self._model = model(self.plan.model, Path(self.plan.root), self.plan.suite, self.plan.workers)
        return self._model

    def close(self) -> None:
        """End the model and the row file."""
        if self._model is not None:
            self._model.close()
        self.rows.close()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare mlgate's options, and read the command line. A strict session resets the last verdict here already.

    This is the first that pytest calls: a process that is killed, or that pytest ends, then leaves no older pass.
    """
    group = parser.getgroup("mlgate")
    group.addoption("--mlgate-config", default="", metavar="FILE", help="the gate's file [mlgate.yaml]")
    group.addoption(
        "--mlgate-strict",
        action="store_true",
        help="exit with 3 when checks were deselected; in CI always (also: MLGATE_STRICT=true)",
    )
    group.addoption("--mlgate-plan", default="", help="internal: the plan that `mlgate check` wrote")
    group.addoption("--mlgate-no-items", action="store_true", help="internal: only the user's own tests")
    config = pluginmanager.get_plugin("pytestconfig")
    if not isinstance(config, pytest.Config):  # -p no:pytestconfig
        raise pytest.UsageError("mlgate: pytest's settings block pytest's own configuration")
    given = config.stash[_COMMAND_LINE] = CommandLine.of(parser, config)
    if given.is_judging and given.is_strict:
        _reset_verdict(given, config.rootpath)


def _reset_verdict(given: CommandLine, rootpath: Path) -> None:
    """Make the last verdict `incomplete`. What is wrong with the folder or the file is said when the run begins."""
    output, path = os.environ.get("MLGATE_OUTPUT", ""), rootpath / gate_file.DEFAULT_FILE
    with contextlib.suppress(GateError):
        path = given.gate_file(rootpath)
    with contextlib.suppress(GateError):
        RunFolder.beside(path, Path(output) if output else None).reset_verdict()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin a session of the user's own before a conftest.py runs: it may be a stranger's.

    In `mlgate check`'s session, let the user's tests reach the model's packages, behind mlgate's own, where the two
    live apart (in CI).
    """
    given = early_config.stash[_COMMAND_LINE]
    if early_config.known_args_namespace.mlgate_no_items and not given.is_judging:
        known = os.environ.get("MLGATE_MODEL_PATH", "").split(os.pathsep)
        sys.path.extend(path for path in known if path and path not in sys.path)
    if given.is_judging:
        try:
            _begin(early_config)
        except GateError as error:  # here pytest knows no way to end but its own codes: 4 would be "rolled back"
            sys.stderr.write(f"mlgate: {error}\n")
            raise SystemExit(error.exit_code) from error


def _begin(config: pytest.Config) -> None:
    """Decide whose rules judge, and what is asked. Raises GateError."""
    from mlgate.commands.publish import tell_error
    from mlgate.commands.pytest_session import PytestSession, VerdictReset
    from mlgate.commands.run_options import RunOptions

    given, whole = config.stash[_COMMAND_LINE], config.known_args_namespace
    reset = VerdictReset.WHEN_FIRST_CHECK_RUNS
    if given.is_strict or whole.mlgate_strict:
        reset = VerdictReset.AT_START
    elif pytest_options.is_quiet(whole):
        reset = VerdictReset.NEVER
    try:
        given.check(whole)
        standalone = PytestSession.begin(RunOptions.of_environment(given.gate_file(config.rootpath)), reset)
    except GateError as error:
        tell_error(error, sys.stdout)
        raise
    config.add_cleanup(standalone.close)
    config.stash[_STANDALONE] = standalone


def pytest_configure(config: pytest.Config) -> None:
    """Find out who we are: a worker, `mlgate check`'s session, or a session of the user's own."""
    _hold_lifeline()
    _CURRENT[:] = [config]
    workerinput, given = getattr(config, "workerinput", None), config.stash[_COMMAND_LINE]
    if workerinput is not None:
        config.stash[_COLLECTOR] = Collector(Path(workerinput["mlgate_plan"]), workerinput["workerid"])
    elif given.is_child:
        config.stash[_COLLECTOR] = Collector(Path(given.plan), "main")
    elif given.is_judging:
        if _STANDALONE not in config.stash:  # a conftest.py named the plug-in
            try:
                _begin(config)
            except GateError as error:
                pytest.exit(f"mlgate: {error}", error.exit_code)
        config.stash[_COLLECTOR] = Collector(config.stash[_STANDALONE].plan_path, "main")
    if _COLLECTOR in config.stash:
        config.stash[_SELECTION] = Selection(config.stash[_COLLECTOR].plan, config.rootpath)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int | None, int | None]:
    """Hold a strict session to its verdict: settings such as `addopts = --help` end one before it judges."""
    code = yield
    standalone = config.stash.get(_STANDALONE, None)
    return code if standalone is None else standalone.ended(int(code or 0))


def _active() -> Collector | None:
    return _CURRENT[0].stash.get(_COLLECTOR, None) if _CURRENT else None


def _hold_lifeline() -> None:
    """End this process group when the gate that started it is gone, killed or not."""
    descriptor = os.environ.pop(plan_file.LIFELINE, "")
    if descriptor.isdigit():
        threading.Thread(target=_end_with, args=(int(descriptor),), daemon=True).start()


def _end_with(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Hand the plan to an xdist worker."""
    node.workerinput["mlgate_plan"] = str(node.config.stash[_COLLECTOR].plan_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the plan's items, in front of the user's tests; not where a person named single tests."""
    collector = config.stash.get(_COLLECTOR, None)
    if collector is not None and not config.option.mlgate_no_items and not pytest_options.has_node_ids(config):
        items[:0] = plan_items(session, collector)


def plan_items(session: pytest.Session, collector: Collector) -> Iterator[pytest.Item]:
    """Yield one item a batch of examples. Which examples share a batch never changes a number."""
    for name, check, examples in batches(collector.plan):
        item: BatchItem = BatchItem.from_parent(session, name=name, nodeid=node(name))
        item.batch(collector, check, examples)
        yield item


class BatchItem(pytest.Item):
    """Observes one batch. It passes when it was carried out: what the answers are worth is judged later, once."""

    def batch(self, collector: Collector, check: Check, examples: Sequence[Example]) -> None:
        """Say what to observe."""
        self._collector, self._check, self._examples = collector, check, examples

    def runtest(self) -> None:
        """Ask, and send each row as it comes."""
        from mlgate.wiring.project import ASKING

        kind = ASKING[self._check.kind]
        for row in kind.observe(self._check, self._examples, self._collector.model):
            self._collector.rows.append(row)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the item in pytest's output."""
        return self.path, None, f"mlgate {self.name}"


class Gate:
    """What a user's test holds: the examples of a `recorded` check, and where to record what it saw."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self.recorded: list[str] = []
        """Checks that this test recorded rows of."""

    def examples(self, check: str) -> tuple[Example, ...]:
        """Return the check's planned examples, with their references."""
        return self._check(check).examples

    def record(self, check: str, example: str | int, **numbers: float) -> None:
        """Record what was seen for one example: one call an example, all of the check's metrics in it.

        Numbers are judged later, by the rules of mlgate.yaml. Raises ConfigError for a check that is not `recorded`
        and ValueError for what is not a finite number.
        """
        planned = self._check(check)
        seen = {}
        for name, number in numbers.items():
            value = float(number)
            if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN is unlike itself
                raise ValueError(f"{name} of {check}/{example} is {value}: record finite numbers")
            seen[name] = value
        self.recorded.append(planned.id)
        self._collector.rows.append(Observation(planned.id, str(example), seen))

    def _check(self, name: str) -> Check:
        for check in self._collector.plan.suite.checks:
            if check.id == name and "tests" in check.params:
                return check
        known = [check.id for check in self._collector.plan.suite.checks if "tests" in check.params]
        raise ConfigError(
            f"mlgate.yaml has no check {name!r} of kind recorded", hint=f"there are: {', '.join(known) or 'none'}"
        )


@pytest.fixture
def gate(request: pytest.FixtureRequest) -> Gate:
    """Record observations that mlgate.yaml's rules judge: `gate.record("tone", example_id, politeness=0.9)`."""
    return Gate(request.config.stash[_COLLECTOR])


@pytest.fixture
def mlgate_latency() -> Stopwatch:
    """Time the test's own functions: `new, old = mlgate_latency.duet(f, g, inputs)`, then `new.ratio(old).high < 1.05`.

    Under xdist other workers share the machine: a duet stays fair, absolute times do not mean much.
    """
    from mlgate.pytest_timing import Stopwatch

    return Stopwatch()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Open the account of every test that records a check: one that never ends must not look like one that passed."""
    collector = session.config.stash.get(_COLLECTOR, None)
    if collector is not None and not session.config.option.collectonly:
        for item in session.items:
            for check in _owners(collector, item):
                collector.rows.append(test_completion.opened(check, item.nodeid))
    _note_selected(session.config, [item.nodeid for item in session.items])


def _note_selected(config: pytest.Config, nodes: Sequence[str]) -> None:
    """Note what is about to run; the verdict of the run before is reset when a check is among it."""
    selection, standalone = config.stash.get(_SELECTION, None), config.stash.get(_STANDALONE, None)
    if selection is not None and selection.select(nodes) and standalone is not None:
        try:
            standalone.reset_verdict()
        except GateError as error:
            pytest.exit(f"mlgate: {error}", error.exit_code)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: WorkerController, ids: Sequence[str]) -> None:
    """Note what xdist's workers are about to run: this process collects nothing."""
    _note_selected(node.config, ids)


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note what was deselected. In a worker of xdist, `pytest_sessionfinish` reports it to the controller."""
    selection = _CURRENT[0].stash.get(_SELECTION, None) if _CURRENT else None
    if selection is not None:
        selection.drop(item.nodeid for item in items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Read from a worker of xdist what was deselected there."""
    selection = node.config.stash.get(_SELECTION, None)
    if selection is not None:
        selection.dropped.update(getattr(node, "workeroutput", {}).get("mlgate_dropped", ()))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what ran to its end."""
    selection = _CURRENT[0].stash.get(_SELECTION, None) if _CURRENT else None
    if selection is not None and report.when == "teardown":
        selection.end(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Write down a test file that could not be collected: its tests are missing without a name."""
    collector = _active()
    if collector is not None and report.failed:
        for check in _checks_of(collector, Path(collector.plan.root) / report.nodeid.split("::")[0]):
            collector.rows.append(test_completion.failed(check, report.nodeid, "it could not be collected"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Close a test's account when it has ended, or say that it failed: a crash is not a good answer."""
    report = yield
    collector = item.config.stash.get(_COLLECTOR, None)
    if collector is None or isinstance(item, BatchItem):
        return report
    for check in _owners(collector, item):
        if report.failed:
            what = call.excinfo.exconly(tryshort=True).splitlines()[0] if call.excinfo else "failed"
            collector.rows.append(test_completion.failed(check, item.nodeid, f"it failed in {call.when}: {what[:300]}"))
        elif call.when == "teardown":
            collector.rows.append(test_completion.closed(check, item.nodeid))
    return report


def _owners(collector: Collector, item: pytest.Item) -> Sequence[str]:
    """Return the checks that a test records: by the path that the check names, or by what it recorded."""
    held = getattr(item, "funcargs", {}).get("gate")
    recorded = held.recorded if isinstance(held, Gate) else []
    return tuple(dict.fromkeys([*_checks_of(collector, item.path), *recorded]))


def _checks_of(collector: Collector, path: Path) -> Sequence[str]:
    from mlgate.wiring.project import tests

    root = Path(collector.plan.root)
    return tuple(
        check.id
        for check in collector.plan.suite.checks
        if any(path.resolve().is_relative_to((root / name.split("::")[0]).resolve()) for name in tests(check))
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Judge a session of the user's own. Its exit code says the verdict unless pytest has worse to tell."""
    config = session.config
    output, selection = getattr(config, "workeroutput", None), config.stash.get(_SELECTION, None)
    if output is not None and selection is not None:
        output["mlgate_dropped"] = sorted(selection.dropped)
    standalone = config.stash.get(_STANDALONE, None)
    if standalone is None or selection is None:
        return
    stopped = exitstatus == pytest.ExitCode.INTERRUPTED or bool(session.shouldfail or session.shouldstop)
    left_out, why = pytest_options.left_out(config, selection, standalone.late, stopped=stopped)
    if left_out and not standalone.is_strict:
        standalone.leave(left_out, why)
    elif exitstatus == pytest.ExitCode.INTERRUPTED:
        standalone.interrupt()
    else:
        outcome = standalone.finish(left_out, why)
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = outcome


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the verdict below pytest's own summary."""
    standalone = config.stash.get(_STANDALONE, None)
    if standalone is not None:
        terminalreporter.section("mlgate")
        terminalreporter.write(standalone.text)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what this process started."""
    _CURRENT.clear()
    collector = config.stash.get(_COLLECTOR, None)
    if collector is not None:
        collector.close()
        del config.stash[_COLLECTOR]
