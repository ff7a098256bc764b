"""`kilde unseal`: opens a SealedSecret here with private keys, as kubeseal --recovery-unseal does."""

import click

from kilde.cli.commands.seal import AsItStands, seal


@click.command(
    cls=AsItStands,
    add_help_option=False,
    short_help="Open a SealedSecret with private keys, without a cluster.",
    epilog="Example: kilde unseal --recovery-private-key keys.yaml < sealed.yaml",
)
def command(*, arguments: tuple[str, ...]) -> None:
    """Opens a SealedSecret with --recovery-private-key."""
    seal(("--recovery-unseal", *arguments), program="kilde unseal")
