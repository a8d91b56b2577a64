"""The files of a project that begins: a configuration with a first margin, a data sample, a stand-in for the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlgate.core.first_margin import USUAL_MARGIN, examples_for, first_margin
from mlgate.core.sample_size import round_up
from mlgate.core.stats.jackknife import FEWEST_PAIRS

Kind = Literal["python", "endpoint", "answers"]

SAMPLE = (
    ("capital-fr", "What is the capital of France?", "The capital of France is Paris."),
    ("capital-jp", "What is the capital of Japan?", "The capital of Japan is Tokyo."),
    ("capital-br", "What is the capital of Brazil?", "The capital of Brazil is Brasilia."),
    ("capital-ke", "What is the capital of Kenya?", "The capital of Kenya is Nairobi."),
    ("capital-ca", "What is the capital of Canada?", "The capital of Canada is Ottawa."),
    ("capital-au", "What is the capital of Australia?", "The capital of Australia is Canberra."),
)
"""Six rows that show the shape; a real test set has hundreds."""

MODEL = '''"""A stand-in for your model: replace the body of `answer`, or point mlgate.yaml at a server."""

CAPITALS = {
    "France": "Paris",
    "Japan": "Tokyo",
    "Brazil": "Brasilia",
    "Kenya": "Nairobi",
    "Canada": "Ottawa",
    "Australia": "Canberra",
}


def answer(question: str) -> str:
    """Return the model's answer to one input."""
    country = question.removeprefix("What is the capital of ").removesuffix("?")
    return f"The capital of {country} is {CAPITALS.get(country, 'unknown')}."
'''

OWN_MODEL = '''"""A stand-in for your model: replace the body of `answer`, or point mlgate.yaml at a server."""


def answer(question: object) -> str:
    """Return the model's answer to one input."""
    return "the answer of your model"
'''

SCHEMA_LINE = (
    "# yaml-language-server: $schema=https://github.com/org/mlgate/raw/main/docs/reference/mlgate.schema.json\n"
)
"""What lets editors complete the keys."""

USUAL_RULES: Mapping[str, float] = {"rougeL": 0.5, "chrf": 40}
"""The metrics of texts, and what their means must be at least."""
RATIOS = ("rougeL", "accuracy", "exact_match", "token_f1")
"""Metrics from 0 to 1; the others go to 100."""

_MODELS: Mapping[Kind, str] = {
    "python": """\
  python: {target}          # a function: one input, one text or number back
  # It sees few of your environment variables (PATH, HOME, CUDA_*, HF_* …). Give it others by name:
  # python: {{target: {target}, env: [MODEL_TOKEN]}}
""",
    "endpoint": """\
  endpoint:
    url: {target}
    protocol: kserve-v1          # kserve-v1 | kserve-v2 | kserve-v2-grpc | openai-chat | openai-completions | json
    timeout: 30s
""",
    "answers": """\
  answers: {target}              # rows with id and answer, or one answer a line
""",
}

_DATA_FILE_CONFIG = """\
{schema}version: 1

model:
  name: {name}
{model}
checks:
  answers:
    {data}                 # {what}
    rules:
{rules}
{margin}
# To compare with what was accepted, uncomment the next line; then: mlgate check --save-baseline
# baseline: {{from: file, path: baseline.jsonl.gz}}
"""

_MARGIN = """\
      # With a baseline, also how far the value may fall behind:
      #   {metric}: {{min: {least:g}, max_drop: {margin:g}}}
      # {why}
      # After your first comparison, mlgate power says which margin your own models can hold.
"""
_NO_MARGIN_COMMENT = """\
      # With a baseline, also how far the value may fall behind: max_drop. It takes {fewest} examples or more:
      # {fewest} can hold a max_drop of {widest:g}, {many:,} one of {usual:g}.
"""


@dataclass(frozen=True)
class StarterData:
    """The test set of a project that begins."""

    line: str = "data: data/test.jsonl"
    """What stands in the file for it."""
    what: str = "one JSON object a line: id, input, reference"
    examples: int = len(SAMPLE)
    is_sample: bool = True
    rules: Mapping[str, float] = field(default_factory=lambda: USUAL_RULES)
    """What each metric must be at least."""


def files(name: str, kind: Kind, target: str, data: StarterData) -> dict[str, str]:
    """Return each file's text by its name; a sample of data is one where the person has none.

    *target* is what the model is, of its kind; empty: a stand-in is one of the files.
    """
    text = _DATA_FILE_CONFIG.format(
        schema=SCHEMA_LINE,
        name=name,
        model=_MODELS[kind].format(target=target or "model:answer"),
        data=data.line,
        what=data.what,
        rules=_rules(data.rules),
        margin=_margin(data.examples, *next(iter(data.rules.items()))),
    )
    found = {"mlgate.yaml": text}
    if data.is_sample:
        found["data/test.jsonl"] = _sample()
    if not target:
        found["model.py"] = MODEL if data.is_sample else OWN_MODEL
    return found


def _rules(rules: Mapping[str, float]) -> str:
    lines = [f"      {name}: {{min: {least:g}}}" for name, least in rules.items()]
    lines[0] += "         # the value over all examples must be at least this"
    return "\n".join(lines)


def _margin(examples: int, metric: str, least: float) -> str:
    """Return the comment on the margin to begin with."""
    many = round_up(examples_for(USUAL_MARGIN))
    scale = 1 if metric in RATIOS else 100
    first = first_margin(examples)
    if not first.margin:
        widest, usual = first_margin(FEWEST_PAIRS).margin * scale, USUAL_MARGIN * scale
        return _NO_MARGIN_COMMENT.format(fewest=FEWEST_PAIRS, widest=widest, many=many, usual=usual)
    why = f"Your {examples:,} examples are enough to show so little."
    return _MARGIN.format(metric=metric, least=least, margin=first.margin * scale, why=why)


def _sample() -> str:
    rows = ({"id": name, "input": asked, "reference": reference} for name, asked, reference in SAMPLE)
    return "".join(json.dumps(row) + "\n" for row in rows)
