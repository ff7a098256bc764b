"""`kilde unseal`: opens a SealedSecret here with private keys, as kubeseal --recovery-unseal does."""

import click

from kilde.cli.commands.seal import AsItStands, seal


@click.command(
    cls=AsItStands, short_help="Open a SealedSecret with private keys, without a cluster.", add_help_option=False
)
def command(*, arguments: tuple[str, ...]) -> None:
    """Opens a SealedSecret with --recovery-private-key."""
    seal(("--recovery-unseal", *arguments), program="kilde unseal")
