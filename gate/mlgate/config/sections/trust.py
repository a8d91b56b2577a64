"""Whose word about a model is believed."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlgate.config.sections.duration import Age, age
from mlgate.config.sections.section import Given, Line, Many, Section, Written, complaint

_Issuer = Annotated[
    str,
    Written(r"https://[A-Za-z0-9.:/_-]{1,500}", "must be an address", "https://token.actions.githubusercontent.com"),
]
_Repository = Annotated[
    str,
    Written(
        r"https://[A-Za-z0-9.:-]{1,200}/[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}",
        "must be a repository's address",
        "e.g. https://github.com/org/models",
    ),
]
_Workflow = Annotated[
    str,
    Written(
        r"https://[A-Za-z0-9.:-]{1,200}(/[A-Za-z0-9_.-]{1,100}){2}/\.github/workflows/[A-Za-z0-9_.-]{1,200}\.ya?ml"
        r"@(refs/[A-Za-z0-9_./-]{1,200}|[0-9a-f]{40})",
        "must be a workflow's address with its ref",
        "e.g. https://github.com/org/models/.github/workflows/attest.yml@refs/heads/main",
    ),
]
_Ref = Annotated[str, Written(r"refs/[A-Za-z0-9_./-]{1,200}", "must be a ref in full", "e.g. refs/heads/main")]


class IdentitySection(Section):
    """A workflow that may sign, without a key."""

    issuer: _Issuer = "https://token.actions.githubusercontent.com"
    """Who vouches for the workflow: GitHub, or your GitHub Enterprise Server."""
    repository: _Repository = Field(examples=["https://github.com/org/models"])
    """The repository that the workflow runs for."""
    repository_id: int = Field(ge=1, le=10**18, examples=[123456789])
    """The repository's number: one that is made anew under the same name has another one.
    `gh api repos/org/models --jq .id` prints it."""
    workflow: _Workflow = Field(examples=["https://github.com/org/models/.github/workflows/attest.yml@refs/heads/main"])
    """The workflow that signs, with its ref. Of a reusable workflow: that one, not its caller."""
    ref: _Ref = "refs/heads/main"
    """The protected branch that the workflow must run on."""
    runner: Literal["github-hosted", "self-hosted"] = "github-hosted"
    """Whose machine it must run on."""


class TrustSection(Section):
    """Whose attestation lets a model onto the cluster. With this section a deploy refuses a model without one."""

    keys: Many[Line] = ()
    """Files of public Ed25519 keys in PEM, relative to the configuration's folder."""
    identities: Many[IdentitySection] = ()
    """Workflows that sign without a key. Needs `pip install 'mlgate[sigstore]'`."""
    root: Given[Line] = None
    """The file with the trusted root of the Sigstore instance that `identities` sign by, relative to the
    configuration's folder. Left out: the public instance's, as the package carries it."""
    max_age: Age = age("7d")
    """How old the verdict may be: `12h`, `7d`, at most 90 days."""
    allow_warned: bool = False
    """Whether a verdict with warnings is good enough."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not self.keys and not self.identities:
            raise complaint("names nobody: it needs `keys` or `identities`", "e.g. keys: [keys/gate.pem]")
        if self.root is not None and not self.identities:
            raise complaint("is for `identities` only", "delete it", at=("root",))
        return self
