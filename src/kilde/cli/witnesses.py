"""`--witness`: who keeps the ledger's checkpoints, for the commands that ask or tell them."""

from collections.abc import Callable
from typing import Any

import click


def witness_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--witness`, as often as wanted; the command gets `witnesses`."""
    return click.option(
        "--witness",
        "witnesses",
        metavar="WITNESS",
        multiple=True,
        envvar="KILDE_WITNESSES",
        help="Who keeps checkpoints: file:PATH, git:URL[#REF], s3:ENDPOINT/BUCKET[/PREFIX]. [env: KILDE_WITNESSES]",
    )(command)
