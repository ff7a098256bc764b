"""Options of `kilde up` about what the engine does with applications."""

from typing import TYPE_CHECKING, Any

import click

from kilde.cli.budget_options import deletion_budget_option, fleet_budget_option
from kilde.cli.option_groups import group
from kilde.cli.parameters import DURATION, raw_secrets_option
from kilde.cli.target import namespace_option, others_option

if TYPE_CHECKING:
    from kilde.engine.settings import EngineSettings


def _engine(**asked: Any) -> "EngineSettings":
    from kilde.engine.settings import EngineSettings

    return EngineSettings(**asked)


engine_options = group(
    "engine",
    _engine,
    namespace_option,
    others_option("Where else Applications may be"),
    click.option(
        "--applicationset-namespaces",
        "set_namespaces",
        metavar="NAMES",
        envvar="ARGOCD_APPLICATIONSET_CONTROLLER_NAMESPACES",
        default="",
        help="Where else ApplicationSets may be, as with --application-namespaces, which must name those namespaces too.",
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
    deletion_budget_option(
        "What a sync may delete unasked: so many objects or so many in a hundred, whichever is more; off: anything."
    ),
    fleet_budget_option("What all applications together may delete unasked within that time; off: anything."),
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
    raw_secrets_option(
        "What becomes of Secrets that stand in Git in plain text, where an AppProject does not allow them (kilde.dev/raw-secrets)."
    ),
)
