"""Yes or no of each answer: the share that contains, matches, parses, fits. Most need no reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mlgate.core.check import Json, digest_of
from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.core.text.fenced_json import NONE, value_of
from mlgate.core.text.normal_form import normal
from mlgate.metrics import search
from mlgate.metrics.labels import compared
from mlgate.metrics.options import Options
from mlgate.metrics.ratio import ratio
from mlgate.metrics.references import refuse_unpaired
from mlgate.metrics.scorer import References, same_length

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_UNITS: Mapping[str, Callable[[str], int]] = {"characters": len, "words": lambda text: len(text.split())}

Test = Callable[[str, Sequence[str]], bool]
"""Whether an answer passes, beside its references."""


@dataclass(frozen=True, slots=True)
class AnswerTest:
    """Share of answers that pass a test. Columns: passed, 1. An empty one, as of a model that failed, passes none."""

    metric: Metric
    settings: str
    """As the signature says them, without the name and the version."""
    test: Test = field(repr=False)
    needs_references: bool = False

    def signature(self, references: References) -> str:  # noqa: ARG002 - it looks at no reference that it does not name
        """Return the settings."""
        return f"{self.metric.name.upper()}|{self.settings}|version:mlgate1"

    def unsuitable(self, references: References) -> str:
        """Return why: it looks at references, and there is none."""
        if self.needs_references and any(not any(text.strip() for text in several) for several in references):
            return "it looks for the references in the answer, and some have no text"
        return ""

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return passed (1 or 0) and 1 for each example, shape (n, 2). ValueError where a search does not end."""
        (refuse_unpaired if self.needs_references else same_length)(answers, references)
        pairs = zip(answers, references, strict=True)
        passed = [bool(answer.strip()) and self.test(answer, several) for answer, several in pairs]
        return np.column_stack([np.array(passed, dtype=float), np.ones(len(passed))])

    def value(self, totals: Array) -> Array:
        """Return the share."""
        return ratio(totals)


def contains(options: Mapping[str, Json]) -> AnswerTest:
    """Make the share of answers that contain a text: `text`, or else any of the example's references."""
    chosen = Options("contains", options, ("text", "lowercase"))
    text, fold = _texts("contains", options.get("text")), chosen.flag("lowercase")

    def test(answer: str, references: Sequence[str]) -> bool:
        given = _plain(answer, fold=fold)
        return any(_plain(one, fold=fold) in given for one in text or references)

    named = f"text:{digest_of(list(text))[:12]}" if text else "text:references"
    return _test("contains", f"{named}|case:{'lc' if fold else 'mixed'}|norm:nfc", test, needs_references=not text)


def is_one_of(options: Mapping[str, Json]) -> AnswerTest:
    """Make the share of answers that are one of `values`, trimmed."""
    Options("is_one_of", options, ("values",))
    values = {compared(one) for one in _texts("is_one_of", options.get("values"))}
    if not values:
        raise ValueError("is_one_of: values is missing: write e.g. {values: [yes, no]}")
    named = f"values:{digest_of(sorted(values))[:12]}|norm:nfc|space:trim"
    return _test("is_one_of", named, lambda answer, _: compared(answer) in values)


def matches(options: Mapping[str, Json]) -> AnswerTest:
    """Make the share of answers in which a regular expression is found."""
    Options("matches", options, ("pattern",))
    pattern = options.get("pattern")
    if not isinstance(pattern, str) or not pattern:
        raise ValueError(r"matches: pattern must be an expression: write e.g. {pattern: '\[[0-9]+\]'}")
    expression = search.compiled(pattern)
    named = f"pattern:{digest_of(pattern)[:12]}"
    return _test("matches", named, lambda answer, _: search.first(expression, answer) is not None)


def max_length(options: Mapping[str, Json]) -> AnswerTest:
    """Make the share of answers of at most so many `words` or `characters`."""
    chosen = Options("max_length", options, tuple(_UNITS))
    units = [unit for unit in _UNITS if unit in options]
    if len(units) != 1:
        raise ValueError("max_length: write one of {words: 50} and {characters: 300}")
    most = chosen.whole(units[0], 1, 0, 1_000_000)
    count = _UNITS[units[0]]
    return _test("max_length", f"{units[0]}:{most}", lambda answer, _: count(answer.strip()) <= most)


def json_valid(options: Mapping[str, Json]) -> AnswerTest:
    """Make the share of answers that are one JSON value, bare or in a Markdown fence."""
    Options("json_valid", options)
    return _test("json_valid", "fence:yes", lambda answer, _: value_of(answer) is not NONE)


def json_schema(options: Mapping[str, Json]) -> AnswerTest:
    """Make the share of answers that are JSON of a schema, which stands in the file itself."""
    Options("json_schema", options, ("schema",))
    schema = options.get("schema")
    if not isinstance(schema, Mapping) or not schema:
        raise ValueError("json_schema: schema must be a JSON schema: write e.g. {schema: {type: object}}")
    validator = _validator(schema)

    def test(answer: str, _: Sequence[str]) -> bool:
        value = value_of(answer)
        return value is not NONE and bool(validator.is_valid(value))

    return _test("json_schema", f"schema:{digest_of(schema)[:12]}|fence:yes", test)


def _validator(schema: Mapping[str, Json]) -> Validator:
    try:
        import jsonschema
        from referencing import Registry
        from referencing.exceptions import Unresolvable
    except ImportError as error:
        raise ValueError("json_schema needs what is not installed: pip install 'mlgate[schema]'") from error
    for place in _references(schema):
        if not place.startswith("#"):
            raise ValueError(f"json_schema: the schema refers to {place[:80]}: a gate reads nothing from elsewhere")
    if _has_key(schema, "patternProperties"):
        raise ValueError("json_schema: patternProperties is not taken: name the properties")
    plain = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    kind = jsonschema.validators.extend(plain, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    try:
        plain.check_schema(dict(schema))
        validator: Validator = kind(schema, registry=Registry())
        validator.is_valid(None)
    except jsonschema.SchemaError as error:
        raise ValueError(f"json_schema: the schema is none: {error.message[:200]}") from error
    except (Unresolvable, RecursionError) as error:
        raise ValueError(f"json_schema: the schema refers to what it has not: {str(error)[:120]}") from error
    return validator


def _pattern(_: Validator, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    """Search as a schema's `pattern` does, for a time that has an end."""
    from jsonschema.exceptions import ValidationError

    if isinstance(value, str) and not search.first(search.compiled(pattern), value):
        yield ValidationError("does not match")


def _references(schema: object) -> Iterator[str]:
    """Yield every address that a schema refers to, wherever it stands in it."""
    for one in _mappings(schema):
        yield from (str(one[key]) for key in ("$ref", "$dynamicRef", "$recursiveRef") if isinstance(one.get(key), str))


def _has_key(schema: object, key: str) -> bool:
    return any(key in one for one in _mappings(schema))


def _mappings(schema: object) -> Iterator[Mapping[str, object]]:
    waiting = [schema]
    while waiting:
        match waiting.pop():
            case Mapping() as one:
                yield one
                waiting += one.values()
            case list() as several:
                waiting += several


def _texts(metric: str, value: Json) -> tuple[str, ...]:
    """Return one text or several as several; none where nothing is written."""
    if value is None:
        return ()
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, Sequence) or not all(isinstance(one, str) and one for one in several):
        raise ValueError(f"{metric}: write a text, or a list of texts")
    return tuple(str(one) for one in several)


def _plain(text: str, *, fold: bool) -> str:
    text = normal("NFC", text)
    return normal("NFC", text.casefold()) if fold else text


def _test(name: str, settings: str, test: Test, *, needs_references: bool = False) -> AnswerTest:
    return AnswerTest(Metric(name, "ratio", Better.HIGHER), settings, test, needs_references)
