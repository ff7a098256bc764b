"""Accumulation: from one kustomization, and those it builds on, to objects, field specs and variables.

The order of the steps is kustomize's and shows in the output: resources, configuration, generators, components,
transformers, validators, variables.
"""

from typing import Any

from kilde.core.basics.errors import InvalidYaml, KildeError, PathNotFound, RenderFailed
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.render.kustomize import plugins
from kilde.core.render.kustomize.bases import Accumulated, Base, Build
from kilde.core.render.kustomize.budget import KUSTOMIZATION, OBJECT
from kilde.core.render.kustomize.config import DEFAULTS, NOTHING, parse_configuration
from kilde.core.render.kustomize.crds import configuration_of_crds
from kilde.core.render.kustomize.generating import generated
from kilde.core.render.kustomize.kustomization import FILE_NAMES, Kustomization, parse_kustomization
from kilde.core.render.kustomize.loader import Loader
from kilde.core.render.kustomize.origin import Origin
from kilde.core.render.kustomize.reading import resources_of
from kilde.core.render.kustomize.remote import is_web_file, parse_remote, told
from kilde.core.render.kustomize.resource import Resource
from kilde.core.render.kustomize.variables import Variable
from kilde.core.source.tree import EntryKind, TracedTree


def load_kustomization(loader: Loader) -> Kustomization:
    """The one kustomization file of a folder. Raises RenderFailed if there is none, or more than one."""
    found = [name for name in FILE_NAMES if has_file(loader, name)]
    if not found:
        raise RenderFailed(
            "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization'",
            about=loader.root or ".",
            hint="a folder that is built or used as a base needs one",
        )
    if len(found) > 1:
        raise RenderFailed(f"found multiple kustomization files: {', '.join(found)}", about=loader.root or ".")
    entry = loader.tree.entry(loader.path(found[0]))
    key = (entry.oid if entry else "", loader.place(found[0]))
    kustomization = loader.cache.kustomizations.get(key)
    if kustomization is None:
        content = loader.read(found[0])
        kustomization = parse_kustomization(content, key[1])
        loader.cache.kustomizations.put(key, kustomization, len(content))
    else:
        loader.read(found[0])
    return kustomization


def has_file(loader: Loader, path: str) -> bool:
    """Whether there is a file that the loader may read."""
    try:
        return loader.has_file(path)
    except KildeError:
        # outside of the root it can only be a base
        return False


class Target:
    """One kustomization of a build."""

    def __init__(
        self,
        loader: Loader,
        kustomization: Kustomization,
        build: Build,
        origin: Origin | None = None,
        namespace: str = "",
    ) -> None:
        self.loader, self.kustomization, self.build, self.origin = loader, kustomization, build, origin
        self.chart_namespace = kustomization.text("namespace") or namespace  # charts inherit that of the nearest parent
        build.warnings.extend(kustomization.warnings)

    def accumulate(self, into: Accumulated | None = None) -> Accumulated:
        """Everything this kustomization says; a component says it to what its parent has (`into`)."""
        kustomization = self.kustomization
        found = into or Accumulated()
        self.add_resources(found, kustomization.items("resources"), "resources")
        self.add_configuration(found)
        self.generate(found)
        for index, path in enumerate(kustomization.items("components")):
            found = self.add_component(found, path, index)
        self.transform(found)
        self.validate(found)
        variables = [
            Variable.of(raw, kustomization.place("vars", i)) for i, raw in enumerate(kustomization.items("vars"))
        ]
        found.variables.add(variables, found.resources)
        return found

    # --- resources

    def add_resources(self, found: Accumulated, paths: list[str], field_name: str) -> None:
        for index, path in enumerate(paths):
            try:
                self.add_resource(found, path)
            except KildeError as error:
                raise self.located(error, field_name, index, path) from error

    def located(self, error: KildeError, field_name: str, index: int, path: str) -> KildeError:
        """The error, with the line that names the path where the error itself knows no place."""
        if error.place is not None:
            return error
        kind = type(error) if not isinstance(error, PathNotFound) else RenderFailed
        named = told(path)
        about = ": ".join(
            part for part in (f"{field_name}: {named}", error.about if error.about != named else "") if part
        )
        return kind(error.what, about=about, hint=error.hint, place=self.kustomization.place(field_name, index))

    def add_resource(self, found: Accumulated, path: str) -> None:
        if is_web_file(path):
            self.add_remote(found, path)
            return
        local = parse_remote(path) is None
        if local:
            self.refuse_missing(path)
        if has_file(self.loader, path):
            self.add_file(found, path)
            return
        if local and not self.is_folder(path):
            hint = "a file must lie in or below the folder of its kustomization"
            raise RenderFailed("is a file, not a folder", about=path, hint=hint)
        self.add_base(found, path)

    def add_remote(self, found: Accumulated, address: str) -> None:
        """What an http(s) address gives: the objects of a file, or else a base, where it can be that of a repository."""
        self.build.asked_outside += 1
        try:
            self.add_file(found, address)
        except KildeError as error:
            if parse_remote(address) is None:
                raise
            try:
                self.add_base(found, address)
            except KildeError as second:
                # what was fetched and is no YAML says more than git about what is no repository
                raise (error if isinstance(error, InvalidYaml) else second) from None

    def add_base(self, found: Accumulated, path: str) -> None:
        base = self.base(path)
        self.loader.budget.spend(OBJECT * len(base.resources), "objects")
        found.merge(base)

    def is_folder(self, path: str) -> bool:
        outside = self.loader._replace(restricted=False)
        entry = self.loader.tree.entry(outside.path(path))
        return entry is None or entry.kind is not EntryKind.FILE

    def refuse_missing(self, path: str) -> None:
        outside = self.loader._replace(restricted=False)
        if self.loader.tree.entry(outside.path(path)) is None:
            raise RenderFailed(f"no such file or folder{self.loader.near(outside.path(path))}", about=path)

    def add_file(self, found: Accumulated, path: str) -> None:
        for resource in self.read_resources(path):
            found.resources.add(resource)

    def read_resources(self, path: str) -> list[Resource]:
        resources = resources_of(self.loader.documents(path), self.loader.place(path))
        if not all(resource.gvk.scope_known for resource in resources):
            self.build.schema_uses += 1
        if self.origin is not None:
            for resource in resources:
                resource.origin = self.origin.below(path).as_dict()
        return resources

    def base(self, path: str) -> Accumulated:
        """A base, accumulated whole; from the cache where that comes to the same."""
        loader, build = self.loader.folder(path), self.build
        if build.tracks or build.schema_set or loader.tree is not self.loader.tree:
            return self.accumulate_base(loader, path)
        key = (loader.root, loader.restricted, _id_of_kustomization(loader))
        kept: Base | None = loader.cache.bases.get(key)
        if kept is not None and kept.holds(loader):
            return build.take_over(kept, loader)
        before = build.mark(loader)
        traced = TracedTree(loader.tree)
        accumulated = self.accumulate_base(loader._replace(tree=traced), path)
        if build.may_keep(before):
            made = build.since(before, accumulated.copy(), traced.trace)
            loader.cache.bases.put(key, made, len(accumulated.resources) + 1)
        return accumulated

    def accumulate_base(self, loader: Loader, path: str) -> Accumulated:
        target = self.child(loader, path)
        if target.kustomization.is_component:
            raise RenderFailed("a Component cannot be a resource", about=path, hint="list it under components")
        return target.accumulate()

    def child(self, loader: Loader, path: str) -> "Target":
        if (remote := parse_remote(path)) is not None:
            self.build.asked_outside += 1
            self.build.warnings.extend(remote.warnings)
        loader.budget.spend(KUSTOMIZATION, "kustomizations")
        self.build.enters(loader)
        kustomization = load_kustomization(loader)
        self.build.set_schema(kustomization, loader)
        origin = self.origin.below(path) if self.origin else None
        return Target(loader, kustomization, self.build, origin, self.chart_namespace)

    def add_component(self, found: Accumulated, path: str, index: int) -> Accumulated:
        try:
            loader = self.loader.folder(path)
            target = self.child(loader, path)
            if not target.kustomization.is_component:
                raise RenderFailed("expected kind 'Component'", about=path, hint="list a Kustomization under resources")
            found = target.accumulate(found)
            found.config = NOTHING.merged(found.config)
            found.resources.demand_distinct("after a component")
            return found
        except KildeError as error:
            raise self.located(error, "components", index, path) from error

    # --- configuration and generators

    def add_configuration(self, found: Accumulated) -> None:
        config = NOTHING
        for path in self.kustomization.items("configurations"):
            document = self.plain_document(path)
            config = config.merged(
                parse_configuration(document.value if document else None, self.kustomization.place())
            )
        found.config = found.config.merged(DEFAULTS.merged(config))
        for path in self.kustomization.items("crds"):
            if not self.loader.read(path):
                raise RenderFailed("is empty", about=f"crds: {path}", place=self.kustomization.place("crds"))
            document = self.plain_document(path)
            found.config = found.config.merged(configuration_of_crds(document.value if document else None))

    def plain_document(self, path: str) -> Any:
        documents = read_documents(
            self.loader.read(path), file=self.loader.place(path), mode="kubernetes", duplicates="last"
        )
        return documents[0] if documents else None

    def generate(self, found: Accumulated) -> None:
        for made, origin in generated(self):
            if origin is not None and made.origin is None:
                made.origin = origin.as_dict()
            found.resources.absorb(made)

    def plugin_configs(self, field_name: str) -> list[Resource]:
        """The objects that configure plugins: written inline, in a file, or made by a kustomization."""
        found = Accumulated()
        paths: list[str] = []
        for text in self.kustomization.items(field_name):
            inline = self.inline(text)
            if inline is None:
                paths.append(text)
                continue
            found.resources.extend(inline)
        self.add_resources(found, paths, field_name)
        return list(found.resources)

    def inline(self, text: str) -> list[Resource] | None:
        try:
            documents = read_documents(text.encode(), file=self.kustomization.file, mode="kustomize")
            resources = resources_of(documents, self.kustomization.file)
        except InvalidYaml:
            return None
        for resource in resources:
            resource.place = self.kustomization.place()
            if self.origin is not None:
                resource.origin = self.origin.in_file(self.kustomization.file).as_dict()
        return resources

    # --- transformers

    def transform(self, found: Accumulated) -> None:
        run = plugins.Run(found.resources, found.config, self.loader, self.build.schema, self.kustomization)
        for kind, step in plugins.steps_of(run):
            plugins.pay(run, kind, step)
            step()
            self.build.schema_uses += kind in ("PatchTransformer", "PatchStrategicMergeTransformer")
            self.note(found, kind)
            found.resources.settle()
        for config in self.plugin_configs("transformers"):
            plugins.transform(config, run)
            if self.origin is not None:
                self.note_origin(found, self.origin.of_plugin(config))
            found.resources.settle()

    def note(self, found: Accumulated, kind: str) -> None:
        if self.origin is not None:
            self.note_origin(found, self.origin.of_builtin(kind, self.kustomization.file))

    @staticmethod
    def note_origin(found: Accumulated, origin: Origin) -> None:
        for resource in found.resources:
            if resource.origin is None:
                resource.origin = origin.as_dict()
            else:
                resource.transformations.append(origin.as_dict())

    def validate(self, found: Accumulated) -> None:
        for config in self.plugin_configs("validators"):
            before = [resource.copy() for resource in found.resources]
            plugins.transform(
                config, plugins.Run(found.resources, found.config, self.loader, self.build.schema, self.kustomization)
            )
            if len(before) != len(found.resources) or not all(map(untouched, before, found.resources)):
                raise RenderFailed("a validator must not change resources", about=str(config), place=config.place)


def _id_of_kustomization(loader: Loader) -> str:
    """Tells apart what different repositories and revisions have in folders of the same name."""
    for name in FILE_NAMES:
        entry = loader.tree.entry(loader.path(name))
        if entry is not None:
            return entry.oid
    return ""


def untouched(before: Resource, after: Resource) -> bool:
    """Whether nothing was written, not even what was there already: a copy shares its scalars with what it was made of."""
    return before.notes == after.notes and _same(before.body, after.body)


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, dict):
        return (
            isinstance(after, dict) and [*before] == [*after] and all(_same(before[key], after[key]) for key in before)
        )
    if isinstance(before, list):
        return isinstance(after, list) and len(before) == len(after) and all(map(_same, before, after))
    return before is after
