"""Functions: KRM functions (executables and containers) and executable plugins, given and giving objects as kustomize does."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidYaml, RenderFailed
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import to_json
from kilde.core.objects.yaml_writer import write_document
from kilde.core.render.kustomize import shapes
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.loader import Loader
from kilde.core.render.kustomize.origin import ORIGIN_ANNOTATION, TRANSFORMER_ANNOTATION, annotation
from kilde.core.render.kustomize.reading import resources_of, with_notes
from kilde.core.render.kustomize.resource import Resource
from kilde.core.render.kustomize.shapes import FLAG, TEXT, TEXTS, Many, Shape
from kilde.core.render.outside import Functions, Program

_KEYS = ("config.kubernetes.io/function", "config.k8s.io/function")
_OLD_KEY = "config.kubernetes.io/container"
_LOCAL = "config.kubernetes.io/local-config"
_ID, _HASH, _BEHAVIOR = (f"kustomize.config.k8s.io/{name}" for name in ("id", "needs-hash", "behavior"))
_FUNCTION_IDS = ("config.k8s.io/id", "internal.config.kubernetes.io/id")
_INDEXES = (
    "config.kubernetes.io/index",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
)
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
_MOUNT: dict[str, Shape] = {"type": TEXT, "src": TEXT, "dst": TEXT, "rw": FLAG}
_SPEC: dict[str, Shape] = {
    "deferFailure": FLAG,
    "container": {"image": TEXT, "network": FLAG, "mounts": Many(_MOUNT), "envs": TEXTS},
    "exec": {"path": TEXT, "args": TEXTS, "envs": TEXTS},
}
_CONTAINER_VARIABLES = {"LOG_TO_STDERR": "true", "STRUCTURED_RESULTS": "true"}
_LONGEST_VARIABLE = 131_071  # bytes that Linux lets one variable have


def generate(config: Resource, loader: Loader) -> list[Resource]:
    """The objects that a function or plugin makes. Raises RenderFailed where none may run, and when it fails."""
    made = _read(_Run(config, loader).made(), config)
    for resource in made:
        annotations = resource.strings("annotations")
        wanted = annotations.pop(_HASH, "false")
        if wanted not in _TRUE + _FALSE:
            raise RenderFailed(f"the annotation '{_HASH}' has the value '{wanted}'", about=str(resource))
        resource.needs_hash = resource.needs_hash or wanted in _TRUE
        behavior = annotations.pop(_BEHAVIOR, "").lower()
        resource.behavior = behavior if behavior in ("create", "merge", "replace") else ""
        _set_annotations(resource, annotations)
    return made


def transform(config: Resource, loader: Loader, collection: Collection) -> None:
    """Puts what a function or plugin makes of the objects in their place: ids that are gone go, new ones come last."""
    given = []
    for resource in collection:
        copy = _noted(resource)
        _set_annotations(copy, {**copy.strings("annotations"), _ID: _id_text(resource)})
        given.append(copy)
    output = _Run(config, loader).transformed(given)
    if output is None:
        return
    found: dict[object, Resource] = {}
    for resource in _read(output, config):
        annotations = resource.strings("annotations")
        annotations.pop(_ID, None)
        _set_annotations(resource, annotations)
        if found.setdefault(resource.id.key, resource) is not resource:
            raise RenderFailed(f"{config} generated duplicate resource: {resource.id}", place=config.place)
    kept = [_replaced(old, found.pop(old.id.key)) for old in collection if old.id.key in found]
    collection.items = [*kept, *found.values()]
    collection.changed()


def _replaced(old: Resource, new: Resource) -> Resource:
    new.behavior, new.place = old.behavior, old.place
    return new


def _id_text(resource: Resource) -> str:
    gvk, name, namespace = resource.id
    parts = {"group": gvk.group, "kind": gvk.kind, "name": name, "namespace": namespace, "version": gvk.version}
    return write_document({key: value for key, value in parts.items() if value})


def _set_annotations(resource: Resource, annotations: Mapping[str, str]) -> None:
    resource.set_strings("annotations", dict(annotations))


def _read(output: bytes, config: Resource) -> list[Resource]:
    about = f"output of {config.kind} {config.name}"
    made = resources_of(read_documents(output, file=about, mode="kustomize"), about)
    for resource in made:
        annotations = resource.strings("annotations")
        if annotations.keys().isdisjoint((*_FUNCTION_IDS, *_INDEXES, ORIGIN_ANNOTATION, TRANSFORMER_ANNOTATION)):
            continue
        for key in (*_FUNCTION_IDS, *_INDEXES):
            annotations.pop(key, None)
        resource.origin = _yaml(annotations.pop(ORIGIN_ANNOTATION, ""), dict)
        resource.transformations = _yaml(annotations.pop(TRANSFORMER_ANNOTATION, ""), list) or []
        _set_annotations(resource, annotations)
    return made


def _noted(resource: Resource) -> Resource:
    """A copy with everything noted on it that kustomize keeps among its annotations."""
    copy = resource.copy()
    copy.body = with_notes(copy)
    notes = {ORIGIN_ANNOTATION: copy.origin, TRANSFORMER_ANNOTATION: copy.transformations}
    texts = {key: annotation(value) for key, value in notes.items() if value}
    _set_annotations(copy, {**copy.strings("annotations"), **texts})
    return copy


def _yaml(text: str, kind: type[Any]) -> Any:
    """What an annotation's text says, where that is of the kind; None where it is not."""
    try:
        documents = read_documents(text.encode(), file="annotation")
    except InvalidYaml:
        return None
    value = documents[0].value if documents else None
    return value if isinstance(value, kind) else None


class _Run:
    """One run of what a config names."""

    def __init__(self, config: Resource, loader: Loader) -> None:
        found = loader.outside.functions
        if found is None:
            raise RenderFailed(
                "external plugins and functions are not run: unable to load plugin",
                about=str(config),
                hint="kilde build runs them with --enable-alpha-plugins; an Application has none run, whatever kustomize.buildOptions says",
                place=config.place,
            )
        self.functions: Functions = found
        self.config = config
        self.loader, self.folder = loader.on_disk()
        self.spec = function_spec(config)
        if self.spec is not None:
            _check_mounts(self.spec, config)

    def made(self) -> bytes:
        if self.spec is None:
            return self.run_plugin(b"")
        alone = self.function_config()
        output = self.run_function([alone])
        return write_document(alone.body).encode() if output is None else output

    def transformed(self, given: list[Resource]) -> bytes | None:
        if self.spec is None:
            return self.run_plugin("---\n".join(write_document(resource.body) for resource in given).encode())
        return self.run_function(given)

    # --- functions

    def function_config(self) -> Resource:
        copy = _noted(self.config)
        _set_annotations(copy, {**copy.strings("annotations"), _LOCAL: "true"})
        return copy

    def run_function(self, given: list[Resource]) -> bytes | None:
        """What the function prints; None where nothing is run, because executables are not enabled."""
        program = self.program()
        if program is None:
            return None
        for number, resource in enumerate(given, 1):
            numbers = {**dict.fromkeys(_INDEXES, str(number - 1)), **dict.fromkeys(_FUNCTION_IDS, str(number))}
            _set_annotations(resource, {**resource.strings("annotations"), **numbers})
        text = resource_list((resource.body for resource in given), self.function_config().body)
        code, output, _ = self.functions.run(program, text.encode(), shown=True)
        if code:
            raise RenderFailed(
                f"the function ended with code {code}",
                about=f"{self.config.kind} {self.config.name}",
                hint="what it says is above",
                place=self.config.place,
            )
        return output

    def program(self) -> Program | None:
        assert self.spec is not None
        settings, container, executable = self.functions.settings, self.spec["container"], self.spec["exec"]
        if container.get("network") and not settings.network:
            raise RenderFailed("network required but not enabled with --network", place=self.config.place)
        if container.get("image"):
            return Program("docker", self.docker_arguments(container), self.folder)
        if not settings.executables or not executable.get("path"):
            return None
        if self.folder == "/":
            raise RenderFailed("a function is not run in the root folder '/'", place=self.config.place)
        variables = dict(
            parts
            for text in (*(executable.get("envs") or []), *settings.variables)
            if len(parts := text.split("=")) == 2
        )
        pairs = sorted(f"{name}={value}" for name, value in variables.items())
        return Program(executable["path"], executable.get("args") or [], self.folder, pairs)

    def docker_arguments(self, container: Mapping[str, Any]) -> list[str]:
        settings = self.functions.settings
        arguments = ["run", "--rm", "-i", "-a", "STDIN", "-a", "STDOUT", "-a", "STDERR"]
        arguments += ["--network", "host" if container.get("network") else "none"]
        arguments += ["--user", settings.user, "--security-opt=no-new-privileges"]
        for mount in (*(container.get("mounts") or []), *map(_parsed_mount, settings.mounts)):
            source = posixpath.normpath(posixpath.join(self.folder, mount.get("src") or ""))
            mode = "" if mount.get("rw") else ",readonly"
            target = mount.get("dst") or ""
            arguments += ["--mount", f"type={mount.get('type') or ''},source={source},target={target}{mode}"]
        return [*arguments, *_variable_flags(container.get("envs") or [], settings.variables), container["image"]]

    # --- executable plugins, kustomize's older kind

    def run_plugin(self, stdin: bytes) -> bytes:
        gvk = self.config.gvk
        path = self.functions.plugin(gvk.group, gvk.version, gvk.kind)
        text = write_document(self.config.body)
        pairs = (f"KUSTOMIZE_PLUGIN_CONFIG_STRING={text}", f"KUSTOMIZE_PLUGIN_CONFIG_ROOT={self.folder}")
        variables = [pair for pair in pairs if len(pair.encode()) <= _LONGEST_VARIABLE]
        program = Program(path, [self.functions.configured(text), *self.plugin_arguments()], self.folder, variables)
        code, output, error = self.functions.run(program, stdin, shown=False)
        if code:
            said = error.strip()[-500:]
            raise RenderFailed(f"the plugin ended with code {code}: {said}", about=path, place=self.config.place)
        return output

    def plugin_arguments(self) -> Iterator[str]:
        one_line, file = self.config.body.get("argsOneLiner"), self.config.body.get("argsFromFile")
        if isinstance(one_line, str):
            yield from split_words(one_line)
        if isinstance(file, str) and file:
            for line in self.loader.read(file).decode("utf-8", "replace").split("\n"):
                if line.lstrip(" "):
                    yield line.lstrip(" ")


def function_spec(config: Resource) -> Mapping[str, Any] | None:
    """What an object says of the function it configures; None if it says nothing. Raises RenderFailed for what is no spec."""
    annotations = config.strings("annotations")
    text = next((annotations[key] for key in _KEYS if annotations.get(key)), "")
    raw: Any = config.metadata.get("configFn")
    if text:
        try:
            documents = read_documents(text.encode(), file=_KEYS[0], mode="kubernetes")
        except InvalidYaml as error:
            raise RenderFailed(error.what, about=f"{_KEYS[0]} of {config}", place=config.place) from error
        raw = documents[0].value if documents else {}
    elif raw is None:
        image = annotations.get(_OLD_KEY)
        return {"container": {"image": image}, "exec": {}} if image else None
    assert config.place is not None
    spec = shapes.decode(to_json(raw), _SPEC, f"{_KEYS[0]} of {config}", config.place)
    return {"container": {}, "exec": {}, **spec}


def _check_mounts(spec: Mapping[str, Any], config: Resource) -> None:
    for mount in spec["container"].get("mounts") or []:
        source = mount.get("src") or ""
        if source.startswith("/") or posixpath.normpath(source or ".").startswith(".."):
            raise RenderFailed(
                f"the mount path '{source}' is not permitted",
                about=str(config),
                hint="mount paths are relative to the kustomization's folder and below it",
                place=config.place,
            )


def _parsed_mount(text: str) -> dict[str, Any]:
    """`--mount type=bind,src=…,dst=…,rw=true`."""
    pairs = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    source, target = (pairs.get(name) or pairs.get(other) for name, other in (("src", "source"), ("dst", "target")))
    return {"type": pairs.get("type"), "src": source, "dst": target, "rw": pairs.get("rw") == "true"}


def _variable_flags(declared: Iterable[str], given: Iterable[str]) -> list[str]:
    """docker's -e flags: values by name, those given by flags winning; then names whose values are the caller's own."""
    values, names = dict(_CONTAINER_VARIABLES), []
    for texts in (declared, [*(f"{name}={value}" for name, value in _CONTAINER_VARIABLES.items()), *given]):
        for text in texts:
            name, equals, value = text.partition("=")
            if equals:
                values[name] = value
            elif name not in names:
                names.append(name)
    flags = [f"{name}={values[name]}" for name in sorted(values)]
    return [word for flag in (*flags, *names) for word in ("-e", flag)]


def resource_list(items: Iterable[dict[str, Any]], config: dict[str, Any]) -> str:
    """A ResourceList, its fields in the order functions are used to."""
    listed = "".join(_indented(write_document(item), "- ") for item in items)
    head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:" + ("\n" if listed else " []\n")
    return f"{head}{listed}functionConfig:\n{_indented(write_document(config), '  ')}"


def _indented(text: str, first: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join((first if at == 0 else "  ") + line if line.strip() else line for at, line in enumerate(lines))


def split_words(text: str) -> list[str]:
    """A line cut into words as a shell does it; what follows an unquoted # is a comment. RenderFailed for an open quote."""
    words: list[str] = []
    word, quote, escaped = "", "", False
    for character in text:
        if escaped:
            word, escaped = word + character, False
        elif character == "\\" and quote != "'":
            escaped = True
        elif character == quote:
            quote = ""
        elif character in "'\"" and not quote:
            quote = character
        elif character == "#" and not quote:
            break
        elif character.isspace() and not quote:
            words, word = ([*words, word] if word else words), ""
        else:
            word += character
    if quote:
        raise RenderFailed("unclosed quote in string", about="argsOneLiner")
    return [*words, word] if word else words
