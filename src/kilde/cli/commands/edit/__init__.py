"""`kilde edit`: `kustomize edit`, which keeps what it was not asked to change. One file for each verb."""

import click

from kilde.cli.lazy import LazyGroup
from kilde.cli.like_kustomize import GroupLikeKustomize

_HERE = "kilde.cli.commands.edit"


class _Verbs(GroupLikeKustomize, LazyGroup):
    """The verbs, each imported when it is asked for."""


@click.group(
    cls=_Verbs,
    modules={
        "set": f"{_HERE}.setting",
        "add": f"{_HERE}.adding",
        "remove": f"{_HERE}.removing",
        "fix": f"{_HERE}.fixing",
    },
    epilog="Example: kilde edit set image web=registry.example.org/web:1.4",
    short_help="Change a kustomization file, as kustomize edit does.",
)
def command() -> None:
    """Changes the kustomization file in the working folder: what was asked for, and nothing else.

    Arguments, results and exit codes are those of `kustomize edit` 5.8.1. Comments, order, quotes and indentation stay as
    they are; the file is replaced in one step, or left alone if anything is wrong.
    """
