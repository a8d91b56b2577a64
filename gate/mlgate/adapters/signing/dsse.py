"""DSSE envelopes that an Ed25519 key signs, by securesystemslib.

The signature is over the payload's bytes and its type, so nothing is parsed before it is verified.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlgate.adapters.files import safe_file
from mlgate.core.attestation.statement import PAYLOAD_TYPE
from mlgate.core.errors import ConfigError, Refused

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

_LARGEST_KEY = 1 << 16
_FIELDS = {"payload", "payloadType", "signatures"}
_SIGNATURE_FIELDS = {"keyid", "sig"}
_NO_ENVELOPE = "the attestation is no DSSE envelope"
_STEP = "mlgate attest --key FILE writes one"
_MAKE_A_KEY = "openssl genpkey -algorithm ed25519 -aes256 -out gate.key"
_NAME_IT = f"name the file that has it; or make a key: {_MAKE_A_KEY}"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key, and what people call it."""

    name: str
    key: SSlibKey


def public_key(path: Path, name: str, where: str) -> TrustedKey:
    """Read a public key in PEM; *name* is what messages call it, *where* the line that names it."""
    _library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    hint = "write it by: openssl pkey -in gate.key -pubout -out gate.pem"
    try:
        found = load_pem_public_key(_key_file(path, where))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{name} is no public key in PEM", where=where, hint=hint) from error
    if not isinstance(found, Ed25519PublicKey):
        raise ConfigError(f"{name} is no Ed25519 key", where=where, hint=f"make one: {_MAKE_A_KEY}; {hint}")
    return TrustedKey(name, SSlibKey.from_crypto(found))


def signer(path: Path, passphrase: str) -> CryptoSigner:
    """Read a private key in PEM; *passphrase* is empty for a key without one."""
    _library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    content = _key_file(path, str(path))
    try:
        found = load_pem_private_key(content, passphrase.encode() if passphrase else None)
    except TypeError as error:  # encrypted without a passphrase, or the other way round
        says = "the key needs no passphrase" if passphrase else "the key needs its passphrase"
        hint = "unset MLGATE_KEY_PASSPHRASE" if passphrase else "set it in the variable MLGATE_KEY_PASSPHRASE"
        raise ConfigError(says, where=str(path), hint=hint) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            "the file is no private key in PEM, or the passphrase is not its own",
            where=str(path),
            hint=f"look at MLGATE_KEY_PASSPHRASE; or make a key: {_MAKE_A_KEY}",
        ) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise ConfigError("the key is no Ed25519 key", where=str(path), hint=f"make one: {_MAKE_A_KEY}")
    return CryptoSigner(found)


def sign(payload: str, by: CryptoSigner) -> str:
    """Return the envelope's text, without a blank that could be another one."""
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload.encode(), PAYLOAD_TYPE, {})
    envelope.sign(by)
    return json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":"))


def verified(value: dict[str, Any], keys: Sequence[TrustedKey]) -> tuple[bytes, str]:
    """Return the payload of an envelope that one of *keys* signed, and that key's name. Changes *value*.

    Raises Refused for everything else.
    """
    _library()
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import FormatError, UnverifiedSignatureError, VerificationError

    _demand_form(value)
    try:
        envelope = Envelope.from_dict(value)
    except (KeyError, TypeError, ValueError, AttributeError, FormatError) as error:
        raise Refused(f"{_NO_ENVELOPE}: {type(error).__name__}: {error}", hint=_STEP) from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise Refused(f"the envelope's payload is {envelope.payload_type!r}, and must be {PAYLOAD_TYPE!r}", hint=_STEP)
    try:
        signed_by = envelope.verify([one.key for one in keys], threshold=1)
    except (VerificationError, UnverifiedSignatureError, ValueError, KeyError, TypeError) as error:
        names = ", ".join(one.name for one in keys) or "none"
        raise Refused(
            f"no key that is trusted signed the attestation, or it was changed since; trusted: {names}",
            hint="sign it by one of them: mlgate attest --key FILE; or name the key under trust: {keys: […]}",
        ) from error
    return envelope.payload, next(one.name for one in keys if one.key.keyid in signed_by)


def _demand_form(value: Mapping[str, Any]) -> None:
    """Raise Refused for fields that nobody signs, and for base64 that stands for the same bytes in another way."""
    signatures = value.get("signatures")
    is_whole = value.keys() == _FIELDS and isinstance(signatures, list) and bool(signatures)
    if not is_whole or not all(isinstance(one, dict) and one.keys() == _SIGNATURE_FIELDS for one in signatures or ()):
        raise Refused(f"{_NO_ENVELOPE}: it must have payload, payloadType and signatures, and nothing else", hint=_STEP)
    for text in (value["payload"], *(one["sig"] for one in signatures or ())):
        if not _is_base64(text):
            raise Refused(f"{_NO_ENVELOPE}: a field that must be base64 is not", hint=_STEP)


def _is_base64(text: object) -> bool:
    try:
        return isinstance(text, str) and base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except (binascii.Error, ValueError):
        return False


def _key_file(path: Path, where: str) -> bytes:
    try:
        content = safe_file.read(path, _LARGEST_KEY, follow=True)
    except OSError as error:
        raise ConfigError(f"the key {path} cannot be read: {error.strerror}", where=where, hint=_NAME_IT) from error
    if len(content) > _LARGEST_KEY:
        raise ConfigError(f"{path} is too large to be a key", where=where, hint=_NAME_IT)
    return content


def _library() -> None:
    try:
        import cryptography
        import securesystemslib.dsse

        assert cryptography
        assert securesystemslib.dsse
    except ImportError as error:
        raise ConfigError("a key's signature needs an extra package", hint="pip install 'mlgate[signing]'") from error
