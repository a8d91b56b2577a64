"""A rollout that somebody else moves is judged, for the engine that moves it. Nothing is written to the cluster."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from mlgate.adapters.http.server import serving
from mlgate.adapters.process import clock
from mlgate.adapters.process.signals import SignalStop
from mlgate.adapters.terminal.output import tell
from mlgate.adapters.terminal.status_line import StatusLine
from mlgate.commands import unmerged_guard
from mlgate.commands.deploy.rollout import demand_names_of_models
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.deploy.mode import ONE_OBJECT
from mlgate.core.deploy.observed import ObservedVerdict
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.observe import RolloutObserver
from mlgate.reports.json_v1 import observed as json_v1
from mlgate.reports.terminal import observed as words
from mlgate.wiring.deploy import Target
from mlgate.wiring.gitops import observing
from mlgate.wiring.gitops.observing import AskedStep

_POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class ObserveOptions:
    """How it is observed."""

    asked: AskedStep
    seconds: float | None = None
    """How long to wait for a decision, at most; None: for `hold` and `patience`."""
    as_json: bool = False
    listen: tuple[str, int] | None = None
    """Where to answer by HTTP, until a signal comes; None: not at all."""


def run_observe(choice: RunOptions, options: ObserveOptions) -> int:
    """Judge the present step, and return 0 for passed, 1 for failed, 3 for not known."""
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config))
    if target.section.mode in ONE_OBJECT:
        demand_names_of_models(target, target.section.mode)
    observer = observing.observer(target, options.asked)
    if target.section.checks:
        tell(sys.stderr, "mlgate: notice: deploy.checks are not asked: nobody here says when users are not counted")
    if options.listen is not None:
        return _listen(observer, target, *options.listen)
    given = target.section
    limit = (given.hold + given.patience).total_seconds() if options.seconds is None else options.seconds
    verdict = _decided(observer, limit)
    tell(sys.stdout, _json(target, verdict) if options.as_json else words.render(target.section.service, verdict))
    return verdict.exit_code


def _json(target: Target, verdict: ObservedVerdict) -> str:
    return json_v1.render(target.section.service, target.namespace, verdict)


def _decided(observer: RolloutObserver, limit: float) -> ObservedVerdict:
    """Return the verdict, once there is one, or when the time is over, or a signal came."""
    begin, line = clock.seconds(), StatusLine(sys.stderr)
    with SignalStop() as stop:
        while True:
            verdict = observer.look()
            left = limit - (clock.seconds() - begin)
            if verdict.is_decided or left <= 0:
                break
            if line.lives:
                line.show(words.status_line(verdict))
            stop.wait(min(_POLL_S, left))
            if stop.why:
                verdict = replace(verdict, why=f"{stop.why}: {verdict.why}" if verdict.why else stop.why)
                break
    line.clear()
    return verdict


def _listen(observer: RolloutObserver, target: Target, host: str, port: int) -> int:
    """Answer by HTTP until a signal comes. Each question is a look of its own: a verdict is never an old one."""
    mutex, service = threading.Lock(), target.section.service

    def look() -> ObservedVerdict:
        with mutex:
            return observer.look()

    def answer(path: str) -> tuple[int, str] | None:
        if path not in _PATHS:
            return None
        verdict = look()
        return _PATHS[path](verdict), _json(target, verdict)

    with SignalStop() as stop, serving(host, port, answer) as bound:
        tell(sys.stdout, f"{service}: listening on {host}:{bound}: {' '.join(_PATHS)}")
        last: tuple[object, ...] = ()
        while not stop.why:
            verdict = look()
            now = (verdict.seen.step, verdict.outcome)
            if now != last:
                tell(sys.stdout, words.render(service, verdict))
            last = now
            stop.wait(_POLL_S)
    return 0


def _fine(ok: bool) -> int:
    return 200 if ok else 409


_PATHS: dict[str, Callable[[ObservedVerdict], int]] = {
    "/verdict": lambda _: 200,
    "/go-on": lambda verdict: _fine(verdict.may_go_on),
    "/passed": lambda verdict: _fine(verdict.outcome is Outcome.PASSED),
    "/failed": lambda verdict: _fine(verdict.outcome is Outcome.FAILED),
}
"""What can be asked, and the status of the answer: 409 says that it is not so."""
