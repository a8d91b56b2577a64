"""What a deploy demands of attestations, and which of several counts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mlgate.core.attestation.statement import Result, Statement
from mlgate.core.errors import GateError, Outdated, Refused

_AHEAD = timedelta(minutes=5)
"""By how much the clock of the machine that judged may be ahead of ours."""
_WORSE = {Result.PASSED: 0, Result.WARNED: 1, Result.FAILED: 2}


@dataclass(frozen=True, slots=True)
class RequiredRule:
    """A rule of the file, which a finding must bear out."""

    id: str
    """`check/metric/bound`."""
    slice_by: str = ""
    """Empty: the whole check. Else a field: at least one of its values must have been held against the rule."""

    def is_among(self, tests: Collection[str]) -> bool:
        """Whether the rule is one of *tests*."""
        if not self.slice_by:
            return self.id in tests
        return any(one.startswith(f"{self.id}[{self.slice_by}=") for one in tests)


@dataclass(frozen=True, slots=True)
class Demands:
    """All that must be true of the attestation of what is to be deployed."""

    subjects: tuple[str, ...]
    """SHA-256 of everything that is to be deployed: 64 hexadecimal digits each."""
    rules_digest: str
    """SHA-256 of the rules that hold now."""
    model: str
    """The model's name in the file."""
    rules: tuple[RequiredRule, ...]
    """Of the file, none left out."""
    max_age: timedelta
    now: datetime
    allow_warned: bool = False
    model_digest: str | None = None
    """The model's digest in the verdict that is to be deployed; None: it is not known here."""
    report: str | None = None
    """SHA-256 of that verdict's report; None: it is not known here."""
    commit: str | None = None
    """That verdict's commit; None: it is not known here."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement whose signature was verified."""

    statement: Statement
    signer: str
    """Who signed it, for people: `the key keys/gate.pem`."""
    digest: str
    """SHA-256 of the file that holds it."""
    where: str = ""


@dataclass(frozen=True, slots=True)
class _Fault:
    error: GateError
    is_of_another: bool = False
    """The attestation is about something else: it says nothing about what is to be deployed."""


def accepted(given: Sequence[Signed], demands: Demands) -> Signed:
    """Return the attestation that lets the deploy go on. Raises Refused with the first demand that is not met.

    Of those that are about what is to be deployed, and the rules that hold now, the newest decides: a model that
    passed and failed later has failed. Of two of one second the worse one decides.
    """
    if not demands.subjects:
        raise Refused("nothing says what is to be deployed", hint="mlgate check, then mlgate attest")
    if not given:
        raise Refused(
            "there is no attestation of the verdict",
            hint="make one: mlgate attest; or name it: --attestation FILE",
        )
    about = [one for one in given if not any(fault.is_of_another for fault in _faults(one.statement, demands))]
    newest = max(about, key=lambda one: (one.statement.verified, _WORSE[one.statement.result]), default=given[0])
    for fault in _faults(newest.statement, demands):
        fault.error.where = newest.where
        raise fault.error
    return newest


def _faults(one: Statement, demands: Demands) -> Iterator[_Fault]:
    """Yield what is wrong, in the order in which it is said."""
    yield from _wrong_subjects(one, demands)
    yield from _wrong_result(one, demands)
    yield from _wrong_rules(one, demands)
    yield from _wrong_tests(one, demands)
    yield from _wrong_model(one, demands)
    yield from _wrong_time(one, demands)


def _wrong_subjects(one: Statement, demands: Demands) -> Iterator[_Fault]:
    """Every digest that is deployed must be a subject: an image does not cover weights that are loaded at its start."""
    covered = {subject.sha256 for subject in one.subjects if subject.sha256}
    for wanted in demands.subjects:
        if wanted not in covered:
            yield _another(
                f"the attestation is not about what is to be deployed: none of its subjects is sha256:{wanted}",
                "attest the verdict about this very image: mlgate check, then mlgate attest",
            )


def _wrong_result(one: Statement, demands: Demands) -> Iterator[_Fault]:
    if one.result is Result.FAILED:
        tests = f": {one.failed[0]}" + _more(one.failed) if one.failed else ""
        yield _wrong(f"the newest attestation of this model says FAILED{tests}", "mend the model, then mlgate check")
    elif one.result is Result.WARNED and not demands.allow_warned:
        tests = f": {one.warned[0]}" + _more(one.warned) if one.warned else ""
        yield _wrong(
            f"the attestation says WARNED{tests}",
            "mend the model; or let warnings through: trust: {allow_warned: true}",
        )


def _wrong_rules(one: Statement, demands: Demands) -> Iterator[_Fault]:
    if one.rules_digest != demands.rules_digest:
        yield _another(
            "the model was judged by other rules than those that hold now: their digest is another one",
            "judge it by these: mlgate check, then mlgate attest",
        )


def _wrong_tests(one: Statement, demands: Demands) -> Iterator[_Fault]:
    step = "judge the model again: mlgate check, then mlgate attest"
    if one.failed and one.result is not Result.FAILED:
        yield _wrong(
            f"the attestation contradicts itself: {one.failed[0]} failed, and it says {one.result.value}", step
        )
    if one.warned and one.result is Result.PASSED:
        yield _wrong(f"the attestation contradicts itself: {one.warned[0]} warned, and it says PASSED", step)
    kept = {*one.passed, *(one.warned if demands.allow_warned else ())}
    for rule in demands.rules:
        if not rule.is_among(kept):
            yield _wrong(f"the attestation does not say that {rule.id} was kept", step)
    if not demands.rules:
        yield _wrong("the file has no rules that could have been kept", "write some: checks: {NAME: {rules: …}}")
    if one.expected != one.present or not one.expected:
        yield _wrong(f"{one.present:,} of {one.expected:,} planned rows were observed", step)


def _wrong_model(one: Statement, demands: Demands) -> Iterator[_Fault]:
    if one.model != demands.model:
        yield _another(
            f"the attestation is about the model {one.model!r}, and the file is about {demands.model!r}",
            "attest the verdict about this model: mlgate check, then mlgate attest",
        )
    if demands.report is not None and one.report != demands.report:
        yield _wrong(
            "the newest attestation of this model is about another verdict than the one that is to be deployed",
            "attest this one: mlgate attest; or deploy from the files of the run that it is about",
        )
    for what, said, known in (
        ("model's digest", one.model_digest, demands.model_digest),
        ("commit", one.origin.commit, demands.commit),
    ):
        if known is not None and said != known:
            yield _wrong(f"the {what} is another one in the attestation than in the verdict", "mlgate attest")


def _wrong_time(one: Statement, demands: Demands) -> Iterator[_Fault]:
    if one.verified > demands.now + _AHEAD:
        yield _wrong(
            f"the verdict was made at {_shown(one.verified)}, which is in the future", "is the clock right? date -u"
        )
    until = min(one.expires, one.verified + demands.max_age)
    if demands.now >= until:
        yield _Fault(
            Outdated(
                f"the attestation was good until {_shown(until)}",
                hint="judge the model again: mlgate check, then mlgate attest",
            )
        )


def _another(says: str, step: str) -> _Fault:
    return _Fault(Refused(says, hint=step), is_of_another=True)


def _wrong(says: str, step: str) -> _Fault:
    return _Fault(Refused(says, hint=step))


def _more(tests: Sequence[str]) -> str:
    return f" (and {len(tests) - 1} more)" if len(tests) > 1 else ""


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
