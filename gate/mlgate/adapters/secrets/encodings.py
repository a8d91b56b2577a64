"""How a secret may be written by a server that repeats it: whole, encoded, escaped, or in part."""

from __future__ import annotations

import base64
import binascii
import bisect
import html
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.entities import html5
from urllib.parse import quote, quote_plus

from mlgate.core.secret import SHORTEST_SECRET

_GRAM = 6
_STRIDE = 7
"""Every run of `_SHORT` characters holds a gram that begins at a multiple of this."""
_SHORT = _GRAM + _STRIDE - 1
"""Characters of the shortest part of a secret that is looked for."""
_PLAIN_PART = 16
"""The same, of a part that could be words."""
_LONG = 40
"""A part of so many characters is one, however long its secret is."""
_MOST_PLACES = 8
"""Where in the secrets one gram is followed up: a text of such grams must not keep the gate busy."""
_BACK = 2 * _SHORT

_NAMED = {name: char for name, char in html5.items() if name.endswith(";") and len(char) == 1 and char.isascii()}
_ESCAPE = re.compile(
    r"%(?:25){0,4}(?P<byte>[0-9A-Fa-f]{2})"
    r"|\\{1,8}u(?P<unit>[0-9A-Fa-f]{4})"
    r"|\\{1,8}u\{0{0,8}(?P<point>[0-9A-Fa-f]{1,6})\}"
    r"|\\{1,8}x(?P<hex>[0-9A-Fa-f]{2})"
    r"|\\{1,8}(?P<octal>[0-7]{3})"
    r"|&(?:amp;){0,4}#0{0,8}(?P<number>[0-9]{1,7});?"
    r"|&(?:amp;){0,4}#[xX]0{0,8}(?P<entity>[0-9A-Fa-f]{1,6});?"
    r"|&(?:amp;){0,4}(?P<name>[A-Za-z]{2,12};)"
)
_BASES = {"byte": 16, "unit": 16, "point": 16, "hex": 16, "octal": 8, "number": 10, "entity": 16}


def forms_of(value: str) -> set[str]:
    """Return how a secret may be written whole: as it is, in its words, quoted, escaped, in hex or in base64."""
    whole = {value, value.strip(), *value.split()}
    for part in tuple(whole):
        whole |= _decoded_base64(part)
    forms: set[str] = set()
    for part in whole:
        if len(part.strip()) < SHORTEST_SECRET:
            continue
        forms |= {
            part,
            part.lower(),
            part.upper(),
            part.swapcase(),
            json.dumps(part)[1:-1],
            json.dumps(part, ensure_ascii=False)[1:-1],
        }
        forms |= {quote(part), quote(part, safe=""), quote_plus(part), repr(part)[1:-1], html.escape(part)}
        raw = part.encode("utf-8", "surrogateescape")
        forms |= {raw.decode("latin-1"), *_in_base64(raw), base64.b32encode(raw).decode().rstrip("=")}
        for hexed in (raw.hex(), raw.hex(":"), raw.hex(" ")):
            forms |= {hexed, hexed.upper()}
    return {form for form in forms if len(form) >= SHORTEST_SECRET}


def _in_base64(raw: bytes) -> Iterator[str]:
    """Yield a secret in base64: whole, and what of it is the same whatever stands before and behind it."""
    for before, first in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(bytes(before) + raw).decode()
        sure = encoded[first : 8 * (before + len(raw)) // 6]
        for form in (sure, *([] if before else [encoded, encoded.rstrip("=")])):
            yield from (form, form.replace("+", "-").replace("/", "_"))


def _decoded_base64(part: str) -> set[str]:
    """Return what base64 hides: of `Basic dXNlcjpwYXNz` the pair, and the password."""
    try:
        pair = base64.b64decode(part + "=" * (-len(part) % 4), validate=True).decode()
    except (ValueError, binascii.Error):
        return set()
    user, colon, password = pair.partition(":")
    return {pair, password} if colon and user.isprintable() and pair.isprintable() else set()


@dataclass(frozen=True, slots=True)
class SecretSpan:
    """Where a secret stands in a text, and what is to be put there."""

    start: int
    end: int
    put: str


class Parts:
    """Finds long parts of secrets. The time that takes grows with the text, not with the secrets' length."""

    def __init__(self, forms: Iterable[tuple[str, str]]) -> None:
        """Take each form that a secret has, and what is put in its place."""
        self._places: dict[str, list[tuple[str, int, str]]] = {}
        for form, put in forms:
            if len(form) > _SHORT:
                for i in range(len(form) - _GRAM + 1):
                    places = self._places.setdefault(form[i : i + _GRAM], [])
                    if len(places) < _MOST_PLACES:
                        places.append((form, i, put))

    def spans(self, text: str) -> Iterator[SecretSpan]:
        """Yield where a part stands that gives a secret away, in order; none overlaps another."""
        at, floor = 0, 0
        places = self._places
        last = len(text) - _GRAM if places else -1
        while at <= last:
            known = places.get(text[at : at + _GRAM])
            if known is None:
                at += _STRIDE
                continue
            runs = [(place[0], _run(text, at, floor, place)) for place in known]
            told = [span for form, span in runs if _tells(text, span, form)]
            if told:
                span = max(told, key=lambda one: one.end - one.start)
                yield span
                at = floor = span.end
            else:
                at = max(at + _STRIDE, max(span.end for _, span in runs) - _SHORT)


def _run(text: str, at: int, floor: int, place: tuple[str, int, str]) -> SecretSpan:
    """Return as far as *text* is the same as a secret, to both sides of a gram that they share."""
    form, i, put = place
    start, end, back = at, at + _GRAM, i
    while start > max(floor, at - _BACK) and back and text[start - 1] == form[back - 1]:
        start, back = start - 1, back - 1
    ahead = i + _GRAM
    while end < len(text) and ahead < len(form) and text[end] == form[ahead]:
        end, ahead = end + 1, ahead + 1
    return SecretSpan(start, end, put)


def _tells(text: str, span: SecretSpan, form: str) -> bool:
    """Whether a part is so long that it is no accident: half of a secret, or more of it where it could be words."""
    length, half = span.end - span.start, -(-len(form) // 2)
    if length >= max(_PLAIN_PART, len(form) - len(form) // 4):
        return True
    return length >= min(_LONG, max(_SHORT, half)) and _is_random(text[span.start : span.end])


def _is_random(part: str) -> bool:
    """Whether a text is no words: many digits in it, or small and capital letters and digits in turn."""
    kinds = ["d" if char.isdigit() else "u" if char.isupper() else "l" for char in part if char.isalnum()]
    changes = sum(one != other for one, other in itertools.pairwise(kinds))
    return 2 * (kinds.count("d") + changes) >= len(part)


class Unescaped:
    """A text without its escapes, and where in the text each character of that was."""

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._plain_at: list[int] = []
        self._text_at: list[int] = []
        pieces: list[str] = []
        done = length = 0
        for match in _ESCAPE.finditer(text):
            char = _char(match)
            if not char:
                continue
            for piece, start in ((text[done : match.start()], done), (char, match.start())):
                if piece:
                    pieces.append(piece)
                    self._plain_at.append(length)
                    self._text_at.append(start)
                    length += len(piece)
            done = match.end()
        self._plain_at.append(length)
        self._text_at.append(done)
        self.plain = "".join((*pieces, text[done:]))
        """The text, each escape replaced by its character. Bytes that are escaped one by one stay such."""

    def __bool__(self) -> bool:
        """Whether there was an escape."""
        return len(self._plain_at) > 1

    def place(self, at: int) -> int:
        """Return where in the text a character of `plain` begins."""
        if at >= len(self.plain):
            return self._length
        i = bisect.bisect_right(self._plain_at, at) - 1
        return self._text_at[i] + at - self._plain_at[i]


def _char(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    if kind == "name":
        return _NAMED.get(match["name"], "")
    number = int(match[kind], _BASES[kind])
    return chr(number) if number <= 0x10FFFF else ""  # noqa: PLR2004 - the last character there is


def replaced(text: str, spans: Iterable[SecretSpan]) -> str:
    """Return the text with each span's word in its place; of spans that overlap, the first one's."""
    pieces: list[str] = []
    done = 0
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if span.start >= done:
            pieces += (text[done : span.start], span.put)
        done = max(done, span.end)
    return "".join((*pieces, text[done:])) if pieces else text


def whole_spans(text: str, forms: Iterable[tuple[str, str]]) -> Iterator[SecretSpan]:
    """Yield where forms stand whole."""
    for form, put in forms:
        at = text.find(form)
        while at >= 0:
            yield SecretSpan(at, at + len(form), put)
            at = text.find(form, at + len(form))
