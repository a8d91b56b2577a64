"""Whether attestations let a model through, offline: what a deploy asks before it asks the cluster."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime

from mlgate.adapters.terminal.output import tell
from mlgate.commands import unmerged_guard
from mlgate.commands.run_options import RunOptions
from mlgate.commands.trust.attested_release import attestation_of, files, last_release
from mlgate.config.load import load
from mlgate.core.attestation.demands import accepted
from mlgate.core.deploy.release import BY_DIGEST
from mlgate.core.errors import ConfigError
from mlgate.reports.terminal import attestation as words
from mlgate.wiring.trust import Trust

_IMAGE = re.compile(rf"{BY_DIGEST.pattern}|sha256:[0-9a-f]{{64}}")


def run_verify(choice: RunOptions, image: str) -> int:
    """Verify the attestation of *image*, or of what the last run judged. Return 0; raises Refused for everything else.

    *image*: `name@sha256:…`; empty: the last verdict's, with its files.
    """
    unmerged_guard.refuse(choice.config.parent)
    trust, now = Trust.demanded(load(choice.config)), datetime.now(UTC)
    if image:
        if not _IMAGE.fullmatch(image):
            raise ConfigError(
                f"{image[:200]!r} names no image by its digest",
                hint="a tag can move; write NAME@sha256:… with 64 digits in lower case",
            )
        demands = trust.demands([f"@{image}" if image.startswith("sha256:") else image], now)
        found = accepted(trust.verified(files(choice)), demands)
    else:
        release = last_release(choice, None, now=now, max_age=trust.section.max_age)
        found, demands = attestation_of(choice, trust, release, now)
    tell(sys.stdout, words.verified(found, demands))
    return 0
