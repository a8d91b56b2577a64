"""`mlgate`: the group of verbs, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from types import FrameType

import click

from mlgate import __version__
from mlgate.core.errors import ConfigError, GateError

VERBS = {
    "check": "Observe the model, judge it, and say so by the exit code.",
    "plan": "Say what a run would do: CI's jobs, and whose rules bind.",
    "build": "Build the model's image with layer caching.",
    "merge": "Join the evidence of shards and judge the whole.",
    "replay": "Judge old evidence by today's rules.",
    "explain": "Show the examples that moved a metric most.",
    "power": "Say how many harmless changes the rules would let through.",
    "attest": "Write the last verdict as a statement that others can verify.",
    "verify": "Verify attestations offline: what a deploy would demand.",
    "deploy": "Bring the model that passed to the cluster, step by step.",
    "render": "Write the manifests of the model that passed, for Argo CD or Flux.",
    "status": "Show the service on the cluster, and what is wrong.",
    "watch": "Say whether what serves still serves as it did.",
    "reconcile": "Go on with a detached rollout; roll back what nobody carries out.",
    "promote": "Make the model that passed the champion, in the registry.",
    "rollback": "Go back to the model before, on the cluster and in the registry.",
    "history": "Show what was live when.",
    "baseline": "Accept the last verdict's model as the baseline.",
    "sync": "Log verdicts that MLflow did not take when they were made.",
    "comment": "Write the verdict into the pull request.",
    "init": "Write a working mlgate.yaml with a data sample.",
    "schema": "Print the JSON Schema of mlgate.yaml, a report or a rollout.",
    "doctor": "Check this machine, the file, the data and the model.",
}
"""Every verb and its one line: `mlgate --help` prints them without importing a single one."""

_FOLDERS = {"attest": "trust", "verify": "trust"}
"""Verbs whose file is in a folder."""

_MEANT = {
    **dict.fromkeys(("run", "test", "gate", "judge", "eval", "evaluate", "start"), "check"),
    **dict.fromkeys(("validate", "lint", "verify-config", "config", "info", "env"), "doctor"),
    **dict.fromkeys(("compare", "diff", "show", "report"), "explain"),
    **dict.fromkeys(("new", "create", "setup"), "init"),
    **dict.fromkeys(("rejudge", "rerun"), "replay"),
    **dict.fromkeys(("release", "rollout"), "deploy"),
    **dict.fromkeys(("accept", "approve"), "baseline"),
}
"""Verbs of other tools."""

_INDENT = len("mlgate: ")

INTERRUPTED = 130
TERMINATED = 143
UNKNOWN = 3


class _UnknownVerb(click.UsageError):
    def __init__(self, verb: str) -> None:
        super().__init__(f"there is no verb {verb[:40]!r}")
        self.hint = _meant(verb)


def _meant(verb: str) -> str:
    if verb in ("help", "version"):
        return f"run `mlgate --{verb}`"
    from difflib import get_close_matches  # nobody else needs it

    near = get_close_matches(verb.lower()[:40], VERBS, n=1)
    meant = _MEANT.get(verb.lower()) or (near[0] if near else "")
    return f"run `mlgate {meant}`: {VERBS[meant][:1].lower()}{VERBS[meant][1:]}" if meant else "see `mlgate --help`"


class Verbs(click.Group):
    """Loads a verb's file when the verb is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs in the order in which a project meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        place = f"{_FOLDERS[cmd_name]}.{cmd_name}" if cmd_name in _FOLDERS else cmd_name
        command: click.Command = import_module(f"mlgate.cli.{place}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one is meant."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise _UnknownVerb(args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mlgate")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def group(context: click.Context, *, debug: bool) -> None:
    """Gate a model: the same mlgate.yaml and the same verdict at a desk, in CI and at the deploy.

    Exit codes: 0 passed or warned, 1 the model is worse, 2 usage or configuration, 3 not known,
    4 rolled back, 5 refused.
    """
    context.obj = debug


class _TerminatedError(BaseException):
    """SIGTERM or SIGHUP came: unwind like Ctrl-C does, so that children end and rows are kept."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run mlgate and exit: by a documented code, or as signals end a process (130, 143). Never by Python's own 1."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    code = invoke(arguments, debug=debug)
    _flush()
    sys.exit(code)


def invoke(arguments: Sequence[str] | None = None, *, debug: bool = False) -> int:
    """Run one command line and return its exit code; errors are told on stderr."""
    try:
        code = group.main(args=arguments, prog_name="mlgate", standalone_mode=False)
    except GateError as error:
        hidden = _secret_remover(arguments)
        error.pass_through(hidden)
        _tell(error)
        _tell_github(error)
        return _exit_with_traceback(error.exit_code, hidden, debug=debug)
    except click.ClickException as error:
        _say(error.format_message(), hint=_next(error))
        _tell_github(ConfigError(error.format_message(), hint=_next(error)))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted: what was observed is kept", hint=f"go on with `{_resumed(arguments)}`")
        return INTERRUPTED
    except _TerminatedError:
        _say("terminated: what was observed is kept", hint=f"go on with `{_resumed(arguments)}`")
        return TERMINATED
    except Exception as error:  # noqa: BLE001 - the border: Python's own exit code 1 would say "the model is worse"
        hidden = _secret_remover(arguments)
        said = hidden(f"unexpected {type(error).__name__}: {error}")
        _say(said, hint="this is a bug: `mlgate --debug …` shows where")
        _tell_github(GateError(said, hint="this is a bug of mlgate's"))
        return _exit_with_traceback(UNKNOWN, hidden, debug=debug)
    return code if isinstance(code, int) else 0


def _next(error: click.ClickException) -> str:
    """Return the next step of an error of usage: the verb that is meant, or the help of the verb that was called."""
    if isinstance(error, _UnknownVerb):
        return error.hint
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"see `{context.command_path if context else 'mlgate'} --help`"


def _resumed(arguments: Sequence[str] | None) -> str:
    """Return the command that goes on: the same one, of the same file and folder."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "check" not in given:
        return "mlgate check --resume"
    return shlex.join(["mlgate", *(one for one in given if one != "--resume"), "--resume"])


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _TerminatedError(number, frame)


def _exit_with_traceback(code: int, hidden: Callable[[str], str], *, debug: bool) -> int:
    if debug:
        click.echo(hidden(traceback.format_exc()), err=True)
    return code


def _secret_remover(arguments: Sequence[str] | None) -> Callable[[str], str]:
    """Return what takes the secrets out of an error: those that the file of a command line names.

    Where no file was read yet, there are none in it; and reading takes time in which an older verdict would stand.
    """
    if "mlgate.config.load" not in sys.modules:
        return str
    from mlgate.cli.judging import place_of
    from mlgate.wiring.error_redaction import secrets_at

    return secrets_at(place_of(sys.argv[1:] if arguments is None else arguments)).text


def _tell(error: GateError) -> None:
    others = error.more if isinstance(error, ConfigError) else ()
    for one in (error, *others):
        _say(f"{one.where}: {one.message}" if one.where else one.message, hint=one.hint)


def _tell_github(error: GateError) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from mlgate.commands.publish import tell_error

        tell_error(error, sys.stdout)


def _say(text: str, *, hint: str = "") -> None:
    """Tell a person. Folded on a terminal only: what reads a file's or a log's lines looks for whole ones."""
    from mlgate.reports.content.escape import terminal
    from mlgate.reports.content.text_width import hang, wrap

    lines = [f"mlgate: {terminal(text, 2000)}"] + ([f"  next: {terminal(hint, 2000)}"] if hint else [])
    if sys.stderr.isatty():
        room = min(100, shutil.get_terminal_size((80, 24)).columns) - _INDENT
        heads = ("mlgate: ", "  next: ")
        lines = [
            one
            for head, line in zip(heads, lines, strict=False)
            for one in hang(head, wrap(line[_INDENT:], room), _INDENT)
        ]
    try:
        click.echo("\n".join(lines), err=True)
    except OSError:
        _silence(sys.stderr)


def _flush() -> None:
    """Flush what is printed; a closed pipe or a full disk behind stdout must not change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _silence(stream)


def _silence(stream: object) -> None:
    """Send what is still buffered nowhere, so that Python's own exit does not stumble over it."""
    fileno = getattr(stream, "fileno", None)
    if fileno is None:
        return
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, fileno())
        os.close(null)
    except (OSError, ValueError):
        pass
