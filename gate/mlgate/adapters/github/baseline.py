"""The baseline that CI keeps, as GitHub Actions gets it: an artifact, and the API's word on which run uploaded it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from mlgate.adapters.files import evidence_file
from mlgate.adapters.files.baseline_file import CiBaseline
from mlgate.adapters.github.artifacts import GithubArtifacts, TooMany
from mlgate.core.errors import Refused
from mlgate.core.evidence import Evidence
from mlgate.core.vouching import VOUCHING_EVENTS, KeptEvidence, Repository, flaw, nearest, vouches

EVIDENCE_NAME = "evidence.jsonl.gz"
"""The one file in the artifact."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Which run asks, and for whose baseline."""

    artifact: str
    """The name under which the default branch's runs keep it."""
    run: str
    """The number of the run that asks: nothing is held against itself."""
    change: bool
    """Whether it judges what is not merged."""


class GithubBaseline(CiBaseline):
    """Evidence that a run of the default branch kept. Files that lie here are nobody's word, and never read."""

    def __init__(
        self,
        path: Path,
        judged: Judged,
        base: Callable[[str], str],
        artifacts: Callable[[], AbstractContextManager[GithubArtifacts]],
        most: int = evidence_file.MOST_ROWS,
    ) -> None:
        """*base* returns the commit that a change is based on, given the default branch; of its own run, its commit."""
        super().__init__(path, str(path), most)
        self._base = base
        self._kept_at = path
        self._judged = judged
        self._artifacts = artifacts
        self._source = super().source
        self._others = ""

    @property
    def source(self) -> str:
        """Return what it is; once it is loaded, of which run, and how old."""
        return self._source

    @property
    def accept(self) -> str:
        """Return how a first baseline comes to be."""
        kept = f"let the gate run on the default branch, where it keeps the artifact {self._judged.artifact}"
        return f"{kept}; {self._others}" if self._others else kept

    def load(self) -> Evidence | None:
        """Return the evidence of the nearest run that GitHub vouches for; None when there is none.

        Raises Refused where a change comes with evidence that no such run vouches for; AdapterError where GitHub
        cannot be asked: what is not known is no baseline.
        """
        with self._artifacts() as artifacts:
            found = self._found(artifacts)
            if found is None:
                self._refuse_what_lies_here()
                return None
            content = artifacts.content(found, EVIDENCE_NAME, evidence_file.LARGEST_FILE)
        where = f"artifact {self._judged.artifact} of run {found.origin.run}"
        evidence = evidence_file.parse(content, where, self.most)
        observed, commit = evidence.provenance.run, evidence.provenance.commit.removesuffix("+dirty")
        if observed != f"github-{found.origin.run}" or commit != found.origin.sha:
            raise Refused(
                f"the baseline was observed by another run: {observed[:40] or 'none'}, commit {commit[:10] or 'none'}",
                where=where,
                hint="run the gate on the default branch again",
            )
        return evidence

    def _found(self, artifacts: GithubArtifacts) -> KeptEvidence | None:
        repository = artifacts.repository()
        sound, others, more = self._candidates(artifacts, repository)
        near = nearest(sound, artifacts.history(self._base(repository.default_branch)) if sound else ())
        others["of no commit that the base comes from"] = len(sound) - len(near)
        for kept, behind in near:
            run = artifacts.run(kept.origin.run)
            if vouches(run, kept):
                when = f"{kept.created[:10]}, " if kept.created else ""
                self._source = f"run {kept.origin.run} of {repository.default_branch}, {when}{self._age(behind)}"
                return kept
            others[
                f"of {run.event}" if run.event not in VOUCHING_EVENTS else "of a run that GitHub tells otherwise"
            ] += 1
        counts = ", ".join(f"{count} {why}" for why, count in sorted(others.items()) if count)
        if more is not None:  # whoever uploads so many keeps nobody from being judged by one that is found
            raise TooMany(
                more.message, hint=f"delete those that do not count: {counts}; or run the default branch again"
            )
        self._others = f"others of that name do not count: {counts}" if counts else ""
        return None

    def _candidates(
        self, artifacts: GithubArtifacts, repository: Repository
    ) -> tuple[list[KeptEvidence], Counter[str], TooMany | None]:
        """Return those that can be the baseline, why the others cannot, and whether there are more than were listed."""
        sound, others = list[KeptEvidence](), Counter[str]()
        try:
            for kept in artifacts.named(self._judged.artifact):
                if why := flaw(kept, repository, self._judged.run):
                    others[why] += 1
                else:
                    sound.append(kept)
        except TooMany as error:
            return sound, others, error
        return sound, others, None

    def _age(self, behind: int) -> str:
        what = "the base" if self._judged.change else "this commit"
        return f"{behind:,} commit{'s' * (behind > 1)} before {what}" if behind else f"of {what}"

    def _refuse_what_lies_here(self) -> None:
        if self._judged.change and os.path.lexists(self._kept_at):
            raise Refused(
                "no run of the default branch vouches for this baseline: a change could have brought it",
                where=str(self._kept_at),
                hint=self.accept,
            )
