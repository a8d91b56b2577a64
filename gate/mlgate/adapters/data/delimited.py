"""Rows of delimited text, of data and of answers alike: a header, then one record a row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice

from mlgate.adapters.data.dialect import Dialect, Line, Quoting, Record, named_by, plain_values, records
from mlgate.adapters.data.section_line import SectionLine, scalar
from mlgate.core.errors import ConfigError

_OTHERS = (",", ";", "\t", "|")
"""What cuts lines, the most usual first."""
_TRIED = 100_000
"""Records by which another dialect is tried."""
_LINES_SHOWN = 5


class TwoReadingsError(ConfigError):
    """Lines that are one row as CSV and several without quoting: only a person can tell which is meant."""


class Table:
    """Reads one file by its dialect, and says which other one would fit where this does not."""

    def __init__(self, lines: Callable[[], Iterator[Line]], dialect: Dialect, source: str, line: SectionLine) -> None:
        """*lines* begins the file anew each time; *line* is what names it in the configuration, for hints."""
        self._lines = lines
        self._dialect = dialect
        self._source = source
        self._line = line
        self._in_quotes: list[int] = []

    def rows(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Yield each row with the number of the line it begins on. Every value is text.

        Raises ConfigError with `file:line` for a record that cannot be used, or that can be read in two ways.
        """
        header: list[str] = []
        for lines, values in self._records():
            number = lines[0][0]
            if not header:
                header = values
                self._refuse_header(header, number, lines[0][1])
                continue
            if len(values) != len(header):
                raise self._wrong_width(len(values), len(header), number)
            self._refuse_two_ways(lines, len(header))
            if '"' in lines[0][1] and not self._dialect.quotes and any(_is_in_quotes(value) for value in values):
                self._in_quotes.append(number)
            yield number, dict(zip(header, values, strict=True))

    def count(self) -> int:
        """Return how many records stand behind the header. Raises as `rows` does for what is not CSV."""
        return max(0, sum(1 for _ in self._records()) - 1)

    def header(self) -> list[str]:
        """Return the names of the columns; none for an empty file."""
        return next(self._records(), ([], []))[1]

    @property
    def notices(self) -> tuple[str, ...]:
        """Return what a person should know, once all rows were read."""
        if not self._in_quotes or self._dialect.quoting:
            return ()
        shown = ", ".join(map(str, self._in_quotes[:_LINES_SHOWN])) + (", …" if self._in_quotes[_LINES_SHOWN:] else "")
        many = f"{len(self._in_quotes):,} row{'s have' if self._in_quotes[1:] else ' has'}"
        said = f"{many} a value in quotes, and the quotes count as text: line {shown}"
        line = self._line.where(quoting="csv")
        return (f"{said}; write `{line}` if they are CSV's, `quoting: none` if they are text",)

    def _records(self) -> Iterator[Record]:
        number = 0
        left = iter(self._lines())
        if (first := next(left, None)) is None:
            return
        self._dialect = named_by(first[1], self._dialect)
        try:
            for lines, values in records(chain([first], left), self._dialect):
                yield lines, values
                number = lines[-1][0]
        except csv.Error as error:
            raise self._not_csv(error, number + 1) from error

    def _refuse_header(self, header: list[str], number: int, line: str) -> None:
        if "\r" in line.rstrip("\r"):
            raise self._old_line_ends(number)
        if len(set(header)) != len(header):
            twin = next(name for name in header if header.count(name) > 1)
            hint = "rename one of the two, in the header" if twin.strip() else "delete the columns that have no name"
            raise ConfigError(
                f"the header names the column `{twin[:60]}` twice", hint=hint, where=f"{self._source}:{number}"
            )
        if len(header) == 1 and not self._dialect.delimiter_is_written and (found := self._fitting()):
            raise ConfigError(
                f"the header has one value where {_named(self._dialect.delimiter)} cuts",
                hint=f"write `{found}`",
                where=f"{self._source}:{number}",
            )

    def _refuse_two_ways(self, lines: list[Line], width: int) -> None:
        """Refuse quotes that nobody declared, and whose lines are rows of their own where quotes mean nothing."""
        if len(lines) == 1 or width == 1 or self._dialect.quoting:
            return
        alone = [line for _, line in lines if line.rstrip("\r")]
        if all(len(plain_values(line, self._dialect.delimiter)) == width for line in alone):
            raise TwoReadingsError(
                f"lines {lines[0][0]} to {lines[-1][0]} can be read in two ways: "
                f"as CSV they are one row, without quoting {len(alone)} rows",
                hint=f"write `{self._line.where(quoting='csv')}` for one row, "
                f"`{self._line.where(quoting='none')}` for {len(alone)}",
                where=f"{self._source}:{lines[0][0]}",
            )

    def _wrong_width(self, has: int, needs: int, number: int) -> ConfigError:
        usual = (
            "quote a value that holds the delimiter, a quote or a line break"
            if self._dialect.quotes
            else "no value may hold the delimiter or a line break, unless it is quoted and `quoting: csv` is written"
        )
        found = self._fitting()
        return ConfigError(
            f"the record has {has} value{'' if has == 1 else 's'}, the header {needs}",
            hint=f"write `{found}`" if found else usual,
            where=f"{self._source}:{number}",
        )

    def _not_csv(self, error: csv.Error, number: int) -> ConfigError:
        if "new-line" in str(error):
            return self._old_line_ends(number)
        found = self._fitting()
        return ConfigError(
            f"the record is not CSV, cut at {self._dialect.delimiter!r}: {error}",
            hint=f"write `{found}`" if found else 'a quote inside a quoted value is written twice: ""',
            where=f"{self._source}:{number}",
        )

    def _old_line_ends(self, number: int) -> ConfigError:
        return ConfigError(
            "a carriage return stands in the line: old Mac programs end lines so",
            hint=self._line.converted(self._source, "tr '\\r' '\\n'"),
            where=f"{self._source}:{number}",
        )

    def _fitting(self) -> str:
        """Return the line that reads the file by another dialect; empty for none."""
        keys = self.fitting_keys()
        return self._line.where(**keys) if keys else ""

    def fitting_keys(self) -> dict[str, object]:
        """Return the keys by which every record fits, of another dialect than this; empty for none."""
        ours = self._dialect.delimiter
        ways: tuple[Quoting, Quoting] = ("csv", "none")
        for delimiter in dict.fromkeys([ours, *_OTHERS]):
            for quoting in reversed(ways) if delimiter == "\t" else ways:
                tried = Dialect(delimiter, quoting, delimiter_is_written=True)
                if (delimiter, tried.quotes) != (ours, self._dialect.quotes) and self._fits(tried):
                    return _changes(tried, self._dialect, self._line)
        return {}

    def _fits(self, dialect: Dialect) -> bool:
        try:
            widths = {len(values) for _, values in islice(records(self._lines(), dialect), _TRIED)}
        except csv.Error:
            return False
        return len(widths) == 1 and widths != {1}


def _changes(tried: Dialect, ours: Dialect, line: SectionLine) -> dict[str, object]:
    found: dict[str, object] = {}
    if tried.delimiter != ours.delimiter:
        found["delimiter"] = "tab" if tried.delimiter == "\t" else tried.delimiter
    if "quoting" in line.written or Dialect(tried.delimiter).quotes != tried.quotes:
        found["quoting"] = tried.quoting
    return found


def _is_in_quotes(value: str) -> bool:
    return len(value) > 1 and value[0] == '"' == value[-1]


def _named(delimiter: str) -> str:
    return "a tab" if delimiter == "\t" else scalar(delimiter)
