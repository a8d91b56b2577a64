"""`mlgate init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlgate.core.errors import ConfigError
from mlgate.wiring.tell import tell

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

_PYTHON = """\
  python: {target}          # a function: one input, one text back
"""
_ENDPOINT = """\
  endpoint:
    url: {target}
    protocol: kserve-v1          # kserve-v1 | kserve-v2 | kserve-v2-grpc | openai-chat | openai-completions | json
    timeout: 30s
"""
_ANSWERS = """\
  answers: {target}              # JSON lines with id and answer, or one line an example
"""

_FILE = """\
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
      # With a baseline, also: how far it may fall behind, judged by an interval, e.g.
      #   rougeL: {{min: 0.5, max_drop: {margin:g}}}
      # ({why}; mlgate power says which margin a run of yours can hold)

# baseline: {{from: file, path: baseline.jsonl.gz}}     # made by: mlgate check --save-baseline
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--python", "python", metavar="MODULE:FUNCTION", help="Your model is a Python function.")
@click.option("--endpoint", metavar="URL", help="Your model is a server.")
@click.option("--answers", metavar="FILE", help="Your model's answers are in a file.")
@click.option("--data", metavar="FILE", help="Your test set.  [data/test.jsonl, a sample]")
@click.option("--name", default="my-model", help="What reports call the model.  [my-model]")
def command(
    *, folder: Path, python: str | None, endpoint: str | None, answers: str | None, data: str | None, name: str
) -> int:
    """Write a working mlgate.yaml into FOLDER [.], with a data sample and a stand-in model unless you name yours.

    Nothing that is there is ever overwritten.
    """
    given = [option for option in (python, endpoint, answers) if option]
    if len(given) > 1:
        raise click.UsageError("name one model: --python, --endpoint or --answers")
    model = (
        _ENDPOINT.format(target=endpoint)
        if endpoint
        else _ANSWERS.format(target=answers)
        if answers
        else _PYTHON.format(target=python or "model:answer")
    )
    margin, why = _margin(_rows(folder / data) if data else len(SAMPLE))
    text = _FILE.format(name=name, model=model, data=data or "data/test.jsonl", margin=margin, why=why)
    files = {"mlgate.yaml": text}
    if not data:
        files["data/test.jsonl"] = _sample()
    if not given:
        files["model.py"] = MODEL
    _write(folder, files)
    tell(sys.stdout, f"next: mlgate check{'' if folder == Path() else f' -c {folder}/mlgate.yaml'}")
    return 0


def _rows(data: Path) -> int:
    """Return how many rows a file of lines has; 0 for one that is not there yet, or is of another kind."""
    if data.suffix not in {".jsonl", ".csv", ".tsv", ".txt"}:
        return 0
    try:
        with data.open("rb") as file:
            return sum(1 for line in file if line.strip())
    except OSError:
        return 0


def _margin(n: int) -> tuple[float, str]:
    """Return a `max_drop` of ROUGE-L to begin with, and why it is that one."""
    from mlgate.core.power import first_margin

    margin, holding = first_margin(n)
    return margin, f"{n:,} examples can hold it" if n >= holding else f"it takes about {holding:,} examples"


def _sample() -> str:
    import json

    rows = ({"id": name, "input": asked, "reference": reference} for name, asked, reference in SAMPLE)
    return "".join(json.dumps(row) + "\n" for row in rows)


def _write(folder: Path, files: dict[str, str]) -> None:
    for name in files:
        if (folder / name).exists():
            raise ConfigError("there is such a file already", where=str(folder / name), hint="name another folder")
    for name, text in files.items():
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise ConfigError(f"could not write: {error.strerror}", where=str(target)) from error
        tell(sys.stdout, f"wrote {target}")
