"""What can be said about references before any answer is scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.metrics.scorer import References, same_length


def refuse_unpaired(answers: Sequence[str], references: References) -> None:
    """Refuse what no metric can score: other lengths, what is not text, an example without any reference."""
    same_length(answers, references)
    for index, (answer, several) in enumerate(zip(answers, references, strict=True)):
        if not isinstance(answer, str):
            raise ValueError(f"answer {index} is {_kind(answer)}, not text")  # noqa: TRY004 - the contract's one error
        if isinstance(several, str):
            raise ValueError(  # noqa: TRY004 - the contract's one error
                f"the references of example {index} are one text: give a list of texts"
            )
        if not several:
            raise ValueError(f"example {index} has no reference")
        for reference in several:
            if not isinstance(reference, str):
                raise ValueError(  # noqa: TRY004 - the contract's one error
                    f"a reference of example {index} is {_kind(reference)}, not text"
                )


def refuse_unmatchable(answers: Sequence[str], references: References) -> None:
    """Refuse what `refuse_unpaired` does, and references without any text: 0 against 0 must not look like a match."""
    refuse_unpaired(answers, references)
    if why := nothing_to_match(references):
        raise ValueError(why)


def how_many(references: References) -> str:
    """Return how many references an example has, as signatures say it: `1`, `2`, or `var` when that differs."""
    counts = {len(several) for several in references}
    return str(counts.pop()) if len(counts) == 1 else "var"


def texts(references: References) -> Iterator[str]:
    """Yield every reference of every example."""
    for several in references:
        yield from several


def nothing_to_match(references: References) -> str:
    """Return why no answer can match *references* when they hold no text at all, else an empty string."""
    if not references or any(text.strip() for text in texts(references)):
        return ""
    return "no reference has any text: fill in the references, or ask for an empty answer with exact_match"


def _kind(value: object) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"
