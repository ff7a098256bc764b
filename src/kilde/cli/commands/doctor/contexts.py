"""`kilde doctor kubeconfig`: which contexts can delete a production namespace."""

import asyncio
import re
from pathlib import Path

import click

from kilde.cli.commands.doctor import showing


def _pattern(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str:
    from kilde.core.doctor.contexts import PRODUCTION

    try:
        re.compile(value or "")
    except re.error as error:
        raise click.BadParameter(f"is not a regular expression: {error}") from error
    return value or PRODUCTION


@click.command(epilog="Example: kilde doctor kubeconfig --production 'prod|eu-west'")
@click.option(
    "--kubeconfig",
    "file",
    type=click.Path(path_type=Path),
    help="Look at this file; without it at $KUBECONFIG or ~/.kube/config.",
)
@click.option(
    "--production",
    metavar="REGEX",
    default=None,
    callback=_pattern,
    help="What a context's name or server looks like in production; prod, production, prd and live if not given.",
)
@showing.output_option
def kubeconfig(*, file: Path | None, production: str, output: str) -> int:
    """Asks each context's API server whether its user may delete namespaces, and warns of production within reach of a slip of the hand.

    Plug-ins that the kubeconfig names are run, as kubectl runs them. Exit code 1: the current context is such a one.
    """
    import os

    from kilde.adapters.cluster.kubeconfig import default_files
    from kilde.core.basics.errors import KildeError
    from kilde.wiring.doctoring.contexts import look_at_contexts

    files = [file] if file else default_files(os.environ)
    if not any(each.exists() for each in files):
        raise KildeError("there is no kubeconfig", about=os.pathsep.join(map(str, files)), hint="give --kubeconfig")
    findings = asyncio.run(look_at_contexts(files, production=production))
    showing.show(findings, output)
    return showing.exit_code(findings)
