"""What is asked of a step of a rollout, and whether enough was counted to ask it."""

from __future__ import annotations

from dataclasses import dataclass

from mlgate.core.deploy.looks import StepLook
from mlgate.core.deploy.rollout import ALL, Opening, Plan, State
from mlgate.core.deploy.traffic import Traffic

_ENOUGH, _OFF = 500.0, 1.33
"""Of so many requests that are to be expected, as many must have been counted, but for this factor."""
_FEWEST = 100
"""Nobody knows how many requests an audience has: fewer are none that show anything."""


@dataclass(frozen=True, slots=True)
class StepQuestion:
    """What is asked of a step."""

    check: str
    """The name that its findings bear."""
    look: StepLook
    next_share: float
    """Which share of the requests the candidate gets when the step passes, 0 to 1."""
    compares: bool
    """Whether another model serves beside it."""
    share: float = 0.0
    """Which share of the requests it gets in this step, where whoever routes them keeps to that; 0: nobody knows."""
    opening: Opening | None = None
    """What the step is where it is the rollout's opening."""

    def expected(self, traffic: Traffic) -> float:
        """Return how many requests the candidate should have had; 0: unknown. Of copies as many as the other model."""
        return traffic.expected(0.5 if self.opening is Opening.MIRRORED else self.share)


def step_question(plan: Plan, state: State, look: StepLook, *, has_stable: bool, is_exact: bool = True) -> StepQuestion:
    """Return what is asked of the present step at one look."""
    weight, opening = plan.steps[state.step], plan.opening if state.step == 0 else None
    after = plan.steps[min(state.step + 1, len(plan.steps) - 1)]
    compares = has_stable and weight < ALL
    share = weight / ALL if compares and is_exact else 0.0
    return StepQuestion(step_name(plan, state.step), look, after / ALL, compares, share, opening)


def step_name(plan: Plan, step: int) -> str:
    """Return what a step is called."""
    return f"step of {plan.steps[step]} %" + (f" ({plan.opening.value})" if plan.opening and step == 0 else "")


def missing_requests(question: StepQuestion, traffic: Traffic) -> str:
    """Return why the candidate's requests cannot be all that it had; empty where they can."""
    sides = [(one.candidate, one.stable) for one in traffic.windows]
    n = sum(mine.requests for mine, its in sides if mine and (its or not question.compares))
    is_mirrored = question.opening is Opening.MIRRORED
    if not n > 0:
        return "the candidate had no requests" + (": does the gateway mirror them?" if is_mirrored else "")
    if question.opening is Opening.AUDIENCE and question.look.passing_part and n < _FEWEST:
        return f"the candidate had {n:,.0f} requests: at least {_FEWEST} of its audience are asked for"
    expected = question.expected(traffic)
    if expected < _ENOUGH or expected / _OFF <= n <= expected * _OFF:
        return ""
    if is_mirrored:
        return (
            f"{n:,.0f} requests of the candidate were counted, and {expected:,.0f} of the model that serves were to be "
            "mirrored: the gateway does not mirror all of them, some pods are not scraped, or requests never end"
        )
    return (
        f"{n:,.0f} requests of the candidate were counted, and {question.share:.0%} of the traffic would be "
        f"{expected:,.0f}: some pods are not scraped, or requests never end"
    )
