"""The commands: one file each, one line each here. The order is that of `kilde --help`."""

COMMANDS = {
    "init": "kilde.cli.commands.init",
    "up": "kilde.cli.commands.up",
    "cluster": "kilde.cli.commands.cluster",
    "app": "kilde.cli.commands.app",
    "project": "kilde.cli.commands.project",
    "appset": "kilde.cli.commands.appset",
    "build": "kilde.cli.commands.build",
    "edit": "kilde.cli.commands.edit",
    "check": "kilde.cli.commands.check",
    "plan": "kilde.cli.commands.plan",
    "apply": "kilde.cli.commands.apply",
    "why": "kilde.cli.commands.why",
    "seal": "kilde.cli.commands.seal",
    "unseal": "kilde.cli.commands.unseal",
    "secrets": "kilde.cli.commands.secrets",
    "guard": "kilde.cli.commands.guard",
    "migrate": "kilde.cli.commands.migrate",
    "ledger": "kilde.cli.commands.ledger",
    "doctor": "kilde.cli.commands.doctor",
    "install": "kilde.cli.commands.install",
}
