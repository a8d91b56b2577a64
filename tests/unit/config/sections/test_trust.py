"""Whom a file trusts, and what is wrong with how it says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mlgate.config.load import parse
from mlgate.config.sections.trust import TrustSection
from mlgate.config.translate.rules_digest import rules_digest
from mlgate.core.errors import ConfigError

FILE = """\
version: 1
model: {{python: 'a:b'}}
checks: {{c: {{data: x.jsonl, rules: {{bleu: {{min: {least}{more}}}}}}}}}
{rest}"""
FLOW = "https://github.com/org/models/.github/workflows/attest.yml@refs/heads/main"
IDENTITY = f"{{repository: https://github.com/org/models, repository_id: 1, workflow: {FLOW}}}"


def file(rest: str = "", least: int = 1, more: str = "") -> str:
    return FILE.format(rest=rest, least=least, more=more)


def trust(text: str) -> TrustSection:
    found = parse(file(f"trust: {text}\n"), "m.yaml").document.trust
    assert found is not None
    return found


def test_a_verdict_is_good_for_a_week_and_warnings_are_not_good_enough() -> None:
    found = trust("{keys: [a.pem]}")
    assert (found.max_age, found.allow_warned) == (timedelta(days=7), False)
    assert trust("{keys: [a.pem], max_age: 36h}").max_age == timedelta(hours=36)


def test_a_workflow_is_githubs_own_machine_on_main_unless_the_file_says_otherwise() -> None:
    (one,) = trust(f"{{identities: [{IDENTITY}]}}").identities
    assert (one.issuer, one.ref, one.runner) == (
        "https://token.actions.githubusercontent.com",
        "refs/heads/main",
        "github-hosted",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "trust names nobody: it needs `keys` or `identities`"),
        ("{keys: []}", "trust names nobody"),
        ("{keys: [a.pem, a.pem]}", "is listed twice"),
        ("{keys: [a.pem], root: r.json}", "trust.root is for `identities` only"),
        ("{keys: [a.pem], max_age: 91d}", "must be an age of at most 90 days"),
        ("{keys: [a.pem], max_age: 0h}", "must be an age"),
        ("{keys: [a.pem], max_age: 30m}", "must be an age"),
        ("{keys: [a.pem], max_age: 7}", "must be an age"),
        ("{keys: [a.pem], allow_failed: true}", "is unknown"),
        (f"{{identities: [{IDENTITY.replace('repository_id: 1', 'repository_id: 0')}]}}", "repository_id"),
        (f"{{identities: [{IDENTITY.replace(', repository_id: 1', '')}]}}", "repository_id"),
        (f"{{identities: [{IDENTITY.replace('@refs/heads/main', '')}]}}", "must be a workflow's address with its ref"),
        (f"{{identities: [{IDENTITY.replace('@refs/heads/main', '@main')}]}}", "must be a workflow's address"),
        (f"{{identities: [{IDENTITY.replace('https://github.com/org/models,', 'org/models,')}]}}", "must be a reposi"),
        (f"{{identities: [{IDENTITY[:-1]}, ref: main}}]}}", "must be a ref in full"),
    ],
)
def test_what_would_trust_too_many_or_nobody_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        trust(text)
    assert says in "\n".join(str(one) for one in (refused.value, *refused.value.more))


def test_the_rules_digest_is_of_what_decides_a_judgement_and_nothing_else() -> None:
    def digest(text: str) -> str:
        return rules_digest(parse(text, "m.yaml"))

    same = digest(file())
    assert digest(file(more=", confidence: 0.95, on_breach: block")) == same  # what it would be anyway
    assert digest(file("trust: {keys: [a.pem]}\nratchet: refuse\nreport: [terminal]\n")) == same
    assert digest(file().replace("a:b", "c:d")) == same
    others = [
        file(least=2),
        file(more=", on_breach: warn"),
        file().replace("bleu", "chrf"),
        file().replace("x.jsonl", "y.jsonl"),
        file().replace("{c: ", "{d: "),
        file("baseline: {from: file, path: b.gz}\n"),
    ]
    assert len({same, *map(digest, others)}) == len(others) + 1
