"""A registry in memory, as atomic as MLflow is: call by call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mlgate.core.errors import AdapterError, GateError
from mlgate.core.tracking.ledger import NO_VERSION, Ledger, Move
from mlgate.core.tracking.model_version import Candidate, Version


@dataclass
class FakeRegistry:
    """A core.ports.Registry. What people do in MLflow's own pages are the methods of its last part."""

    name: str = "summarizer"
    late: list[tuple[str, int]] = field(default_factory=list)
    """Each time that an alias was moved to a version that its ledger did not end with at that moment."""
    _versions: dict[int, Version] = field(default_factory=dict)
    _aliases: dict[str, int] = field(default_factory=dict)
    _moves: dict[int, Move] = field(default_factory=dict)
    _count: int = 0

    @property
    def source(self) -> str:
        return f"{self.name} in memory"

    def versions(self) -> Sequence[Version]:
        return tuple(self._versions[number] for number in sorted(self._versions))

    def register(self, candidate: Candidate) -> Version:
        for known in self.versions():
            if known.verdict == candidate.verdict:
                return known
        digests = candidate.verdict, candidate.evidence, candidate.model
        return self._made(Version(0, candidate.run, *digests, form=candidate.form))

    def live(self, alias: str) -> int:
        return self._aliases.get(alias, NO_VERSION)

    def point(self, alias: str, version: int) -> None:
        if self.ledger().of(alias) and self.ledger().live(alias) != version:
            self.late.append((alias, version))
        self.by_hand(alias, version)

    def ledger(self) -> Ledger:
        return Ledger(tuple(self._moves[number] for number in sorted(self._moves)))

    def append(self, move: Move) -> bool:
        self._demand_ledger()
        assert move.number <= len(self._moves) + 1, "a hole in the ledger"
        return self._moves.setdefault(move.number, replace(move, done=False)) == move

    def confirm(self, move: Move) -> None:
        self._demand_ledger()
        self._moves[move.number] = replace(self._moves[move.number], done=True)

    def by_hand(self, alias: str, version: int) -> None:
        """Move an alias as a person does: NONE takes it away."""
        if version == NO_VERSION:
            self._aliases.pop(alias, None)
        elif version in self._versions:
            self._aliases[alias] = version
        else:
            raise AdapterError(f"{self.source} has no version {version}")

    def tag(self, version: int, name: str, text: str) -> None:
        """Set a version's tag, as who approves does."""
        old = self._versions[version]
        self._versions[version] = replace(old, tags={**old.tags, name: text})

    def add(self) -> Version:
        """Register a version without mlgate."""
        return self._made(Version(0, "a-run"))

    def delete(self, version: int) -> None:
        """Delete a version; MLflow takes its aliases with it, and its number never comes again."""
        del self._versions[version]
        self._aliases = {alias: number for alias, number in self._aliases.items() if number != version}

    def _made(self, version: Version) -> Version:
        self._count += 1
        return self._versions.setdefault(self._count, replace(version, number=self._count))

    def _demand_ledger(self) -> None:
        if not any(version.verdict for version in self._versions.values()):
            raise GateError(
                f"{self.source} has no ledger: mlgate never promoted a version of it", hint="mlgate promote"
            )
