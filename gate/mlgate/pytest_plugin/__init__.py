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
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlgate.adapters.executors import pytest_options
from mlgate.adapters.executors.pytest_options import CommandLine
from mlgate.adapters.executors.pytest_selection import Selection
from mlgate.adapters.files import gate_file, plan_file
from mlgate.adapters.files.run_folder import RunFolder
from mlgate.core.errors import GateError
from mlgate.pytest_plugin import account
from mlgate.pytest_plugin.collector import COLLECTOR, Collector
from mlgate.pytest_plugin.fixtures import Gate, gate, mlgate_latency
from mlgate.pytest_plugin.items import BatchItem, plan_items

if TYPE_CHECKING:  # heavy, and imported where it is used: the last verdict is reset first
    from xdist.workermanage import WorkerController

    from mlgate.commands.pytest_session import PytestSession

__all__ = ["Gate", "gate", "mlgate_latency"]
"""Fixtures, which pytest looks for in the module that it loads, and the type of one, for who annotates their tests."""

_PYTEST_SESSION: pytest.StashKey[PytestSession] = pytest.StashKey()
_SELECTION = pytest.StashKey[Selection]()
_COMMAND_LINE = pytest.StashKey[CommandLine]()
_CURRENT: list[pytest.Config] = []
"""The configuration of this process: the hook of a failed collection is not given one."""


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
        pytest_session = PytestSession.begin(RunOptions.of_environment(given.gate_file(config.rootpath)), reset)
    except GateError as error:
        tell_error(error, sys.stdout)
        raise
    config.add_cleanup(pytest_session.close)
    config.stash[_PYTEST_SESSION] = pytest_session


def pytest_configure(config: pytest.Config) -> None:
    """Find out who we are: a worker, `mlgate check`'s session, or a session of the user's own."""
    _hold_lifeline()
    _CURRENT[:] = [config]
    workerinput, given = getattr(config, "workerinput", None), config.stash[_COMMAND_LINE]
    if workerinput is not None:
        config.stash[COLLECTOR] = Collector(Path(workerinput["mlgate_plan"]), workerinput["workerid"])
    elif given.is_child:
        config.stash[COLLECTOR] = Collector(Path(given.plan), "main")
    elif given.is_judging:
        if _PYTEST_SESSION not in config.stash:  # a conftest.py named the plug-in
            try:
                _begin(config)
            except GateError as error:
                pytest.exit(f"mlgate: {error}", error.exit_code)
        config.stash[COLLECTOR] = Collector(config.stash[_PYTEST_SESSION].plan_path, "main")
    if COLLECTOR in config.stash:
        config.stash[_SELECTION] = Selection(config.stash[COLLECTOR].plan, config.rootpath)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int | None, int | None]:
    """Hold a strict session to its verdict: settings such as `addopts = --help` end one before it judges."""
    code = yield
    pytest_session = config.stash.get(_PYTEST_SESSION, None)
    return code if pytest_session is None else pytest_session.ended(int(code or 0))


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
    node.workerinput["mlgate_plan"] = str(node.config.stash[COLLECTOR].plan_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the plan's items, in front of the user's tests; not where a person named single tests."""
    collector = config.stash.get(COLLECTOR, None)
    if collector is not None and not config.option.mlgate_no_items and not pytest_options.has_node_ids(config):
        items[:0] = plan_items(session, collector)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Open the account of every test that records a check, and note what is about to run."""
    collector = session.config.stash.get(COLLECTOR, None)
    if collector is not None and not session.config.option.collectonly:
        account.open_tests(collector, session.items)
    _note_selected(session.config, [item.nodeid for item in session.items])


def _note_selected(config: pytest.Config, nodes: Sequence[str]) -> None:
    """Note what is about to run; the verdict of the run before is reset when a check is among it."""
    selection, pytest_session = config.stash.get(_SELECTION, None), config.stash.get(_PYTEST_SESSION, None)
    if selection is not None and selection.select(nodes) and pytest_session is not None:
        try:
            pytest_session.reset_verdict()
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
    collector = _CURRENT[0].stash.get(COLLECTOR, None) if _CURRENT else None
    if collector is not None and report.failed:
        account.fail_file(collector, report.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Close a test's account when it has ended, or say that it failed: a crash is not a good answer."""
    report = yield
    collector = item.config.stash.get(COLLECTOR, None)
    if collector is not None and not isinstance(item, BatchItem):
        account.close_test(collector, item, call, report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Judge a session of the user's own. Its exit code says the verdict unless pytest has worse to tell."""
    config = session.config
    output, selection = getattr(config, "workeroutput", None), config.stash.get(_SELECTION, None)
    if output is not None and selection is not None:
        output["mlgate_dropped"] = sorted(selection.dropped)
    pytest_session = config.stash.get(_PYTEST_SESSION, None)
    if pytest_session is None or selection is None:
        return
    stopped = exitstatus == pytest.ExitCode.INTERRUPTED or bool(session.shouldfail or session.shouldstop)
    left_out, why = pytest_options.left_out(config, selection, pytest_session.late, stopped=stopped)
    if left_out and not pytest_session.is_strict:
        pytest_session.leave(left_out, why)
    elif exitstatus == pytest.ExitCode.INTERRUPTED:
        pytest_session.interrupt()
    else:
        outcome = pytest_session.finish(left_out, why)
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = outcome


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the verdict below pytest's own summary."""
    pytest_session = config.stash.get(_PYTEST_SESSION, None)
    if pytest_session is not None:
        terminalreporter.section("mlgate")
        terminalreporter.write(pytest_session.text)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what this process started."""
    _CURRENT.clear()
    collector = config.stash.get(COLLECTOR, None)
    if collector is not None:
        collector.close()
        del config.stash[COLLECTOR]
