from __future__ import annotations

import html
import re
import unicodedata
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token
from tests.support.samples import EVIL
from tests.support.strategies import hostile
from tests.unit.reports import runner

from mlgate.reports.content import escape

GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])
CODE = re.compile(r"<code>(.*?)</code>", re.DOTALL)

MENTION = re.compile(r"(?<![\w`])@[\w-]+")
REFERENCE = re.compile(r"#\d|\bGH-\d", re.IGNORECASE)
LINK = re.compile(r"https?://|www\.|[\w.+-]+@[\w-]+\.\w", re.IGNORECASE)
EMOJI = re.compile(r":[\w+-]+:")


def inline(source: str) -> list[Token]:
    return [child for token in GITHUB.parse(source) for child in token.children or []]


def shown(tokens: list[Token]) -> str:
    return "".join(html.unescape(t.content) if t.type == "text" else "" for t in tokens)


@given(hostile)
def test_terminal_text_shows_only_what_can_be_seen(text: str) -> None:
    for char in escape.terminal(text):
        assert unicodedata.category(char)[0] in "LMNPS" or unicodedata.category(char) == "Zs"
        assert char not in "\u200b\u202e\u2028\u3164"


@given(hostile)
def test_terminal_text_is_never_a_command(text: str) -> None:
    line = escape.terminal(text)
    assert runner.lines(line) == [line]
    assert runner.command(line) is None
    assert runner.legacy(line) is None


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("::set-output name=verdict::pass", r":\x3aset-output name=verdict::pass"),
        (" \t::error::x", r" \x09:\x3aerror::x"),
        ("x ##[set-output name=v;]pass", r"x ##\x5bset-output name=v;]pass"),
        ("\x1b[31mred\x9b\x07", r"\x1b[31mred\x9b\x07"),
        ("a\r\nb\tc", r"a\x0d\x0ab\x09c"),
        ("\u202egnp\u200b\u2028\ud800\ufeff\U000e0041", r"\u202egnp\u200b\u2028\ud800\ufeff\U000e0041"),
        ("e" + "\u0301" * 50 + "f", "e" + "\u0301" * 4 + "…f"),
        ("pkg::name 挨拶 café €", "pkg::name 挨拶 café €"),
    ],
)
def test_terminal_text_spells_out_what_deceives(text: str, seen: str) -> None:
    assert escape.terminal(text) == seen


@given(hostile)
def test_no_escape_is_longer_than_its_limit_or_cut_in_the_middle(text: str) -> None:
    whole = escape.terminal(text, 10_000)
    for limit in (1, 5, 20):
        cut = escape.terminal(text, limit)
        assert len(cut) <= limit
        assert cut == whole or (cut.endswith("…") and whole.startswith(cut[:-1]))


def test_ten_megabytes_cost_no_more_than_the_limit() -> None:
    assert len(escape.terminal("\x1b" * 10_000_000, 400)) <= 400
    assert len(escape.xml("&" * 10_000_000, 400)) <= 400


@given(hostile)
def test_prose_is_literal_in_a_table_of_a_real_markdown_parser(text: str) -> None:
    tokens = GITHUB.parse(f"| a | b |\n|---|---|\n| x{escape.markdown(text)} | end |\n")
    assert sum(token.type == "td_open" for token in tokens) == 2
    cells = [token.children or [] for token in tokens if token.type == "inline"]
    assert [child.content for child in cells[-1]] == ["end"]
    assert {child.type for child in cells[2]} <= {"text", "html_inline", "text_special"}
    assert {child.content for child in cells[2] if child.type == "html_inline"} <= {"<span>", "</span>"}


@given(hostile)
def test_prose_never_mentions_links_or_refers(text: str) -> None:
    seen = shown(inline(f"x {escape.markdown(text)}"))
    assert not MENTION.search(seen)
    assert not REFERENCE.search(seen)
    assert not LINK.search(seen)
    assert not EMOJI.search(seen)


@given(hostile)
def test_prose_at_the_start_of_a_line_is_only_a_paragraph(text: str) -> None:
    assert {t.type for t in GITHUB.parse(escape.markdown(text))} <= {"paragraph_open", "inline", "paragraph_close"}


@given(hostile)
def test_prose_reads_as_the_terminal_shows_it(text: str) -> None:
    source = escape.markdown(text).replace("&#8203;", "")
    assert html.unescape(re.sub("</?span>", "", source)) == escape.terminal(text)


@given(hostile)
def test_code_is_one_element_and_what_is_copied_is_what_the_terminal_shows(text: str) -> None:
    source = escape.markdown_code(text)
    assert source.count("<") - 2 * source.count("<span>") - source.count("<!-- -->") == 2
    inside = CODE.fullmatch(source)
    assert inside
    assert html.unescape(re.sub("</?span>|<!-- -->", "", inside[1])) == escape.terminal(text)
    types = {c.type for c in inline(source)}
    assert types <= {"text", "html_inline", "text_special"}


@given(hostile)
def test_code_leaves_no_address_whole_for_the_parsers_autolinks(text: str) -> None:
    for piece in re.split("<[^>]*>", escape.markdown_code(text)):
        assert not LINK.search(html.unescape(piece))


@given(hostile)
def test_command_text_comes_back_from_the_runner(text: str) -> None:
    line = f"::error title={escape.command_property(text)}::{escape.command_data(text)}"
    assert runner.lines(line) == [line]
    parsed = runner.command(line)
    assert parsed
    name, properties, data = parsed
    broken = text.replace("##[", "##\\x5b")
    assert (name, data) == ("error", broken)
    assert properties.get("title", "").strip() == broken.strip()
    assert runner.legacy(line) is None


@given(hostile)
def test_xml_text_is_well_formed_between_tags_and_in_quotes(text: str) -> None:
    safe = escape.xml(text)
    root = ET.fromstring(f"<a b=\"{safe}\" c='{safe}'>{safe}</a>".encode())  # noqa: S314 - our own output
    assert root.attrib["b"] == root.attrib["c"] == (root.text or "")
    assert "\n" not in safe
    assert "##[" not in safe


def test_one_of_everything_is_inert_everywhere() -> None:
    for shown_text in (escape.terminal(EVIL, 9_999), escape.markdown(EVIL, 9_999), escape.xml(EVIL)):
        assert "\x1b" not in shown_text
        assert "\u202e" not in shown_text
        assert shown_text.encode()
