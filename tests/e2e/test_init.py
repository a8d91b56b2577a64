"""`mlgate init` on a person's own data: what it writes is judged by the next command, or nothing is written."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.e2e.desk import Desk
from tests.e2e.hints.files import run
from tests.e2e.hints.trap import taken

from mlgate.reports.starter_files import SCHEMA_LINE

QA = [{"question": f"q{n}", "answer": f"the answer {n}"} for n in range(3)]
LINES = "".join(json.dumps(row) + "\n" for row in QA)


def data_line(desk: Desk) -> str:
    text = (desk.root / "mlgate.yaml").read_text()
    assert text.startswith(SCHEMA_LINE)
    found = re.search(r"(?m)^    (data: .*?) +# ", text)
    assert found
    return found.group(1)


def rules(desk: Desk) -> list[str]:
    return re.findall(r"(?m)^      (\w+): \{min", (desk.root / "mlgate.yaml").read_text())


@pytest.mark.parametrize(
    ("name", "content", "line", "metrics"),
    [
        ("qa.jsonl", LINES, "data: {path: qa.jsonl, input: question, references: answer}", ["rougeL", "chrf"]),
        ("qa.json", json.dumps(QA), "data: {path: qa.json, input: question, references: answer}", ["rougeL", "chrf"]),
        (
            "sent.csv",
            "text,label\r\ngreat,1\r\nbad,0\r\n",
            "data: {path: sent.csv, input: text, references: label}",
            ["accuracy"],
        ),
        (
            "mt.tsv",
            "src\tref\nHallo Welt da draussen.\tHello out there, dear world.\n",
            "data: {path: mt.tsv, input: src, references: ref}",
            ["bleu", "chrf"],
        ),
        (
            "x.csv",
            "prompt;completion\na;b c d\n",
            'data: {path: x.csv, delimiter: ";", input: prompt, references: completion}',
            ["rougeL", "chrf"],
        ),
        (
            "zh.jsonl",
            '{"input": "x", "reference": "\\u4eca\\u5929\\u5929\\u6c14\\u5f88\\u597d"}\n',
            "data: zh.jsonl",
            ["chrf"],
        ),
        (
            "squad.jsonl",
            '{"id": "1", "question": "q", "answers": {"text": ["an answer", "the answer"], "answer_start": [1]}}\n',
            "data: {path: squad.jsonl, input: question, references: answers.text}",
            ["rougeL", "chrf"],
        ),
        ("n.csv", "input,reference\n" + "a,yes\nb,no\n" * 9, "data: n.csv", ["accuracy"]),
        ("rows", LINES, "data: {path: rows, format: jsonl, input: question, references: answer}", ["rougeL", "chrf"]),
        (
            "k.csv",
            "uuid,text,outcome\n7,a,b c\n8,c,d e\n",
            "data: {path: k.csv, input: text, references: outcome, id: uuid}",
            ["rougeL", "chrf"],
        ),
        (
            "w.csv",
            "key,text,label\n7,a,x\n7,c,y\n",
            "data: {path: w.csv, input: text, references: label}",
            ["accuracy"],
        ),
        ("empty.jsonl", '{"input": "x", "reference": []}\n', "data: empty.jsonl", ["token_f1", "exact_match"]),
    ],
)
def test_what_it_writes_of_own_data_is_judged(
    desk: Desk, name: str, content: str, line: str, metrics: list[str]
) -> None:
    desk.write(name, content)
    done = desk.mlgate("init", "--data", name)
    assert done.code == 0, done.err
    assert data_line(desk) == line
    assert rules(desk) == metrics
    judged = desk.mlgate("check", "-n", "0")
    assert judged.code in (0, 1), judged.out + judged.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "alpha,beta,gamma\n1,2,3\n"),
        ("b.csv", 'input,reference\na,"one,\nb",two\n'),
        ("c.csv", "input,reference\na,['x']\n"),
        ("d.jsonl", "not json\n"),
        ("e.jsonl", ""),
        ("f.xlsx", "x"),
        ("two.csv", 'src,ref\na,"b c\nd,e f"\n'),
        ("g.jsonl", '{"input": "x", "reference": null}\n'),
    ],
)
def test_where_it_cannot_tell_it_writes_nothing_and_says_what_to_give(desk: Desk, name: str, content: str) -> None:
    desk.write(name, content)
    before = sorted(desk.root.iterdir())
    done = desk.mlgate("init", "--data", name)
    assert done.code in (2, 3)
    assert "next: " in done.err
    assert sorted(desk.root.iterdir()) == before


def test_the_keys_that_it_asks_for_can_be_given(desk: Desk) -> None:
    desk.write("a.csv", "alpha,beta,gamma\n1,2 3 4,3\n")
    said = desk.mlgate("init", "--data", "a.csv").err
    found = re.search(r"`mlgate init --data '([^']*)'`", said)
    assert found, said
    assert desk.mlgate("init", "--data", found.group(1)).code == 0
    assert data_line(desk) == "data: {path: a.csv, input: alpha, references: beta}"
    assert desk.mlgate("check", "-n", "0").code in (0, 1)


def test_the_command_that_it_asks_for_keeps_the_model_the_name_and_the_folder(desk: Desk) -> None:
    desk.write("mine/a.csv", "alpha,what's it\n1,2 3 4\n")
    said = desk.mlgate("init", "mine", "--answers", "a b.csv", "--name", "mt", "--data", "a.csv").err
    command = taken(r"`(mlgate init [^`]*)`", said)
    assert desk.mlgate(*shlex.split(command)[1:]).code == 0, command
    text = (desk.root / "mine/mlgate.yaml").read_text()
    assert "name: mt" in text
    assert "answers: a b.csv" in text
    assert not (desk.root / "mine/model.py").exists()


def test_articles_of_squad_are_no_examples_and_a_command_makes_some(desk: Desk) -> None:
    asked = {"id": "q1", "question": "who?", "answers": [{"text": "the cat", "answer_start": 0}]}
    unanswerable = {"id": "q2", "question": "when?", "answers": []}
    article = {"title": "cats", "paragraphs": [{"context": "the cat sat", "qas": [asked, unanswerable]}]}
    desk.write("dev.json", json.dumps({"version": "v2.0", "data": [article]}))
    done = desk.mlgate("init", "--data", "dev.json")
    assert done.code == 2
    assert not (desk.root / "mlgate.yaml").exists()
    run(done.err, desk.root)
    assert desk.mlgate("init", "--data", "dev.new.json").code == 0
    assert data_line(desk) == "data: {path: dev.new.json, input: question, references: answers}"
    assert rules(desk) == ["token_f1", "exact_match"]
    assert desk.mlgate("check", "-n", "0").code in (0, 1)


def test_parallel_text_files_can_be_given(desk: Desk) -> None:
    desk.write("wmt.de", "Hallo Welt da draussen.\n")
    desk.write("ref.txt", "Hello out there, dear world.\n")
    said = desk.mlgate("init", "--data", "wmt.de").err
    command = taken(r"where line n of two files belongs together, write `(mlgate init [^`]*)`", said)
    assert desk.mlgate(*shlex.split(command)[1:]).code == 0, command
    assert data_line(desk) == "data: {source: wmt.de, references: ref.txt}"
    assert rules(desk) == ["bleu", "chrf"]
    assert desk.mlgate("check", "-n", "0").code in (0, 1)


def test_of_a_conversation_the_last_turns_are_proposed(desk: Desk) -> None:
    roles = ("system", "user", "assistant")
    desk.write("chat.jsonl", json.dumps({"messages": [{"role": role, "content": f"a {role}"} for role in roles]}))
    command = taken(r"`(mlgate init [^`]*)`", desk.mlgate("init", "--data", "chat.jsonl").err)
    assert desk.mlgate(*shlex.split(command)[1:]).code == 0, command
    assert data_line(desk) == "data: {path: chat.jsonl, input: messages.1.content, references: messages.2.content}"
    assert desk.mlgate("check", "-n", "0").code in (0, 1)


def test_a_file_that_is_not_there_is_one_of_the_option(desk: Desk) -> None:
    assert "check the path in --data" in desk.mlgate("init", "--data", "nope.csv").err


def test_a_file_beside_the_new_folder_is_found(desk: Desk) -> None:
    desk.write("qa.jsonl", LINES)
    assert desk.mlgate("init", "mine", "--data", "qa.jsonl").code == 0
    assert "path: ../qa.jsonl" in (desk.root / "mine/mlgate.yaml").read_text()
    assert desk.mlgate("check", "-c", "mine/mlgate.yaml", "-n", "0").code in (0, 1)


def test_keys_that_are_none_are_refused(desk: Desk) -> None:
    desk.write("a.csv", "input,reference\na,b c\n")
    done = desk.mlgate("init", "--data", "{path: a.csv, inptu: x}")
    assert done.code == 2
    assert "inptu" in done.err


def test_the_line_for_editors_is_the_one_that_the_reference_names() -> None:
    page = Path(__file__).parents[2] / "docs/reference/config.md"
    assert SCHEMA_LINE in page.read_text()
