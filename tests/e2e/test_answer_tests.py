"""A check whose metrics look at no reference needs none in its data."""

from __future__ import annotations

import json

from tests.e2e.desk import Desk

CONFIG = """\
version: 1
model: {python: "model:answer"}
checks:
  rag:
    data: test.jsonl
    filters: [strip_reasoning]
    metrics:
      cites: {metric: matches, pattern: '\\[[0-9]+\\]'}
      fields: {metric: json_schema, schema: {type: object, required: [answer, sources]}}
    rules:
      cites: {min: 0.5}
      fields: {min: 1}
"""
MODEL = """\
import json

def answer(text):
    return "<think>hm</think>" + json.dumps({"answer": f"{text} [1]", "sources": [1]})
"""


def project(desk: Desk, config: str = CONFIG) -> None:
    desk.write("test.jsonl", "".join(json.dumps({"input": f"question {i}"}) + "\n" for i in range(4)))
    desk.write("model.py", MODEL)
    desk.write("mlgate.yaml", config)


def test_a_check_without_references_is_judged(desk: Desk) -> None:
    project(desk)
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 0, done.out + done.err
    assert "cites 1.0000 is above the minimum 0.5" in done.out


def test_what_passes_no_test_blocks(desk: Desk) -> None:
    project(desk)
    desk.write("model.py", MODEL.replace('"sources"', '"source"'))
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 1
    assert "fields 0.0000 is below the minimum 1" in done.out


def test_a_metric_that_compares_still_needs_references(desk: Desk) -> None:
    project(desk, CONFIG.replace("fields: {min: 1}", "chrf: {min: 1}"))
    done = desk.mlgate("check", "-n", "0")
    assert done.code == 2
    assert "the row has no reference" in done.err
