"""What a kept rollout is good for: to be judged by other rules, and to say how long the next one will take."""

from __future__ import annotations

import sys
from pathlib import Path

from mlgate.adapters.files import safe_file
from mlgate.adapters.terminal.output import tell
from mlgate.commands.deploy.rollout_report import DOCUMENT, FOLDER
from mlgate.commands.publish import width
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.deploy.forecast import RolloutForecast
from mlgate.core.deploy.story import RolloutStory
from mlgate.core.deploy.traffic import Traffic, counted
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.latency.metrics import timing
from mlgate.flow.deploy import forecast
from mlgate.flow.deploy.replay import replay
from mlgate.reports.json_v1 import rollout as json_v1
from mlgate.reports.terminal import rollout_replay, step_power
from mlgate.wiring.deploy import Target

_LARGEST = 1 << 26
_MADE = "mlgate deploy writes one: .mlgate/rollout/rollout.json"


def read_rollout(path: Path, *, named: bool = True) -> RolloutStory:
    """Return a rollout that was kept; *named*: a person named the file. Raises EvidenceError for what is none."""
    try:
        content = safe_file.read(path, _LARGEST, follow=named)
        story = json_v1.parse(content.decode()) if len(content) <= _LARGEST else None
    except OSError as error:
        raise EvidenceError(f"it cannot be read: {error.strerror}", where=str(path), hint=_MADE) from error
    except UnicodeDecodeError as error:
        raise EvidenceError("it is no text", where=str(path), hint=_MADE) from error
    except EvidenceError as error:
        raise EvidenceError(error.message, where=f"{path}: {error.where}", hint=_MADE) from error
    if story is None:
        raise EvidenceError("it is too large for a rollout", where=str(path), hint=_MADE)
    return story


def run_rollout_replay(choice: RunOptions, path: Path) -> int:
    """Judge a kept rollout by today's rules. Return 0 for promoted, 1 for rolled back, 3 for not decided."""
    target = Target.demanded(load(choice.config))
    rules, story = target.demanded_rules(), read_rollout(path)
    found = replay(story, rules)
    tell(sys.stdout, rollout_replay.render(story, rules, found, width()))
    return found.exit_code


def run_step_power(choice: RunOptions, path: Path | None, *, rate: float | None, error_rate: float | None) -> int:
    """Say how long each rule takes in each step, for a candidate like what serves."""
    target = Target.demanded(load(choice.config))
    rules, plan, limit = target.demanded_rules(), target.plan(), target.section.deadline.total_seconds()
    seen, source = _serving(choice, path, rate, error_rate)
    untold = () if seen.edges_ms else tuple(rule for rule in rules if timing(rule.metric))
    told = RolloutForecast(
        service=target.section.service,
        plan=plan,
        limit=limit,
        rate=forecast.rate_of(seen),
        error_rate=counted([one.candidate for one in seen.windows]).share,
        source=source,
        steps=tuple(forecast.step_forecasts(plan, [rule for rule in rules if rule not in untold], seen, limit)),
        untold=untold,
    )
    tell(sys.stdout, step_power.render(told, width()))
    return 0


def _serving(
    choice: RunOptions, path: Path | None, rate: float | None, error_rate: float | None
) -> tuple[Traffic, str]:
    """Return a second of the service, and who says that it is like this: the options, or a kept rollout."""
    if error_rate is not None:
        if rate is None or path is not None:
            raise ConfigError("--error-rate is in place of a rollout.json, and needs --rate", hint="--rate 20")
        return forecast.assumed(rate, error_rate), "as you say"
    kept = path or choice.folder.path / FOLDER / DOCUMENT
    if path is None and not kept.is_file():
        raise ConfigError(
            "nothing says which share of the requests fails: no rollout was kept here",
            hint="say it: --error-rate 0.002; or name a rollout.json",
        )
    seen = forecast.serving(read_rollout(kept, named=path is not None))
    if not forecast.rate_of(seen) > 0:
        raise EvidenceError(
            "no requests were counted in this rollout", where=str(kept), hint="--rate 20 --error-rate 0.002"
        )
    return forecast.at_rate(seen, rate) if rate else seen, f"as in {kept}"
