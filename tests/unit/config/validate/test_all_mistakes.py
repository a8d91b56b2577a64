"""A file where everything is wrong, and files where anything is: all is told, in plain words, in order."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Golden
from tests.unit.config.small import EVERY_KEY, EVERY_TIMED_KEY, FOLDER, JARGON, config, faults

from mlgate.config.load import parse
from mlgate.config.yaml import parse as strict_yaml
from mlgate.core.errors import ConfigError

ALL_WRONG = (FOLDER / "all_wrong.yaml").read_text()


def test_every_mistake_is_told_at_once_in_order_with_place_and_next_step(golden: Golden) -> None:
    golden("config/all_wrong.txt", "".join(f"{fault}\n" for fault in faults(ALL_WRONG)))


def test_places_are_in_the_files_order() -> None:
    places = [tuple(int(n) for n in fault.where.split(":")[1:]) for fault in faults(ALL_WRONG)]
    assert places == sorted(places)


def test_no_sentence_holds_pydantics_own_words() -> None:
    for fault in faults(ALL_WRONG):
        assert not [word for word in JARGON if word in str(fault)], str(fault)


def test_a_secret_in_the_file_is_never_repeated() -> None:
    model = '{endpoint: {url: "http://me:hunter2@h", protocol: kserve-v1, headers: {A: hunter2, B: {env: "hunter2!"}}}}'
    with pytest.raises(ConfigError) as caught:
        config(model=model)
    assert len(caught.value.more) == 2
    for fault in (caught.value, *caught.value.more):
        assert "hunter2" not in str(fault)
        assert fault.__cause__ is None


leaves = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1e9,
        0.5,
        "",
        "x",
        "30%",
        "30s",
        "bleu",
        "recorded",
        "latency",
        "image",
        "50ms",
        "git",
        "mlflow",
        "sqlite:///m.db",
        [],
        {},
        ["bleu"],
        {"min": 1},
        [[1]],
        "http://h",
        {"path": "a.csv"},
        "kserve-v1",
        "\x1b[31m",
        "a\nb",
        "é" * 99,
    ]
)
names = st.sampled_from(
    [
        "version",
        "model",
        "checks",
        "baseline",
        "report",
        "name",
        "python",
        "endpoint",
        "url",
        "c",
        "data",
        "path",
        "metrics",
        "rules",
        "slices",
        "bleu",
        "ter",
        "min",
        "max",
        "max_drop",
        "confidence",
        "kind",
        "tests",
        "examples",
        "headers",
        "request",
        "from",
        "ref",
        "image",
        "build",
        "gpus",
        "load",
        "rate",
        "concurrency",
        "stages",
        "find",
        "mix",
        "duration",
        "budget",
        "p95_ms",
        "max_rps",
        "tracking",
        "mlflow",
        "uri",
        "registry",
        "require",
        "stages",
        "alias",
        "latest",
        "zz",
        "[key]",
        "AccuracyCheck",
        "<<",
        "",
    ]
)
trees = st.recursive(
    leaves, lambda inner: st.dictionaries(names, inner, max_size=5) | st.lists(inner, max_size=3), max_leaves=25
)


def _replaced(tree: object, choose: st.DataObject) -> object:
    """Put something else somewhere into a sound document."""
    if isinstance(tree, dict) and tree and choose.draw(st.integers(0, 5)):
        key = choose.draw(st.sampled_from(sorted(tree)))
        action = choose.draw(st.integers(0, 3))
        rest = {name: value for name, value in tree.items() if name != key}
        if action == 0:
            return rest
        if action == 1:
            return {**rest, choose.draw(names): tree[key]}
        return {**tree, key: _replaced(tree[key], choose)}
    return choose.draw(trees)


@given(st.data())
def test_any_document_is_read_or_refused_in_plain_words(data: st.DataObject) -> None:
    tree = strict_yaml.parse(data.draw(st.sampled_from([EVERY_KEY, EVERY_TIMED_KEY])), "m.yaml").value
    for _ in range(data.draw(st.integers(1, 3))):
        tree = json.loads(json.dumps(_replaced(tree, data)))
    try:
        parse(json.dumps(tree), "m.yaml")
    except ConfigError as error:
        for fault in (error, *error.more):
            assert fault.where.startswith("m.yaml:1:")
            assert "\n" not in str(fault)
            assert "\x1b" not in str(fault)
            assert not [word for word in JARGON[:8] if word in str(fault)], str(fault)
