"""Resource: one object on its way through a build, with every name it had before."""

from functools import lru_cache
from typing import Any, NamedTuple

from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.objects.yaml_scalars import Quoted, Raw, copy_tree, integral, is_null, plain_key, resolve_12, text_of
from kilde.core.objects.yaml_writer import go_shortest
from kilde.core.render.kustomize.comments import Comments
from kilde.core.render.kustomize.schema_scope import CLUSTER_SCOPED, MORE_CLUSTER_SCOPED, NAMESPACED

INTERNAL = "internal.config.kubernetes.io/"  # what the names of its notes among the annotations begin with


class Bare(str):
    """A string that was written without saying that it is one: a text put in its place later may be a number."""

    __slots__ = ()


def untagged(text: str) -> Any:
    """What a text without quotes reads as."""
    found = resolve_12(text)
    return Bare(found) if isinstance(found, str) else found


def as_text(old: Any, text: str) -> Any:
    """`text` in the place of `old`: a string where `old` has quotes, else whatever it reads as."""
    return Quoted(text) if isinstance(old, Quoted) else untagged(text)


def number_from_json(value: Any) -> Any:
    """A number as kustomize has it after JSON: a float64, whose text has an exponent where Go writes one. Anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    text, whole = go_shortest(float(value)), integral(float(value)) if isinstance(value, float) else value
    return whole if text == str(whole) else Raw(text, whole)


DEFAULT_NAMESPACE = "default"
NO_NAMESPACE = "_non_namespaceable_"  # what kustomize notes as the namespace of a cluster-scoped object


class Gvk(NamedTuple):
    """Group, version and kind; empty parts match anything where a Gvk selects."""

    group: str = ""
    version: str = ""
    kind: str = ""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def cluster_scoped(self) -> bool:
        """Whether the schema knows this kind to have no namespace."""
        return _cluster_scoped(self) or (bool(more := MORE_CLUSTER_SCOPED.get()) and _is_scoped_by(more, self))

    @property
    def scope_known(self) -> bool:
        """Whether kustomize knows the scope of this kind without its schema."""
        kind = (self.api_version, self.kind)
        return kind in CLUSTER_SCOPED or kind in NAMESPACED

    def selects(self, other: "Gvk") -> bool:
        return (
            (not self.kind or self.kind == other.kind)
            and (not self.group or self.group == other.group)
            and (not self.version or self.version == other.version)
        )

    def __str__(self) -> str:
        return f"{self.kind or '[noKind]'}.{self.version or '[noVer]'}.{self.group or '[noGrp]'}"


def split_group(api_version: str) -> tuple[str, str]:
    """`apps/v1` → ("apps", "v1"): the group ends at the *first* slash, as in kustomize."""
    group, slash, version = api_version.partition("/")
    return (group, version) if slash else ("", api_version)


@lru_cache(maxsize=1_000)
def _gvk_of(api_version: str, kind: str) -> Gvk:
    """Shared by all objects of a kind."""
    group, version = split_group(str(api_version))
    return Gvk(str(group), str(version), str(kind))


@lru_cache(maxsize=1_000)
def _cluster_scoped(gvk: Gvk) -> bool:
    return (gvk.api_version, gvk.kind) in CLUSTER_SCOPED


def _is_scoped_by(more: frozenset[tuple[str, str]], gvk: Gvk) -> bool:
    kind = (gvk.api_version, gvk.kind)
    return kind in more and kind not in NAMESPACED


class ResId(NamedTuple):
    """Identity of an object, now or once."""

    gvk: Gvk
    name: str
    namespace: str

    @property
    def effective_namespace(self) -> str:
        if self.gvk.cluster_scoped:
            return NO_NAMESPACE
        return self.namespace or DEFAULT_NAMESPACE

    @property
    def key(self) -> tuple[Gvk, str, str]:
        """Equal for ids that kustomize takes for the same."""
        return (self.gvk, self.name, self.effective_namespace)

    def __str__(self) -> str:
        return f"{self.gvk}/{self.name or '[noName]'}.{self.namespace or '[noNs]'}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if is_null(value) or isinstance(value, (dict, list)) else text_of(value)


class Resource:
    """`former` holds (namespace, name, kind) of every id it had before, oldest first; group and version are not kept."""

    __slots__ = (
        "behavior", "body", "comments", "former", "helm_made", "needs_hash", "origin", "place", "prefixes", "suffixes", "transformations",
    )  # fmt: skip

    def __init__(self, body: dict[str, Any], place: Place | None = None) -> None:
        self.body, self.place = body, place
        self.former: list[tuple[str, str, str]] = []
        self.prefixes: list[str] = []
        self.suffixes: list[str] = []
        self.behavior = ""
        self.needs_hash = self.helm_made = False
        self.origin: dict[str, Any] | None = None
        self.transformations: list[dict[str, Any]] = []
        self.comments: Comments | None = None

    @property
    def kind(self) -> str:
        return _text(self.body.get("kind"))

    @property
    def gvk(self) -> Gvk:
        api_version = self.body.get("apiVersion", "")
        return _gvk_of("null" if api_version is None else _text(api_version), _text(self.body.get("kind")))

    @property
    def metadata(self) -> dict[str, Any]:
        found = self.body.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def name(self) -> str:
        return _text(self.metadata.get("name"))

    @property
    def namespace(self) -> str:
        return _text(self.metadata.get("namespace"))

    @property
    def id(self) -> ResId:
        return ResId(self.gvk, self.name, self.namespace)

    @property
    def former_ids(self) -> list[ResId]:
        if not self.former:
            return []
        group, version, _ = self.gvk
        return [ResId(Gvk(group, version, kind), name, namespace) for namespace, name, kind in self.former]

    @property
    def original_id(self) -> ResId:
        if not self.former:
            return self.id
        namespace, name, kind = self.former[0]
        group, version, _ = self.gvk
        return ResId(Gvk(group, version, kind), name, namespace)

    @property
    def any_ids(self) -> list[ResId]:
        return [*self.former_ids, self.id]

    def remember_id(self) -> None:
        """Notes the present id as a former one: from now on references to it can be repaired."""
        now = self.id
        if not now.name:
            if self.former:
                raise RenderFailed("has lost its name", about=str(now), place=self.place)
            return
        noted = (now.effective_namespace, now.name, now.gvk.kind)
        if len({text.count(",") for text in noted}) > 1:
            raise RenderFailed("a name with a comma cannot be changed", about=str(now), place=self.place)
        self.former.append(noted)
        if is_null(self.metadata.get("annotations")):
            self.own_metadata()["annotations"] = {}  # kustomize notes it there

    def own_metadata(self) -> dict[str, Any]:
        """The metadata to write to; made where there is none. What is written to a null is lost, as in kustomize."""
        found = self.body.setdefault("metadata", {})
        return found if isinstance(found, dict) else {}

    def forget(self) -> None:
        """Loses all that was noted, as when a patch takes away the annotations."""
        self.former, self.prefixes, self.suffixes, self.transformations = [], [], [], []
        self.behavior, self.needs_hash, self.origin = "", False, None

    @property
    def notes(self) -> dict[str, str]:
        """What kustomize keeps among the annotations of an object on its way, and takes away at the end."""
        found: dict[str, str] = {}
        if self.former:
            namespaces, names, kinds = zip(*self.former, strict=True)
            found = {"previousNames": ",".join(names), "previousNamespaces": ",".join(namespaces)}
            found["previousKinds"] = ",".join(kinds)
        texts = {
            "prefixes": ",".join(self.prefixes), "suffixes": ",".join(self.suffixes),
            "generatorBehavior": self.behavior, "needsHashSuffix": "enabled" if self.needs_hash else "",
            "helm-generated": "true" if self.helm_made else "",
        }  # fmt: skip
        found |= {name: text for name, text in texts.items() if text}
        return {INTERNAL + name: text for name, text in found.items()}

    def strings(self, field_name: str) -> dict[str, str]:
        """Labels or annotations as text. Raises RenderFailed for a list of them."""
        found = self.metadata.get(field_name)
        if isinstance(found, list) and len(found) % 2:  # kustomize reads pairs
            raise RenderFailed(f"{field_name} must be a map", about=str(self), place=self.place)
        if not isinstance(found, dict):
            return {}
        return {key: "" if isinstance(value, (dict, list)) else text_of(value) for key, value in found.items()}

    def set_metadata(self, field_name: str, value: str) -> None:
        """Writes metadata.name or metadata.namespace; an empty namespace is removed."""
        metadata = self.own_metadata()
        if value:
            metadata[field_name] = as_text(metadata.get(field_name), value)
        else:
            metadata.pop(field_name, None)

    def set_strings(self, field_name: str, values: dict[str, str]) -> None:
        """Writes labels or annotations as strings; an empty map is removed."""
        metadata = self.own_metadata()
        if values:
            metadata[field_name] = {plain_key(key): Quoted(value) for key, value in values.items()}
        else:
            metadata.pop(field_name, None)

    def copy(self) -> "Resource":
        copied = Resource(copy_tree(self.body), self.place)
        copied.former, copied.prefixes, copied.suffixes = self.former[:], self.prefixes[:], self.suffixes[:]
        copied.behavior, copied.needs_hash, copied.helm_made = self.behavior, self.needs_hash, self.helm_made
        copied.origin, copied.transformations, copied.comments = self.origin, self.transformations[:], self.comments
        return copied

    def __str__(self) -> str:
        return str(self.id)
