"""The last verdict as a statement that others can verify."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlgate import __version__
from mlgate.adapters.files.run_folder import ATTESTATIONS, PREDICATE, STATEMENT
from mlgate.adapters.github import environment, step_files
from mlgate.adapters.terminal.output import tell
from mlgate.commands import unmerged_guard
from mlgate.commands.last_verdict import verified
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.attestation.statement import PREDICATE_TYPE, Origin, Statement, write, write_predicate
from mlgate.core.deploy.release import BY_DIGEST
from mlgate.core.errors import Refused
from mlgate.flow.attestation import Circumstances, statement_of
from mlgate.flow.deploy.release import image_of
from mlgate.reports.terminal import attestation as words
from mlgate.wiring import trust
from mlgate.wiring.pushed import pushed

_USUAL_AGE = timedelta(days=7)


def run_attest(choice: RunOptions, key: Path | None) -> int:
    """Write the statement about the last verdict into the run's folder, good or bad; sign it by *key*, if one is given.

    In GitHub Actions, set the outputs that actions/attest takes. Return the exit code.
    """
    _refuse_changes(choice.config.parent)
    config = load(choice.config)
    folder = choice.folder
    with folder.held():
        _, report, content = verified(choice)
        run = environment.here()
        origin = Origin(run.repository, "", run.ref, run.event) if run else Origin()
        of = Circumstances(
            image=image_of(report, pushed(choice.image)),
            report=hashlib.sha256(content).hexdigest(),
            judged=folder.verdict().judged,
            now=datetime.now(UTC),
            origin=origin,
            url=run.url if run else "",
            tool=__version__,
        )
        section = config.document.trust
        good_for = section.max_age if section else _USUAL_AGE
        statement = statement_of(report, trust.rules_in_force(config), of, good_for)
        text, predicate = write(statement), write_predicate(statement)
        trust.demand_room(text)
        envelope = trust.signed(text, key) if key else ""
        folder.write(STATEMENT, text)
        folder.write(PREDICATE, predicate)
        if envelope:
            folder.write(ATTESTATIONS[0], envelope)
    written = folder.path / (ATTESTATIONS[0] if envelope else STATEMENT)
    _write_outputs(statement, predicate, folder.path / PREDICATE, written if envelope else None)
    tell(sys.stdout, words.written(statement, str(written), is_signed=bool(envelope)))
    return 0


def _refuse_changes(root: Path) -> None:
    """Raise Refused in a run about what is not merged. A merge queue's run is about what is merged next."""
    run = environment.here()
    if run is None or run.event != "merge_group":
        unmerged_guard.refuse(root)


def _write_outputs(statement: Statement, predicate: str, path: Path, envelope: Path | None) -> None:
    """Set the step's outputs.

    An empty subject would let actions/attest sign whatever an earlier step named. The predicate's digest tells whether
    it is still the same when it came to another job as an artifact, which every job of the run can replace.
    """
    subject = statement.subjects[0]
    digest = f"sha256:{subject.sha256}"
    if not BY_DIGEST.fullmatch(f"{subject.name}@{digest}"):
        raise Refused("the verdict names no image by its digest", hint="mlgate check")
    outputs = {
        "subject-name": subject.name,
        "subject-digest": digest,
        "predicate-type": PREDICATE_TYPE,
        "predicate-path": str(path.absolute()),
        "predicate-sha256": hashlib.sha256(predicate.encode()).hexdigest(),
        "result": statement.result.value,
    }
    step_files.write_outputs(outputs | ({"attestation-path": str(envelope.absolute())} if envelope else {}))
