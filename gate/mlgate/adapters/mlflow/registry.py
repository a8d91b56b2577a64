"""A registered model in MLflow: versions, aliases, and a ledger of moves that MLflow itself does not keep.

MLflow moves an alias for whoever asks and remembers nothing (mlflow/mlflow#2169). One thing in it can be written only
once: a run's parameter. So the ledger is one run whose parameters are `000001`, `000002` …, and the next place has one
winner. Which run it is, a tag says of the version with the lowest number that has it: numbers are given one by one, so
whoever registers later sees who was first.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlgate.adapters.mlflow import names
from mlgate.adapters.mlflow.client import Server, Unable
from mlgate.adapters.mlflow.runs import MlflowRuns, run_id
from mlgate.core.errors import AdapterError, GateError
from mlgate.core.identity import CURRENT_FORM, FIRST_FORM
from mlgate.core.tracking.ledger import NO_VERSION, Ledger, Move
from mlgate.core.tracking.model_version import Candidate, Version

LEDGER = "mlgate.ledger"
_VERDICT, _EVIDENCE, _MODEL = "mlgate.verdict", "mlgate.evidence", "mlgate.model"
_FORM_TAG = "mlgate.form"
_PLACE = re.compile(r"\d{6}")
_DONE = ".done"
_LINK = 200
_MOST_PAGES = 1_000
_ABSENT = "RESOURCE_DOES_NOT_EXIST"
_NOTE = "mlgate keeps here which version of the model was live when. Do not delete it: nothing else knows."
_KINDS = ("promoted", "rolled back", "moved by hand")


class MlflowRegistry:
    """One registered model."""

    def __init__(
        self, runs: MlflowRuns, server: Server, name: str, stages: Mapping[str, str] | None = None, *, page: int = 1_000
    ) -> None:
        self._runs, self._server, self.name, self._page = runs, server, name, page
        self._stages = stages or {}
        """Alias to one of MLflow's old stages."""

    @property
    def source(self) -> str:
        """Return what it is, for people."""
        return f"{self.name} in {self._server.place.shown}"

    def versions(self) -> Sequence[Version]:
        """Return all versions, ascending; none when the model was never registered."""
        found: list[Version] = []
        token = None
        quote = '"' if "'" in self.name else "'"
        for _ in range(_MOST_PAGES):
            with self._server.talking(f"list the versions of {self.name}"):
                page = self._server.client.search_model_versions(
                    f"name={quote}{self.name}{quote}", max_results=self._page, page_token=token
                )
                found += map(_version, page)
                token = page.token
            if not token:
                return sorted(found, key=lambda one: one.number)
        raise AdapterError(f"the versions of {self.source} never end: {len(found):,} and more")

    def register(self, candidate: Candidate) -> Version:
        """Make the candidate a version, or return the one that it is already: one verdict, one version."""
        known = self.versions()
        ledger = _ledger_of(known) or self._new_ledger()
        if not _all_of(known, candidate):
            made = self._made(candidate, ledger)
            known = self.versions() or [made]
        mine, *doubles = _all_of(known, candidate) or [known[-1]]
        for one in doubles:
            self._delete(one)
        self._agree(mine, _ledger_of(known) or ledger, ledger)
        return mine

    def live(self, alias: str) -> int:
        """Return the version that the alias points to, NONE for nowhere."""
        try:
            with self._server.talking(f"look where {alias} points"):
                return int(self._server.client.get_registered_model(self.name).aliases.get(alias, NO_VERSION))
        except Unable as error:
            if error.code == _ABSENT:
                return NO_VERSION
            raise

    def point(self, alias: str, version: int) -> None:
        """Move the alias; to NONE removes it.

        MLflow looks whether there is one and then makes it: of two that are the first at once, one is refused by the
        store. Asked again, it finds the other's.
        """
        try:
            self._point(alias, version)
        except Unable as error:
            if not error.is_crossed:
                raise
            self._point(alias, version)

    def _point(self, alias: str, version: int) -> None:
        client = self._server.client
        with self._server.talking(f"point {alias} to version {version}"):
            if version == NO_VERSION:
                client.delete_registered_model_alias(self.name, alias)
                return
            client.set_registered_model_alias(self.name, alias, str(version))
            stage = self._stages.get(alias)
            if stage is not None:
                client.transition_model_version_stage(self.name, str(version), stage, archive_existing_versions=True)

    def ledger(self) -> Ledger:
        """Return every move so far."""
        run = _ledger_of(self.versions())
        return Ledger() if not run else _read(self._texts(run), self.source)

    def append(self, move: Move) -> bool:
        """Write *move* at its place in the ledger; False when another move has that place: it was first."""
        run, text = self._ledger_run(), _encoded_move(move)
        try:
            with self._server.talking("write into the ledger"):
                self._server.client.log_param(run, f"{move.number:06}", text)
        except Unable as error:
            if not error.is_crossed or self._texts(run).get(f"{move.number:06}") in (None, text):
                raise
            return False
        return True

    def confirm(self, move: Move) -> None:
        """Note beside *move* that the alias points there."""
        run = self._ledger_run()
        with self._server.talking("confirm a move in the ledger"):
            self._server.client.log_param(run, f"{move.number:06}{_DONE}", "1")

    def _made(self, candidate: Candidate, ledger: str) -> Version:
        client = self._server.client
        try:
            with self._server.talking(f"register {self.name}"):
                client.create_registered_model(self.name)
        except Unable as error:
            if error.code != "RESOURCE_ALREADY_EXISTS":
                raise
        tags = {
            _VERDICT: candidate.verdict,
            _EVIDENCE: candidate.evidence,
            _MODEL: candidate.model,
            _FORM_TAG: str(candidate.form),
            LEDGER: ledger,
            **({"mlgate.commit": candidate.commit} if candidate.commit else {}),
            **({"mlgate.link": candidate.link} if candidate.link else {}),
        }
        with self._server.talking(f"register a version of {self.name}"):
            made = client.create_model_version(
                self.name,
                candidate.source,
                run_id=candidate.run,
                tags=tags,
                description=names.tag(candidate.said),
                await_creation_for=0,
            )
            return _version(made)

    def _delete(self, double: Version) -> None:
        """Delete the second version of one verdict: of two registrations at once, or of a request that came twice."""
        try:
            with self._server.talking(f"delete the second version {double.number} of one verdict"):
                self._server.client.delete_model_version(self.name, str(double.number))
        except Unable as error:
            if error.code != _ABSENT:
                raise

    def _new_ledger(self) -> str:
        """Make the run that the ledger is; which of several is the one, the lowest version says.

        One that a registration left which was cut off is taken; of a model whose versions are gone, its own again.
        """
        key = hashlib.sha256(self.name.encode("utf-8", "replace")).hexdigest()[:32]
        with self._server.talking("begin a ledger"):
            left = self._server.client.search_runs(
                [self._runs.experiment_id], f"tags.`{LEDGER}_of` = '{key}'", max_results=100
            )
            if left:
                return max((len(run.data.params), run_id(run)) for run in left)[1]
            run = self._server.client.create_run(
                self._runs.experiment_id,
                run_name=names.title(f"ledger of {self.name}"),
                tags={f"{LEDGER}_of": key, "mlflow.note.content": _NOTE},
            )
            self._server.client.set_terminated(run_id(run))
            return run_id(run)

    def _agree(self, mine: Version, ledger: str, own: str) -> None:
        """Make one's version name the ledger that all use, where another registration made one first."""
        with self._server.talking("agree on one ledger"):
            if mine.tags.get(LEDGER) != ledger:
                self._server.client.set_model_version_tag(self.name, str(mine.number), LEDGER, ledger)
            if own != ledger:
                run = self._server.client.get_run(own)
                if run.info.lifecycle_stage == "active" and not run.data.params:
                    self._server.client.delete_run(own)

    def _ledger_run(self) -> str:
        run = _ledger_of(self.versions())
        if not run:
            raise GateError(
                f"{self.source} has no ledger: mlgate never promoted a version of it", hint="mlgate promote"
            )
        return run

    def _texts(self, run: str) -> Mapping[str, str]:
        with self._server.talking("read the ledger"):
            found: Mapping[str, str] = self._server.client.get_run(run).data.params
        return found


def _version(found: Any) -> Version:
    tags = dict(found.tags or {})
    verdict, evidence, model = (tags.get(name, "") for name in (_VERDICT, _EVIDENCE, _MODEL))
    form = CURRENT_FORM if tags.get(_FORM_TAG) == str(CURRENT_FORM) else FIRST_FORM
    return Version(int(found.version), str(found.run_id or ""), verdict, evidence, model, tags, form)


def _all_of(versions: Sequence[Version], candidate: Candidate) -> list[Version]:
    return [one for one in versions if one.verdict == candidate.verdict]


def _ledger_of(versions: Sequence[Version]) -> str:
    return next((one.tags[LEDGER] for one in versions if one.tags.get(LEDGER)), "")


def _encoded_move(move: Move) -> str:
    said = {
        "alias": move.alias,
        "kind": move.kind,
        "version": move.version,
        "before": move.before,
        "at": move.at,
        "verdict": move.verdict,
        "commit": move.commit,
        "link": move.link[:_LINK],
        "asked": move.asked,
    }
    return json.dumps({name: value for name, value in said.items() if value}, sort_keys=True, ensure_ascii=True)


def _read(texts: Mapping[str, str], source: str) -> Ledger:
    """Read a ledger back. A hole, or what mlgate would not have written, is an AdapterError: nothing is guessed."""
    places = sorted(name for name in texts if _PLACE.fullmatch(name))
    moves = tuple(
        _move(texts[name], number, f"{name}{_DONE}" in texts, source) for number, name in enumerate(places, 1)
    )
    if [move.number for move in moves] != [int(name) for name in places]:
        raise _ledger_damage(source)
    return Ledger(moves)


def _move(text: str, number: int, done: bool, source: str) -> Move:
    try:
        said = json.loads(text)
        kind = said["kind"]
        if kind not in _KINDS:
            raise _ledger_damage(source)
        return Move(
            number=number,
            alias=str(said["alias"]),
            kind=kind,
            version=int(said.get("version", NO_VERSION)),
            before=int(said.get("before", NO_VERSION)),
            at=str(said["at"]),
            verdict=str(said.get("verdict", "")),
            commit=str(said.get("commit", "")),
            link=str(said.get("link", "")),
            asked=said.get("asked") is True,
            done=done,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _ledger_damage(source) from error


def _ledger_damage(source: str) -> AdapterError:
    return AdapterError(
        f"the ledger of {source} is not what mlgate wrote",
        hint="look at the run that `mlgate.ledger` of version 1 names",
    )
