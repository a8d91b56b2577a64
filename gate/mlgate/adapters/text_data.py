"""Examples from parallel text files, as machine translation keeps them: line n of each belongs together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlgate.adapters import data_file
from mlgate.core.dataset import Dataset, gather
from mlgate.core.errors import ConfigError
from mlgate.core.row import Fields


def read(source: Path, references: Sequence[Path]) -> Dataset:
    r"""Read one example a line: the input from *source*, a reference from each of *references*. Ids are 1, 2, ….

    Lines end at `\n` only, and white space before it is dropped (a `\r` too): the segments that sacrebleu reads from
    the same files. A blank line is an empty segment. Raises ConfigError when the files' line counts differ (never
    zip), EvidenceError for a file that cannot be read.
    """
    if not references:
        raise ConfigError("there is no reference file", hint="name at least one under `references:`", where=str(source))
    inputs = _segments(source)
    columns = [_segments(path) for path in references]
    if any(len(column) != len(inputs) for column in columns):
        counted = zip((source, *references), (inputs, *columns), strict=True)
        raise ConfigError(
            f"the line counts differ: {', '.join(f'{path} has {len(lines):,}' for path, lines in counted)}",
            hint="line n of every file must belong together",
            where=str(source),
        )
    rows = (
        (number, {"id": number, "input": text, "references": list(texts)})
        for number, (text, *texts) in enumerate(zip(inputs, *columns, strict=True), 1)
    )
    return gather(rows, Fields(), source=str(source))


def _segments(path: Path) -> list[str]:
    return [line.rstrip() for _, line in data_file.lines(path)]
