"""What a repository says itself of the installation that deploys it: its argocd-cm, as far as it decides what is rendered and applied."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kilde.core.access.kind_filter import KindFilter, read_kind_filter
from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.manifest import Manifest
from kilde.core.render.kustomize.settings import DEFAULT_KUSTOMIZE, KustomizeSettings, read_kustomize_settings

CONFIG_MAP = "argocd-cm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """`files` are those that say so; `problem` is why a list of kinds cannot be read, which then takes nothing out."""

    kustomize: KustomizeSettings = DEFAULT_KUSTOMIZE
    kinds: KindFilter = field(default_factory=KindFilter)
    files: frozenset[str] = frozenset()
    problem: InvalidInput | None = None

    def excludes(self, server: str, manifest: Manifest) -> bool:
        """Whether objects of the kind are taken out of all Applications that deploy there."""
        return self.kinds.excludes(server, manifest.group, manifest.kind)


NO_INSTALLATION = Installation()


def is_settings(manifest: Manifest) -> bool:
    """Whether it is an argocd-cm, or a kustomization's patch of one."""
    return (manifest.group, manifest.kind, manifest.name) == ("", "ConfigMap", CONFIG_MAP)


def installation_of(found: Iterable[Manifest]) -> Installation:
    """By the only argocd-cm among these. Several that say different things are of several installations: nothing is known then."""
    maps = [one for one in found if is_settings(one)]
    said = [data for one in maps if isinstance(data := one.body.get("data"), dict)]
    if not said or any(data != said[0] for data in said):
        return NO_INSTALLATION
    kinds, place = read_kind_filter(said[0]), maps[0].origin
    problem = InvalidInput("; ".join(kinds.problems), about=CONFIG_MAP, place=place) if kinds.problems else None
    return Installation(
        kustomize=read_kustomize_settings(said[0]),
        kinds=kinds if problem is None else KindFilter(),
        files=frozenset(one.origin.file for one in maps if one.origin is not None),
        problem=problem,
    )
