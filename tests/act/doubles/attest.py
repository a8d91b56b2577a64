"""actions/attest: keep what would have been signed, and refuse what the real one would take from elsewhere."""

from __future__ import annotations

import json
import os
import re

from tests.act.doubles import step


def main() -> None:
    given = step.inputs()
    digest = given["subject-digest"]
    if not digest and not given["subject-path"] and not given["subject-checksums"]:
        step.fail("no subject: the real action would now attest whatever $GITHUB_ARTIFACTS_LIST names")
    if digest and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        step.fail(f"subject-digest must be in the format sha256:<hex-digest>, not {digest}")
    if digest and not given["subject-name"]:
        step.fail("subject-name must be specified when subject-digest is used")
    folder = step.state("attestations", os.environ["GITHUB_RUN_ID"])
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / f"{len(list(folder.iterdir()))}.json"
    bundle.write_text(json.dumps({k: v for k, v in given.items() if k != "github-token"}))
    step.output(
        bundle_path=str(bundle),
        attestation_id=bundle.stem,
        attestation_url="https://github.com/acme/model/attestations/1",
    )


if __name__ == "__main__":
    main()
