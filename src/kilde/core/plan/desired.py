"""What Git wants, made ready for a cluster: namespaces filled in, the application's tracking id set, duplicates settled."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import starmap
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.hooks import is_hook
from kilde.core.plan.order import wave_of
from kilde.core.plan.policy import Options, compare_options, object_options
from kilde.core.plan.tracking import UNMARKED, Tracking

_BY_ANNOTATION = Tracking()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object as it shall be in the cluster. `manifest.body` carries namespace and tracking id."""

    manifest: Manifest
    ref: ObjectRef
    wave: int
    options: Options
    compare: Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """Everything an application wants, in the order it was rendered.

    `hooks` are objects that run around a sync and are not compared; `unserved` are objects whose kind the cluster does not
    serve (yet); `repeated` holds, for each object that came twice, the sentence about it, `homeless` for each that has no namespace.
    """

    objects: tuple[Wanted, ...]
    hooks: tuple[Wanted, ...]
    repeated: tuple[str, ...]
    homeless: tuple[str, ...] = ()

    @property
    def refs(self) -> frozenset[ObjectRef]:
        return frozenset(wanted.ref for wanted in self.objects)


def prepare(
    manifests: Iterable[Manifest],
    *,
    app: str,
    namespace: str,
    scope: Callable[[GroupKind], bool | None],
    tracking: Tracking = _BY_ANNOTATION,
    homeless: bool = False,
) -> Desired:
    """Manifests as rendered → what the cluster shall have.

    `scope` says whether a kind is namespaced (None: not known, then as it is written). The later of two manifests for one
    object wins, as in Argo CD. Raises InvalidInput for an object that has no place to be, unless `homeless` ones are to be told of.
    """
    found: dict[ObjectRef, Wanted] = {}
    repeated: dict[ObjectRef, int] = {}
    hooks: list[Wanted] = []
    lost: dict[ObjectRef, str] = {}
    for manifest in manifests:
        placed = _place(manifest, app=app, namespace=namespace, scope=scope, tracking=tracking)
        is_homeless = not placed.ref.namespace and bool(scope(placed.ref.group_kind))
        if is_homeless and not (homeless and not is_hook(manifest.annotations)):
            raise InvalidInput(
                f"{manifest} has no namespace",
                about=str(manifest.origin or manifest),
                hint="set metadata.namespace, or spec.destination.namespace of the application",
            )
        if is_hook(manifest.annotations):
            hooks.append(placed)
            continue
        if is_homeless:
            lost[placed.ref] = (
                f"Namespace for {placed.ref.name} {manifest.group}/{manifest.version}, Kind={manifest.kind} is missing."
            )
        if found.pop(placed.ref, None) is not None:
            repeated[placed.ref] = repeated.get(placed.ref, 1) + 1
        found[placed.ref] = placed
    return Desired(
        objects=tuple(found.values()),
        hooks=tuple(hooks),
        repeated=tuple(starmap(_repeated, repeated.items())),
        homeless=tuple(lost.values()),
    )


def _place(
    manifest: Manifest, *, app: str, namespace: str, scope: Callable[[GroupKind], bool | None], tracking: Tracking
) -> Wanted:
    about = str(manifest.origin or manifest)
    texts = _checked(manifest, about)
    if not manifest.name and not manifest.metadata.get("generateName"):
        raise InvalidInput(f"{manifest.kind or 'an object'} has no metadata.name", about=about)
    namespaced = scope(GroupKind(manifest.group, manifest.kind))
    # a kind nobody knows yet counts as namespaced, as in Argo CD
    where = "" if namespaced is False else manifest.namespace or namespace
    ref = ObjectRef(manifest.group, manifest.kind, where, manifest.name)
    meta = {**manifest.metadata, **texts}
    meta.pop("namespace", None)
    meta.pop("creationTimestamp", None)
    if where:
        meta["namespace"] = where
    tracked = ref if where else ObjectRef(ref.group, ref.kind, namespace, ref.name)
    if ref.group_kind != UNMARKED:
        meta = tracking.marked(meta, app, tracked)
    body = {**manifest.body, "metadata": meta}
    return Wanted(
        manifest=Manifest(body, manifest.origin),
        ref=ref,
        wave=wave_of(manifest.annotations),
        options=object_options(manifest.annotations),
        compare=compare_options(manifest.annotations),
    )


def _checked(manifest: Manifest, about: str) -> dict[str, dict[str, str]]:
    """Labels and annotations as they can be sent; a null text is "", as the API server decodes it.

    A kustomization's output need not be what the API takes: InvalidInput for metadata of the wrong type.
    """
    for field in ("name", "generateName", "namespace"):
        _text(manifest.metadata.get(field), f"metadata.{field}", manifest, about)
    out: dict[str, dict[str, str]] = {}
    for field in ("labels", "annotations"):
        found = manifest.metadata.get(field)
        if found is None:
            continue
        if not isinstance(found, dict):
            raise InvalidInput(f"metadata.{field} of {manifest.kind} must be a map of strings", about=about)
        out[field] = {key: _text(text, f"metadata.{field}.{key}", manifest, about) for key, text in found.items()}
    return out


def _text(value: Any, field: str, manifest: Manifest, about: str) -> str:
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{field} of {manifest.kind} must be a string", about=about, hint="quote it")
    return value or ""


def _repeated(ref: ObjectRef, times: int) -> str:
    """Argo CD's words; they name no files."""
    thing = f"{ref.group}/{ref.kind}/{ref.namespace}/{ref.name}"
    return f"Resource {thing} appeared {times} times among application resources."
