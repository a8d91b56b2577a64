"""Text from outside made inert, one escaper a format. What a model answers reaches a reader only through here.

Two facts shape all of them. GitHub's runner reads every line of a step's output, whoever wrote it: a line that begins
with `::name::` (after blanks), or holds `##[name]` anywhere, is a command. And a reader's eye is a parser, too: bidi
controls, zero-width characters and cursor moves show one thing and mean another. So what cannot be seen is spelled out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

CUT = "…"
"""Stands where text was cut off."""

_MARKS = 4
"""Combining marks on one letter, the rest is cut; Vietnamese needs two, fully pointed Hebrew three."""

_READ_FACTOR = 16
"""So many times the characters that are shown are read of a text; 1 MB of marks on one letter is no name."""

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and symbols by category that show as nothing."""


def terminal(text: str, limit: int = 400) -> str:
    r"""Return *text* on one line of a terminal or a workflow log, at most *limit* characters.

    What is not seen as itself (controls, ANSI, bidi, zero-width, newlines, lone surrogates) is shown as `\xNN` or
    `\uNNNN`. `::` at the start and `##[` anywhere are broken the same way: `:\x3a`, `##\x5b`.
    """
    return _joined_within(_inert(_within(text, limit)), limit)


def flowing(text: str, limit: int) -> str:
    """Return a text of several lines as one, with ⏎ where a line ends; then escape it. `x0a` is hard to read past.

    *limit* is what it is escaped to: what lies far behind is not looked at.
    """
    text = _within(text, limit)
    first, *others = text.split("\n")
    if not others:
        return text
    *middle, last = (line.strip(" \t") for line in others)
    return " ⏎ ".join([first.rstrip(" \t"), *filter(None, middle), last])


def markdown(text: str, limit: int = 400) -> str:
    """Return *text* as prose that GitHub shows literally, in a table's cell, a list or a fold; cut like `terminal`.

    Entities stop the Markdown parser, but GitHub looks for mentions, references, links and emoji in the finished
    page, where an entity is a plain character again (github/cmark-gfm#181). Only a zero-width space inside the
    pattern stops those; each is written as an entity, so that a reviewer of the source sees it. Dollars stand alone
    in a `<span>`, the only way that GitHub documents to keep them from being mathematics. A commit's hash may still
    become a link to that commit. For text that people copy, use `markdown_code`.
    """
    shown = _with_breaks(terminal(text, limit), (*_LINKS, *_REFERRED))
    safe = _entities(shown)
    first = shown[:1]
    return safe if not first or first.isalpha() or ord(first) in _ENTITIES else f"&#{ord(first)};{safe[1:]}"


def markdown_code(text: str, limit: int = 400) -> str:
    """Return *text* verbatim as `<code>`: GitHub's filters leave code alone, and what is copied from it is exact.

    The tag instead of backticks: no run of backticks in the text can close it, and a table's `|` can be an entity.
    The parser's own autolinks look through the tag, so an empty comment stands inside whatever they would take.
    """
    shown = _with_breaks(terminal(text, limit), _LINKS)
    return f"<code>{_entities(shown).replace(_BREAK, '<!-- -->')}</code>"


def command_data(text: str) -> str:
    """Return *text* as the message of a GitHub workflow command."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace("##[", "##\\x5b")


def command_property(text: str) -> str:
    """Return *text* as the value of a GitHub workflow command's property."""
    return command_data(text).replace(":", "%3A").replace(",", "%2C")


def xml(text: str, limit: int = 10_000) -> str:
    """Return *text* for XML 1.0, between tags or quotes: illegal and invisible characters are shown as `terminal` does.

    Newlines and tabs survive, as references, so that no line of the file begins with the text.
    """
    pieces = _inert(_within(text, limit), keep="\n\r\t")
    return _joined_within((_REFERENCES.get(piece, piece) for piece in pieces), limit)


_ENTITIES = {ord(char): f"&#{ord(char)};" for char in "`*_[]|\\~$#@\u200b"}
_ENTITIES |= {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}

_BREAK = "&#8203;"

_REFERENCES = {char: f"&#{ord(char)};" for char in "\n\r\t\"'"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

_LINKS = (re.compile(r"(@)"), re.compile(r"(:)(?=//)"), re.compile(r"(www)(?=\.)", re.IGNORECASE))
"""What GitHub's Markdown parser itself links, and @org/team: broken behind the group."""

_REFERRED = (re.compile(r"(#)"), re.compile(r"(GH)(?=-\d)", re.IGNORECASE), re.compile(r"(:)(?=[\w+-]+:)"))
"""What GitHub finds later, outside of code: #1, org/repo#1, GH-1, :tada:, and the 100 of `file:100:1`."""


def _within(text: str, limit: int) -> str:
    """Cut *text* to what can be shown in *limit* characters, before anything looks at it.

    What shows as nothing (blanks of folded lines, the marks on one letter) may take the rest.
    """
    most = _READ_FACTOR * limit
    return text if len(text) <= most else text[:most] + CUT


def _with_breaks(text: str, patterns: Iterable[re.Pattern[str]]) -> str:
    for pattern in patterns:
        text = pattern.sub("\\1\u200b", text)
    return text


def _entities(text: str) -> str:
    return text.translate(_ENTITIES).replace("&#36;", "<span>&#36;</span>")


def _inert(text: str, keep: str = "") -> Iterator[str]:
    """Yield *text* piece by piece, each a visible character or one that is spelled out."""
    marks = colons = hashes = 0
    begun = False
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        command = (char == ":" and colons == 1 and not begun) or (char == "[" and hashes > 1)
        if marks <= _MARKS:
            yield char if char in keep or (_visible(char) and not command) else _code_point(char)
        elif marks == _MARKS + 1:
            yield CUT
        begun = begun or not (char.isspace() or (char == ":" and not colons))
        colons = colons + 1 if char == ":" else 0
        hashes = hashes + 1 if char == "#" else 0


def _visible(char: str) -> bool:
    if " " <= char <= "~":
        return True
    category = unicodedata.category(char)
    return (category[0] in "LMNPS" or category == "Zs") and char not in _INVISIBLE


def _code_point(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - where each form ends


def _joined_within(pieces: Iterator[str], limit: int) -> str:
    """Join whole pieces up to *limit* characters; reads no further than that."""
    kept: list[str] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > limit:
            while kept and size + len(CUT) > limit:
                size -= len(kept.pop())
            return "".join(kept) + CUT
        kept.append(piece)
        size += len(piece)
    return "".join(kept)
