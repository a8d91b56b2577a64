"""What each workflow may do: the tables that a reviewer reads. A workflow or a job that is not here fails its test."""

from __future__ import annotations

import re

TRIGGERS: dict[str, set[str]] = {
    "gate.yml": {"workflow_call"},
    "build.yml": {"workflow_call"},
    "comment.yml": {"workflow_call"},
    "deploy.yml": {"workflow_call"},
    "ci.yml": {"pull_request", "merge_group", "push", "schedule", "workflow_dispatch"},
    "cluster.yml": {"schedule", "workflow_dispatch"},
    "release.yml": {"push", "workflow_dispatch"},
    "scorecard.yml": {"push", "schedule", "workflow_dispatch"},
}
"""Workflow to the events that may start it."""

EXAMPLE_TRIGGERS = {"pull_request", "merge_group", "push", "schedule", "workflow_dispatch", "workflow_run"}

READ = {"contents": "read"}
ASK = {**READ, "actions": "read"}
"""For who asks GitHub which run kept the baseline, and fetches it."""
PERMISSIONS: dict[str, dict[str, dict[str, str]]] = {
    ".github/workflows/gate.yml": {
        **dict.fromkeys(("plan", "build", "accuracy", "image-accuracy", "latency"), READ),
        "verdict": ASK,
    },
    ".github/workflows/build.yml": {
        "image": {**READ, "packages": "write"},  # pushes under a quarantine tag
        "gate": ASK,
        "statement": {**READ, "packages": "read"},  # asks the registry what the image consists of
        "attest": {"packages": "write", "id-token": "write", "attestations": "write"},  # signs, runs no other code
        "release": {
            "packages": "write",
            "id-token": "write",
            "attestations": "write",
        },  # moves the tag, runs no other code
    },
    ".github/workflows/deploy.yml": {
        "deploy": {**READ, "packages": "read", "deployments": "write"},  # asks what an image is, shows how it goes
    },
    ".github/workflows/ci.yml": {**dict.fromkeys(("check", "test", "coverage", "real", "action"), READ), "ci": {}},
    ".github/workflows/cluster.yml": {"kind": READ},
    ".github/workflows/release.yml": {
        "build": READ,
        "publish": {"id-token": "write", "attestations": "write"},  # to be trusted by the package index, and to sign
        "announce": {"contents": "write"},  # makes the release and moves v1
    },
    ".github/workflows/comment.yml": {
        "comment": {"actions": "read", "pull-requests": "write"}
    },  # beside hostile data only
}
"""Workflow to job to exactly what its token may do."""

KEYS = {f"mlflow-tracking-{what}" for what in ("uri", "username", "password", "token")}
OUTSIDE_ENVIRONMENTS: set[tuple[str, str, str]] = {
    # Every verdict is logged, a pull request's too, with nobody to approve it; that job runs no line of the change.
    *((".github/workflows/gate.yml", "verdict", key) for key in KEYS),
    # A job that calls a workflow cannot have an environment; it hands the keys to the one above, by name.
    *((".github/workflows/build.yml", "gate", key) for key in KEYS),
    ("workflows-examples/mlflow.yml", "gate", "MLFLOW_TRACKING_USERNAME"),
    ("workflows-examples/mlflow.yml", "gate", "MLFLOW_TRACKING_PASSWORD"),
    # The same: in the called job the environment's own secret of that name takes the place of what is handed over.
    ("workflows-examples/deploy.yml", "deploy", "KUBECONFIG"),
}
"""(file, job, secret) that a job may have without an environment, with the reason beside it."""

ONE_STEP = {(".github/workflows/gate.yml", "verdict", "Judge"), (".github/workflows/deploy.yml", "deploy", "Deploy")}
"""(file, job, step) of the only steps that are given MLflow's keys."""

OWN_MEANING = {
    ("action/promote/action.yml", "packages"),
    ("action/report/action.yml", "github-token"),
    *(
        (f"action/{name}/action.yml", what)
        for name in ("deploy", "rollback", "watch")
        for what in ("packages", "github-token")
    ),
    *((f"action/{name}/action.yml", "image") for name in ("attest", "deploy", "render")),
    ("action/rollback/action.yml", "alias"),
}
"""(action, input) whose default and words are not those of the other actions. Without MLflow nothing is promoted, and
without the Kubernetes API nothing deployed; the tokens of a report and of a deploy write, in jobs that run nothing of a
change; the image of a deploy was tested already.
"""

ASKS_GITHUB = {
    (".github/workflows/gate.yml", "verdict", "Judge"),
    (".github/workflows/comment.yml", "comment", "Fetch the report"),
}
"""(file, job, step) of the only steps that are given the job's token by name."""

CALLED = re.compile(r"org/mlgate/(\.github/workflows/[\w.-]+)@[0-9a-f]{40}")
"""How a consumer calls one of our workflows; the group is its path in this repository."""

GATES = {"gate.yml": "verdict", "ci.yml": "ci"}
"""Workflows that end in one job that judges all others, and its name: it is the required check."""

ONE_AFTER_THE_OTHER = {
    ".github/workflows/build.yml": "releases of one tag must not overlap; the newest replaces one that waits",
    "workflows-examples/deploy.yml": "the same",
    "workflows-examples/gitops.yml": "the newest model is the one to be rendered",
}
"""Files whose runs wait for each other although a newer one replaces the one that waits, and why that is right."""

ACCEPTED: dict[tuple[str, str], str] = {
    ("workflows-examples/fork-comment.yml", "zizmor: ignore[dangerous-triggers]"): (
        "two linters flag every workflow_run; a fork's comment has no other way; a rule forbids its checkout"
    ),
}
"""(file, comment) of each finding that is not mended, and why. Any other comment that silences a linter is a fault."""
