"""The secrets of one run, by the name of what holds them, and what takes them out of everything that is kept."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit

from mlgate.adapters.files import safe_file
from mlgate.adapters.secrets.encodings import Parts, SecretSpan, Unescaped, forms_of, replaced, whole_spans
from mlgate.core.check import Suite
from mlgate.core.errors import EvidenceError, GateError
from mlgate.core.evidence import Evidence, Gap, Observation, Row
from mlgate.core.latency.block import COLUMNS, with_texts
from mlgate.core.ports import Executor
from mlgate.core.secret import SHORTEST_SECRET, URL, mark

_NAMED_SO = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|PAT|(?:API|ACCESS|PRIVATE|SECRET|SIGNING)_?KEY)$",
    re.IGNORECASE,
)
_PREFIXES = ("sk-", "sk_", "pk_", "rk_", "hf_", "gh", "glpat-", "xox", "AKIA", "ASIA", "eyJ", "key-", "tok", "secret")
_TOKEN = re.compile(r"[A-Za-z0-9_~+=-]{16,}")
_BLOCK = 1 << 20
"""Bytes of a log that are looked through at once: whole lines."""
_LONGEST_LINE = 4 << 20


class Secrets:
    """Replaces each secret, however it is escaped or encoded, by the mark of its name."""

    def __init__(self, named: Mapping[str, str], of_url: Iterable[str] = ()) -> None:
        """Take *named* secrets, the name of a variable and its value, and those *of_url*.

        A value of fewer than SHORTEST characters is left out.
        """
        of_url = tuple(of_url)
        forms: dict[str, str] = {}
        for name, value in [*named.items(), *((URL, value) for value in of_url)]:
            for form in forms_of(value):
                forms.setdefault(form, mark(name))
        self._forms = sorted(forms.items(), key=lambda item: (-len(item[0]), item[0]))
        self._values = [value for value in (*named.values(), *of_url) if len(value) >= SHORTEST_SECRET]
        self._beginnings = [(form, put) for form, put in self._forms if len(form) > SHORTEST_SECRET]
        self._parts = Parts(self._forms)

    def __bool__(self) -> bool:
        """Whether there is anything to hide."""
        return bool(self._forms)

    def text(self, text: str) -> str:
        """Return *text* without the secrets and without long parts of them.

        Where the text was cut, a secret's beginning is gone, too.
        """
        for form, put in self._forms:
            if form in text:
                text = text.replace(form, put)
        if not self._forms:
            return text
        text = replaced(text, self._parts.spans(text))
        return self._without_cut_off(self._without_escaped(text))

    def _without_escaped(self, text: str) -> str:
        """Return *text* without what is a secret once its escapes are read: `%73%6B…`, `&#115;&#x6B;…`."""
        if not any(sign in text for sign in "%&\\"):
            return text
        seen = Unescaped(text)
        if not seen:
            return text
        found = (*whole_spans(seen.plain, self._forms), *self._parts.spans(seen.plain))
        return replaced(text, (SecretSpan(seen.place(one.start), seen.place(one.end), one.put) for one in found))

    def _without_cut_off(self, text: str) -> str:
        body = text.rstrip("…")
        for form, put in self._beginnings:
            start = body.rfind(form[:SHORTEST_SECRET], max(0, len(body) - len(form)))
            if start >= 0 and form.startswith(body[start:]):
                return body[:start] + put + text[len(body) :]
        return text

    def scattered(self, text: str) -> bool:
        """Whether a secret may stand in *text* in pieces, its characters in order and others between them."""
        for value in self._values:
            rest = iter(text)
            if all(char in rest for char in value):
                return True
        return False

    def row(self, row: Row) -> Row:
        """Return the row as it may be kept."""
        if isinstance(row, Gap):
            why = self.text(row.why)
            return row if why == row.why else replace(row, why=why)
        seen, done = row.seen, frozenset[str]()
        if "answers" in seen:
            with contextlib.suppress(EvidenceError):  # of a row that cannot be read each fact is a text like any other
                seen, done = with_texts(seen, self.text), COLUMNS
        seen = {
            name: self.text(value) if isinstance(value, str) and name not in done else value
            for name, value in seen.items()
        }
        return row if seen == row.seen else Observation(row.check, row.example, seen)

    def evidence(self, evidence: Evidence) -> Evidence:
        """Return evidence as it may be kept and shown; the very same where it holds no secret that is known now."""
        rows = {key: self.row(row) for key, row in evidence.rows.items()} if self else evidence.rows
        if all(rows[key] is row for key, row in evidence.rows.items()):
            return evidence
        return Evidence.of(evidence.provenance, evidence.environments, rows.values(), evidence.form)

    def file(self, path: Path) -> None:
        """Take the secrets out of a log that was written, however long it is.

        Of a line that is too long to be looked through the rest is cut. A log that cannot be written anew is removed:
        AdapterError or OSError.
        """
        if not self or not path.is_file() or path.is_symlink():
            return
        try:
            with os.fdopen(safe_file.opened(path, os.O_RDONLY), "rb") as log:
                if all(kept == block for block, kept in self._blocks(log)):
                    return
                log.seek(0)
                safe_file.write_pieces(path, (kept for _, kept in self._blocks(log)))
        except (GateError, OSError):
            path.unlink(missing_ok=True)
            raise

    def _blocks(self, log: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
        """Yield the lines of a log, many at once, as they are and as they may be kept."""
        block = bytearray()
        while line := log.readline(_LONGEST_LINE):
            block += line
            cut = len(line) == _LONGEST_LINE and not line.endswith(b"\n") and _skip_line(log)
            if cut or len(block) >= _BLOCK:
                yield bytes(block), self._bytes(block)
                block.clear()
            if cut:
                yield (
                    b"",
                    f"\n… the rest of a line of more than {_LONGEST_LINE:,} bytes was cut: "
                    "it may hold a secret\n".encode(),
                )
        yield bytes(block), self._bytes(block)

    def _bytes(self, block: bytearray) -> bytes:
        return self.text(block.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _skip_line(log: BinaryIO) -> bool:
    """Go to the next line; return whether there was anything to skip."""
    skipped = False
    while rest := log.readline(_BLOCK):
        skipped = True
        if rest.endswith(b"\n"):
            break
    return skipped


class SecretsHidden:
    """An executor whose rows hold none of the secrets."""

    def __init__(self, executor: Executor, secrets: Secrets) -> None:
        self._executor = executor
        self._secrets = secrets

    def observe(self, suite: Suite) -> Iterator[Row]:
        """Yield the rows as they may be kept."""
        return map(self._secrets.row, self._executor.observe(suite))


def in_environment(names: Iterable[str], environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables in *names*, and those that are called a secret, that the environment has."""
    outer = os.environ if environment is None else environment
    named = {name: outer[name] for name in names if outer.get(name)}
    called = {name: value for name, value in sorted(outer.items()) if _NAMED_SO.search(name) and value}
    server = _password(outer.get("MLFLOW_TRACKING_URI", ""))
    login = {"MLFLOW_TRACKING_URI": unquote(server)} if server else {}
    return {**named, **called, **login}


def _password(uri: str) -> str:
    """Return the password in an address, if there is one."""
    try:
        return urlsplit(uri).password or ""
    except ValueError:
        return ""


def in_url(url: str) -> list[str]:
    """Return what is secret in an endpoint's address: every value of its query, and steps that look like a token."""
    parts = urlsplit(url)
    asked = [value for _, value in parse_qsl(parts.query)] or ([parts.query] if parts.query else [])
    return [*asked, *(step for step in parts.path.split("/") if _is_token(unquote(step)))]


def shown(url: str, named: Mapping[str, str]) -> str:
    """Return an address as people may read it."""
    parts = urlsplit(url)
    for step in (one for one in parts.path.split("/") if one):
        name = next((name for name, value in named.items() if step == value or unquote(step) == value), "")
        if name or _is_token(unquote(step)):
            parts = parts._replace(path=parts.path.replace(step, mark(name or URL)))
    asked = "&".join(f"{key}={mark(URL)}" for key, _ in parse_qsl(parts.query, keep_blank_values=True))
    return parts._replace(query=asked or (mark(URL) if parts.query else "")).geturl()


def _is_token(step: str) -> bool:
    """Whether a step of a path looks like a key: long, of letters and digits mixed, and no words with dashes."""
    if not _TOKEN.fullmatch(step):
        return False
    if step.startswith(_PREFIXES) and any(char.isdigit() for char in step):
        return True
    runs = re.split(r"[-_~+=]", step)
    return any(len(run) >= 16 and _has_digits_and_letters(run) for run in runs) or (len(runs) == 5 and _is_uuid(runs))  # noqa: PLR2004 - see above; a UUID's


def _has_digits_and_letters(run: str) -> bool:
    return any(char.isdigit() for char in run) and any(char.isalpha() for char in run)


def _is_uuid(runs: list[str]) -> bool:
    return [len(run) for run in runs] == [8, 4, 4, 4, 12] and all(
        set(run) <= set("0123456789abcdefABCDEF") for run in runs
    )
