"""`kilde secrets`: looks after what is sealed in a repository. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.secrets"


@click.group(
    cls=LazyGroup,
    modules={
        "status": f"{_HERE}.status",
        "rotate": f"{_HERE}.rotate",
        "set": f"{_HERE}.setting",
        "keys": f"{_HERE}.keys",
        "retire": f"{_HERE}.retire",
    },
    epilog="Example: kilde secrets status --data-dir state --repo hello-config",
    short_help="Keys, and what is sealed to them.",
)
def command() -> None:
    """What a repository has sealed, to which keys, and how to seal it anew.

    The private keys come from the cluster (--data-dir of a running kilde up, or --kubeconfig), from where --seal-keys says, or from a
    backup (--private-key). They and the values stay in this process's memory.
    """
