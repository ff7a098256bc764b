"""`kilde`: arguments → a command; errors → words and an exit code.

0 done; 1 found something (a difference, a failed check); 2 used wrongly; 3 could not; 130 interrupted.
"""

import os
import sys
from collections.abc import Sequence

import click

from kilde import __version__
from kilde.cli.commands import COMMANDS
from kilde.cli.failures import tell_crash, tell_error
from kilde.cli.lazy import LazyGroup
from kilde.core.basics.errors import KildeError

COULD_NOT = 3
INTERRUPTED = 130


@click.group(
    cls=LazyGroup,
    modules=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: kilde init config-repo && kilde up --data-dir state",
)
@click.version_option(__version__, prog_name="kilde", message="%(prog)s %(version)s")
@click.pass_context
def kilde(context: click.Context) -> None:
    """Makes a Kubernetes cluster the mirror of a branch in a Git repository, keeps it so, and can prove it."""
    if os.environ.get("NO_COLOR"):
        context.color = False  # https://no-color.org


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; gives its exit code. What went wrong is on standard error."""
    try:
        result = kilde.main(args=list(arguments), prog_name="kilde", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code if isinstance(error, click.UsageError) else COULD_NOT
    except KildeError as error:
        tell_error(error)
        return COULD_NOT
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries to flush it once more
        return 0  # whoever read has seen enough; click says so too when it meets it first
    except Exception as error:  # noqa: BLE001  # the last place where a person can be told
        tell_crash(error, arguments)
        return COULD_NOT


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))
