"""The file that an attestation is: small, strict JSON, one envelope of a known kind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, cast

from mlgate.adapters.files import safe_file
from mlgate.core import strict_json
from mlgate.core.errors import Refused

_LARGEST = 1 << 20
_LARGEST_STATEMENT = 700 << 10
_BUNDLE = "application/vnd.dev.sigstore.bundle"
_STEP = "mlgate attest writes one; in GitHub Actions, actions/attest does"


class Kind(Enum):
    """What signed it."""

    ENVELOPE = "a DSSE envelope"
    BUNDLE = "a Sigstore bundle"


@dataclass(frozen=True, slots=True)
class AttestationFile:
    """One file, whose signature nobody has looked at yet."""

    path: Path
    content: bytes
    kind: Kind

    @property
    def digest(self) -> str:
        """Return the SHA-256 of its bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def value(self) -> dict[str, Any]:
        """Return its JSON, parsed anew each time: the libraries write into what they are given."""
        return cast("dict[str, Any]", strict_json.loads(self.content.decode()))


def demand_room(statement: str) -> None:
    """Raise Refused for a statement that no verifier would read once it is signed: base64 is a third longer."""
    if len(statement) > _LARGEST_STATEMENT:
        raise Refused(
            f"the statement has {len(statement) >> 10:,} KB, and {_LARGEST_STATEMENT >> 10} KB are verified at most",
            hint="the verdict has very many findings: slice by fewer fields",
        )


def read(path: Path) -> AttestationFile:
    """Read a file that a person or a workflow named. Raises Refused for what is no attestation."""
    try:
        content = safe_file.read(path, _LARGEST, follow=True)
    except OSError as error:
        raise Refused(f"the attestation cannot be read: {error.strerror}", where=str(path), hint=_STEP) from error
    if not content or len(content) > _LARGEST:
        says = f"the attestation has more than {_LARGEST >> 20} MB" if content else "the attestation is empty"
        raise Refused(says, where=str(path), hint=_STEP)
    try:
        value = strict_json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise Refused(f"the attestation is no sound JSON: {error}", where=str(path), hint=_STEP) from error
    return AttestationFile(path, content, _kind(value, path))


def _kind(value: object, path: Path) -> Kind:
    fields: Mapping[str, object] = value if isinstance(value, dict) else {}
    if "payloadType" in fields:
        return Kind.ENVELOPE
    if str(fields.get("mediaType", "")).startswith(_BUNDLE):
        return Kind.BUNDLE
    unsigned = "_type" in fields or "predicateType" in fields
    says = "the statement is not signed" if unsigned else "the file is no attestation"
    raise Refused(
        f"{says}: it must be one DSSE envelope or one Sigstore bundle",
        where=str(path),
        hint="sign it: mlgate attest --key FILE" if unsigned else _STEP,
    )
