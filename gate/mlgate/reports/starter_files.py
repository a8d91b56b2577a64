"""The files of a project that begins: a configuration with a first margin, a data sample, a stand-in for the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
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

_MODELS: Mapping[Kind, str] = {
    "python": """\
  python: {target}          # a function: one input, one text back
""",
    "endpoint": """\
  endpoint:
    url: {target}
    protocol: kserve-v1          # kserve-v1 | kserve-v2 | kserve-v2-grpc | openai-chat | openai-completions | json
    timeout: 30s
""",
    "answers": """\
  answers: {target}              # JSON lines with id and answer, or one line an example
""",
}

_DATA_FILE_CONFIG = """\
version: 1

model:
  name: {name}
{model}
checks:
  answers:
    data: {data}                 # one JSON object a line: id, input, reference
    rules:
      rougeL: {{min: 0.5}}         # the mean over all examples must be at least this
      chrf: {{min: 40}}
{margin}
# baseline: {{from: file, path: baseline.jsonl.gz}}     # made by: mlgate check --save-baseline
"""

_MARGIN = """\
      # With a baseline, also how far the value may fall behind:
      #   rougeL: {{min: 0.5, max_drop: {margin:g}}}
      # {why}
      # After your first comparison, mlgate power says which margin your own models can hold.
"""
_NO_MARGIN_COMMENT = """\
      # With a baseline, also how far the value may fall behind: max_drop. It takes {fewest} examples or more:
      # {fewest} can hold a max_drop of {widest:g}, {many:,} one of {usual:g}.
"""


def files(name: str, kind: Kind, target: str, data: str, examples: int | None) -> dict[str, str]:
    """Return each file's text by its name. *data* is the test set; empty: a sample is one of the files.

    *target* is what the model is, of its kind; empty: a stand-in is one of the files. *examples* is how many the test
    set has; None where nobody knows.
    """
    count = examples if data else len(SAMPLE)
    model = _MODELS[kind].format(target=target or "model:answer")
    text = _DATA_FILE_CONFIG.format(name=name, model=model, data=data or "data/test.jsonl", margin=_margin(count))
    found = {"mlgate.yaml": text}
    if not data:
        found["data/test.jsonl"] = _sample()
    if not target:
        found["model.py"] = MODEL
    return found


def _margin(examples: int | None) -> str:
    """Return the comment on the margin to begin with."""
    many = round_up(examples_for(USUAL_MARGIN))
    if examples is None:
        return _MARGIN.format(margin=USUAL_MARGIN, why=f"It takes about {many:,} examples to show so little.")
    first = first_margin(examples)
    if not first.margin:
        widest = first_margin(FEWEST_PAIRS).margin
        return _NO_MARGIN_COMMENT.format(fewest=FEWEST_PAIRS, widest=widest, many=many, usual=USUAL_MARGIN)
    return _MARGIN.format(margin=first.margin, why=f"Your {examples:,} examples are enough to show so little.")


def _sample() -> str:
    rows = ({"id": name, "input": asked, "reference": reference} for name, asked, reference in SAMPLE)
    return "".join(json.dumps(row) + "\n" for row in rows)
