"""Reading what buildx says while it builds. The messages are those of buildx 0.38 and BuildKit 0.34."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from mlgate.adapters.docker.buildx import _Lines, _why
from mlgate.adapters.docker.buildx_progress import LONGEST_LINE, BuildProgress, lines
from mlgate.core.errors import AdapterError, ModelError

AT = "2026-11-23T01:38:{:012.9f}Z"


def vertex(digest: str, name: str, begin: float | None = None, end: float | None = None, **more: Any) -> bytes:
    told = {"digest": digest, "name": name, **more}
    if begin is not None:
        told["started"] = AT.format(begin)
    if end is not None:
        told["completed"] = AT.format(end)
    return json.dumps({"vertexes": [told]}).encode()


def log(digest: str, data: bytes) -> bytes:
    return json.dumps({"logs": [{"vertex": digest, "stream": 1, "data": base64.b64encode(data).decode()}]}).encode()


def progress(*said: bytes) -> BuildProgress:
    made = BuildProgress()
    for line in said:
        made.feed(line)
    return made


def test_a_step_lasts_from_its_beginning_to_its_end() -> None:
    (step,) = progress(vertex("a", "[1/1] RUN x", 1), vertex("a", "[1/1] RUN x", 1, 3.5)).steps()
    assert (step.name, step.cached) == ("[1/1] RUN x", False)
    assert step.seconds == pytest.approx(2.5)


def test_a_step_that_is_taken_up_again_lasts_as_long_as_both_times() -> None:
    (step,) = progress(vertex("a", "exporting to image", 1, 2), vertex("a", "exporting to image", 5, 8)).steps()
    assert step.seconds == pytest.approx(4)


def test_a_cached_step_stays_cached() -> None:
    said = [vertex("a", "[1/1] RUN x"), vertex("a", "[1/1] RUN x", 1, 1, cached=True), vertex("a", "[1/1] RUN x", 1, 2)]
    assert progress(*said).steps()[0].cached


def test_what_was_named_and_never_met_is_no_step() -> None:
    assert progress(vertex("a", "[1/1] RUN x")).steps() == ()


def test_a_linked_copy_is_one_step_though_it_is_two_vertexes() -> None:
    group = {"progressGroup": {"id": "g", "name": "[stage-2 1/1] COPY --link code.py /app/"}}
    steps = progress(
        vertex("a", "[stage-2 1/1] COPY --link code.py /app/", 1, 2, **group),
        vertex("b", "[stage-2 1/1] LINK COPY --link code.py /app/", 2, 3, inputs=["a", "base"], **group),
        vertex("base", "[base 1/1] RUN x", 0, 1, cached=True),
    ).steps()
    assert [(step.instruction, step.after) for step in steps] == [("COPY --link code.py /app/", (1,)), ("RUN x", ())]
    assert [step.seconds for step in steps] == pytest.approx([2, 1])


def test_how_far_it_is() -> None:
    said = progress(
        vertex("a", "[1/3] RUN a", 0, 0, cached=True), vertex("b", "[2/3] RUN b", 1), vertex("c", "[3/3] RUN c")
    ).underway(4.0)
    assert (said.steps, said.done, said.cached, said.doing) == (3, 1, 1, "[2/3] RUN b")


def test_a_failed_step_comes_with_what_it_said_last() -> None:
    printed = b"".join(b"line %d\r\n" % n for n in range(100)) + b" 10%\r 90%\r100%\n\nthe wheel is missing\n"
    found = progress(
        vertex("c", "importing cache manifest from r/m", 0, 1, error="not found"),
        vertex("a", "[2/2] RUN x", 1),
        log("a", printed[:60]),
        log("a", printed[60:]),
        vertex("a", "[2/2] RUN x", 1, 2, error="exit code: 3"),
    ).failed()
    assert found is not None
    step, last = found
    assert (step.name, step.error, len(last)) == ("[2/2] RUN x", "exit code: 3", 20)
    assert last[-3:] == ["line 99", "100%", "the wheel is missing"]


def test_what_a_step_prints_is_bounded() -> None:
    made = progress(vertex("a", "[1/1] RUN x", 1), *(log("a", b"x" * 32_000) for _ in range(20)))
    made.feed(vertex("a", "[1/1] RUN x", 1, 2, error="e" * 9_000))
    found = made.failed()
    assert found is not None
    assert (len(found[0].error), len("".join(found[1]))) == (2_000, 2_000)


def test_steps_without_number_are_not_kept_without_a_bound() -> None:
    made = progress(*(vertex(f"{n}", f"[{n}/9] RUN {n}", 1, 2) for n in range(6_000)))
    assert len(made.steps()) == 5_000


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[1]",
        b"[" * 100_000,
        b'{"vertexes": 1}',
        b'{"vertexes": [1, null, {}]}',
        b'{"vertexes": [{"digest": 1, "name": {}}]}',
        b'{"vertexes": [{"digest": "a", "name": null, "started": "soon", "completed": 7, "inputs": {"a": 1}}]}',
        b'{"vertexes": [{"digest": "a", "started": "0001-01-01T00:00:00+23:59", "completed": "9999-12-31T00:00:00Z"}]}',
        b'{"logs": [{"vertex": "a", "data": "%%%"}, {"vertex": "a", "data": 7}, {"data": null}]}',
    ],
)
def test_a_line_that_makes_no_sense_stops_nothing(line: bytes) -> None:
    made = progress(vertex("a", "[1/1] RUN x", 1), line, vertex("a", "[1/1] RUN x", 1, 2))
    assert made.steps()[0].name == "[1/1] RUN x"
    assert made.underway(1.0).steps == 1


def test_a_reason_in_plain_words_is_found() -> None:
    said = [
        b"Dockerfile:2",
        b"   2 | >>> BOGUS x",
        b"ERROR: failed to build: failed to solve: dockerfile parse error on line 2: unknown instruction: BOGUS",
    ]
    error = _why(progress(*said))
    assert isinstance(error, ModelError)
    assert error.message.endswith("dockerfile parse error on line 2: unknown instruction: BOGUS")


def test_a_builder_that_is_at_fault_is_no_models_fault() -> None:
    error = _why(progress(b'ERROR: no builder "nope" found'))
    assert isinstance(error, AdapterError)
    assert error.message == 'buildx: no builder "nope" found'
    assert "without a word" in _why(progress()).message


def test_lines_come_whole_from_pieces_of_any_size() -> None:
    told = _Lines()
    found = [line for piece in (b"on", b"e\ntwo\nth", b"ree", b"") for line in told.take(piece)]
    assert found == [b"one", b"two", b"three"]


def test_a_line_without_end_is_passed_over_and_the_next_is_read() -> None:
    told = _Lines()
    assert told.take(b"x" * (LONGEST_LINE + 1)) == []
    assert told.take(b"x" * (LONGEST_LINE + 1)) == []
    assert told.take(b"tail\nnext\n") == [b"next"]


def test_a_line_that_was_overwritten_is_how_it_ended() -> None:
    assert lines(b"10%\r100%\r\ndone") == ["100%", "done"]
