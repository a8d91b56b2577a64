"""Examples from parallel text files, as machine translation keeps them: line n of each belongs together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlgate.adapters.data import open_file
from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.fields import Fields
from mlgate.core.errors import ConfigError


def read(source: Path, references: Sequence[Path], group: Path | None = None) -> Dataset:
    r"""Read one example a line: the input from *source*, a reference from each of *references*. Ids are 1, 2, ….

    Lines end at `\n` only, and white space before it is dropped (a `\r` too): the segments that sacrebleu reads from
    the same files. A blank line is an empty segment. Lines of *group* say which document each line is of. Raises
    ConfigError when the files' line counts differ (never zip), EvidenceError for a file that cannot be read.
    """
    if not references:
        raise ConfigError("there is no reference file", hint="name at least one under `references:`", where=str(source))
    inputs = _segments(source)
    columns = [_segments(path) for path in references]
    documents = _segments(group) if group else [""] * len(inputs)
    read_from = [(source, inputs), *zip(references, columns, strict=True), *([(group, documents)] if group else [])]
    if any(len(lines) != len(inputs) for _, lines in read_from):
        raise ConfigError(
            f"the line counts differ: {', '.join(f'{path} has {len(lines):,}' for path, lines in read_from)}",
            hint="line n of every file must belong together",
            where=str(source),
        )
    rows = (
        (number, {"id": number, "input": text, "references": list(texts), "group": of})
        for number, (text, of, *texts) in enumerate(zip(inputs, documents, *columns, strict=True), 1)
    )
    return gather(rows, Fields(group="group" if group else ""), source=str(source))


def _segments(path: Path) -> list[str]:
    return [line.rstrip() for _, line in open_file.lines(path)]
