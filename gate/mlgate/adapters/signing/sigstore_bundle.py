"""Sigstore bundles: signed by a workflow's identity, without a key. Verified by sigstore-python, offline.

That library proves who signed what, and when. It looks neither at the payload's type nor at its subject.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlgate.adapters.files import safe_file
from mlgate.core.attestation.statement import PAYLOAD_TYPE
from mlgate.core.errors import ConfigError, Refused

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

TRIGGERS = ("push", "merge_group", "workflow_dispatch")
"""The events that run a workflow on what is, or is about to be, merged."""

_LARGEST_ROOT = 1 << 20
_PUBLIC_INSTANCE = "https://tuf-repo-cdn.sigstore.dev"


@dataclass(frozen=True, slots=True)
class Identity:
    """A workflow that may sign, in the words of the certificates that it gets."""

    issuer: str
    """Who says that it is this workflow: `https://token.actions.githubusercontent.com`."""
    workflow: str
    """The workflow that signs, by its ref: `https://github.com/org/mlgate/.github/workflows/attest.yml@refs/tags/v1`.

    A caller of a reusable workflow cannot choose it.
    """
    repository: str
    """The repository that it runs for: `https://github.com/org/models`."""
    repository_id: str
    """Its number: whoever makes a repository of the same name anew gets another one."""
    ref: str
    """The protected branch: `refs/heads/main`."""
    runner: str
    """`github-hosted` or `self-hosted`."""


@dataclass(frozen=True, slots=True)
class BundleVerifier:
    """What verifies bundles of some identities."""

    by: Verifier
    identities: tuple[Identity, ...]

    def verified(self, content: bytes) -> tuple[bytes, str]:
        """Return the payload of a bundle that one of the identities signed, and that identity's workflow.

        Raises Refused for everything else.
        """
        from sigstore.models import Bundle

        why = "the file names no workflow"
        try:
            bundle = Bundle.from_json(content)
        except Exception as error:
            raise _refused(f"the bundle cannot be read: {_said(error)}") from error
        for one in self.identities:
            try:
                payload_type, payload = self.by.verify_dsse(bundle, _policy(one))
            except Exception as error:  # noqa: BLE001 - whatever the library stumbles over is not verified
                why = _said(error)
                continue
            if payload_type != PAYLOAD_TYPE:
                raise _refused(f"the envelope's payload is {payload_type!r}, and must be {PAYLOAD_TYPE!r}")
            return payload, one.workflow
        raise _refused(f"no workflow that is trusted signed the attestation, or it was changed since: {why}")


def verifier(identities: tuple[Identity, ...], root: Path | None, where: str) -> BundleVerifier:
    """Return what verifies by the trusted root in a file; None: by the public instance's, as the library carries it.

    *where*: the line that names the file. Asks nobody.
    """
    try:
        from sigstore.models import TrustedRoot
        from sigstore.verify import Verifier
    except ImportError as error:
        hint = "pip install 'mlgate[sigstore]'"
        raise ConfigError("a workflow's signature needs an extra package", hint=hint) from error
    path = root or _carried()
    try:
        if len(safe_file.read(path, _LARGEST_ROOT, follow=True)) > _LARGEST_ROOT:
            raise ValueError("it is too large")  # noqa: TRY301 - one sentence for all that is wrong with it
        return BundleVerifier(Verifier(trusted_root=TrustedRoot.from_file(str(path))), identities)
    except Exception as error:
        hint = "gh attestation trusted-root prints some; each is a file of its own"
        raise ConfigError(f"the trusted root cannot be used: {_said(error)}", where=where, hint=hint) from error


def _carried() -> Path:
    import sigstore

    return Path(sigstore.__file__).parent / "_store" / quote(_PUBLIC_INSTANCE, safe="") / "trusted_root.json"


def _policy(one: Identity) -> VerificationPolicy:
    from sigstore.verify import policy

    return policy.AllOf(
        [
            policy.OIDCIssuerV2(one.issuer),
            policy.OIDCBuildSignerURI(one.workflow),
            policy.OIDCSourceRepositoryURI(one.repository),
            policy.OIDCSourceRepositoryIdentifier(one.repository_id),
            policy.OIDCSourceRepositoryRef(one.ref),
            policy.OIDCRunnerEnvironment(one.runner),
            _OneOfTriggers(),
        ]
    )


class _OneOfTriggers:
    """Demands that what is, or is about to be, merged started the workflow."""

    def verify(self, cert: Certificate) -> None:
        from sigstore.errors import VerificationError
        from sigstore.verify.policy import OIDCBuildTrigger

        for event in TRIGGERS:
            with contextlib.suppress(VerificationError):
                OIDCBuildTrigger(event).verify(cert)
                return
        raise VerificationError(f"another event than {', '.join(TRIGGERS)} started the workflow")


def _refused(says: str) -> Refused:
    return Refused(says, hint="attest by the workflow that trust: {identities: […]} names, on its branch")


def _said(error: Exception) -> str:
    """Return a library's message on one line."""
    return " ".join(str(error).split())[:400] or type(error).__name__
