from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment
from tests.support.every_metric import built

from mlgate.metrics.registry import build, names, third_party

PAGE = (Path(__file__).parents[3] / "docs/reference/metrics.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the page's only block in *language*, without its fences."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the page's example on the path as an installer would; it also tries to replace `bleu`."""
    (tmp_path / "mlgate_length.py").write_text(block("python"), encoding="utf-8")
    info = tmp_path / "mlgate_length-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mlgate-length\nVersion: 1.0\n", encoding="utf-8")
    (points,) = tomllib.loads(block("toml"))["project"]["entry-points"].values()
    lines = [f"{name} = {place}" for name, place in (*points.items(), ("bleu", points["length"]))]
    entry_points = "\n".join(["[mlgate.metrics]", *lines, ""])
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    third_party.cache_clear()
    yield
    third_party.cache_clear()


@pytest.mark.usefixtures("plugin")
def test_a_third_party_adds_a_metric_by_entry_point() -> None:
    assert names()[-1] == "length"
    scorer = build("length")
    rows = scorer.statistics(["abcd", "ab"], [["ab"], ["ab"]])
    assert float(scorer.value(rows.sum(0))) == 1.5
    assert scorer.signature([["ab"]]) == "LENGTH|nrefs:1|version:1.0"


@pytest.mark.usefixtures("plugin")
def test_no_third_party_takes_the_name_of_a_built_in_metric() -> None:
    assert names().count("bleu") == 1
    assert build("bleu").signature([["a"]]).startswith("BLEU|")


def test_an_unknown_metric_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="blue"):
        build("blue")


@pytest.mark.parametrize("name", names())
def test_every_metric_is_named_as_it_is_registered(name: str) -> None:
    assert built(name).metric.name == name


def test_the_registry_is_light() -> None:
    heavy = "{'sacrebleu', 'rouge_score', 'nltk', 'rapidfuzz'}"
    code = f"import sys, mlgate.metrics.registry; print({heavy} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=child_environment()
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", names())
def test_the_page_prints_every_metrics_real_signature(name: str) -> None:
    versions = re.compile(r"(version|classes):[^|\n]*")
    signature = versions.sub("", built(name).signature([["a"]]))
    if name not in {"rouge1", "rouge2", "rougeLsum"}:  # as rougeL's
        assert signature in versions.sub("", PAGE).splitlines()
    assert f"`{name}`" in PAGE
