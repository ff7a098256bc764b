"""What `argocd-cm` says of the whole installation, taken up by an engine that runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from kilde.core.access.accounts import read_impersonation
from kilde.core.access.kind_filter import read_kind_filter
from kilde.core.apps.customizations import read_customizations
from kilde.core.plan.tracking import Tracking, read_tracking
from kilde.core.render.kustomize.settings import read_kustomize_settings
from kilde.engine.context import Context

log = structlog.get_logger()


def configure(home: Context, contexts: Sequence[Context], data: Mapping[str, Any]) -> bool:
    """`contexts`: of all clusters, `home` among them. Gives whether every object is to be judged anew."""
    anew = False
    tracking, kinds = read_tracking(data), read_kind_filter(data)
    if tracking != home.live.tracking or kinds != home.projects.kinds:
        home.projects.kinds = kinds
        retrack(home, contexts, tracking)
        anew = True
    home.projects.impersonation = read_impersonation(data)
    if (kustomize := read_kustomize_settings(data)) != home.renderer.kustomize:
        home.renderer.kustomize = kustomize  # renders remember by which they were made
        anew = True
    customizations = read_customizations(data)
    if customizations != home.surveyor.customizations:
        for context in contexts:
            context.surveyor.customizations = customizations
        for problem in customizations.problems:
            log.warning("argocd-cm cannot be read", problem=problem)
        anew = True
    return anew


def retrack(home: Context, contexts: Sequence[Context], tracking: Tracking) -> None:
    """Objects carry other marks from now on, or are others: all of them are listed anew."""
    for context in contexts:
        context.live.retrack(tracking)
    for rt in home.runtimes.values():
        rt.wish = rt.watched = None
