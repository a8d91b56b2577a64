"""Summarise what a docstring says: a headline from the definition's name, then the body's most telling sentence.

Rules and counts, no learned weights: it starts at once, needs nothing installed, and answers the same on every machine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LONGEST = 18
"""Words of a summary."""

_VERBS = (
    "add append call check clear close compile convert copy create decode delete encode find format handle insert "
    "join list load make match open parse print process quote read register remove replace save send set show split "
    "start stop test update wait write"
)
VERBS = frozenset(_VERBS.split())

_STOP_WORDS = (
    "a all an and any are as at be but by can for from has have if in is it its may more no not of on or other such "
    "than that the this to was when which will with you your"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())


def summarize(text: str) -> str:
    """Return a summary of *text*: a line with the definition, a blank line, the docstring's body."""
    definition, _, body = text.partition("\n\n")
    found = sentences(body)
    return cut(f"{headline(definition)}. {found[best(found, definition)]}")


def headline(definition: str) -> str:
    """Say what the name says: `def get_boundary(self)` is `Return the boundary`."""
    kind, *words = name_words(definition)
    first, rest = words[0] if words else "", " ".join(words[1:])
    if kind == "class":
        said = f"{'an' if first[:1] in 'aeiou' else 'a'} {first} {rest}"
    elif kind == "def" and first == "init":
        said = "initialize the instance"
    elif kind == "def" and first.startswith("is"):
        said = f"return true if the object is a {first[2:]} {rest}"
    elif kind == "def" and first == "get" and rest:
        said = f"return the {rest}"
    elif kind == "def" and first in VERBS and rest:
        said = f"{first} the {rest}"
    else:
        said = f"{first} {rest}"
    return said.strip().capitalize()


def name_words(definition: str) -> list[str]:
    """Return the kind (`def`, `class`, `module`) and the words of the name, in lower case."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", definition.partition("(")[0])
    return words_of(name) or ["def"]


def sentences(body: str) -> list[str]:
    """Return the sentences of the body's prose; paragraphs with interpreter sessions are left out. Never empty."""
    found = []
    for paragraph in re.split(r"\n\s*\n", body):
        if not re.search(r"^\s*(>>>|\.\.\.)", paragraph, re.MULTILINE):
            found += re.split(r"(?<=[.!?:])\s+(?=[A-Z\"'(`*])", " ".join(paragraph.split()))
    return [sentence for sentence in found if sentence] or [" ".join(body.split())]


def best(found: Sequence[str], definition: str) -> int:
    """Return the position of the sentence that says most: early, about the name, in the body's own frequent words."""
    about = telling(" ".join(name_words(definition)[1:]))
    frequency = Counter(word for sentence in found for word in telling(sentence))
    scores = []
    for position, sentence in enumerate(found):
        words = telling(sentence)
        shared = sum(frequency[word] - 1 for word in words) / max(1, len(words) * (len(found) - 1))
        fair = len(sentence.split()) in range(4, 31) and not sentence.endswith(":")
        scores.append(1 / (1 + position) + len(words & about) / max(1, len(about)) / 2 + shared / 2 - (not fair) * 0.3)
    return scores.index(max(scores))


def telling(text: str) -> set[str]:
    """Return the words that carry meaning, without their endings."""
    return {re.sub(r"(?<=\w{3})(ing|ed|es|s)$", "", word) for word in words_of(text) if word not in STOP_WORDS}


def words_of(text: str) -> list[str]:
    """Return the runs of letters and digits, in lower case."""
    return re.findall(r"[a-z0-9]+", text.lower())


def cut(text: str) -> str:
    """Return the first words, as many as a summary may have."""
    return " ".join(text.split()[:LONGEST])
