from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from mlgate.core.check import Bound
from mlgate.core.verdict import DOCS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/findings.md").read_text()
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
TOPIC = {"Finding": 4, "Conclusion": 2, "_finding": 4, "_inconclusive": 2, "_pass_unless_unseen": 1}
"""What makes a finding, or a conclusion before it is one, and where among its arguments it has the topic."""


def topics_in(tree: ast.AST) -> set[str]:
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in TOPIC:
                found += args[TOPIC[name] : TOPIC[name] + 1]
            case ast.Assign(targets=[ast.Name(id="topic")], value=value):
                found += [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
            case ast.keyword(arg="topic", value=value):
                found.append(value)
    return {f.value for f in found if isinstance(f, ast.Constant) and isinstance(f.value, str)}


def topics_used() -> set[str]:
    sources = (ROOT / "gate/mlgate").rglob("*.py")
    trees = [ast.parse(path.read_text()) for path in sources if path.parent.name != "reports"]
    return {topic for tree in trees for topic in topics_in(tree)} | {bound.value for bound in Bound}


def test_every_topic_of_the_code_has_its_heading() -> None:
    used = topics_used()
    assert {"not-measured", "identical", "signatures", "too-few", "inconclusive", "slices"} <= used
    assert {"noise", "tail", "stored-baseline"} <= used
    assert used <= SECTIONS.keys()


@pytest.mark.parametrize("topic", SECTIONS)
def test_a_section_explains_shows_and_says_what_to_do(topic: str) -> None:
    assert re.search(r"^> ", SECTIONS[topic], re.MULTILINE)
    assert "**What to do.**" in SECTIONS[topic]


def test_links_inside_the_page_lead_somewhere() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= SECTIONS.keys()


def test_the_link_of_every_finding_is_this_page() -> None:
    assert DOCS.endswith("/docs/reference/findings.md")
