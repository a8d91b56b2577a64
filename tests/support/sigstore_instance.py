"""A Sigstore instance of a test's own: a certificate authority, a certificate log and a transparency log, in memory.

What it signs is verified by sigstore-python as what the public instance signs: only the keys are others. The log has
one entry, so its Merkle tree is that entry's leaf.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

WORKFLOW = "https://github.com/org/models/.github/workflows/attest.yml@refs/heads/main"
CLAIMS: Mapping[str, str] = {
    "issuer": "https://token.actions.githubusercontent.com",
    "workflow": WORKFLOW,
    "runner": "github-hosted",
    "repository": "https://github.com/org/models",
    "ref": "refs/heads/main",
    "repository_id": "123456789",
    "trigger": "push",
}
"""What GitHub says of a run on the protected branch."""
_NUMBERS = {
    "issuer": 8,
    "workflow": 9,
    "runner": 11,
    "repository": 12,
    "ref": 14,
    "repository_id": 15,
    "trigger": 20,
}
"""Of the extensions, below Fulcio's own number."""
_FULCIO = "1.3.6.1.4.1.57264.1"
_EMBEDDED_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_LOG_NAME = "rekor.test"
_DAY = timedelta(days=1)


class SigstoreInstance:
    """One instance."""

    def __init__(self) -> None:
        self._ca, self._ct, self._log = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self._began = datetime.now(UTC) - _DAY
        self._root = self._authority()

    def write_root(self, path: Path) -> None:
        """Write the trusted root, as clients are given it."""
        since = {"start": _time(self._began)}
        authority = {
            "subject": {"organization": "test", "commonName": "test"},
            "uri": "https://fulcio.test",
            "certChain": {"certificates": [{"rawBytes": _b64(self._root.public_bytes(Encoding.DER))}]},
            "validFor": since,
        }
        logs = [
            {
                "baseUrl": f"https://{name}",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": _b64(_der(key.public_key())),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": since,
                },
                "logId": {"keyId": _b64(_id(key.public_key()))},
            }
            for name, key in ((_LOG_NAME, self._log), ("ct.test", self._ct))
        ]
        path.write_text(
            json.dumps(
                {
                    "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                    "tlogs": logs[:1],
                    "certificateAuthorities": [authority],
                    "ctlogs": logs[1:],
                    "timestampAuthorities": [],
                }
            )
        )

    def bundle(
        self, statement: str, payload_type: str = "application/vnd.in-toto+json", **claims: str
    ) -> dict[str, Any]:
        """Return the bundle of a statement that a workflow with these *claims* signs now."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(key.public_key(), {**CLAIMS, **claims})
        payload = statement.encode()
        signed = b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type.encode(), len(payload), payload)
        signature = _b64(_sign(key, signed))
        pem = _b64(certificate.public_bytes(Encoding.PEM))
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": _b64(certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [self._entry(payload, signature, pem)],
                "timestampVerificationData": {"rfc3161Timestamps": []},
            },
            "dsseEnvelope": {
                "payload": _b64(payload),
                "payloadType": payload_type,
                "signatures": [{"sig": signature}],
            },
        }

    def _authority(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        key = self._ca.public_key()
        identifier = x509.SubjectKeyIdentifier.from_public_key(key)
        return (
            self._builder(name, key)
            .issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(identifier, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(self._ca, hashes.SHA256())
        )

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = (
            x509.CertificateBuilder().subject_name(name).public_key(key).serial_number(x509.random_serial_number())
        )
        return builder.not_valid_before(self._began).not_valid_after(self._began + 100 * _DAY)

    def _certificate(self, key: ec.EllipticCurvePublicKey, claims: Mapping[str, str]) -> x509.Certificate:
        """Return a workflow's certificate, with what the certificate log says of it."""
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._ca.public_key())
        builder = (
            self._builder(x509.Name([]), key)
            .issuer_name(self._root.subject)
            .add_extension(_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(claims["workflow"])]), critical=True
            )
        )
        for name, number in _NUMBERS.items():
            if claims[name]:
                oid = x509.ObjectIdentifier(f"{_FULCIO}.{number}")
                builder = builder.add_extension(x509.UnrecognizedExtension(oid, _utf8(claims[name])), critical=False)
        before = builder.sign(self._ca, hashes.SHA256())
        sct = x509.UnrecognizedExtension(_EMBEDDED_SCTS, self._scts(before.tbs_certificate_bytes))
        return builder.add_extension(sct, critical=False).sign(self._ca, hashes.SHA256())

    def _scts(self, certificate: bytes) -> bytes:
        """Return the list of one signed timestamp of a certificate, RFC 6962."""
        at = int(datetime.now(UTC).timestamp() * 1000)
        entry = _id(self._ca.public_key()) + len(certificate).to_bytes(3, "big") + certificate
        signed = struct.pack(f"!BBQH{len(entry)}sH", 0, 0, at, 1, entry, 0)
        signature = _sign(self._ct, signed)
        one = struct.pack("!B32sQHBBH", 0, _id(self._ct.public_key()), at, 0, 4, 3, len(signature)) + signature
        listed = struct.pack("!H", len(one)) + one
        return _octets(struct.pack("!H", len(listed)) + listed)

    def _entry(self, payload: bytes, signature: str, certificate: str) -> dict[str, Any]:
        """Return the log's entry, with its proof and its promise."""
        body = rfc8785.dumps(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
                    "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
                    "signatures": [{"signature": signature, "verifier": certificate}],
                },
            }
        )
        own, at = _id(self._log.public_key()), int(datetime.now(UTC).timestamp())
        leaf = hashlib.sha256(b"\0" + body).digest()
        note = f"{_LOG_NAME} - 1\n1\n{_b64(leaf)}\n"
        note_signature = _b64(own[:4] + _sign(self._log, note.encode()))
        promised: dict[str, Any] = {"body": _b64(body), "integratedTime": at, "logID": own.hex(), "logIndex": 0}
        return {
            "logIndex": "0",
            "logId": {"keyId": _b64(own)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": _b64(_sign(self._log, rfc8785.dumps(promised)))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _b64(leaf),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\N{EM DASH} {_LOG_NAME} {note_signature}\n"},
            },
            "canonicalizedBody": _b64(body),
        }


def _usage(*, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _der(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _id(key: ec.EllipticCurvePublicKey) -> bytes:
    return hashlib.sha256(_der(key)).digest()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _utf8(text: str) -> bytes:
    return _tagged(0x0C, text.encode())


def _octets(data: bytes) -> bytes:
    return _tagged(0x04, data)


def _tagged(tag: int, data: bytes) -> bytes:
    """Return a value in DER."""
    size = len(data)
    length = bytes([size]) if size < 0x80 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + data
