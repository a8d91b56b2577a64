"""The verdict as an in-toto Statement: written here, and read strictly.

The format is the test-result predicate, v0.1, with one field more. https://in-toto.io/attestation/test-result/v0.1
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import cast

from mlgate.core import strict_json
from mlgate.core.check import Json
from mlgate.core.errors import Refused

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""What an envelope calls such a statement. It is signed together with the statement."""
VERDICT = "https://github.com/org/mlgate/verdict/v1"
"""The field that the format itself has not: its name is a URI, so that it can mean nothing else."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class Result(Enum):
    """What the format calls a verdict. Whatever was not shown good is FAILED."""

    PASSED = "PASSED"
    WARNED = "WARNED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that the verdict is about."""

    name: str
    sha256: str
    """64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the verdict was made. Texts are empty where nobody said."""

    repository: str = ""
    """`https://github.com/org/models`."""
    commit: str = ""
    ref: str = ""
    event: str = ""
    """What started the run: `push`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One verdict, and what it is about."""

    subjects: tuple[Subject, ...]
    result: Result
    passed: tuple[str, ...]
    """Ids of findings: `check/metric/bound`."""
    warned: tuple[str, ...]
    failed: tuple[str, ...]
    rules_digest: str
    """SHA-256 of the rules that it was judged by."""
    model: str
    """The model's name."""
    model_digest: str
    """The model's digest in the verdict's provenance."""
    report: str
    """SHA-256 of report.json."""
    expected: int
    """Rows that had to be observed."""
    present: int
    verified: datetime
    """When it was judged."""
    expires: datetime
    origin: Origin = field(default_factory=Origin)
    url: str = ""
    """The CI run's page."""
    configuration: tuple[Mapping[str, Json], ...] = ()
    """Policy, data sets and baseline, as resource descriptors: for other tools; nothing is demanded of it."""
    details: Mapping[str, Json] = field(default_factory=dict)
    """Metrics, data, sandbox, tool: for people; nothing is demanded of it."""


def write(statement: Statement) -> str:
    """Return the statement's text."""
    subjects: list[Json] = [{"name": one.name, "digest": {"sha256": one.sha256}} for one in statement.subjects]
    return _text(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects,
            "predicateType": PREDICATE_TYPE,
            "predicate": _predicate(statement),
        }
    )


def write_predicate(statement: Statement) -> str:
    """Return the predicate's text alone, for a signer that makes the statement around it."""
    return _text(_predicate(statement))


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _predicate(one: Statement) -> Json:
    origin = one.origin
    return {
        "result": one.result.value,
        "configuration": list(one.configuration),
        **({"url": one.url} if one.url else {}),
        "passedTests": list(one.passed),
        "warnedTests": list(one.warned),
        "failedTests": list(one.failed),
        VERDICT: {
            **one.details,
            "policy": {"digest": {"sha256": one.rules_digest}},
            "source": {
                "repository": origin.repository,
                "commit": origin.commit,
                "ref": origin.ref,
                "event": origin.event,
            },
            "model": {"name": one.model, "digest": one.model_digest},
            "report": {"digest": {"sha256": one.report}},
            "inventory": {"expected": one.expected, "present": one.present},
            "timeVerified": _when(one.verified),
            "expires": _when(one.expires),
        },
    }


def parse(payload: bytes) -> Statement:
    """Read the statement that a verified envelope holds. Raises Refused for everything that `write` does not write.

    Fields that it does not know are ignored, as the format wants it.
    """
    try:
        whole = _Fields.of(strict_json.loads(payload.decode("utf-8", "strict")), "the statement")
        return _statement(whole)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the attestation's statement is not sound: {error}", hint="mlgate attest writes one") from error


def _statement(whole: _Fields) -> Statement:
    if whole.text("_type") != STATEMENT_TYPE:
        raise Refused("the attestation holds no in-toto statement, version 1", hint="mlgate attest writes one")
    if whole.text("predicateType") != PREDICATE_TYPE:
        raise Refused(
            f"the attestation is about something else than a verdict: its predicate is {whole.text('predicateType')}",
            hint=f"give the one whose predicateType is {PREDICATE_TYPE}",
        )
    predicate = whole.inside("predicate")
    verdict = predicate.inside(VERDICT)
    source, model, inventory = (verdict.inside(name) for name in ("source", "model", "inventory"))
    known = ("policy", "source", "model", "report", "inventory", "timeVerified", "expires")
    return Statement(
        subjects=tuple(_subject(one) for one in whole.each("subject")),
        result=Result(predicate.text("result")),
        passed=predicate.texts("passedTests"),
        warned=predicate.texts("warnedTests"),
        failed=predicate.texts("failedTests"),
        rules_digest=verdict.inside("policy").digest(),
        model=model.text("name"),
        model_digest=model.text("digest"),
        report=verdict.inside("report").digest(),
        expected=inventory.count("expected"),
        present=inventory.count("present"),
        verified=verdict.time("timeVerified"),
        expires=verdict.time("expires"),
        origin=Origin(*(source.text(name) for name in ("repository", "commit", "ref", "event"))),
        url=predicate.text("url", without=""),
        configuration=tuple(one.value for one in predicate.each("configuration")),
        details={name: value for name, value in verdict.value.items() if name not in known},
    )


def _subject(one: _Fields) -> Subject:
    """Return a subject. One without a SHA-256 has none that could be demanded: its digest is empty."""
    digests = one.inside("digest")
    given = digests.value.get("sha256")
    return Subject(one.text("name", without=""), digests.text("sha256") if given is not None else "")


def _when(time: datetime) -> str:
    return time.astimezone(UTC).strftime(_TIME)


@dataclass(frozen=True, slots=True)
class _Fields:
    """A JSON object, whose fields are of the kind that is asked for, or a ValueError says which one is not."""

    value: Mapping[str, Json]
    place: str

    @classmethod
    def of(cls, value: object, place: str) -> _Fields:
        if not isinstance(value, dict):
            raise ValueError(f"{place} is no object")  # noqa: TRY004 - the caller maps one kind of error
        return cls(cast("Mapping[str, Json]", value), place)

    def inside(self, name: str) -> _Fields:
        return _Fields.of(self.value.get(name), f"{self.place}: {name}")

    def each(self, name: str) -> tuple[_Fields, ...]:
        return tuple(_Fields.of(one, f"{self.place}: {name}[{i}]") for i, one in enumerate(self._list(name)))

    def texts(self, name: str) -> tuple[str, ...]:
        found = self._list(name)
        if not all(isinstance(one, str) for one in found):
            raise ValueError(f"{self.place}: {name} is no list of texts")
        return tuple(cast("list[str]", found))

    def text(self, name: str, *, without: str | None = None) -> str:
        found = self.value.get(name, without)
        if not isinstance(found, str):
            raise ValueError(f"{self.place}: {name} is no text")  # noqa: TRY004
        return found

    def count(self, name: str) -> int:
        found = self.value.get(name)
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            raise ValueError(f"{self.place}: {name} is no count")
        return found

    def digest(self) -> str:
        found = self.inside("digest").text("sha256")
        if not _SHA256.fullmatch(found):
            raise ValueError(f"{self.place}: the digest is no SHA-256")
        return found

    def time(self, name: str) -> datetime:
        try:
            return datetime.strptime(self.text(name), _TIME).replace(tzinfo=UTC)
        except ValueError as error:
            raise ValueError(f"{self.place}: {name} is no time such as 2026-11-23T05:00:00Z") from error

    def _list(self, name: str) -> list[object]:
        found = self.value.get(name)
        if not isinstance(found, list):
            raise ValueError(f"{self.place}: {name} is no list")  # noqa: TRY004
        return found
