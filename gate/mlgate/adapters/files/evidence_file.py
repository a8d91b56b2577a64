"""Evidence as a file: gzipped JSON lines, a header, the rows in order, a footer that proves it is whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from mlgate.adapters.files import evidence_header, safe_file
from mlgate.adapters.files.evidence_header import damage, no_evidence
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.evidence import Evidence, Row, decode, encode

LARGEST_FILE = 1 << 30
"""Bytes of text, unpacked. More is refused: evidence of a hostile run may be a bomb."""
LONGEST_ROW = 8 << 20
"""Bytes of one row."""
MOST_ROWS = 1_000_000
"""Rows, where nobody says how many were planned."""
_SLACK = 100_000
_PIECE = 1 << 16
_UNPACKED = 1 << 20
_GZIP = b"\x1f\x8b"
_MADE = "run mlgate check, which writes it"


def older(planned: int) -> int:
    """Return how many rows evidence of another suite may have, where today's has *planned*: it may be of more data."""
    return 10 * planned + _SLACK


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
    if max(total, buffer.tell()) > LARGEST_FILE:
        raise _too_much(str(path))
    safe_file.write(path, buffer.getvalue())


def lines_of(evidence: Evidence, name: str) -> Iterator[bytes]:
    """Yield the header and the rows, as a file or a journal begins; EvidenceError where they would be too much."""
    first = evidence_header.line_of(evidence).encode("ascii")
    if len(first) > LONGEST_ROW:
        raise _too_much(name)
    yield first
    total = len(first)
    for key in sorted(evidence.rows):
        line = line_of(evidence.rows[key], name)
        total += len(line)
        if total > LARGEST_FILE:
            raise _too_much(name)
        yield line


def line_of(row: Row, name: str) -> bytes:
    """Return one row as its line. One that could not be read back is an EvidenceError."""
    shown = f"{row.check[:60]}/{row.example[:60]}"
    try:
        line = encode(row).encode("ascii") + b"\n"
    except ValueError as error:
        raise EvidenceError(f"the row of {shown} is not JSON: {error}", where=name) from error
    if len(line) > LONGEST_ROW:
        raise EvidenceError(
            f"the row of {shown} has {len(line):,} bytes: a row may have {LONGEST_ROW:,}",
            where=name,
            hint="record less of it, or shorter texts",
        )
    return line


def _too_much(name: str) -> EvidenceError:
    return EvidenceError(
        f"the evidence is more than the {LARGEST_FILE:,} bytes that could be read back",
        where=name,
        hint="ask fewer examples in one run",
    )


def read(path: Path, most: int = MOST_ROWS) -> Evidence:
    """Read a whole evidence file of at most *most* rows.

    Damaged is an EvidenceError; oversized or contradicting itself is Refused.
    """
    return parse(content_of(path), str(path), most)


def content_of(path: Path) -> bytes:
    """Return an evidence file's bytes, not yet read. One that is not there, or no file, is an EvidenceError."""
    try:
        if path.is_dir():
            raise EvidenceError("this is a folder, not an evidence file", where=str(path), hint=_inside(path))
        return safe_file.read(path, LARGEST_FILE, follow=True)
    except (FileNotFoundError, ValueError) as error:
        raise EvidenceError("there is no evidence file here", where=str(path), hint=_older(path)) from error
    except OSError as error:
        raise EvidenceError(f"could not read: {error.strerror}", where=str(path)) from error


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as it lies there: what a job says that it sent."""
    return hashlib.sha256(safe_file.read(path, LARGEST_FILE)).hexdigest()


def _inside(folder: Path) -> str:
    """Return the hint that names the evidence in *folder*, where there is one."""
    inside = folder / "evidence.jsonl.gz"
    return f"name the file in it: {inside}" if inside.is_file() else _MADE


def _older(path: Path) -> str:
    """Return the hint that a run which did not end has put the evidence before it aside."""
    older = path.with_name("evidence.previous.jsonl.gz")
    return f"the run before left {older}" if path.name == "evidence.jsonl.gz" and older.is_file() else _MADE


def parse(content: bytes, name: str, most: int = MOST_ROWS) -> Evidence:
    """Read an evidence file's bytes, of at most *most* rows; *name* is for messages.

    The lines are counted before the first is decoded: who sends a million of them must not keep the gate busy.
    """
    if sum(1 for _ in itertools.islice(_lines(content, name), most + 3)) > most + 2:  # a header and a footer
        raise too_many(most, f"{name}:{most + 2}")
    lines = _lines(content, name)
    first = evidence_header.parse(next(lines, b""), f"{name}:1")
    rows: list[Row] = []
    for number, line in enumerate(lines, start=2):
        if line.startswith(b'{"digest"'):
            evidence = Evidence.of(first.provenance, first.environments, rows, first.form)
            return _with_seal_checked(evidence, line, next(lines, None), f"{name}:{number}")
        rows.append(parse_row(line, f"{name}:{number}"))
    raise damage(name, "it ends before its last line")


def too_many(most: int, where: str) -> Refused:
    """Return the error of evidence with more rows than its suite can have."""
    return Refused(
        f"the evidence has more rows than the {most:,} that the checks can have",
        where=where,
        hint="collect this part again; if it is a baseline of much more data, accept a new one",
    )


def _with_seal_checked(evidence: Evidence, footer: bytes, behind: bytes | None, name: str) -> Evidence:
    try:
        seal = json.loads(footer)
    except (ValueError, RecursionError) as error:
        raise damage(name, "its last line is cut off") from error
    if behind is not None:
        raise Refused("the evidence has lines behind its end", where=name)
    if seal != {"rows": len(evidence.rows), "digest": evidence.digest}:
        raise Refused("the evidence is not what its last line says: it was changed after it was written", where=name)
    return evidence


def _lines(content: bytes, name: str) -> Iterator[bytes]:
    if not content:
        raise damage(name, "it is empty")
    if not content.startswith(_GZIP):
        raise no_evidence(name)
    if len(content) > LARGEST_FILE:
        raise Refused(f"the evidence is larger than {LARGEST_FILE >> 30} GiB", where=name)
    total, number, begun = 0, 1, bytearray()
    for piece in _unpacked_pieces(content, name):
        total += len(piece)
        whole, newline, rest = piece.rpartition(b"\n")
        if (len(begun) + len(piece) > LONGEST_ROW and _longest(begun, piece) > LONGEST_ROW) or total > LARGEST_FILE:
            raise Refused("the evidence unpacks to more than an evidence file may hold", where=f"{name}:{number}")
        if newline:
            for line in (bytes(begun) + whole).split(b"\n"):
                yield line + b"\n"
                number += 1
            begun.clear()
        begun += rest
    if begun:
        raise damage(f"{name}:{number}", "it is cut off in the middle of a line")


def _longest(begun: bytes | bytearray, piece: bytes) -> int:
    """Return the length of the longest line that is begun, or goes on, in *piece*."""
    first, *others = piece.split(b"\n")
    return max(len(begun) + len(first), *(len(line) for line in others)) + 1 if others else len(begun) + len(first)


def _unpacked_pieces(content: bytes, name: str) -> Iterator[bytes]:
    """Yield what is packed, a piece at a time. mlgate writes one member; a file of thousands is a trap."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for start in range(0, len(content), _PIECE):
            packed = content[start : start + _PIECE]
            while packed and not unpacker.eof:
                if piece := unpacker.decompress(packed, _UNPACKED):
                    yield piece
                packed = unpacker.unconsumed_tail
            if unpacker.eof:
                if unpacker.unused_data or start + _PIECE < len(content):
                    raise Refused("the evidence is damaged: something stands behind its end", where=name)
                return
        while piece := unpacker.decompress(b"", _UNPACKED):
            yield piece
    except zlib.error as error:
        raise damage(name, f"it cannot be unpacked: {error}") from error
    if not unpacker.eof:
        raise damage(name, "it is cut off")


def parse_row(line: bytes, where: str) -> Row:
    """Read one row, with its place in the error."""
    try:
        return decode(line.decode("ascii"))
    except UnicodeDecodeError as error:
        raise damage(where, "a row is not ASCII") from error
    except EvidenceError as error:
        raise damage(where, error.message) from error
