"""What a run keeps holds none of its secrets, however a server repeats them."""

from __future__ import annotations

import base64
import errno
import hashlib
import html
import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.http.connection import HttpReply
from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.http.replies import wrong_status
from mlgate.adapters.secrets import encodings, redactor
from mlgate.adapters.secrets.redactor import Secrets, in_environment, in_url, shown
from mlgate.core.errors import AdapterError
from mlgate.core.evidence import Evidence, Gap, Observation, Provenance, Row
from mlgate.core.latency.block import LoadBlock, pack, unpack
from mlgate.core.latency.block import TimedReply as Timed
from mlgate.core.secret import SHORTEST_SECRET, notices

TOKEN = 'sk-S"ECRET/abc+def=123456é'  # noqa: S105 - none of anybody's
SECRETS = Secrets({"TOK": TOKEN})
BASIC = "Basic " + base64.b64encode(b"somebody:hunter2hunter2").decode()


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        TOKEN.lower(),
        TOKEN.upper(),
        json.dumps(TOKEN)[1:-1],
        json.dumps(TOKEN, ensure_ascii=False)[1:-1],
        quote(TOKEN),
        quote(TOKEN, safe=""),
        base64.b64encode(TOKEN.encode()).decode(),
        base64.urlsafe_b64encode(TOKEN.encode()).decode().rstrip("="),
        TOKEN.encode().hex(),
        TOKEN.encode().hex().upper(),
        TOKEN.encode().hex(":"),
        html.escape(TOKEN),
        "".join(f"%{byte:02x}" for byte in TOKEN.encode()),
        "".join(f"%{byte:02X}" for byte in TOKEN.encode()),
        "".join(f"%25{byte:02X}" for byte in TOKEN.encode()),
        "".join(f"&#{ord(char)};" for char in TOKEN),
        "".join(f"&#x{ord(char):x};" for char in TOKEN),
        "".join(f"&amp;#X{ord(char):04X};" for char in TOKEN),
        "".join(f"\\u{ord(char):04x}" for char in TOKEN),
        "".join(f"\\\\u{ord(char):04X}" for char in TOKEN),
        "".join(f"\\u{{{ord(char):x}}}" for char in TOKEN),
        "".join(f"\\x{byte:02x}" for byte in TOKEN.encode()),
        "".join(f"\\{byte:03o}" for byte in TOKEN.encode()),
        "".join(f"&#{ord(char)};" if i % 3 else char for i, char in enumerate(TOKEN)),
        quote(base64.b64encode(TOKEN.encode()).decode(), safe=""),
    ],
)
def test_every_form_of_a_secret_becomes_the_mark_of_its_name(form: str) -> None:
    assert SECRETS.text(f"I was asked with Bearer {form}!") == "I was asked with Bearer [secret TOK]!"


@pytest.mark.parametrize("before", [b"", b"user:", b"u:", b"us:", b'{"token": "'])
@pytest.mark.parametrize("behind", [b"", b"!", b'"}'])
def test_base64_of_more_than_the_secret_gives_none_of_it_away(before: bytes, behind: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        kept = SECRETS.text(f"Basic {encode(before + TOKEN.encode() + behind).decode()} was sent")
        assert "[secret TOK]" in kept
        left = kept.removeprefix("Basic ").removesuffix(" was sent").replace("[secret TOK]", "")
        assert len(left) <= 4 + 4 * (len(before) + len(behind))


RANDOM = "abcDEF-123456-ghiJKL-789"


@pytest.mark.parametrize("part", [RANDOM[1:], RANDOM[:-1], RANDOM[4:-4], RANDOM[:12], RANDOM[12:], RANDOM[6:18]])
@pytest.mark.parametrize("around", [("", ""), ("it ends with ", ", and so on"), ("é" * 5, "é")])
def test_half_of_a_secret_is_one_wherever_it_stands(part: str, around: tuple[str, str]) -> None:
    found = Secrets({"TOK": RANDOM})
    for text in (part, "".join(f"%{ord(char):02x}" for char in part), part.encode().hex()):
        assert found.text(around[0] + text + around[1]) == f"{around[0]}[secret TOK]{around[1]}"


@given(st.from_regex(r"[A-Za-z0-9]{20,60}", fullmatch=True), st.data())
def test_a_secret_without_its_first_or_last_character_is_gone(hidden: str, data: st.DataObject) -> None:
    part = data.draw(st.sampled_from([hidden[1:], hidden[:-1], hidden[2:-2]]))
    before, behind = data.draw(st.text("x é.", max_size=20)), data.draw(st.text("x é.", max_size=20))
    assert part not in Secrets({"TOK": hidden}).text(f"{before}{part}{behind}")


@pytest.mark.parametrize(
    ("hidden", "text"),
    [
        ("sk-summarization-9f8e7d6c5b4a", "the summarization of sk-summarization is a summarization-9"),
        ("correct-horse-battery-staple", "a horse-battery of staples, correct-horse"),
        ("summarizer-v2-production-token", "summarizer-v2-prod answered for v2-production"),
        ("release-2024-07-18-final", "it was 2024-07-18, the release-2024"),
        ("123456789012345678", "1234567890 and 9012345678 are numbers"),
        ("AbstractSummarizerModelFactoryKey", "class SummarizerModelFactory"),
        (RANDOM, "abcDEF-1234 and 56-ghiJKL-7, 100%25 of &amp; \\u0061bcDEF"),
    ],
)
def test_innocent_texts_that_share_words_with_a_secret_stay(hidden: str, text: str) -> None:
    assert Secrets({"TOK": hidden}).text(text + ".") == text + "."


@pytest.mark.parametrize("length", [40, 400, 4000])
@pytest.mark.parametrize("piece", [7, 11, 0.4])
def test_the_work_grows_with_the_text_and_not_with_the_secret(
    monkeypatch: pytest.MonkeyPatch, length: int, piece: float
) -> None:
    """A text of nothing but pieces of the secret, each too short to be one."""
    compared = 0

    def counted(text: str, at: int, floor: int, place: tuple[str, int, str]) -> encodings.SecretSpan:
        nonlocal compared
        span = found(text, at, floor, place)
        compared += span.end - span.start
        return span

    found = encodings._run
    monkeypatch.setattr(encodings, "_run", counted)
    hidden = hashlib.shake_128(b"x").hexdigest(length // 2)
    size = int(piece) or min(39, int(length * piece))
    text = " ".join(hidden[i % (length - size) :][:size] for i in range(0, 200_000, 13))[:100_000]
    assert Secrets({"TOK": hidden}).text(text) == text
    assert compared <= 8 * len(text)


def test_the_pair_and_the_password_in_a_basic_header_are_secrets_too() -> None:
    found = Secrets({"LOGIN": BASIC})
    assert found.text("you are somebody:hunter2hunter2") == "you are [secret LOGIN]"
    assert found.text("your password is hunter2hunter2.") == "your password is [secret LOGIN]."


@given(st.text(min_size=8).filter(lambda text: text.strip() == text), st.text(), st.text())
def test_a_secret_is_gone_wherever_it_stands(hidden: str, before: str, after: str) -> None:
    kept = Secrets({"TOK": hidden}).text(before + hidden + after)
    assert hidden not in kept.replace("[secret TOK]", "\0")


@pytest.mark.parametrize("value", ["", "a", "1234567", " " * 20])
def test_what_is_too_short_or_blank_hides_nothing(value: str) -> None:
    text = "a 1234567 " + " " * 30
    assert Secrets({"TOK": value}).text(text) == text


@pytest.mark.parametrize("cut", [8, 12, len(TOKEN) - 1])
@pytest.mark.parametrize("end", ["", "…"])
def test_the_beginning_of_a_secret_at_a_cut_is_hidden(cut: int, end: str) -> None:
    assert SECRETS.text("failed with " + TOKEN[:cut] + end) == "failed with [secret TOK]" + end


def test_rows_of_every_kind_are_kept_without_it() -> None:
    gap = SECRETS.row(Gap("c", "e", f"status 500: {TOKEN}", "model"))
    said = SECRETS.row(Observation("c", "e", {"answer": TOKEN, "seconds": 1.0}))
    assert (gap, said) == (
        Gap("c", "e", "status 500: [secret TOK]", "model"),
        Observation("c", "e", {"answer": "[secret TOK]", "seconds": 1.0}),
    )


def test_evidence_that_was_made_without_knowing_a_secret_is_shown_without_it() -> None:
    where = Provenance("c", "s", "m", ())
    rows: list[Row] = [
        Observation("c", "a", {"answer": TOKEN}),
        Gap("c", "b", f"it said {TOKEN}"),
        Observation("c", "d", {"n": 1}),
    ]
    old = Evidence.of(where, [], rows)
    kept = SECRETS.evidence(old)
    assert TOKEN not in str(kept)
    assert (len(kept.rows), kept.digest != old.digest, kept.provenance) == (3, True, where)
    assert SECRETS.evidence(kept) is kept
    assert Secrets({}).evidence(old) is old


def test_a_timed_rounds_texts_are_kept_without_it_and_can_be_read_back() -> None:
    replies = (
        Timed(0, 0.0, 0.0, 0.1, 0.2, f"said {json.dumps(TOKEN)}"),
        Timed(1, 0.1, 0.0, float("nan"), 30.0, failure=f"status 500: {TOKEN}"),
        Timed(2, 0.2, 0.0, 0.1, 0.2, "well"),
    )
    row = SECRETS.row(Observation("speed", "0001", pack(LoadBlock(replies))))
    assert isinstance(row, Observation)
    assert [(one.answer, one.failure) for one in unpack(row.seen).replies] == [
        ('said "[secret TOK]"', ""),
        ("", "status 500: [secret TOK]"),
        ("well", ""),
    ]


def test_an_event_stream_with_a_secret_in_pieces_is_not_shown() -> None:
    pieces = [TOKEN[i : i + 3] for i in range(0, len(TOKEN), 3)]
    body = "".join(f"data: {json.dumps({'t': piece}, ensure_ascii=False)}\n\n" for piece in pieces).encode()
    failure = wrong_status(HttpReply(500, "text/event-stream", body), Redaction([], SECRETS))
    assert failure.why == "status 500: not shown: a secret may stand in its events, in pieces"


def test_the_report_says_which_secret_was_repeated_and_how_often() -> None:
    rows = [SECRETS.row(Observation("c", str(i), {"answer": TOKEN if i else "well"})) for i in range(3)]
    (said,) = notices("c", rows)
    assert said == (
        "c: the model repeated a secret: 2 rows have [secret TOK] in place of the value of TOK; "
        "these answers are scored as they stand now"
    )


def test_variables_that_are_called_a_secret_are_known_without_being_named() -> None:
    outer = {
        "TOK": "named-by-the-file",
        "GITHUB_TOKEN": "ghs_0123456789",
        "AWS_SECRET_ACCESS_KEY": "a" * 40,
        "MLFLOW_TRACKING_PASSWORD": "for the server",
        "MLGATE_KEY_PASSPHRASE": "of the key",
        "MLFLOW_TRACKING_URI": "http://me:p%40ssword1@mlflow:5000",
        "TOKENIZERS_PARALLELISM": "false-or-true",
        "MAX_TOKENS": "1234567890",
        "SORT_KEY": "department",
    }
    assert in_environment(["TOK", "ABSENT"], outer) == {
        "TOK": "named-by-the-file",
        "GITHUB_TOKEN": "ghs_0123456789",
        "AWS_SECRET_ACCESS_KEY": "a" * 40,
        "MLFLOW_TRACKING_PASSWORD": "for the server",
        "MLGATE_KEY_PASSPHRASE": "of the key",
        "MLFLOW_TRACKING_URI": "p@ssword1",
    }


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://h/services/T0AAAAAAA/sk-abcdefgh1234567890", "https://h/services/T0AAAAAAA/[secret URL]"),
        ("https://h/4f9c2d1b7a6e5f4c3b2a190817263544/v1", "https://h/[secret URL]/v1"),
        ("https://h/e/3f2504e0-4f89-11d3-9a0c-0305e82c3301/invoke", "https://h/e/[secret URL]/invoke"),
        ("https://h/x?key=abc&v=1", "https://h/x?key=[secret URL]&v=[secret URL]"),
        ("https://h/my-own-path-key/x", "https://h/[secret TOK]/x"),
        (
            "http://127.0.0.1:8080/v1/models/gpt-4o-mini-2024-07-18",
            "http://127.0.0.1:8080/v1/models/gpt-4o-mini-2024-07-18",
        ),
        (
            "http://h/openai/deployments/summarizer-v2-production",
            "http://h/openai/deployments/summarizer-v2-production",
        ),
    ],
)
def test_an_address_is_shown_without_what_is_secret_in_it(url: str, seen: str) -> None:
    assert shown(url, {"TOK": "my-own-path-key"}) == seen


@pytest.mark.parametrize("sizes", [(3, 9, 20), (1,) * 32, (32,), (31, 1)])
def test_the_pieces_of_a_stream_are_those_of_the_text_that_is_kept(sizes: tuple[int, ...]) -> None:
    secrets = Secrets({"TOK": "12345678-abcdefgh-XYZ"})
    answer = "the key: 12345678-abcdefgh-XYZ !"
    events = tuple(0.1 + 0.01 * i for i in range(len(sizes)))
    reply = Timed(0, 12.345678, 0.0, 0.1, events[-1], answer, events=events, sizes=sizes)
    row = secrets.row(Observation("speed", "0001", pack(LoadBlock((reply, reply), {"wall_s": 1.0}))))
    assert isinstance(row, Observation)
    (first, _) = unpack(row.seen).replies
    assert first.answer == "the key: [secret TOK] !"
    assert sum(first.sizes) == len(first.answer)
    assert (first.due, first.done) == pytest.approx((reply.due, reply.done))
    assert len(sizes) > len(first.answer) or first.events == pytest.approx(events)


def test_a_secret_of_digits_takes_nothing_out_of_the_times() -> None:
    reply = Timed(0, 12.345678, 0.0, 0.1, 12.345678, "x")
    row = Observation("speed", "0001", pack(LoadBlock((reply,), {})))
    assert Secrets({"TOK": "12345678"}).row(row) == row


def test_what_is_secret_in_an_address_is_hidden_in_answers() -> None:
    found = Secrets({}, in_url("https://h/services/sk-abcdefgh1234567890?key=a-long-key"))
    assert (
        found.text("POST /services/sk-abcdefgh1234567890?key=a-long-key")
        == "POST /services/[secret URL]?key=[secret URL]"
    )


@pytest.mark.parametrize("ends", ["", "\n"])
@pytest.mark.parametrize("over", [-1, 0, 1, 60, 400])
def test_a_log_of_any_length_is_kept_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, ends: str
) -> None:
    monkeypatch.setattr(redactor, "_BLOCK", 256)
    monkeypatch.setattr(redactor, "_LONGEST_LINE", 512)
    log, said = tmp_path / "pytest.log", f"a key {TOKEN}"
    before = "x" * 63 + "\n"
    more = before * 4 + "y" * over if over > 0 else before * 4
    log.write_text(more + said + "\n" + before + said + ends)
    SECRETS.file(log)
    hidden = said.replace(TOKEN, "[secret TOK]")
    assert log.read_text() == more + hidden + "\n" + before + hidden + ends
    assert [one.name for one in tmp_path.iterdir()] == ["pytest.log"]


def test_of_a_line_that_is_too_long_to_be_looked_through_the_rest_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redactor, "_LONGEST_LINE", 512)
    log = tmp_path / "pytest.log"
    for cut in range(1, len(TOKEN)):
        log.write_text(f"{'x' * (512 - cut)}{TOKEN}{'z' * 2000}\nthe end\n")
        SECRETS.file(log)
        kept = log.read_text()
        assert TOKEN not in kept
        assert cut < SHORTEST_SECRET or TOKEN[:cut] not in kept
        assert kept.endswith("\n… the rest of a line of more than 512 bytes was cut: it may hold a secret\nthe end\n")


def test_a_log_that_cannot_be_written_anew_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "pytest.log"
    log.write_text(f"a key {TOKEN}")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AdapterError, match="could not write"):
        SECRETS.file(log)
    assert list(tmp_path.iterdir()) == []


def test_a_log_without_a_secret_stays_the_file_that_it_is(tmp_path: Path) -> None:
    log = tmp_path / "pytest.log"
    log.write_bytes(b"\xff all is well\n")
    before = log.stat()
    SECRETS.file(log)
    assert (log.stat().st_ino, log.read_bytes()) == (before.st_ino, b"\xff all is well\n")


def test_a_log_is_kept_without_it(tmp_path: Path) -> None:
    (tmp_path / "model.log").write_bytes(b"\xff started with " + TOKEN.encode() + b"\n")
    SECRETS.file(tmp_path / "model.log")
    assert (tmp_path / "model.log").read_bytes() == b"\xff started with [secret TOK]\n"
