"""Config management plugins: which one renders a source, what it is handed, and the objects that it prints.

A plugin is described by Argo CD's `plugin.yaml`. Discovery, environment and their order are Argo CD's.
"""

import json
import posixpath
import re
from typing import Any

from kilde.core.basics.errors import InvalidInput, LimitExceeded, RenderFailed
from kilde.core.basics.reading import Reader
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.render.directory import unpacked
from kilde.core.render.outside import Outside, PluginFile, PluginRun, PluginSpec
from kilde.core.render.path_globs import expand
from kilde.core.render.source import PluginOptions, PluginParameter, Surroundings, substituted
from kilde.core.source.tree import EntryKind, Tree, executable, followed

_MOST_FILES = 20_000
_MOST_BYTES = 256 << 20
_NOT_IN_NAMES = re.compile(r"[^A-Z0-9_]")
# Go's encoding/json
_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def read_plugin(raw: Any, about: str) -> PluginSpec:
    """A `plugin.yaml`. Raises InvalidInput with all that is wrong in it."""
    top = Reader(raw, "plugin")
    spec, name = top.mapping("spec"), top.mapping("metadata").text("name")
    find = spec.mapping("discover").mapping("find")
    version = spec.text("version")
    found = PluginSpec(
        name=f"{name}-{version}" if version else name,
        init=_command(spec.mapping("init")),
        generate=_command(spec.mapping("generate")),
        file_name=spec.mapping("discover").text("fileName"),
        glob=find.text("glob"),
        find=_command(find),
        keep_mode=spec.flag("preserveFileMode"),
    )
    if top.text("kind") != "ConfigManagementPlugin":
        top.problem("kind", "must be ConfigManagementPlugin")
    if not name or "/" in name:
        top.problem("metadata.name", "must name the plugin")
    if not found.generate:
        spec.problem("generate", "must have a command")
    if spec.flag("provideGitCreds"):
        spec.problem("provideGitCreds", "is not supported: a plugin gets no credentials")
    top.finish(about)
    return found


def _command(at: Reader) -> tuple[str, ...]:
    """Program and arguments; () where there is none."""
    words = at.texts("command")
    return (*words, *at.texts("args")) if words else ()


def chosen(
    tree: Tree, path: str, options: PluginOptions | None, around: Surroundings, outside: Outside
) -> PluginSpec | None:
    """The plugin that the source names, or the first by name that takes it; None where none does, and none is asked for.

    Raises RenderFailed where one is asked for and there is none.
    """
    known = outside.plugins.known() if outside.plugins is not None else ()
    if options is not None and options.name:
        found = next((one for one in known if one.name == options.name), None)
        if found is not None and (not found.discovers or _takes(found, tree, path, options, around, outside)):
            return found
        hint = "kilde up --plugins names a folder of them" if outside.plugins is None else ""
        what = f'could not find plugin with name "{options.name}" supporting the given repository'
        raise RenderFailed(what, about=path or "/", hint=hint)
    for one in known:
        if one.discovers and _takes(one, tree, path, options, around, outside):
            return one
    if options is not None:
        raise RenderFailed("could not find plugin supporting the given repository", about=path or "/")
    return None


def _takes(
    plugin: PluginSpec, tree: Tree, path: str, options: PluginOptions | None, around: Surroundings, outside: Outside
) -> bool:
    """Whether the plugin supports the folder: by a file's name, else a glob, else what a command prints."""
    for pattern in (plugin.file_name, plugin.glob):
        if pattern:
            return bool(expand(tree, posixpath.normpath(posixpath.join(path, pattern.lstrip("/")))))
    assert outside.plugins is not None
    try:
        return outside.plugins.find(_run(plugin, tree, path, options, around))
    except RenderFailed:
        return False  # one that fails is not for this folder


def render_plugin(
    plugin: PluginSpec, tree: Tree, path: str, options: PluginOptions | None, around: Surroundings, outside: Outside
) -> tuple[Manifest, ...]:
    """The objects that it prints. Raises RenderFailed with its words, InvalidYaml for what is no object."""
    assert outside.plugins is not None
    printed = outside.plugins.generate(_run(plugin, tree, path, options, around))
    found: list[Manifest] = []
    for document in read_documents(printed, file=f"plugin {plugin.name}", duplicates="last"):
        found += unpacked(document.value, document, document.line)
    return tuple(found)


def _run(plugin: PluginSpec, tree: Tree, path: str, options: PluginOptions | None, around: Surroundings) -> PluginRun:
    return PluginRun(plugin, _files(tree), path, environment(options, around, path))


def environment(options: PluginOptions | None, around: Surroundings, path: str) -> dict[str, str]:
    """The build environment, `ARGOCD_ENV_*`, and the parameters, as Argo CD hands them over."""
    out = around.environment(path)
    if options is None:
        return out
    base = dict(out)
    for name, value in options.env:
        out[f"ARGOCD_ENV_{name}"] = substituted(value, base)
    told = [_told(one) for one in options.parameters]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).translate(_HTML)
    out["ARGOCD_APP_PARAMETERS"] = text if told else "null"
    for one in options.parameters:
        name = f"PARAM_{_escaped(one.name)}"
        if one.string is not None:
            out[name] = one.string
        out |= {f"{name}_{_escaped(key)}": value for key, value in one.map or ()}
        out |= {f"{name}_{index}": value for index, value in enumerate(one.array or ())}
    for name, value in out.items():
        if "\0" in name + value or "=" in name or not name:
            raise InvalidInput("is no name or value of an environment variable", about=f"plugin: {name!r}")
    return out


def _told(one: PluginParameter) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name}
    if one.string is not None:
        found["string"] = one.string
    if one.map is not None:
        found["map"] = dict(one.map)
    if one.array is not None:
        found["array"] = list(one.array)
    return found


def _escaped(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name.upper())


def _files(tree: Tree) -> dict[str, PluginFile]:
    """The whole repository: a plugin may read what it likes. Raises LimitExceeded; InvalidInput for a symlink that leaves it."""
    found: dict[str, PluginFile] = {}
    total = 0
    ahead = [""]
    while ahead:
        folder = ahead.pop()
        for entry in tree.list(folder):
            path = posixpath.join(folder, entry.name)
            if entry.kind is EntryKind.FOLDER:
                ahead.append(path)
            elif entry.kind is EntryKind.SYMLINK:
                if tree.entry(real := followed(tree, path)) is not None and real != path:
                    found[path] = PluginFile(b"", link=posixpath.relpath(real or ".", folder or "."))
            elif entry.kind is EntryKind.FILE:
                found[path] = PluginFile(tree.read(path), executable=executable(tree, path))
                total += len(found[path].content)
            if len(found) > _MOST_FILES or total > _MOST_BYTES:
                raise LimitExceeded(
                    f"a repository of more than {_MOST_FILES} files or {_MOST_BYTES} bytes for a plugin"
                )
    return found
