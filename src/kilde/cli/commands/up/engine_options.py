"""Options of `kilde up` about what the engine does with applications."""

from typing import TYPE_CHECKING, Any

import click

from kilde.cli.option_groups import group
from kilde.cli.parameters import DELETION_BUDGET, DURATION, FLEET_DELETION_BUDGET
from kilde.cli.target import namespace_option

if TYPE_CHECKING:
    from kilde.engine.settings import EngineSettings


def _engine(*, raw: str, **asked: Any) -> "EngineSettings":
    from kilde.engine.settings import EngineSettings

    return EngineSettings(raw_secrets=raw == "allow", **asked)


engine_options = group(
    "engine",
    _engine,
    namespace_option,
    click.option(
        "--application-namespaces",
        metavar="NAMES",
        envvar="ARGOCD_APPLICATION_NAMESPACES",
        default="",
        help="Where else Applications may be: names, globs and /regular expressions/, with commas; else as argocd-cmd-params-cm says.",
    ),
    click.option(
        "--poll", type=DURATION, default="120s", show_default=True, help="How often repositories are asked for news."
    ),
    click.option(
        "--wave-delay",
        type=DURATION,
        envvar="ARGOCD_SYNC_WAVE_DELAY",
        default="2s",
        show_default=True,
        help="Pause between two waves or phases of a sync, for other controllers to react.",
    ),
    click.option(
        "--deletion-budget",
        type=DELETION_BUDGET,
        metavar="N,P%",
        envvar="KILDE_DELETION_BUDGET",
        default="5,10%",
        show_default=True,
        help="What a sync may delete unasked: so many objects or so many in a hundred, whichever is more; off: anything.",
    ),
    click.option(
        "--fleet-deletion-budget",
        "fleet_budget",
        type=FLEET_DELETION_BUDGET,
        metavar="N,P%/TIME",
        envvar="KILDE_FLEET_DELETION_BUDGET",
        default="20,5%/10m",
        show_default=True,
        help="What all applications together may delete unasked within that time; off: anything.",
    ),
    click.option(
        "--on-degraded",
        type=click.Choice(["hold", "rollback", "off"]),
        envvar="KILDE_ON_DEGRADED",
        default="hold",
        show_default=True,
        help="A commit whose sync fails or that does harm: leave things as they are, go back, or go on as Argo CD does.",
    ),
    click.option(
        "--undo-retention",
        type=DURATION,
        default="168h",
        show_default=True,
        help="How long what was deleted can be put back by kilde app undo; 0: not at all.",
    ),
    click.option(
        "--raw-secrets",
        "raw",
        type=click.Choice(["refuse", "allow"]),
        default="refuse",
        show_default=True,
        help="What becomes of Secrets that stand in Git in plain text, where an AppProject does not allow them (kilde.dev/raw-secrets).",
    ),
)
