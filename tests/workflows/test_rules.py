"""Each rule of ours, held against a text that breaks it and one that does not."""

from __future__ import annotations

import pytest
from tests.workflows import rules_promise, rules_scripts, rules_shape, rules_trust
from tests.workflows.files import Document, parse

SHA = "3d3c42e5aac5ba805825da76410c181273ba90b1"
CHECKOUT = f"uses: actions/checkout@{SHA} # v7.0.1"
HEAD = "name: x\non: {on}\npermissions: {{}}\ndefaults: {{run: {{shell: bash}}}}\n"


def job(*steps: str, on: str = "push", head: str = "", **keys: str) -> Document:
    """A workflow of one job with these steps and keys; *head* is put above the jobs."""
    given = {"runs-on": "ubuntu-24.04", "timeout-minutes": "5", "permissions": "{}", **keys}
    lines = [f"    {key}: {value}" for key, value in given.items() if value]
    lines += ["    steps:", *("      - " + step.replace("\n", "\n        ") for step in steps)]
    return workflow("\n".join(["  one:", *lines, ""]), on=on, head=head)


def workflow(jobs: str, *, on: str = "push", head: str = "", path: str = ".github/workflows/ci.yml") -> Document:
    return parse(path, HEAD.format(on=on) + head + "jobs:\n" + jobs)


def action(steps: str, inputs: str = "{}", path: str = "action/x/action.yml") -> Document:
    return parse(path, f"name: x\ndescription: x\ninputs: {inputs}\nruns:\n  using: composite\n  steps:\n{steps}")


def two(verdict: str, other: str = "    runs-on: x\n") -> Document:
    return workflow(f"  one:\n{other}  two:\n    runs-on: x\n  verdict:\n{verdict}", path=".github/workflows/gate.yml")


JUDGE = "    needs: [one, two]\n    if: ${{ always() }}\n    steps: [{run: x, env: {N: '${{ toJSON(needs) }}'}}]\n"
WRITE_WHEELS = "with: {path: x/wheels, key: '${{ steps.packages.outputs.key }}'}"
ON_MAIN = "if: ${{ github.event_name == 'push' && github.ref == 'refs/heads/main' }}"
ATTEST = f"uses: actions/attest@{SHA}\nwith: {{subject-digest: '${{{{ inputs.digest }}}}'}}"
LOOK = "run: '[[ \"$D\" =~ ^sha256:[0-9a-f]{64}$ ]]'\nenv: {D: '${{ inputs.digest }}'}"
UPLOAD = f"uses: actions/upload-artifact@{SHA}\n"
CANCEL = "concurrency:\n  group: {group}\n  cancel-in-progress: {cancel}\n"
PULLS = "${{ github.event_name == 'pull_request' }}"

BROKEN = [
    (rules_trust.images_come_in_without_names, job("run: docker load --input a.tar"), "`docker load`"),
    (rules_trust.images_come_in_without_names, job("run: gunzip -c a | docker image load"), "`docker image load`"),
    (rules_scripts.commands_carry_no_expressions, job("run: echo ${{ github.head_ref }}"), "pass it by env"),
    (rules_scripts.of_document, job('run: cat out.txt >> "$GITHUB_OUTPUT"'), "`cat`"),
    (rules_scripts.of_document, job('run: jq -r .x a.json | tee -a "$GITHUB_ENV"'), "writes ENV"),
    (rules_scripts.of_document, job('run: |\n  x=$(head -1 a)\n  echo "x=$x" >> "$GITHUB_OUTPUT"'), "`head`"),
    (rules_scripts.of_document, job('run: echo "x=$(<a)" >> $GITHUB_OUTPUT'), "`$(<`"),
    (rules_scripts.of_document, job("run: pip install mlgate"), "without --require-hashes"),
    (rules_scripts.of_document, job("run: python -m pip install --upgrade \\\n    pip"), "without --require-hashes"),
    (rules_scripts.of_document, job("run: uv pip install -r a.txt"), "without --require-hashes"),
    (rules_scripts.of_document, job("run: npx cowsay"), "without a version"),
    (rules_scripts.of_document, job("run: go install example.com/x@latest"), "without a version"),
    (rules_scripts.of_document, job("run: curl -sSf https://x | sh"), "what the network says"),
    (rules_scripts.of_document, job("run: curl https://x | sudo bash -s"), "what the network says"),
    (rules_scripts.of_document, job("run: bash <(curl https://x)"), "what the network says"),
    (rules_scripts.of_document, job('run: sh -c "$(curl https://x)"'), "what the network says"),
    (rules_scripts.of_document, job("run: mlgate deploy"), "without exec"),
    (rules_scripts.of_document, job("run: |\n  mlgate doctor\n  mlgate deploy --now"), "without exec"),
    (rules_scripts.of_document, job("run: echo $INPUT_CONFIG"), "INPUT_CONFIG"),
    (rules_scripts.of_document, job("run: x # shellcheck disable=SC2086"), "shellcheck disable"),
    (rules_scripts.of_document, job(f"{CHECKOUT} # zizmor: ignore[artipacked]"), "zizmor: ignore"),
    (rules_scripts.of_document, job(ATTEST), "no step before it"),
    (rules_scripts.of_document, job(ATTEST, LOOK), "no step before it"),
    (rules_scripts.of_document, job(LOOK.replace("digest }}", "other }}"), ATTEST), "no step before it"),
    (rules_scripts.of_document, job(LOOK, f"uses: actions/attest@{SHA}\nwith: {{subject-name: x}}"), "an empty digest"),
    (
        rules_scripts.of_document,
        job(f"uses: actions/attest@{SHA}\nwith: {{subject-path: '${{{{ inputs.p }}}}'}}"),
        "empty",
    ),
    (rules_trust.every_use_is_pinned, job("uses: actions/checkout@v4"), "not pinned"),
    (rules_trust.every_use_is_pinned, job("uses: docker://alpine"), "not pinned"),
    (rules_trust.every_use_is_pinned, job(f"uses: actions/checkout@{SHA}"), "# vX.Y.Z"),
    (rules_trust.every_use_is_pinned, job(f"uses: actions/checkout@{SHA} # v7"), "# vX.Y.Z"),
    (rules_trust.every_use_is_pinned, workflow("  a: {uses: org/x/.github/workflows/a.yml@main}\n"), "not pinned"),
    (rules_trust.every_use_is_pinned, action("    - uses: ./action/y\n"), "write $/"),
    (rules_trust.triggers_are_known, job("run: x", on="issue_comment"), "issue_comment"),
    (rules_trust.triggers_are_known, job("run: x", on="pull_request_target"), "stranger's tree"),
    (rules_trust.triggers_are_known, job("run: x", on="[workflow_run]"), "workflow_run"),
    (rules_trust.triggers_are_known, job(CHECKOUT, on="[workflow_run]"), "a checkout after workflow_run"),
    (
        rules_trust.a_required_check_always_reports,
        job("run: x", on="{pull_request: {paths: [a]}, merge_group: }"),
        "paths",
    ),
    (rules_trust.a_required_check_always_reports, job("run: x", on="pull_request"), "merge queue"),
    (
        rules_trust.permissions_are_the_least,
        parse("a.yml", "on: push\njobs: {one: {permissions: {}}}"),
        "missing at the top",
    ),
    (rules_trust.permissions_are_the_least, workflow("  new: {permissions: {}}\n", path="new.yml"), "not in the table"),
    (
        rules_trust.secrets_stay_in_environments,
        job("run: x\nenv: {K: '${{ secrets.KEY }}'}"),
        "KEY outside an environment",
    ),
    (rules_trust.secrets_stay_in_environments, job("run: x", head="env: {K: '${{ secrets.KEY }}'}\n"), "for every job"),
    (rules_trust.secrets_stay_in_environments, workflow("  a: {uses: x, secrets: inherit}\n"), "inherit"),
    (rules_trust.secrets_stay_in_environments, job("run: x\nenv: {K: '${{ toJSON(secrets) }}'}"), "as a whole"),
    (rules_trust.checkouts_keep_no_token, job(CHECKOUT), "persist-credentials"),
    (
        rules_trust.checkouts_keep_no_token,
        job(f"{CHECKOUT}\nwith: {{persist-credentials: true}}"),
        "persist-credentials",
    ),
    (
        rules_trust.caches_are_not_written_by_pull_requests,
        job(f"uses: actions/cache@{SHA}\nwith: {{path: a, key: b}}"),
        "too",
    ),
    (
        rules_trust.caches_are_not_written_by_pull_requests,
        job(f"uses: actions/cache/save@{SHA}\nif: ${{{{ always() }}}}"),
        "too",
    ),
    (
        rules_trust.caches_are_not_written_by_pull_requests,
        job(f"uses: actions/cache/save@{SHA}\n{ON_MAIN.replace('&&', '||')}"),
        "actions/cache/save on pull requests",
    ),
    (rules_trust.caches_are_not_written_by_pull_requests, job("uses: x\nwith: {cache-to: 'type=gha'}"), "cache-to"),
    (rules_trust.caches_are_not_written_by_pull_requests, job("uses: x\nwith: {write-cache: true}"), "write-cache"),
    (rules_trust.caches_are_not_written_by_pull_requests, job("run: mlgate build --write-cache"), "--write-cache"),
    (
        rules_trust.caches_are_not_written_by_pull_requests,
        job("uses: actions/setup-python@x\nwith: {cache: pip}"),
        "cache on pull requests",
    ),
    (
        rules_shape.success_is_asked_for_by_name,
        job("run: x", **{"if": "always() && needs.a.result != 'failure'"}),
        "not success",
    ),
    (rules_shape.success_is_asked_for_by_name, job("run: x\nif: steps.a.outcome != 'skipped'"), "not success"),
    (rules_shape.success_is_asked_for_by_name, job("run: x\nif: contains(needs.*.result, 'failure')"), "not success"),
    (rules_shape.success_is_asked_for_by_name, job("run: x\nif: |\n  ${{ false }}\n"), "text is true"),
    (rules_shape.success_is_asked_for_by_name, action("    - {run: x, if: '${{ inputs.flag }}'}\n"), "'false' is true"),
    (
        rules_shape.only_a_judge_runs_after_a_failure,
        two("    {runs-on: x}\n", "    if: always()\n"),
        "does not need two",
    ),
    (
        rules_shape.only_a_judge_runs_after_a_failure,
        two("    {runs-on: x}\n", "    if: '!cancelled() || failure()'\n"),
        "need",
    ),
    (rules_shape.the_verdict_needs_every_job, job("run: x"), "no job `ci`"),
    (rules_shape.the_verdict_needs_every_job, two(JUDGE.replace("[one, two]", "one")), "does not need two"),
    (rules_shape.the_verdict_needs_every_job, two(JUDGE.replace("always()", "!cancelled()")), "not always()"),
    (rules_shape.the_verdict_needs_every_job, two(JUDGE.replace("    if: ${{ always() }}\n", "")), "not always()"),
    (rules_shape.the_verdict_needs_every_job, two(JUDGE.replace("toJSON(needs)", "needs.one.result")), "result of two"),
    (rules_shape.the_verdict_needs_every_job, two("    name: result\n" + JUDGE), "branch protection"),
    (rules_shape.jobs_end, job("run: x", **{"timeout-minutes": ""}), "no timeout-minutes"),
    (rules_shape.shards_do_not_stop_each_other, job("run: x", strategy="{matrix: {k: [1, 2]}}"), "fail-fast"),
    (
        rules_shape.only_pull_requests_are_cancelled,
        job("run: x", on="[push, pull_request]", head=CANCEL.format(group="${{ github.sha }}", cancel="true")),
        "more than pull requests",
    ),
    (
        rules_shape.only_pull_requests_are_cancelled,
        job("run: x", on="push", head=CANCEL.format(group="${{ github.ref }}", cancel="false")),
        "the one that waits",
    ),
    (
        rules_shape.only_pull_requests_are_cancelled,
        job("run: x", on="workflow_call", head=CANCEL.format(group="${{ github.sha }}", cancel="false")),
        "cancels its caller",
    ),
    (
        rules_shape.only_pull_requests_are_cancelled,
        job("run: x", concurrency="{group: a, cancel-in-progress: true}"),
        "more",
    ),
    (
        rules_shape.commands_run_in_bash,
        parse("a.yml", "on: push\njobs: {one: {steps: [{run: x | y}]}}"),
        "no shell: bash",
    ),
    (rules_shape.commands_run_in_bash, job("run: x | y\nshell: sh"), "no shell: bash"),
    (rules_shape.commands_run_in_bash, action("    - {run: x}\n"), "no shell: bash"),
    (rules_shape.artifacts_have_their_files, job(f"{UPLOAD}with: {{path: a}}"), "if-no-files-found"),
    (
        rules_shape.artifacts_have_their_files,
        job(f"{UPLOAD}with: {{path: .mlgate, if-no-files-found: error}}"),
        "hidden",
    ),
    (
        rules_shape.artifacts_have_their_files,
        job(f"{UPLOAD}with: {{path: a/.b/c, if-no-files-found: error}}"),
        "hidden",
    ),
    (rules_shape.names_are_kebab_case_and_explained, action("    []\n", "{failOn: {description: x}}"), "kebab-case"),
    (rules_shape.names_are_kebab_case_and_explained, action("    []\n", "{a: {required: true}}"), "no description"),
    (
        rules_shape.names_are_kebab_case_and_explained,
        job("run: x", on="{workflow_call: {inputs: {a: {description: x}}, outputs: {b_c: {description: x}}}}"),
        "output b_c is not kebab-case",
    ),
    (rules_promise.inputs_are_used, action("    - {run: x}\n", "{a: {}}"), "never read"),
    (rules_promise.inputs_are_used, action("    - {run: x, env: {A: '${{ inputs.b }}'}}\n"), "does not exist"),
    (
        rules_promise.inputs_reach_one_variable,
        action("    - {run: x, env: {A: '${{ inputs.a }}'}}\n", "{a: {}}"),
        "becomes A",
    ),
    (rules_promise.inputs_reach_one_variable, action("    - {run: x}\n", "{a: {}}"), "no variable"),
]
HELD = [
    (rules_scripts.of_document, job('run: echo "seconds=$SECONDS" >> "$GITHUB_OUTPUT"')),
    (
        rules_scripts.of_document,
        job("run: pip install --require-hashes -r a.txt && pip install --no-deps --no-index ."),
    ),
    (rules_scripts.of_document, job("run: exec mlgate deploy")),
    (rules_scripts.of_document, job("run: curl -o a.json https://x; npm ci; go install example.com/x@v1.2.3")),
    (rules_scripts.of_document, job(LOOK, ATTEST)),
    (rules_scripts.of_document, job(f"uses: actions/attest@{SHA}\nwith: {{subject-path: dist/*}}")),
    (rules_trust.every_use_is_pinned, job(CHECKOUT, "uses: $/action/gate", "uses: ./")),
    (rules_trust.triggers_are_known, job("run: x", on="[push, pull_request, merge_group]")),
    (rules_trust.a_required_check_always_reports, job("run: x", on="[pull_request, merge_group]")),
    (rules_trust.secrets_stay_in_environments, job("run: x\nenv: {K: '${{ secrets.KEY }}'}", environment="production")),
    (rules_trust.secrets_stay_in_environments, job("run: x\nenv: {K: '${{ secrets.GITHUB_TOKEN }}'}")),
    (rules_trust.checkouts_keep_no_token, job(f"{CHECKOUT}\nwith: {{persist-credentials: false}}")),
    (rules_trust.caches_are_not_written_by_pull_requests, job(f"uses: actions/cache@{SHA}\n{WRITE_WHEELS}")),
    (rules_trust.caches_are_not_written_by_pull_requests, job(f"uses: actions/cache/save@{SHA}\n{ON_MAIN}")),
    (rules_trust.caches_are_not_written_by_pull_requests, job(f"uses: actions/cache/restore@{SHA}")),
    (rules_shape.success_is_asked_for_by_name, job("run: x\nif: always() && steps.a.outcome == 'success'")),
    (rules_shape.success_is_asked_for_by_name, action("    - {run: x, if: \"${{ inputs.flag == 'true' }}\"}\n")),
    (rules_shape.only_a_judge_runs_after_a_failure, two(JUDGE)),
    (rules_shape.the_verdict_needs_every_job, two(JUDGE)),
    (
        rules_shape.the_verdict_needs_every_job,
        two(JUDGE.replace("toJSON(needs)", "needs.one.result }}${{ needs.two.result")),
    ),
    (rules_shape.commands_run_in_bash, job("run: x || y\nshell: sh")),
    (
        rules_shape.only_pull_requests_are_cancelled,
        job("run: x", on="{push: {tags: [v*]}}", head=CANCEL.format(group="${{ github.ref }}", cancel="false")),
    ),
    (
        rules_shape.only_pull_requests_are_cancelled,
        job(
            "run: x",
            on="[workflow_call]",
            head=CANCEL.format(group="mlgate-${{ github.event.number || github.run_id }}", cancel=PULLS),
        ),
    ),
    (rules_shape.artifacts_have_their_files, job(f"{UPLOAD}with: {{path: ./a, if-no-files-found: error}}")),
    (
        rules_shape.artifacts_have_their_files,
        job(f"{UPLOAD}with: {{path: .mlgate, if-no-files-found: error, include-hidden-files: true}}"),
    ),
    (
        rules_promise.inputs_reach_one_variable,
        action("    - {run: x, env: {MLGATE_A: '${{ inputs.a }}'}}\n", "{a: {}}"),
    ),
]


@pytest.mark.parametrize(("rule", "document", "says"), BROKEN, ids=[f"{r.__name__}-{s}" for r, _, s in BROKEN])
def test_a_rule_sees_what_breaks_it(rule: rules_trust.Rule, document: Document, says: str) -> None:
    faults = "\n".join(rule(document))
    assert says in faults, faults


@pytest.mark.parametrize(("rule", "document"), HELD, ids=[r.__name__ for r, _ in HELD])
def test_a_rule_lets_the_right_thing_pass(rule: rules_trust.Rule, document: Document) -> None:
    assert list(rule(document)) == []


TABLE = {".github/workflows/ci.yml": {"one": {"contents": "read"}, "two": {"contents": "write"}}}


@pytest.mark.parametrize(("asked", "right"), [("{contents: read}", True), ("{contents: write}", False), ("{}", False)])
def test_a_job_may_do_what_the_table_says_and_nothing_else(asked: str, right: bool) -> None:
    assert (list(rules_trust.permissions_are_the_least(job("run: x", permissions=asked), TABLE)) == []) is right


@pytest.mark.parametrize(
    ("granted", "right"), [("{contents: write}", True), ("{contents: read}", False), ("{}", False)]
)
def test_an_example_grants_what_its_callee_needs(granted: str, right: bool) -> None:
    call = f"  a:\n    uses: org/mlgate/.github/workflows/ci.yml@{SHA}\n    permissions: {granted}\n"
    example = workflow(call, path="workflows-examples/a.yml")
    assert (list(rules_trust.permissions_are_the_least(example, TABLE)) == []) is right


GATE = "    - {run: exec start.py run check, env: {MLGATE_CONFIG: '${{ inputs.config }}', MLGATE_PYTHON: x}}\n"


@pytest.mark.parametrize(
    ("known", "start", "says"),
    [
        ({"MLGATE_CONFIG"}, "MLGATE_PYTHON", ""),
        (set(), "MLGATE_PYTHON", "MLGATE_CONFIG"),
        ({"MLGATE_CONFIG"}, "MLGATE_PYTHONS", "MLGATE_PYTHON"),
    ],
)
def test_a_variable_that_nothing_reads_is_seen(known: set[str], start: str, says: str) -> None:
    faults = "\n".join(rules_promise.variables_are_read(action(GATE), {"check": known}, start))
    assert (says in faults) if says else not faults


def test_the_root_may_differ_from_the_gate_only_in_its_path() -> None:
    root = '    - {run: python "$GITHUB_ACTION_PATH/action/start.py"}\n'
    gate = '    - {run: python "$GITHUB_ACTION_PATH/../start.py"}\n'
    same = rules_promise.the_root_is_the_gate
    assert list(same(action(root), action(gate))) == []
    assert list(same(action(root), action(gate.replace("python", "python3"))))
    assert list(same(action(root, "{a: {default: b}}"), action(gate, "{a: {default: c}}")))


EXAMPLE = f"""\
# What it is for.
on: push
jobs:
  gate:
    uses: org/mlgate/.github/workflows/gate.yml@{SHA}
    with: {{config: a}}
  after:
    needs: gate
    steps: [{{run: x, env: {{V: "${{{{ needs.gate.outputs.verdict }}}}"}}}}]
"""
CALLEE = (
    "{workflow_call: {inputs: {config: {required: true, type: string, description: x}},"
    " outputs: {verdict: {description: x}}}}"
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (EXAMPLE, ""),
        (EXAMPLE.replace("config: a", "confg: a, config: b"), "no input confg"),
        (EXAMPLE.replace("config: a", ""), "requires config"),
        (EXAMPLE.replace("config: a}", "config: a}\n    secrets: {keys: a}"), "no secret keys"),
        (EXAMPLE.replace("outputs.verdict", "outputs.result"), "no output result"),
        (EXAMPLE.replace("gate.yml", "gates.yml"), "there is no"),
        (EXAMPLE.replace("# What it is for.\n", ""), "in a comment"),
        (EXAMPLE + "# more\n" * 40, "longer"),
    ],
)
def test_an_example_is_held_against_what_it_calls(text: str, says: str) -> None:
    gate = workflow("  one: {}\n", on=CALLEE, path=".github/workflows/gate.yml")
    example = parse("workflows-examples/a.yml", text)
    faults = "\n".join(rules_promise.examples_name_what_exists(example, rules_promise.by_path([gate])))
    assert (says in faults) if says else not faults


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('call(p, "install", "x")', True),
        ('run([p, "-m", "pip", "install", "x"])', False),
        ('run([p, "install", "--require-hashes", "-r", lock])', True),
    ],
)
def test_a_list_of_arguments_that_installs_has_hashes(text: str, right: bool) -> None:
    assert (list(rules_scripts.python_installs_are_locked("a.py", text)) == []) is right
