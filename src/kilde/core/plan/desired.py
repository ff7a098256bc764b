"""What Git wants, made ready for a cluster: namespaces filled in, the application's tracking id set, duplicates settled."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import starmap

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.faults import fault_of
from kilde.core.plan.hooks import is_hook
from kilde.core.plan.order import wave_of
from kilde.core.plan.policy import Options, compare_options, object_options
from kilde.core.plan.tracking import UNMARKED, Tracking

_BY_ANNOTATION = Tracking()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object as it shall be in the cluster. `manifest.body` carries namespace and tracking id.

    `fault` is why it cannot be written, whatever the cluster says ("" where it can).
    """

    manifest: Manifest
    ref: ObjectRef
    wave: int
    options: Options
    compare: Options
    fault: str = ""


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
    lenient: bool = False,
) -> Desired:
    """Manifests as rendered → what the cluster shall have.

    `scope` says whether a kind is namespaced (None: not known, then as it is written). The later of two manifests for one
    object or hook wins, as in Argo CD. Raises InvalidInput for an object that has no place to be, or that has a mistake; where it is
    `lenient`, both are told with the object (`homeless`, `fault`), and only what cannot be marked as the application's is refused.
    """
    found: dict[tuple[ObjectRef, int], Wanted] = {}
    repeated: dict[ObjectRef, int] = {}
    lost: dict[ObjectRef, str] = {}
    for number, manifest in enumerate(manifests, 1):
        _require(manifest, tracking, lenient=lenient)
        placed = _place(manifest, app=app, namespace=namespace, scope=scope, tracking=tracking)
        is_homeless = not placed.ref.namespace and bool(scope(placed.ref.group_kind))
        if is_homeless and not (lenient and not is_hook(manifest.annotations)):
            raise InvalidInput(
                f"{manifest} has no namespace",
                about=str(manifest.origin or manifest),
                hint="set metadata.namespace, or spec.destination.namespace of the application",
            )
        if is_homeless:
            lost[placed.ref] = (
                f"Namespace for {placed.ref.name} {manifest.group}/{manifest.version}, Kind={manifest.kind} is missing."
            )
        key = placed.ref, (number if manifest.metadata.get("generateName") and not manifest.name else 0)
        if found.pop(key, None) is not None:
            repeated[placed.ref] = repeated.get(placed.ref, 1) + 1
        found[key] = placed
    hooks = {key: wanted for key, wanted in found.items() if is_hook(wanted.manifest.annotations)}
    return Desired(
        objects=tuple(wanted for key, wanted in found.items() if key not in hooks),
        hooks=tuple(hooks.values()),
        repeated=tuple(starmap(_repeated, repeated.items())),
        homeless=tuple(lost.values()),
    )


def _require(manifest: Manifest, tracking: Tracking, *, lenient: bool) -> None:
    """Raises InvalidInput for an object that has a mistake; where it is `lenient`, for one whose mark cannot be set."""
    if lenient:
        if GroupKind(manifest.group, manifest.kind) != UNMARKED and (path := tracking.in_the_way(manifest.body)):
            raise _unmarkable(manifest, path)
        return
    if manifest.mistake is not None:
        raise manifest.mistake
    if not manifest.name and not manifest.metadata.get("generateName"):
        about = str(manifest.origin or manifest)
        raise InvalidInput(f"{manifest.kind or 'an object'} has no metadata.name", about=about)


def _unmarkable(manifest: Manifest, path: tuple[str, ...]) -> InvalidInput:
    about = ".".join(path)
    if manifest.mistake is not None and manifest.mistake.about == about:
        return manifest.mistake  # it knows the line
    if len(path) < 3:
        return InvalidInput("must be a map", about=about, place=manifest.origin)
    return InvalidInput("must be a string", about=about, hint='write "" for nothing', place=manifest.origin)


def _place(
    manifest: Manifest, *, app: str, namespace: str, scope: Callable[[GroupKind], bool | None], tracking: Tracking
) -> Wanted:
    namespaced = scope(GroupKind(manifest.group, manifest.kind))
    # a kind nobody knows yet counts as namespaced, as in Argo CD
    where = "" if namespaced is False or not manifest.holds_metadata else manifest.namespace or namespace
    ref = ObjectRef(manifest.group, manifest.kind, where, manifest.name)
    texts = {
        "labels": manifest.labels,
        "annotations": manifest.annotations,
    }  # a null is "", as the API server decodes it
    meta = {**manifest.metadata, **{field: found for field, found in texts.items() if found}}
    meta.pop("namespace", None)
    fault = fault_of(manifest, meta)
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
        fault=fault,
    )


def _repeated(ref: ObjectRef, times: int) -> str:
    """Argo CD's words; they name no files."""
    thing = f"{ref.group}/{ref.kind}/{ref.namespace}/{ref.name}"
    return f"Resource {thing} appeared {times} times among application resources."
