"""A judged project whose file trusts a key, and that key: what `mlgate attest` and `mlgate verify` are tried on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner
from tests.support import samples
from tests.support.deploy_project import SERVED, DeployProject, image

from mlgate.cli.group import invoke
from mlgate.core.attestation.statement import PAYLOAD_TYPE, VERDICT
from mlgate.core.report import Report

CHECKS = {
    "summaries": {
        "kind": "accuracy",
        "data": "data.jsonl",
        "rules": {"rougeL": {"min": 0.3, "max_drop": 0.01}, "bleu": {"min": 12}},
    }
}
"""The rules that the reports of `samples` were judged by."""

Json = dict[str, Any]


class AttestedProject(DeployProject):
    """One folder, with `keys/gate.pem` trusted."""

    def __init__(self, folder: Path, service: str, namespace: str, **deploy: Any) -> None:
        super().__init__(folder, service, namespace, **deploy)
        self.key = folder / "gate.key"
        (folder / "keys").mkdir(exist_ok=True)
        new_key(self.key, folder / "keys/gate.pem")
        self.write(
            checks=CHECKS,
            baseline={"from": "file", "path": "baseline.jsonl.gz"},
            trust={"keys": ["keys/gate.pem"]},
        )

    def write(self, **sections: Any) -> None:
        """Replace whole sections of mlgate.yaml."""
        written = yaml.safe_load(self.config.read_text()) | sections
        self.config.write_text(yaml.safe_dump({key: value for key, value in written.items() if value is not None}))

    def judged_as(self, report: Report, named: str = "", judged: str = "") -> None:
        """Leave the files of a run with this report, about the image *named*."""
        self.judged(named or image("1"), report=replace(report, model=SERVED), at=judged)

    def attested(self) -> Path:
        """Attest the last verdict by the key, and return the file."""
        assert invoke(["attest", "-c", str(self.config), "--key", str(self.key)]) == 0
        return self.folder / ".mlgate/verdict.dsse.json"

    def passed(self) -> Path:
        """Leave a run that passed, attested."""
        self.judged_as(samples.passing())
        return self.attested()

    @property
    def statement(self) -> Json:
        """Return the statement of the last attestation."""
        found: Json = json.loads((self.folder / ".mlgate/statement.json").read_text())
        return found

    def signed(self, statement: Json | str, to: str = "changed.json", **options: Any) -> Path:
        """Sign a statement by the trusted key, and return the file."""
        path = self.folder / to
        path.write_text(sign(statement, self.key, **options))
        return path


def new_key(private: Path, public: Path | None = None, passphrase: str = "") -> None:
    """Make a key pair in PEM."""
    made = Ed25519PrivateKey.generate()
    secret = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    private.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    if public:
        public.write_bytes(made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def sign(statement: Json | str, key: Path, payload_type: str = PAYLOAD_TYPE) -> str:
    """Return an envelope by securesystemslib itself, whatever it holds."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = statement if isinstance(statement, str) else json.dumps(statement)
    private = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, Ed25519PrivateKey)
    envelope = Envelope(text.encode(), payload_type, {})
    envelope.sign(CryptoSigner(private))
    return json.dumps(envelope.to_dict(), separators=(",", ":"))


def changed(statement: Json, at: str, value: object) -> Json:
    """Return a statement with one field changed, named by its way: `predicate/result`; `…` is the verdict's field."""
    copy: Json = json.loads(json.dumps(statement))
    *way, last = (VERDICT if step == "…" else step for step in at.split("/"))
    place: Any = copy
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    if isinstance(value, Mapping) and not value and last in place:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return copy
