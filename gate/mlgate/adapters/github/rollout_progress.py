"""How a rollout goes, as a deployment on GitHub: it began, and how it ended."""

from __future__ import annotations

from collections.abc import Callable

from mlgate.adapters.github.deployments import Deployment, GithubDeployments, State
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Phase, Reading
from mlgate.core.errors import GateError

_STATES: dict[Phase, State] = {Phase.PROMOTED: "success", Phase.RESTORED: "failure"}


class DeploymentProgress:
    """Tells GitHub of each rollout that is shown to it. What GitHub does not take changes nothing but a notice."""

    def __init__(
        self,
        deployments: GithubDeployments,
        environment: str,
        url: str,
        ending: Callable[[ServiceRecord], str],
        notice: Callable[[str], None],
    ) -> None:
        """*url*: the page with the report. *ending* says in a line how a rollout ended."""
        self._deployments, self._environment, self._url = deployments, environment, url
        self._ending, self._notice = ending, notice
        self._told: tuple[float, State] | None = None
        """Of which rollout, by when it began, and what of it."""

    def show(self, record: ServiceRecord, _: Reading) -> None:
        """Tell GitHub what is new: that the rollout began, or how it ended."""
        assert record.rollout is not None
        assert record.candidate is not None
        state = _STATES.get(record.rollout.state.phase, "in_progress")
        if self._told == (record.rollout.began, state):
            return
        self._told = (record.rollout.began, state)
        release = record.candidate.release
        if not release.commit:
            self._notice(f"{record.candidate.name} is of no known commit: GitHub is not told of it")
            return
        one = Deployment(self._environment, release.commit, record.candidate.name, int(record.rollout.began))
        says = self._ending(record) if record.rollout.state.phase.is_over else f"rolling out {record.candidate.name}"
        try:
            number = self._deployments.begin(one, says)
            self._deployments.set_state(number, state, says, self._url)
        except GateError as error:
            self._notice(f"GitHub is not told of the rollout: {error}")
