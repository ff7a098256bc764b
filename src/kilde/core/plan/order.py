"""The order of everything: wave, then kind, then name; deletions the other way round."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from kilde.core.objects.kinds import apply_order
from kilde.core.plan.change import Action, Change

WAVE_ANNOTATION = "argocd.argoproj.io/sync-wave"
_HELM_WEIGHT = "helm.sh/hook-weight"


def wave_of(annotations: Mapping[str, str]) -> int:
    """The wave an object asks for; what is no whole number counts as 0, as in Argo CD."""
    try:
        return int(annotations.get(WAVE_ANNOTATION, "0"))
    except ValueError:
        return 0


Group = tuple[Change, ...]


def apply_steps(changes: Iterable[Change]) -> list[tuple[int, list[Group]]]:
    """Waves in ascending order; in each the changes to apply, kind after kind. What is in one group may run in parallel.

    CustomResourceDefinitions come before everything else of every wave: their objects cannot be written without them.
    """
    wanted = [change for change in changes if change.action in (Action.CREATE, Action.UPDATE, Action.KEEP)]
    definitions = [c for c in wanted if c.ref.kind == "CustomResourceDefinition"]
    others = [c for c in wanted if c.ref.kind != "CustomResourceDefinition"]
    first_wave = min((c.wave for c in wanted), default=0)
    waves: dict[int, list[Change]] = {}
    for change in others:
        waves.setdefault(change.wave, []).append(change)
    if definitions:
        waves.setdefault(first_wave, [])
    steps = []
    for wave in sorted(waves):
        groups = _by_kind(waves[wave])
        if wave == first_wave and definitions:
            groups = _after_namespaces(groups, tuple(sorted(definitions, key=lambda c: c.ref)))
        steps.append((wave, groups))
    return steps


def prune_steps(changes: Iterable[Change]) -> list[list[Group]]:
    """What goes, in the reverse of the order it came: last wave first, last kind first; PruneLast after all of it."""
    going = [change for change in changes if change.action is Action.PRUNE]
    steps = []
    for last in (False, True):
        some = [c for c in going if c.prune_last is last]
        for _, wave in groupby(sorted(some, key=lambda c: -c.wave), key=lambda c: c.wave):
            steps.append(list(reversed(_by_kind(list(wave)))))
    return steps


def _by_kind(changes: list[Change]) -> list[Group]:
    ordered = sorted(changes, key=lambda c: (apply_order(c.ref.group, c.ref.kind), c.ref))
    return [tuple(group) for _, group in groupby(ordered, key=lambda c: c.ref.group_kind)]


def _after_namespaces(groups: list[Group], definitions: Group) -> list[Group]:
    at = 1 if groups and groups[0][0].ref.kind == "Namespace" else 0
    return [*groups[:at], definitions, *groups[at:]]
