"""Adoption of changes made by hand: into the files of a working copy, proved by rendering them, and as one commit."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kilde.cli.sealing.repository import Repository
from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.basics.values import Object
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.plan.adopted_file import in_place, with_patch

if TYPE_CHECKING:
    from kilde.engine.beside.inspect import Drift

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
Render = Callable[[Object, Path], tuple[str, ...]]
_Key = tuple[str, str, str, str]


def adopt(repository: Repository, app: Object, drifts: "Sequence[Drift]", render: Render, message: str) -> str:
    """Commits files that say what the cluster says now; the commit's id. KildeError, and everything as it was, where they cannot."""
    for drift in drifts:
        if drift.ref.group == "" and drift.ref.kind == "Secret":
            hint = "seal the value instead: kilde secrets set"
            raise InvalidInput("a Secret is not written into Git in plain text", about=str(drift.ref), hint=hint)
    source = (app.get("spec") or {}).get("source") or {}
    path = str(source.get("path") or ".").strip("/") or "."
    folder = repository.folder / path
    if not folder.is_dir():
        raise InvalidInput("is no folder of this working copy", about=path, hint="give its repository with --repo")
    expected = _expected(_by_key(render(app, folder)), drifts)
    files = _edited(repository, path, drifts)
    before = {name: repository.read(name) for name in files}
    repository.change(files, message, commit=False)
    try:
        if _by_key(render(app, folder)) != expected:
            raise InvalidInput(
                "the files cannot be made to say it: names, lists or charts are in between",
                about=path,
                hint="kilde app diff shows what differs; change Git by hand",
            )
    except KildeError:
        for name, data in before.items():
            (repository.folder / name).write_bytes(data)
        raise
    return repository.commit(list(files), message)


def _by_key(texts: Sequence[str]) -> dict[_Key, Any]:
    found: dict[_Key, Any] = {}
    for text in texts:
        body = msgspec.json.decode(text)
        meta = body["metadata"]
        found[body["apiVersion"], body["kind"], str(meta.get("namespace") or ""), str(meta.get("name"))] = body
    return found


def _expected(rendered: dict[_Key, Any], drifts: "Sequence[Drift]") -> dict[_Key, Any]:
    expected = dict(rendered)
    for drift in drifts:
        ref = drift.ref
        keys = [(drift.api_version, ref.kind, space, ref.name) for space in (ref.namespace, "")]
        key = next((one for one in keys if one in expected), None)
        if key is None:
            hint = "pull first: the working copy is not what the application was rendered from"
            raise InvalidInput("is not in this working copy", about=str(ref), hint=hint)
        if drift.gone:
            del expected[key]
        else:
            expected[key] = json_patch(expected[key], [dict(one) for one in drift.operations])
    return expected


def _edited(repository: Repository, path: str, drifts: "Sequence[Drift]") -> dict[str, bytes]:
    """The files to write: the application's kustomization, or those that the objects stand in."""
    prefix = "" if path == "." else f"{path}/"
    kustomization = next(
        (prefix + name for name in _KUSTOMIZATIONS if (repository.folder / prefix / name).is_file()), ""
    )
    files: dict[str, bytes] = {}
    for drift in drifts:
        name = kustomization or (drift.origin.file if drift.origin else "")
        if not name or not (repository.folder / name).is_file():
            raise InvalidInput("stands in no file of this working copy", about=str(drift.ref))
        data = files.get(name) or repository.read(name)
        if kustomization:
            files[name] = with_patch(data, name, drift.ref, drift.api_version, drift.operations, gone=drift.gone)
        else:
            files[name] = in_place(data, name, drift.ref, drift.operations, gone=drift.gone)
    return files
