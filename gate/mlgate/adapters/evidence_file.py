"""Evidence as a file: gzipped JSON lines, a header, the rows in order, a footer that proves it is whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlgate.adapters import whole_file
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.evidence import Environment, Evidence, Provenance, Row, decode, encode
from mlgate.core.identity import FORMS

_FORMATS = {f"mlgate.evidence/{form}": form for form in FORMS}
"""What a first line calls itself, and the form of the digests behind it."""
LARGEST = 1 << 30
"""Bytes of text, unpacked. More is refused: evidence of a hostile run may be a bomb."""
LONGEST = 8 << 20
"""Bytes of one row."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the first line of an evidence file or a journal says."""

    provenance: Provenance
    environments: frozenset[Environment]
    form: int


def write(path: Path, evidence: Evidence) -> None:
    """Write *evidence* to *path*, atomically and byte-equal for equal evidence.

    What could not be read back is an EvidenceError, and *path* stays what it was.
    """
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, filename="") as packed:
        for line in lines_of(evidence, str(path)):
            packed.write(line)
        footer = {"rows": len(evidence.rows), "digest": evidence.digest}
        packed.write(json.dumps(footer, sort_keys=True).encode("ascii") + b"\n")
        total = packed.tell()
    if max(total, buffer.tell()) > LARGEST:
        raise _too_much(str(path))
    whole_file.write(path, buffer.getvalue())


def lines_of(evidence: Evidence, name: str) -> Iterator[bytes]:
    """Yield the header and the rows, as a file or a journal begins; EvidenceError where they would be too much."""
    first = header(evidence).encode("ascii")
    if len(first) > LONGEST:
        raise _too_much(name)
    yield first
    total = len(first)
    for key in sorted(evidence.rows):
        line = line_of(evidence.rows[key], name)
        total += len(line)
        if total > LARGEST:
            raise _too_much(name)
        yield line


def line_of(row: Row, name: str) -> bytes:
    """Return one row as its line. One that could not be read back is an EvidenceError."""
    shown = f"{row.check[:60]}/{row.example[:60]}"
    try:
        line = encode(row).encode("ascii") + b"\n"
    except ValueError as error:
        raise EvidenceError(f"the row of {shown} is not JSON: {error}", where=name) from error
    if len(line) > LONGEST:
        raise EvidenceError(
            f"the row of {shown} has {len(line):,} bytes: a row may have {LONGEST:,}",
            where=name,
            hint="record less of it, or shorter texts",
        )
    return line


def _too_much(name: str) -> EvidenceError:
    return EvidenceError(
        f"the evidence is more than the {LARGEST:,} bytes that could be read back",
        where=name,
        hint="ask fewer examples in one run",
    )


def header(evidence: Evidence) -> str:
    """Return the first line of an evidence file or a journal."""
    provenance = evidence.provenance
    value = {
        "format": f"mlgate.evidence/{evidence.form}",
        "commit": provenance.commit,
        "suite": provenance.suite,
        "model": provenance.model,
        "data": dict(provenance.data),
        **({"baseline": provenance.baseline} if provenance.baseline else {}),
        **({"run": provenance.run} if provenance.run else {}),
        "environments": [
            {"python": e.python, "platform": e.platform, "cpu": e.cpu, "versions": dict(e.versions)}
            for e in sorted(evidence.environments)
        ],
    }
    return json.dumps(value, sort_keys=True, ensure_ascii=True) + "\n"


def read(path: Path) -> Evidence:
    """Read a whole evidence file. Damaged is an EvidenceError; oversized or contradicting itself is Refused."""
    try:
        content = whole_file.read(path, LARGEST, follow=True)
    except (FileNotFoundError, ValueError) as error:
        raise EvidenceError("there is no evidence file here", where=str(path), hint=_older(path)) from error
    except OSError as error:
        raise EvidenceError(f"could not read: {error.strerror}", where=str(path)) from error
    return parse(content, str(path))


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as it lies there: what a job says that it sent."""
    return hashlib.sha256(whole_file.read(path, LARGEST)).hexdigest()


def _older(path: Path) -> str:
    """Return the hint that a run which did not end has put the evidence before it aside."""
    older = path.with_name("evidence.previous.jsonl.gz")
    return f"the run before left {older}" if path.name == "evidence.jsonl.gz" and older.is_file() else ""


def parse(content: bytes, name: str) -> Evidence:
    """Read an evidence file's bytes; *name* is for messages."""
    lines = _lines(content, name)
    first = parse_header(next(lines, b""), name)
    rows: list[Row] = []
    for number, line in enumerate(lines, start=2):
        if line.startswith(b'{"digest"'):
            evidence = Evidence.of(first.provenance, first.environments, rows, first.form)
            return _sealed(evidence, line, next(lines, None), name)
        rows.append(parse_row(line, f"{name}:{number}"))
    raise _damaged(name, "it ends before its last line")


def _sealed(evidence: Evidence, footer: bytes, behind: bytes | None, name: str) -> Evidence:
    try:
        seal = json.loads(footer)
    except ValueError as error:
        raise _damaged(name, "its last line is cut off") from error
    if behind is not None:
        raise Refused("the evidence has lines behind its end", where=name)
    if seal != {"rows": len(evidence.rows), "digest": evidence.digest}:
        raise Refused("the evidence is not what its last line says: it was changed after it was written", where=name)
    return evidence


def _lines(content: bytes, name: str) -> Iterator[bytes]:
    if not content:
        raise _damaged(name, "it is empty")
    if len(content) > LARGEST:
        raise Refused(f"the evidence is larger than {LARGEST >> 30} GiB", where=name)
    total = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            while line := packed.readline(LONGEST + 1):
                total += len(line)
                if len(line) > LONGEST or total > LARGEST:
                    raise Refused("the evidence unpacks to more than an evidence file may hold", where=name)
                if not line.endswith(b"\n"):
                    raise _damaged(name, "it is cut off in the middle of a line")
                yield line
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(name, str(error).lower().rstrip(".")) from error


def _damaged(name: str, why: str) -> EvidenceError:
    return EvidenceError(f"the evidence is damaged: {why}", where=name, hint="collect this part again")


def parse_header(line: bytes, name: str) -> Header:
    """Read a first line back."""
    try:
        match json.loads(line):
            case {
                "format": str(form),
                "commit": str(commit),
                "suite": str(suite),
                "model": str(model),
                "data": dict(data),
                "environments": list(environments),
                **more,
            } if form in _FORMATS and all(isinstance(d, str) for d in data.values()):
                baseline, run = str(more.get("baseline", "")), str(more.get("run", ""))
                found = frozenset(
                    Environment(
                        str(e["python"]), str(e["platform"]), str(e["cpu"]), tuple(sorted(_texts(e["versions"])))
                    )
                    for e in environments
                )
                provenance = Provenance(commit, suite, model, tuple(sorted(data.items())), baseline, run)
                return Header(provenance, found, _FORMATS[form])
            case {"format": str(form)} if form not in _FORMATS:
                raise EvidenceError(
                    f"unknown evidence format {form[:80]!r}: this mlgate reads {', '.join(_FORMATS)}",
                    where=name,
                    hint="read it with the version of mlgate that wrote it, or a newer one",
                )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(name, "its first line is not an evidence header") from error
    raise _damaged(name, "its first line is not an evidence header")


def _texts(value: dict[object, object]) -> Iterator[tuple[str, str]]:
    for key, text in value.items():
        yield str(key), str(text)


def parse_row(line: bytes, where: str) -> Row:
    """Read one row, with its place in the error."""
    try:
        return decode(line.decode("ascii"))
    except (UnicodeDecodeError, EvidenceError) as error:
        raise EvidenceError(f"the evidence is damaged: {error}", where=where, hint="collect this part again") from error
