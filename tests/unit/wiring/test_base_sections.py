"""What a change edits outside of its checks: told where it weakens, and bound to the tighter of the two."""

from __future__ import annotations

import pytest

from mlgate.config.config import Config
from mlgate.config.load import parse
from mlgate.core.rule_change import Direction
from mlgate.wiring.base_sections import beside_like, sections, tightest

FILE = """\
version: 1
model: {model}
checks: {{c: {{data: x.jsonl, rules: {{bleu: {{min: 1}}}}}}}}
{rest}"""
IMAGE = "{{image: {{ref: 'm:{tag}', protocol: kserve-v1{more}}}}}"


def config(model: str = "{python: 'a:b'}", rest: str = "") -> Config:
    return parse(FILE.format(model=model, rest=rest), "m.yaml")


def image(more: str = "", tag: str = "pr", rest: str = "") -> Config:
    return config(IMAGE.format(tag=tag, more=f", {more}" if more else ""), rest)


CASES: list[tuple[Config, Config, str]] = [
    (config(), config("{answers: gold.jsonl}"), "the model: python becomes answers"),
    (image(), config(), "the model: image becomes python"),
    (
        config("{endpoint: {url: 'http://a', protocol: kserve-v1}}"),
        config("{endpoint: {url: 'http://b', protocol: kserve-v1}}"),
        "the model's url: http://a becomes http://b",
    ),
    (image(), image("sandbox: open"), "the sandbox strict becomes open"),
    (image(), image("tmp_exec: true"), "files in /tmp may be executed"),
    (image(), image("cpus: 64"), "the model's cpus: 1 becomes 64"),
    (config(rest="ratchet: refuse\n"), config(), "ratchet: refuse is removed"),
    (
        config(rest="baseline: {from: file, path: a.gz}\n"),
        config(rest="baseline: {from: file, path: b.gz}\n"),
        "the baseline is another one: the base's is used",
    ),
    (
        config(rest="trust: {keys: [a.pem]}\n"),
        config(rest="trust: {keys: [a.pem, b.pem]}\n"),
        "whose attestation a deploy believes is another one: that holds once this is merged",
    ),
    (
        config(rest="trust: {keys: [a.pem]}\n"),
        config(),
        "whose attestation a deploy believes is another one: that holds once this is merged",
    ),
]


@pytest.mark.parametrize(("theirs", "ours", "what"), CASES, ids=[f"{i} {case[2]}" for i, case in enumerate(CASES)])
def test_what_weakens_is_told(theirs: Config, ours: Config, what: str) -> None:
    (change,) = sections(theirs, ours)
    assert change.what == what
    assert change.weakens
    assert not [*sections(theirs, theirs)]


def served(url: str, rest: str = "") -> Config:
    return config(f"{{endpoint: {{url: '{url}', protocol: kserve-v1}}}}", rest)


PAST = "baseline: {from: endpoint, url: 'http://Old:80/m'}\n"
OLD = "baseline: {from: image, ref: 'docker.io/library/m:latest'}\n"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (served("http://new", PAST), served("http://old./m/", PAST)),
        (image(rest=OLD), config(IMAGE.format(tag="latest", more=""), OLD)),
        (config(), config("{answers: gold.jsonl}")),
    ],
)
def test_a_model_that_becomes_the_baseline_or_another_kind_is_another_question(theirs: Config, ours: Config) -> None:
    assert Direction.QUESTION in {change.direction for change in sections(theirs, ours)}


OLDER = "baseline: {from: endpoint, url: 'http://127.0.0.1:9001/m/old'}\n"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9001/m/old",
        "http://LOCALHOST.:9001/m/old/",
        "http://old.localhost:9001/m/old",
        "http://127.1.2.3:9001/m/old",
        "http://[::1]:9001/m/old",
        "http://[::ffff:127.0.0.1]:9001/m/old",
        "http://[::ffff:7f00:1]:9001/m/old",
        "http://[0:0:0:0:0:0:0:1]:9001/m/old",
        "http://127.0.0.1:9001//m///old",
        "http://127.0.0.1:9001/m/./old",
        "http://127.0.0.1:9001/m/x/../old",
        "http://127.0.0.1:9001/m/%6fld",
        "http://127.0.0.1:9001/%6D/old",
    ],
)
def test_the_baselines_address_is_itself_however_it_is_written(url: str) -> None:
    found = [*sections(served("http://127.0.0.1:9002/m/new", OLDER), served(url, OLDER))]
    assert any("the model is the baseline itself" in change.what for change in found)


@pytest.mark.parametrize(
    "url",
    [
        "http://gateway:9002/m/new",
        "http://127.0.0.1:9003/m/new",
        "http://127.0.0.1:9002/m/current",
        "https://127.0.0.1:9002/m/new",
        "http://127.0.0.1:9002/m%2Fnew",
        "http://127.0.0.1:9002/m/new?v=1",
        "http://127.0.0.2:9002/m/new",
    ],
)
def test_where_the_base_compares_with_an_endpoint_another_address_is_a_question(url: str) -> None:
    new = "http://127.0.0.1:9002/m/new"
    (asked,) = (one for one in sections(served(new, OLDER), served(url, OLDER)) if one.direction is Direction.QUESTION)
    assert "cannot be told" in asked.what
    (told,) = sections(served(new), served(url))
    assert told.direction is Direction.EFFECTIVE, "nothing to be taken for, where the base compares with none"


def test_another_name_on_the_same_server_is_what_changes_are_for() -> None:
    model = "{{name: {}, endpoint: {{url: 'http://gateway', protocol: kserve-v1}}}}"
    assert not [*sections(config(model.format("a"), OLDER), config(model.format("b"), OLDER))]


def test_a_baseline_at_the_models_own_address_is_no_edit_where_the_base_has_it() -> None:
    assert not [*sections(served("http://old/m", PAST), served("http://old/m", PAST))]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (config(), config("{python: 'a:c'}")),
        (image(), image(tag="next")),
        (image(), image("command: [run], env: {A: b}, ready: /up")),
        (image("sandbox: open, tmp_exec: true"), image()),
        (config(), config(rest="ratchet: refuse\n")),
    ],
)
def test_another_model_and_what_is_tighter_are_what_changes_are_for(theirs: Config, ours: Config) -> None:
    assert not [change for change in sections(theirs, ours) if change.direction is not Direction.TIGHTER]


@pytest.mark.parametrize("ways", [("strict", "open"), ("open", "strict"), ("strict", "strict"), ("internal", "open")])
def test_the_tighter_sandbox_binds(ways: tuple[str, str]) -> None:
    before, after = (image(f"sandbox: {way}, tmp_exec: true").model.image for way in ways)
    assert before
    assert after
    assert tightest(before, after).sandbox == ways[0 if ways[0] != "open" else 1]
    closed = image().model.image
    assert closed
    assert not tightest(closed, after).tmp_exec


def test_the_accepted_model_is_the_bases_with_the_candidates_resources() -> None:
    rest = "baseline: {from: image, ref: 'm:old'}\n"
    timed = "{image: {ref: 'm:pr', protocol: kserve-v1, env: {SLOW: '0'}, cpus: 1}}"
    past = config(timed, rest).baseline_model
    ours = image("env: {SLOW: '1'}, cpus: 4").model.image
    assert past
    assert ours
    both = beside_like(past, ours)
    assert both.image
    assert (both.image.ref, both.image.env, both.image.cpus) == ("m:old", {"SLOW": "0"}, 4)
