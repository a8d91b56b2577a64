"""What foreign text may look like when a person reads it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.http.redaction import Redaction


@given(st.text(min_size=4).filter(lambda text: text.split() == [text]), st.text(), st.text())
def test_a_secret_is_gone_wherever_it_stands(hidden: str, before: str, after: str) -> None:
    shown = Redaction([hidden]).line(f"{before}{hidden}{after}", 10_000)
    assert hidden not in shown or hidden in f"{before}***{after}"


@given(st.text() | st.binary(), st.integers(1, 300))
def test_it_is_one_bounded_line_that_can_be_written_down(text: str | bytes, limit: int) -> None:
    shown = Redaction().line(text, limit)
    assert len(shown) <= limit
    assert "\n" not in shown
    shown.encode("utf-8")


def test_parts_of_a_header_and_their_escaped_forms_are_secrets_too() -> None:
    redaction = Redaction(['Bearer a/b"c=='])
    assert redaction.line('got a/b"c==') == "got ***"
    assert redaction.line('{"token": "a/b\\"c=="}') == '{"token": "***"}'
    assert redaction.line("?token=a/b%22c%3D%3D") == "?token=***"


def test_a_secret_that_the_cut_goes_through_is_not_shown_in_part() -> None:
    hidden = "k" * 100
    text = hidden * 656 + "k" * 100_000
    assert "k" not in Redaction([hidden]).line(text, 5_000)


def test_what_is_too_short_to_be_a_secret_stays() -> None:
    assert Redaction(["1", "on"]).line("status 101 on port 1") == "status 101 on port 1"
