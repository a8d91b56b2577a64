"""What is suspicious about answers and references: no rule judges it, and a person wants to know it before the numbers.

Each notice counts one thing over one check's examples, says what it does to the scores, and what to do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mlgate.core.check import Check, Example
from mlgate.core.evidence import FINISH, Observation, Row
from mlgate.core.metric import ERROR_RATE
from mlgate.metrics import filters
from mlgate.metrics.labels import compared

_FEWEST = 3
"""Examples below which alike texts are no pattern."""
_SHARE = 0.1
"""Of the examples, from which a pattern is told."""
_LABEL_METRICS = ("accuracy", "macro_f1", "label_precision", "label_recall", "label_f1")
_SHOWN = 40
_LABELS = 3
_REASONING = re.compile(r"</?think(?:ing)?>|<\|channel\|>|</?reasoning>", re.IGNORECASE)
_SIGNS = str.maketrans("", "", " \t\r\n.,;:!?\"'`*()[]")


Answered = Sequence[tuple[Example, str]]
"""Examples, and what the model answered to each."""


def notices(check: Check, rows: Mapping[str, Row]) -> Iterator[str]:
    """Yield a sentence for each thing about the answers or the references that a person should know."""
    seen = [(example, row) for example in check.examples if isinstance(row := rows.get(example.id), Observation)]
    answered: Answered = [
        (example, str(row.seen["answer"])) for example, row in seen if isinstance(row.seen.get("answer"), str)
    ]
    if not answered:
        return
    yield from _not_whole(seen)
    answered = _as_scored(check, answered)
    yield from _empty(answered)
    yield from _reasoning(answered)
    yield from _alike(answered)
    yield from _no_label(check, answered)
    yield from _copied(answered)
    yield from _references_alike(check.examples)
    yield from _no_reference(check)


def _as_scored(check: Check, answered: Answered) -> Answered:
    """Return what is scored of each answer, where all metrics of answers look at the same; else the raw answers."""
    ways = {str(choice.filters): choice.filters for choice in check.metrics if choice.kind != ERROR_RATE.name}
    if len(ways) != 1 or not next(iter(ways.values())):
        return answered
    steps = filters.build(next(iter(ways.values())))
    try:
        texts = filters.answers(steps, [text for _, text in answered])
    except ValueError:  # the metrics say so
        return answered
    wanted = (replace(one, references=filters.references(steps, one.references)) for one, _ in answered)
    return list(zip(wanted, texts, strict=True))


def _not_whole(seen: Sequence[tuple[Example, Observation]]) -> Iterator[str]:
    for finish, why in (("length", "the limit of tokens"), ("content_filter", "the server's content filter")):
        cut = [example for example, row in seen if row.seen.get(FINISH) == finish]
        if cut:
            step = "; raise it, e.g. params: {max_tokens: 1024}" if finish == "length" else ""
            yield f"{_of(len(cut), len(seen))} cut off by {why} (finish_reason: {finish}; {_first(cut)}){step}"


def _empty(answered: Answered) -> Iterator[str]:
    empty = [example for example, text in answered if not text.strip() and all(r.strip() for r in example.references)]
    if empty:
        yield f"{_of(len(empty), len(answered))} empty ({_first(empty)})"


def _reasoning(answered: Answered) -> Iterator[str]:
    found = [(example, mark[0]) for example, text in answered if (mark := _REASONING.search(text))]
    wanted = [1 for example, _ in found if any(_REASONING.search(text) for text in example.references)]
    if len(found) > len(wanted):
        many = f"{len(found):,} of {len(answered):,} answers hold {found[0][1]}"
        why = "the model's reasoning is scored with its answer; write filters: [strip_reasoning] in the check"
        yield f"{many} ({_first([found[0][0]])}): {why}"


def _alike(answered: Answered) -> Iterator[str]:
    """Yield that many answers are one text, which the references are not."""
    texts = Counter(text.strip() for _, text in answered if text.strip())
    if not texts:
        return
    text, count = texts.most_common(1)[0]
    wanted = sum(text in (reference.strip() for reference in example.references) for example, _ in answered)
    all_alike = count == len(answered) and wanted < count
    if count >= max(_FEWEST, _SHARE * len(answered)) and (all_alike or count >= 2 * wanted + _FEWEST):
        where = f"; {_references(wanted)}"
        yield f"{_of(count, len(answered))} the same text, {_quoted(text)}{where}"


def _no_label(check: Check, answered: Answered) -> Iterator[str]:
    """Yield that answers are no label at all, and how many would be one if they were written otherwise.

    Empty ones are told apart.
    """
    if not any(choice.kind in _LABEL_METRICS for choice in check.metrics):
        return
    labels = {compared(reference) for example, _ in answered for reference in example.references}
    strange = [text for _, text in answered if text.strip() and compared(text) not in labels]
    if not strange:
        return
    shown = ", ".join(_quoted(label) for label in sorted(labels)[:_LABELS]) + (", …" if len(labels) > _LABELS else "")
    labelled = f"none of the {len(labels):,} labels" if len(labels) > 1 else "not the only label"
    frequent = _quoted(Counter(strange).most_common(1)[0][0])
    told = f"{_of(len(strange), len(answered))} {labelled} ({shown}), e.g. {frequent}"
    plain = {_plain(label) for label in labels}
    nearly = sum(_plain(text) in plain for text in strange)
    yield told + (f"; {nearly:,} would be, without case and punctuation" if nearly else "")


def _copied(answered: Answered) -> Iterator[str]:
    copied = [
        example
        for example, text in answered
        if isinstance(example.input, str)
        and text.strip()
        and text.strip() == example.input.strip()
        and text.strip() not in (reference.strip() for reference in example.references)
    ]
    if len(copied) >= max(_FEWEST, _SHARE * len(answered)):
        yield f"{_of(len(copied), len(answered))} their own input ({_first(copied)})"


def _references_alike(examples: Sequence[Example]) -> Iterator[str]:
    wanted = {example.references for example in examples}
    if len(examples) >= _FEWEST and len(wanted) == 1 and any(text.strip() for text in next(iter(wanted))):
        text = next(iter(wanted))[0]
        why = "a model that always says it is right"
        yield f"all {len(examples):,} references are the same text, {_quoted(text)}: {why}"


def _no_reference(check: Check) -> Iterator[str]:
    """Yield that a metric calls every answer wrong where no answer is the right one."""
    empty = [e for e in check.examples if e.references and not any(text.strip() for text in e.references)]
    names = [choice.name for choice in check.metrics if choice.kind.startswith("rouge")]
    if empty and names:
        many = f"{len(empty):,} of {len(check.examples):,} examples have"
        many = many if len(empty) > 1 else f"1 of {len(check.examples):,} examples has"
        why = f"{', '.join(names)} counts any answer to that as wrong, an empty one, too"
        yield f"{many} an empty reference ({_first(empty)}): {why}; token_f1 and exact_match do not"


def _of(count: int, total: int) -> str:
    """Return the begin of a sentence: `3 of 40 answers are`, `all 40 answers are`."""
    if count == total:
        return f"all {total:,} answers are" if total > 1 else "the only answer is"
    return f"{count:,} of {total:,} answers {'is' if count == 1 else 'are'}"


def _references(count: int) -> str:
    if not count:
        return "no reference is"
    return f"{count:,} {'reference is' if count == 1 else 'references are'}"


def _first(examples: Sequence[Example]) -> str:
    return f"first: {examples[0].id[:60]}"


def _quoted(text: str) -> str:
    one_line = " ".join(text.split())
    return f"`{one_line}`" if len(one_line) <= _SHOWN else f"`{one_line[: _SHOWN - 1]}…`"


def _plain(label: str) -> str:
    """Return a label without case, punctuation and spaces; a whole number without a fraction of zeros."""
    whole = re.fullmatch(r"\s*(-?\d+)\.0\s*", label)
    return whole[1] if whole else label.casefold().translate(_SIGNS)
