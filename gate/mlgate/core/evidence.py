"""What was seen: the raw, mergeable rows that every number is computed from."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlgate.core import legacy_digests, strict_json
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.identity import CURRENT_FORM, FIRST_FORM, identity
from mlgate.core.text.scalar_text import LARGEST_EXACT

Blame = Literal["model", "gate"]
"""Whose fault a gap is: the model was asked and failed, or it could not be asked at all."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What the model did with one example of one check: the smallest thing a shard can send."""

    check: str
    example: str
    seen: Mapping[str, str | float]
    """Raw facts by name, e.g. `{"answer": "…"}`. Never a score, a mean or a percentile."""
    asked: str = ""
    """What it is an answer to, see `core/asked.py`; empty for a round, and for a row of an older mlgate."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what makes a row unique in evidence."""
        return self.check, self.example


FINISH = "finish"
"""The fact that says why an answer ended which is not whole: `length`, the limit of tokens."""

NOT_ASKED = "not asked: "
"""What a reason begins with where the example itself was never asked, and something before it is the reason."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An example that was asked and not answered, and why."""

    check: str
    example: str
    why: str
    blame: Blame = "gate"
    asked: str = ""
    """As an observation's."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what makes a row unique in evidence."""
        return self.check, self.example


Row = Observation | Gap


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a run observed. Evidence merges only when this is equal."""

    commit: str
    """The git commit, `+dirty` behind it when the tree had changes; empty outside git."""
    suite: str
    model: str
    """Digest of the model: its code, its image or its answers; an endpoint's address."""
    data: tuple[tuple[str, str], ...]
    """Check and the digest of its data, sorted."""
    baseline: str = ""
    """Digest of the baseline's model when it was observed in the same run; empty when it was not."""
    run: str = ""
    """The CI run that observed it, e.g. `github-17234567890`; empty at a desk. Shards of two runs never merge."""


@dataclass(frozen=True, slots=True, order=True)
class Environment:
    """Where a part of a run was observed. Latency compares only like with like."""

    python: str
    platform: str
    cpu: str
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Every row of one run, or of one shard of it. `a | b` joins shards: commutative, associative, idempotent."""

    provenance: Provenance
    environments: frozenset[Environment] = frozenset()
    rows: Mapping[tuple[str, str], Row] = field(default_factory=dict)
    form: int = CURRENT_FORM
    """Of its digest and of those in its provenance. What an older mlgate observed keeps the digest that it got then."""
    _by_check: Mapping[str, Mapping[str, Row]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the rows by check, once: every judging step asks for those of one."""
        by_check: dict[str, dict[str, Row]] = {}
        for (check, example), row in self.rows.items():
            by_check.setdefault(check, {})[example] = row
        object.__setattr__(self, "_by_check", by_check)

    @classmethod
    def of(
        cls, provenance: Provenance, environments: Iterable[Environment], rows: Iterable[Row], form: int = CURRENT_FORM
    ) -> Evidence:
        """Index *rows* by check and example. Refuse two observations of one example that differ."""
        merged: dict[tuple[str, str], Row] = {}
        for row in rows:
            known = merged.get(row.key)
            merged[row.key] = row if known is None else _join(known, row)
        return cls(provenance, frozenset(environments), merged, form)

    def __or__(self, other: Evidence) -> Evidence:
        """Join two shards of the same run; refuse shards of two runs."""
        if self.form != other.form:
            raise Refused(
                f"evidence of two forms, {self.form} and {other.form}: two versions of mlgate wrote it",
                hint="observe all parts of a run with one version of mlgate",
            )
        if self.provenance != other.provenance:
            raise Refused(
                f"evidence of two runs: {_difference(self.provenance, other.provenance)}",
                hint="merge only shards of one run: of the same commit, suite, model and data",
            )
        rows = [*self.rows.values(), *other.rows.values()]
        return Evidence.of(self.provenance, self.environments | other.environments, rows, self.form)

    def under(self, check: str) -> Mapping[str, Row]:
        """Return the rows of one check by example id."""
        return self._by_check.get(check, {})

    def lines(self) -> Iterator[str]:
        """Yield every row as one line of canonical JSON, in an order that no scheduler can change."""
        for key in sorted(self.rows):
            yield encode(self.rows[key])

    @property
    def digest(self) -> str:
        """Return the SHA-256 of provenance and rows; where it was observed does not matter."""
        sha = hashlib.sha256(
            (legacy_digests.head(self.provenance) if self.form == FIRST_FORM else _head(self.provenance)).encode()
        )
        for line in self.lines():
            sha.update(line.encode("ascii") + b"\n")
        return sha.hexdigest()


def _head(known: Provenance) -> str:
    return identity(
        "evidence",
        {
            "commit": known.commit,
            "suite": known.suite,
            "model": known.model,
            "data": [list(pair) for pair in known.data],
            "baseline": known.baseline,
            "run": known.run,
        },
    )


def _join(a: Row, b: Row) -> Row:
    """Keep the row that knows more: whatever the model did over a gap of the gate's. Two things it did are refused."""
    if a == b or _is_unasked(b):
        return min(a, b, key=encode) if _is_unasked(a) else a
    if _is_unasked(a):
        return b
    raise Refused(
        f"{a.check}/{a.example} was observed twice, differently",
        hint="a model is asked once an example, and a failure is an answer too; delete one of the two and merge again",
    )


def _is_unasked(row: Row) -> bool:
    return isinstance(row, Gap) and row.blame == "gate"


def _difference(a: Provenance, b: Provenance) -> str:
    for name in ("commit", "suite", "model", "data", "baseline", "run"):
        left, right = getattr(a, name), getattr(b, name)
        if left != right:
            return f"{name} {_short(left)} and {_short(right)}"
    return "no difference"


def _short(value: object) -> str:
    return str(value)[:12] if isinstance(value, str) else "differs" if value else "none"


def encode(row: Row) -> str:
    """Return one row as canonical JSON: ASCII, one line, sorted keys."""
    match row:
        case Observation():
            value: dict[str, object] = {"check": row.check, "example": row.example, "seen": dict(row.seen)}
        case Gap():
            value = {"check": row.check, "example": row.example, "gap": row.why, "blame": row.blame}
    if row.asked:
        value["asked"] = row.asked
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


_SURROGATES = ("\\ud", "\\uD")
"""How every half of a surrogate pair begins in JSON."""
_DIGITS = len(str(LARGEST_EXACT)) + 1


def decode(line: str) -> Row:
    """Read one row back. Anything that `encode` would not have written is an EvidenceError."""
    try:
        value = strict_json.loads(line, whole=_whole, is_finite=False)
        if any(half in line for half in _SURROGATES):  # a pair can be encoded, half of one cannot
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise EvidenceError("a row is nested deeper than any row is") from error
    except UnicodeEncodeError as error:
        raise EvidenceError("a row has text that is not Unicode: half of a surrogate pair") from error
    except ValueError as error:
        raise EvidenceError(f"a row is not valid JSON: {error}") from error
    asked = value.pop("asked", "") if isinstance(value, dict) and value.get("asked") else ""
    if not isinstance(asked, str):
        raise EvidenceError("a row says by no text what it is an answer to")
    match value:
        case {"check": str(check), "example": str(example), "seen": dict(seen), **more} if not more:
            if all(isinstance(v, str) or (_is_number(v) and math.isfinite(v)) for v in seen.values()):
                return Observation(check, example, seen, asked)
            raise EvidenceError("an observation holds something that is neither a text nor a finite number")
        case {
            "check": str(check),
            "example": str(example),
            "gap": str(why),
            "blame": "model" | "gate" as blame,
            **more,
        }:
            if not more:
                return Gap(check, example, why, blame, asked)
    raise EvidenceError("a row is neither an observation nor a gap")


def _whole(text: str) -> int:
    """Return a whole number; one that a float cannot hold exactly was never written, and would overflow later."""
    if len(text) > _DIGITS or abs(number := int(text)) > LARGEST_EXACT:
        raise ValueError(f"a whole number of {len(text):,} digits is beyond what a row holds")
    return number


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
