"""Whether a gateway may be asked to copy users' requests: tried on a request of mlgate's own before.

A gateway that cannot copy need not say so: Traefik 3.7 takes such a route, and answers each request on it with 500.
"""

from __future__ import annotations

from collections.abc import Callable

from mlgate.core.deploy.ports import Judgement
from mlgate.core.errors import AdapterError
from mlgate.core.outcome import Outcome

_FAULT = 500


def judge_trial(ask: Callable[[], tuple[int, int]]) -> Judgement:
    """Return PASSED where a request that is to be copied is answered like one that is not; else nothing is known yet.

    *ask* returns both statuses, or raises AdapterError. A route may take effect a moment after the gateway says so:
    what fails now is tried again, for as long as the rollout is patient.
    """
    try:
        plain, copied = ask()
    except AdapterError as error:
        return Judgement(None, f"the gateway was to be tried before it copies users' requests: {error.message}")
    if plain >= _FAULT:
        return Judgement(None, f"the gateway answers {plain} to a request for the candidate")
    if copied != plain:
        return Judgement(
            None,
            f"the gateway answers {copied} to a request that it is to copy, and {plain} to one that it is not: it "
            "cannot mirror requests (RequestMirror of the Gateway API); no user's request was copied",
        )
    return Judgement(Outcome.PASSED)
