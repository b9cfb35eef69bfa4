"""Group: the list of verbs, and how a mistake ends: a sentence, a next step, an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

import click

#: every verb and its one line of help; `nbflow --help` shows these without importing any
VERBS: dict[str, str] = {
    "run": "Run a notebook as a flow.",
    "check": "Say what in a notebook would not run as a flow.",
    "graph": "Show the steps of a notebook and what flows between them.",
    "export": "Write the Python package that a notebook compiles to.",
    "runs": "List runs, newest first.",
    "show": "Show a run, a step, a task or an artifact.",
    "logs": "Print what a task printed.",
    "get": "Get an artifact: as a file, or as plain text or JSON.",
    "diff": "Compare runs.",
    "resume": "Go on from what a run has finished.",
    "drive": "Go on with a run whose driver has died.",
    "cancel": "Stop a run that is going on.",
    "deploy": "Have a cluster run a notebook by a schedule.",
    "deployments": "List what is deployed, and how it stands.",
    "start": "Run a deployed flow once, now.",
    "undeploy": "Take a deployed flow out of its cluster.",
    "tag": "Add tags to a run, or take them away.",
    "report": "Execute a run's notebook with its results, as .ipynb and HTML.",
    "checkout": "Write the notebook as it was for a run.",
    "gc": "Delete old runs and free what no kept run reaches.",
    "init": "Propose tags for an untagged notebook.",
    "verify": "Check that the flow computes what the notebook computes.",
    "doctor": "Check that everything nbflow needs works here.",
    "demo": "Run the example notebook and look at what came out.",
    "step": "Run one task of a run (what engines call).",
}

SUCCEEDED, FAILED, USAGE, OURS, INTERRUPTED = 0, 1, 2, 70, 130


class Verbs(click.Group):
    """A group that knows its verbs by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"nbflow.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS:
            raise click.UsageError(_unknown(args[0]), ctx)
        return super().resolve_command(ctx, args)


@click.command(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Each command has its own --help. Errors show a traceback only with --debug.",
)
@click.version_option(package_name="nbflow", message="nbflow %(version)s")
@click.pass_context
def nbflow(ctx: click.Context) -> None:
    """The notebook is the program: tagged cells become a flow that runs, is kept and looked at."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def call(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit status; what went wrong is said on stderr."""
    words = [word for word in arguments if word != "--debug"]
    debug = len(words) < len(arguments)
    try:
        # the words themselves are there for a verb that starts another process
        status = nbflow.main(words, "nbflow", standalone_mode=False, obj=words)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # whoever read our output (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SUCCEEDED
    except Exception as error:
        if debug:
            raise
        return explain(error, words)
    return status if isinstance(status, int) else SUCCEEDED


def explain(error: Exception, words: Sequence[str] = ()) -> int:
    """Say an error as sentences on stderr; returns the exit status."""
    diagnostics = getattr(error, "diagnostics", None)
    if diagnostics is not None:  # a UserError, or the compiler's NotebookError
        from nbflow.cli.say import say_diagnostics

        say_diagnostics(diagnostics)
        return USAGE
    if isinstance(error, click.ClickException):
        _say_usage(error, words)
        return USAGE
    if isinstance(error, OSError) and error.filename:
        click.echo(f"error: {error.strerror}: {error.filename}", err=True)
        return USAGE
    click.echo(
        f"error: nbflow itself failed: {type(error).__name__}: {error}\n"
        "Run the same command with --debug to see where, and please report it.",
        err=True,
    )
    return OURS


def _say_usage(error: click.ClickException, words: Sequence[str]) -> None:
    from nbflow.cli.values import apart, joined

    word = joined(words)
    click.echo(f"error: {error.format_message() if word is None else apart(word)}", err=True)
    verb = f" {words[0]}" if words and words[0] in VERBS else ""
    click.echo(f"`nbflow{verb} --help` shows how it is used.", err=True)


def _unknown(word: str) -> str:
    if word.startswith("-"):
        return f"No such option: {word}"
    close = get_close_matches(word, VERBS, 1)
    if close:
        return f"There is no command {word!r}. Did you mean {close[0]!r}?"
    if word.endswith((".ipynb", ".py")):
        return f"There is no command {word!r}. Did you mean `nbflow run {word}`?"
    return f"There is no command {word!r}."
