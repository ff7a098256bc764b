"""What a build gathers, and bases that are kept between builds: accumulated once for all overlays that share them.

A kept base is used again only where accumulating it anew would come to the same: the files it saw are as they were, it closes no
circle, it does not nest too deeply, and there is budget for what it cost.
"""

from typing import NamedTuple

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.config import NOTHING, TransformerConfig
from kilde.core.render.kustomize.kustomization import Kustomization
from kilde.core.render.kustomize.loader import MAX_DEPTH, Loader, closes_circle
from kilde.core.render.kustomize.openapi import BUILT_IN_VERSIONS, BuiltInSchema, DocumentSchema, Schema
from kilde.core.render.kustomize.variables import Variables
from kilde.core.source.tree import Trace, TracedTree


class Accumulated:
    """What a kustomization has gathered."""

    __slots__ = ("config", "resources", "variables")

    def __init__(
        self,
        resources: Collection | None = None,
        config: TransformerConfig = NOTHING,
        variables: Variables | None = None,
    ) -> None:
        self.resources, self.config, self.variables = resources or Collection(), config, variables or Variables()

    def merge(self, other: "Accumulated") -> None:
        self.resources.extend(other.resources)
        self.config = self.config.merged(other.config)
        self.variables.merge(other.variables)

    def copy(self) -> "Accumulated":
        resources = self.resources.copy()
        variables = self.variables.copy(self.resources.copies(resources) if self.variables.bound else {})
        return Accumulated(resources, self.config, variables)


class Build:
    """What holds for a whole build.

    The schema is the first one that a kustomization sets, the top one's before all. Where the built-in one was used
    before (`schema_uses`), it stays behind the new one.
    """

    def __init__(self, metadata: frozenset[str] = frozenset(), warnings: list[str] | None = None) -> None:
        self.metadata = metadata
        self.schema: Schema = BuiltInSchema()
        self.schema_set = False
        self.schema_uses = 0
        self.warnings: list[str] = [] if warnings is None else warnings
        self.asked_outside = 0  # how often something beyond the tree was asked: what was made with that is not kept
        self.entered: list[tuple[str, int]] = []  # root and nesting of every kustomization, in order

    @property
    def tracks(self) -> bool:
        """Whether objects are annotated with where they come from."""
        return bool(self.metadata)

    def set_schema(self, kustomization: Kustomization, loader: Loader) -> None:
        """Raises RenderFailed for an unknown version and for a file that is no OpenAPI document."""
        openapi = kustomization["openapi"] or {}
        if not openapi or self.schema_set:
            return
        if "version" in openapi and "path" in openapi:
            raise RenderFailed(
                "builtin version and custom schema provided, cannot use both",
                about="openapi",
                place=kustomization.place("openapi"),
            )
        if openapi.get("version") and openapi["version"] not in BUILT_IN_VERSIONS:
            raise RenderFailed(
                f"the specified OpenAPI version '{openapi['version']}' is not built in",
                about="openapi.version",
                hint=f"built in: {', '.join(BUILT_IN_VERSIONS)}",
                place=kustomization.place("openapi", "version"),
            )
        if "path" in openapi:
            path = openapi["path"]
            documents = read_documents(loader.read(path), file=loader.place(path), mode="kubernetes", duplicates="last")
            document, place = documents[0].value if documents else None, kustomization.place("openapi", "path")
            self.schema = DocumentSchema(document, place, built_in=self.schema_uses > 0)
        self.schema_set = True

    def enters(self, loader: Loader) -> None:
        """Notes a kustomization that is about to be accumulated."""
        self.entered.append((loader.root, len(loader.chain)))

    def mark(self, loader: Loader) -> "Mark":
        """Where the build stands before a base is accumulated."""
        return Mark(
            loader, loader.budget.left, self.schema_uses, len(self.warnings), len(self.entered), self.asked_outside
        )

    def may_keep(self, before: "Mark") -> bool:
        """Whether what was accumulated since may be used again: no schema was set for it, and nothing beyond the tree was asked."""
        return not self.schema_set and self.asked_outside == before.asked_outside

    def since(self, before: "Mark", accumulated: Accumulated, trace: Trace) -> "Base":
        """A base to keep: `accumulated` is its own from now on."""
        loader = before.loader
        return Base(
            accumulated,
            trace,
            before.budget - loader.budget.left,
            self.schema_uses - before.schema_uses,
            tuple(self.warnings[before.warnings :]),
            tuple((root, depth - len(loader.chain)) for root, depth in self.entered[before.entered :]),
        )

    def take_over(self, base: "Base", loader: Loader) -> Accumulated:
        """Uses a kept base: everything is as if it had been accumulated anew."""
        loader.budget.spend(base.cost, "objects")
        self.schema_uses += base.schema_uses
        self.warnings.extend(base.warnings)
        self.entered.extend((root, depth + len(loader.chain)) for root, depth in base.entered)
        if isinstance(loader.tree, TracedTree):
            loader.tree.add(base.trace.seen)
        return base.accumulated.copy()


class Mark(NamedTuple):
    """A point in a build."""

    loader: Loader
    budget: int
    schema_uses: int
    warnings: int
    entered: int
    asked_outside: int


class Base(NamedTuple):
    """A base as it was accumulated once. `entered`: the kustomizations it is made of, their nesting counted from its own."""

    accumulated: Accumulated
    trace: Trace
    cost: int
    schema_uses: int
    warnings: tuple[str, ...]
    entered: tuple[tuple[str, int], ...]

    def holds(self, loader: Loader) -> bool:
        """Whether accumulating it anew from here would come to the same."""
        return (
            self.cost <= loader.budget.left
            and len(loader.chain) + max(depth for _, depth in self.entered) <= MAX_DEPTH
            and not any(closes_circle(root, above) for root, _ in self.entered for above in loader.chain)
            and self.trace.still_true(loader.tree.untraced if isinstance(loader.tree, TracedTree) else loader.tree)
        )
