"""Trust, composed: the keys and workflows that a file names, and what its rules demand of an attestation."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from mlgate.adapters.signing import attestation_file, dsse, sigstore_bundle
from mlgate.adapters.signing.attestation_file import AttestationFile, Kind
from mlgate.adapters.signing.dsse import TrustedKey
from mlgate.adapters.signing.sigstore_bundle import BundleVerifier, Identity
from mlgate.config.config import Config
from mlgate.config.sections.trust import TrustSection
from mlgate.config.translate.rules_digest import rules_digest, rules_of
from mlgate.core.attestation.demands import Demands, Signed
from mlgate.core.attestation.statement import parse
from mlgate.core.errors import ConfigError, Refused
from mlgate.flow.attestation import RulesInForce

_PASSPHRASE = "MLGATE_KEY_PASSPHRASE"  # noqa: S105 - the variable's name


def rules_in_force(config: Config) -> RulesInForce:
    """Return the rules that the file has now."""
    return RulesInForce(rules_digest(config), tuple(rules_of(config)), config.model.name)


def demand_room(statement: str) -> None:
    """Raise Refused for a statement that is too large to be verified."""
    attestation_file.demand_room(statement)


def signed(statement: str, key: Path) -> str:
    """Return the envelope of a statement that the private key in a file signed."""
    return dsse.sign(statement, dsse.signer(key, os.environ.get(_PASSPHRASE, "")))


@dataclass(frozen=True)
class Trust:
    """Whose word a file believes."""

    config: Config
    section: TrustSection

    @classmethod
    def of(cls, config: Config) -> Trust | None:
        """Return whom the file trusts; None for a file that demands no attestation."""
        section = config.document.trust
        return None if section is None else cls(config, section)

    @classmethod
    def demanded(cls, config: Config) -> Trust:
        """Return whom the file trusts; a file without `trust` is a ConfigError."""
        found = cls.of(config)
        if found is None:
            raise ConfigError(
                "there is no `trust` section: nobody's attestation would be believed",
                where=str(config.path),
                hint="add one: trust: {keys: [keys/gate.pem]}",
            )
        return found

    def verified(self, paths: Iterable[Path]) -> tuple[Signed, ...]:
        """Return what the files say, once all their signatures are verified. Raises Refused for the first that is not.

        One that cannot be verified is never passed over: it might be the one that says FAILED.
        """
        return tuple(self._signed(path) for path in paths)

    def demands(self, images: Iterable[str], now: datetime) -> Demands:
        """Return what the file demands of an attestation of *images*, each `name@sha256:…`."""
        rules = rules_in_force(self.config)
        return Demands(
            subjects=tuple(one.partition("@sha256:")[2] for one in images),
            rules_digest=rules.digest,
            model=rules.model,
            rules=rules.required,
            max_age=self.section.max_age,
            now=now,
            allow_warned=self.section.allow_warned,
        )

    def _signed(self, path: Path) -> Signed:
        file = attestation_file.read(path)
        try:
            payload, signer = self._payload(file)
            return Signed(parse(payload), signer, file.digest, str(path))
        except Refused as error:
            error.where = error.where or str(path)
            raise

    def _payload(self, file: AttestationFile) -> tuple[bytes, str]:
        if file.kind is Kind.ENVELOPE and self.section.keys:
            payload, name = dsse.verified(file.value, self._keys)
            return payload, f"the key {name}"
        if file.kind is Kind.BUNDLE and self.section.identities:
            payload, name = self._bundles.verified(file.content)
            return payload, f"the workflow {name}"
        by, entry = ("a key", "keys") if file.kind is Kind.ENVELOPE else ("a workflow", "identities")
        raise Refused(
            f"the attestation is {file.kind.value}, which {by} signs, and the file trusts none",
            hint=f"name it: trust: {{{entry}: […]}}",
        )

    @cached_property
    def _keys(self) -> tuple[TrustedKey, ...]:
        names = enumerate(self.section.keys)
        root, where = self.config.root, self.config.where
        return tuple(dsse.public_key(root / name, name, where("trust", "keys", i)) for i, name in names)

    @cached_property
    def _bundles(self) -> BundleVerifier:
        identities = tuple(
            Identity(one.issuer, one.workflow, one.repository, str(one.repository_id), one.ref, one.runner)
            for one in self.section.identities
        )
        root = self.section.root
        place = self.config.where("trust", "root" if root else "identities")
        return sigstore_bundle.verifier(identities, self.config.root / root if root else None, place)
