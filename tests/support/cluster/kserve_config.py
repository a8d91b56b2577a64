"""KServe's own configuration, as its release has it, with what differs in the tests' cluster.

`kserve_config.py settings FOLDER`: the ConfigMap, with the Gateway API and with Standard as the default mode.
`kserve_config.py webhooks FOLDER CERTIFICATE`: the webhooks, at an address of this machine instead of a Service.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import yaml

WEBHOOKS = "https://127.0.0.1:19443"
"""Where `.ci/cluster` lets KServe's controller listen."""


def settings(folder: Path) -> list[Any]:
    found = yaml.safe_load((folder / "inferenceservice.yaml").read_text())
    ingress = json.loads(found["data"]["ingress"]) | {"enableGatewayApi": True, "disableIstioVirtualHost": True}
    found["metadata"]["namespace"] = "kserve"
    found["data"]["ingress"] = json.dumps(ingress)
    found["data"]["deploy"] = json.dumps({"defaultDeploymentMode": "Standard"})
    found["data"].pop("_example", None)
    return [found]


def webhooks(folder: Path, certificate: Path) -> list[Any]:
    ca = base64.b64encode(certificate.read_bytes()).decode()
    found = [one for one in yaml.safe_load_all((folder / "webhooks.yaml").read_text()) if one]
    for configuration in found:
        configuration["metadata"].pop("creationTimestamp", None)
        for hook in configuration["webhooks"]:
            path = hook["clientConfig"]["service"]["path"]
            hook["clientConfig"] = {"url": f"{WEBHOOKS}{path}", "caBundle": ca}
    return found


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    documents = settings(Path(paths[0])) if what == "settings" else webhooks(Path(paths[0]), Path(paths[1]))
    sys.stdout.write(yaml.safe_dump_all(documents))
