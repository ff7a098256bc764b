"""`kilde seal`: what kubeseal does, flag by flag; `kilde seal controller` opens what was sealed."""

import os
import sys
from collections.abc import Sequence

import click

from kilde import __version__
from kilde.cli.printable import printable
from kilde.core.basics.errors import KildeError

_WRONG_FLAG = 2


class AsItStands(click.Command):
    """A command that gets its arguments as they were typed; kubeseal's parser is not click's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.params = {"arguments": tuple(args)}
        return []


@click.command(
    cls=AsItStands,
    add_help_option=False,
    short_help="Seal Secrets as kubeseal does; open them in a cluster.",
    epilog="Example: kilde seal -o yaml < secret.yaml > sealed.yaml",
)
def command(*, arguments: tuple[str, ...]) -> None:
    """Seals Secrets as kubeseal does."""
    if arguments[:1] == ("controller",):
        from kilde.cli.sealing.controller import serve

        serve(arguments[1:])
        return
    seal(arguments, program="kilde seal")


def seal(arguments: Sequence[str], *, program: str) -> None:
    """One run; ends with kubeseal's exit codes: 0, 1 for an error, 2 for a wrong flag."""
    from kilde.cli.sealing import actions, flags
    from kilde.cli.sealing.table import TABLE

    try:
        values = flags.parse(TABLE, arguments, os.environ)
    except flags.WrongFlag as error:
        click.echo(f"{error}\n{flags.usage(TABLE)}", nl=False)
        click.echo(f"Usage of {program}:", err=True)
        raise click.exceptions.Exit(_WRONG_FLAG) from None
    if values.is_set("help"):
        click.echo(f"Usage of {program}:\n{flags.usage(TABLE)}", nl=False)
        click.echo(f"\nThe controller that opens: {program} controller --help" if program == "kilde seal" else "")
        return
    if values.is_set("version"):
        click.echo(f"kubeseal version: kilde {__version__}")
        return
    if not values.text("secret-file") and not values.is_set("fetch-cert") and sys.stdin.isatty():
        wanted = "a secret to encrypt" if values.is_set("raw") else "json/yaml k8s resource"
        click.echo(f"(tty detected: expecting {wanted} in stdin)", err=True)
    job = actions.Job(values, actions.read_stdin, os.environ)
    try:
        text = actions.run(job)
        if job.output and not values.text("merge-into"):
            actions.replace_file(job.output, text)
            return
    except KildeError as error:
        where = ": ".join(part for part in (str(error.place) if error.place else "", error.about) if part)
        click.echo(printable(f"error: {where}: {error.what}" if where else f"error: {error.what}"), err=True)
        if error.hint:
            click.echo(printable(f"hint: {error.hint}"), err=True)
        raise click.exceptions.Exit(1) from None
    sys.stdout.write(text)
