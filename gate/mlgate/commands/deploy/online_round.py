"""The process of one round of online checks: `python -m mlgate.commands.deploy.online_round WORDS`."""

from __future__ import annotations

import sys
import threading

from mlgate.adapters.process.background import lifeline
from mlgate.commands.deploy.online_check import round_of
from mlgate.core.errors import GateError


def main() -> int:
    """Ask, and leave the verdict in the round's folder."""
    threading.Thread(target=lifeline, daemon=True).start()
    try:
        round_of(sys.argv[1])
    except GateError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
