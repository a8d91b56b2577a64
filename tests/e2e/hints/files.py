"""Traps of files: data and answers as people have them."""

from __future__ import annotations

import bz2
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.e2e.hints.trap import Trap, replaced, taken
from tests.support.child_environment import child_environment

MODEL = 'def answer(text):\n    return "an answer"\n'
DATA = """\
version: 1
model: {python: model:answer}
checks:
  c:
    data: %s
    rules: {exact_match: {min: 0.1}}
"""
ANSWERS = """\
version: 1
model: {answers: %s}
checks:
  c:
    data: data.jsonl
    rules: {exact_match: {min: 0.1}}
"""
ROWS = [{"input": f"q{number}", "reference": "an answer"} for number in range(4)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
WITH_IDS = "".join(json.dumps({"id": f"n{number}", **row}) + "\n" for number, row in enumerate(ROWS))

Follow = Callable[[str, Path], None]


def write(pattern: str = "`(data: [^`]*)`", key: str = "data") -> Follow:
    """Write the line that the hint gives in place of the one that is there."""

    def follow(printed: str, root: Path) -> None:
        path = root / "mlgate.yaml"
        old = re.search(
            rf"(?m)(?<=[ {{]){key}: .*?(?=\}}?$)" if key == "answers" else rf"(?m){key}: .*$", path.read_text()
        )
        assert old
        line = taken(pattern, printed)
        replaced(path, old.group(), line + ("}" if old.group().count("{") > old.group().count("}") else ""))

    return follow


def run_then_write(pattern: str = "`(data: [^`]*)`") -> Follow:
    """Run the command that the hint gives, and write its line."""

    def follow(printed: str, root: Path) -> None:
        run(printed, root)
        write(pattern)(printed, root)

    return follow


def run_then_name(printed: str, root: Path) -> None:
    """Run the command that the hint gives, and name the file that it makes in place of the old one."""
    run(printed, root)
    made = taken(r"> (\S+)`, then name that file", printed)
    text = (root / "mlgate.yaml").read_text()
    path = root / "mlgate.yaml"
    path.write_text(re.sub(r"data: \S+", f"data: {Path(made).name}", text))


def run(printed: str, root: Path) -> None:
    subprocess.run(
        ["bash", "-ec", taken(r" next: [^`]*`([^`]*)`", printed)], cwd=root, check=True, env=child_environment()
    )


def rename(printed: str, root: Path) -> None:
    """Run the command that gives a file another name, and write that name."""
    run(printed, root)
    path = root / "mlgate.yaml"
    new = taken(r"and name (\S+)", printed)
    path.write_text(re.sub(r"data: \S+", f"data: {new}", path.read_text()))


def near(printed: str, root: Path) -> None:
    """Write the name that is probably meant."""
    replaced(root / "mlgate.yaml", "tset.jsonl", Path(taken(r"did you mean (\S+)\?", printed)).name)


def of_data(name: str, file: str, content: str | bytes, follow: Follow, data: str = "", **more: str | bytes) -> Trap:
    """Return the mistake of a data file that is no such file as its name or the configuration says."""
    files = {"mlgate.yaml": DATA % (data or file), "model.py": MODEL, file: content, **more}
    return Trap(name, files, follow)


def of_answers(name: str, answers: str, files: Mapping[str, str | bytes], follow: Follow) -> Trap:
    """Return the mistake of a file of answers."""
    return Trap(name, {"mlgate.yaml": ANSWERS % answers, "data.jsonl": LINES, **files}, follow)


SPANNING = 'input,reference\nq1,"an\nq2,answer"\nq3,an answer\n'
CSV = "input,reference\n" + "".join(f"{row['input']},{row['reference']}\n" for row in ROWS)
ANSWER_ROWS = [{"answer": "an answer"} for _ in ROWS]
ANSWER_LINES = "".join(json.dumps(row) + "\n" for row in ANSWER_ROWS)

TRAPS: tuple[Trap, ...] = (
    of_data("two readings, one row", "x.csv", SPANNING, write(r"`(data: [^`]*quoting: csv\})`")),
    of_data("two readings, rows", "x.csv", SPANNING, write(r"`(data: [^`]*quoting: none\})`")),
    of_data("a table that pandas wrote", "x.tsv", 'input\treference\nq1\t"an\nanswer"\nq2\tan answer\n', write()),
    of_data("semicolons", "x.csv", CSV.replace(",", ";"), write()),
    of_data("tabs in .csv", "x.csv", CSV.replace(",", "\t"), write()),
    of_data("commas in .tsv", "x.tsv", CSV, write()),
    of_data("quotes that are text", "x.csv", 'input,reference\nq1,"an" answer\nq2,an answer\n', write()),
    of_data(
        "a list as text, its items", "x.csv", "input,references\nq1,['an answer']\n", write(r"`(data: [^`]*true\})`")
    ),
    of_data(
        "a list as text, one text", "x.csv", "input,references\nq1,['an answer']\n", write(r"`(data: [^`]*false\})`")
    ),
    of_data("a document in .jsonl", "x.jsonl", json.dumps(ROWS), write()),
    of_data("an indented document in .jsonl", "x.jsonl", json.dumps(ROWS, indent=1), write()),
    of_data(
        "a document that is said to be lines", "x.json", json.dumps(ROWS), write(), "{path: x.json, format: jsonl}"
    ),
    of_data("commas behind objects", "x.jsonl", LINES.replace("\n", ",\n"), run_then_write()),
    of_data("objects as Python writes them", "x.jsonl", "".join(f"{row}\n" for row in ROWS), run_then_write()),
    of_data("two lists in a document", "x.json", json.dumps({"train": ROWS, "test": ROWS}), run_then_write()),
    of_data("old line ends", "x.csv", CSV.replace("\n", "\r").encode(), run_then_write()),
    of_data("old line ends in .jsonl", "x.jsonl", LINES.replace("\n", "\r").encode(), run_then_write()),
    of_data("UTF-16", "x.csv", CSV.encode("utf-16"), run_then_name),
    of_data("UTF-16 without its mark", "x.csv", CSV.encode("utf-16-le"), run_then_name),
    of_data("Latin-1", "x.csv", CSV.replace("q1", "café").encode("latin-1"), run_then_name),
    of_data("Latin-1, packed", "x.csv.bz2", bz2.compress(CSV.replace("q1", "café").encode("latin-1")), run_then_name),
    of_data(
        "questions and answers", "x.jsonl", LINES.replace("input", "question").replace("reference", "answer"), write()
    ),
    of_data("capital letters", "x.csv", CSV.replace("input,reference", "Input,Reference"), write()),
    of_data("blanks around names", "x.csv", CSV.replace("input,", "input, "), write()),
    of_data("names in another language", "x.csv", CSV.replace("input,reference", "frage,antwort"), write()),
    of_data("a list of objects", "x.jsonl", '{"input": "q", "reference": [{"text": "an answer"}]}\n', write()),
    of_data("an object", "x.jsonl", '{"input": "q", "reference": {"text": ["an answer"]}}\n', write()),
    of_data("a pattern", "d/x.jsonl", LINES, write(), "d/*.jsonl"),
    of_data("a folder", "d/x.jsonl", LINES, write(), "d"),
    of_data("backslashes", "d/x.jsonl", LINES, write(), "d\\x.jsonl"),
    of_data(
        "SGML of WMT",
        "x.sgm",
        '<doc><seg id="1">q &amp; r</seg>\n<seg id="2">s</seg></doc>',
        run_then_write(),
        **{"ref.txt": "an answer\nan answer\n"},
    ),
    of_data(
        "XML of WMT",
        "x.xml",
        '<d><doc><src lang="en"><seg id="1">q</seg></src><ref lang="de"><seg id="1">an answer</seg></ref></doc></d>',
        run_then_write(),
    ),
    of_data("lines of text", "x.txt", "q1\nq2\n", write(), **{"ref.txt": "an answer\nan answer\n"}),
    of_data("lines of JSON without an ending", "rows", LINES, write()),
    of_data("CSV without an ending", "rows", CSV, write()),
    of_data("a document by another ending", "rows.dat", json.dumps(ROWS), write()),
    of_data("packed without its ending", "x.csv", bz2.compress(CSV.encode()), rename),
    of_data("two spellings", "test.jsonl", LINES, near, "tset.jsonl"),
    Trap(
        "a baseline at home",
        {
            "mlgate.yaml": DATA % "x.jsonl" + "baseline: {from: file, path: ~/no-such-folder/base.jsonl.gz}\n",
            "model.py": MODEL,
            "x.jsonl": LINES,
        },
        write("`(baseline: [^`]*)`", "baseline"),
    ),
    of_answers(
        "answers without ids to data with ids",
        "x.jsonl",
        {"x.jsonl": ANSWER_LINES, "data.jsonl": WITH_IDS},
        write("`(answers: [^`]*)`", "answers"),
    ),
    of_answers(
        "an id by another name",
        "x.jsonl",
        {
            "x.jsonl": "".join(json.dumps({"key": f"n{n}", **row}) + "\n" for n, row in enumerate(ANSWER_ROWS)),
            "data.jsonl": WITH_IDS,
        },
        write("`(answers: [^`]*)`", "answers"),
    ),
    of_answers(
        "an answer by another name",
        "x.jsonl",
        {"x.jsonl": ANSWER_LINES.replace('answer":', 'prediction":')},
        write("`(answers: [^`]*)`", "answers"),
    ),
    of_answers(
        "an id that is not there",
        "{path: x.jsonl, id: input}",
        {"x.jsonl": ANSWER_LINES},
        write("`(answers: [^`]*)`", "answers"),
    ),
    of_answers(
        "blank lines at the end",
        "hyp.txt",
        {"hyp.txt": "an answer\n" * len(ROWS) + "\n\n"},
        run,
    ),
    of_answers(
        "semicolons in answers",
        "x.csv",
        {
            "x.csv": "input;answer\n" + "".join(f"{number};an answer\n" for number, _ in enumerate(ROWS)),
        },
        write("`(answers: [^`]*)`", "answers"),
    ),
)
