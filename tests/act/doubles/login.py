"""docker/login-action: note who would log in where; a registry of a test asks for no password."""

from __future__ import annotations

import json
import os

from tests.act.doubles import step


def main() -> None:
    given = step.inputs()
    for name in ("username", "password"):
        if not given[name]:
            step.fail(f"{name.capitalize()} required")
    file = step.state("logins", os.environ["GITHUB_RUN_ID"])
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as log:
        log.write(json.dumps({"registry": given["registry"], "username": given["username"]}) + "\n")
    step.say("Login Succeeded!")


if __name__ == "__main__":
    main()
