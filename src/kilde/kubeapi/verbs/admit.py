"""The steps every write shares: decoding by type, defaults, ownership, validation, the namespace's leave, and the write itself."""

from collections.abc import Callable

from kilde.core.basics.values import Object
from kilde.core.objects.ref import join_api_version
from kilde.core.objects.typed import schema
from kilde.core.objects.typed.go_decode import Decoded, WrongType, decode
from kilde.core.objects.typed.managed_fields import update
from kilde.kubeapi.call import Call
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.deletion import CRDS
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.logic.metadata import ordered, tidy
from kilde.kubeapi.resources import custom
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.resources.kinds import SubResource
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.world import World


def typed(call: Call, obj: Object, duplicates: tuple[str, ...] = ()) -> Object:
    """The object as a typed decoder keeps it. What is unknown or there twice is refused (Strict), warned of or ignored."""
    resource = call.kind.resource
    return _typed(call, resource.version, resource.kind, lambda: call.kind.decoded(obj), duplicates)


def typed_body(call: Call, sub: SubResource, obj: Object, duplicates: tuple[str, ...] = ()) -> Object:
    """The same for the body of a sub-resource, which may be of a kind of its own."""
    resource, (group, version, kind) = call.kind.resource, sub.body
    if not version:
        group, version = resource.group, resource.version
    own = join_api_version(group, version)
    given, name = str(obj.get("apiVersion") or own), str(obj.get("kind") or kind)
    if (given, name) != (own, kind):
        word = f'{name} in version "{given.rpartition("/")[2]}" cannot be handled as a {kind}'
        scheme = f'no kind "{name}" is registered for version "{given}" in scheme "pkg/runtime/scheme.go:111"'
        raise failures.bad_request(f"{word}: {scheme}")
    node = schema.builtin().node(group, version, kind)
    return obj if node is None else _typed(call, version, kind, lambda: decode(node, obj), duplicates)


def _typed(call: Call, version: str, kind: str, decoding: Callable[[], Decoded], duplicates: tuple[str, ...]) -> Object:
    word = f'{kind} in version "{version}" cannot be handled as a {kind}'
    try:
        decoded = decoding()
    except WrongType as error:
        raise failures.bad_request(f"{word}: {error.what}") from error
    twice = [each if each.startswith("duplicate") else each.replace("'", '"') for each in duplicates]
    if any(not each.startswith("duplicate") for each in twice) and call.options.validation == "Strict":
        twice = [f"yaml: unmarshal errors:\n  {', '.join(twice)}"]
    complain(call, word, (*twice, *(f'unknown field "{path}"' for path in decoded.unknown)))
    return decoded.object


def complain(call: Call, word: str, problems: tuple[str, ...]) -> None:
    """Refuses, warns of or ignores what strict decoding found, as fieldValidation asks."""
    if not problems or call.options.validation == "Ignore":
        return
    if call.options.validation == "Strict":
        raise failures.bad_request(f"{word}: strict decoding error: {', '.join(problems)}")
    for problem in problems:
        call.warn(problem)


def check_kind(kind: Kind, obj: Object) -> None:
    """Gives an object of a built-in kind its apiVersion and kind where it has none; 400 where it is of another kind."""
    resource = kind.resource
    version = obj.get("apiVersion") or ("" if resource.custom else resource.api_version)
    name = obj.get("kind") or resource.kind
    obj["apiVersion"], obj["kind"] = version, name
    if version == resource.api_version and (name == resource.kind or resource.custom):
        return  # a custom resource of another kind is invalid, not undecodable
    raise failures.bad_request(_another_kind(kind, str(version), str(name)))


def _another_kind(kind: Kind, version: str, name: str) -> str:
    wanted = kind.resource
    group = version.rpartition("/")[0]
    if not wanted.custom and (name != wanted.kind or group != wanted.group):
        word = f'{name} in version "{version.rpartition("/")[2]}" cannot be handled as a {wanted.kind}'
        return f'{word}: no kind "{name}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
    return f"the API version in the data ({version}) does not match the expected API version ({wanted.api_version})"


def check_namespace(world: World, call: Call) -> None:
    """403 in a namespace that is being deleted, 404 in one that is not there, 400 where the path names none."""
    if not call.kind.resource.namespaced:
        return
    if not call.namespace:
        raise failures.no_namespace()
    found = world.store.get(Key("namespaces", "", call.namespace))
    if found is None:
        raise failures.not_found(Named("", "namespaces", call.namespace))


def check_new_content(world: World, call: Call, name: str) -> None:
    """403 for what would be created in a namespace, or of a definition, that is being deleted; 404 where it is gone by now."""
    if call.kind.resource.custom:
        definition = world.store.get(Key(CRDS, "", call.kind.resource.qualified))
        if definition is None:  # since the request was understood: nobody would ever clear away what is made now
            raise failures.no_such_resource()
        if custom.is_terminating(definition.object()):
            why = "create not allowed while custom resource definition is terminating"
            raise failures.forbidden(call.kind.about(name), why)
    if not call.kind.resource.namespaced or not call.namespace:
        return
    found = world.store.get(Key("namespaces", "", call.namespace))
    if found is None:
        raise failures.not_found(Named("", "namespaces", call.namespace))
    if b'"deletionTimestamp"' in found.data and found.object()["metadata"].get("deletionTimestamp"):
        cause = failures.cause(
            "NamespaceTerminating", f"namespace {call.namespace} is being terminated", "metadata.namespace"
        )
        why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
        raise failures.forbidden(call.kind.about(name), why, [cause])


def owned(call: Call, live: Object | None, obj: Object, now: str) -> Object:
    """The object with managedFields that tell of this write: never `live` itself, whose parts are put back into it."""
    kind = call.kind
    settled = kind.settled(obj)
    made = update(
        live,
        settled,
        node=kind.node,
        manager=call.manager,
        api_version=kind.resource.api_version,
        subresource=call.subresource,
        now=now,
        reset_fields=kind.reset_fields(call.subresource),
        versions=kind.elsewhere,
    ).object
    if settled is obj:
        return {**made, "metadata": dict(made["metadata"])} if made is live else made
    owners = made["metadata"].get("managedFields")
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": {**meta, "managedFields": owners} if owners else meta}


def finished(obj: Object) -> Object:
    """The object as it is stored."""
    tidy(obj)
    return ordered(obj)


def refuse(kind: Kind, obj: Object, causes: list[Cause]) -> None:
    """422 if there are causes."""
    if not obj["metadata"].get("name") and not (causes and kind.names_last):
        words = "Required value: name or generateName is required"
        if not any(cause.field == "metadata.name" for cause in causes):
            causes = [failures.cause("FieldValueRequired", words, "metadata.name"), *causes]
    if causes:
        about = kind.about_kind(str(obj["metadata"].get("name") or ""))
        if kind.resource.custom:  # named as it was sent, whatever kind that is
            about = about._replace(kind=obj.get("kind", ""))
        raise failures.invalid(about, causes)


def shaped(kind: Kind, obj: Object, *, nulls: bool) -> Object:
    """The object with its defaults; its outer layers may be changed. `nulls`: those that an apply has merged stay."""
    made = dict(kind.defaulted(obj, nulls=nulls))
    made["metadata"] = dict(made.get("metadata") or {})
    if (obj.get("metadata") or {}).get("managedFields") == []:
        made["metadata"]["managedFields"] = []  # which gives up what is owned
    if isinstance(made.get("spec"), dict):
        made["spec"] = dict(made["spec"])
    return made


_TWICE = (
    ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and may reject such requests"
    " as early as 1.24; please fix your requests; duplicate UID(s) observed: {uids}"
)


def one_of_each_owner(call: Call, obj: Object, *, admitted: bool = False) -> None:
    """Leaves one of equal owner references, with a warning; `admitted`: after mutating admission."""
    found = obj.get("metadata")
    owners = found.get("ownerReferences") if isinstance(found, dict) else None
    if not isinstance(owners, list):
        return
    kept = [owner for index, owner in enumerate(owners) if owner not in owners[:index]]
    if len(kept) == len(owners) or not all(isinstance(owner, dict) for owner in owners):
        return
    again = [str(owner.get("uid", "")) for index, owner in enumerate(owners) if owner in owners[:index]]
    obj["metadata"] = {**obj["metadata"], "ownerReferences": kept}
    when = " after mutating admission happens" if admitted else ""
    call.warn(_TWICE.format(when=when, uids=", ".join(again)))
