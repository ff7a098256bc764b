"""patch: JSON patch, merge patch, strategic merge patch and server-side apply."""

import json

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.patches.errors import PatchError, PatchRejected
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.patches.merge_patch import merge_patch
from kilde.core.objects.patches.strategic_merge import strategic_merge
from kilde.core.objects.typed.errors import ApplyConflict, BadApply, TypingError
from kilde.core.objects.typed.managed_fields import apply
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import decode, failures, negotiate
from kilde.kubeapi.logic.failures import Cause, Named
from kilde.kubeapi.logic.go_decode import WrongType
from kilde.kubeapi.logic.metadata import check_name, meta
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.verbs.admit import check_namespace, check_new_content, complain
from kilde.kubeapi.verbs.create import create_as
from kilde.kubeapi.verbs.update import replace
from kilde.kubeapi.world import World

BUILTIN_PATCHES = (negotiate.JSON_PATCH, negotiate.MERGE, negotiate.STRATEGIC, negotiate.APPLY)
CUSTOM_PATCHES = (negotiate.JSON_PATCH, negotiate.MERGE, negotiate.APPLY)


def patch(world: World, call: Call, media: str, raw: bytes) -> tuple[Record, bool]:
    """Applies a patch body: (what is stored now, whether it was created)."""
    if media == negotiate.APPLY:
        return _apply(world, call, raw)
    check_namespace(world, call)
    existing = world.find(call.kind, call.namespace, call.name)
    if existing is None:
        raise failures.not_found(call.kind.about(call.name))
    change = read_patch(media, raw)
    obj = patched(call, media, change, existing.object())
    return replace(world, call, existing, obj, own=True), False


def read_patch(media: str, raw: bytes) -> Json:
    """The patch of a body; 400 if it is no JSON."""
    try:
        body = decode.decode(raw, negotiate.JSON, "Patch").value
    except ApiError as error:
        what = f"error decoding patch: {decode.json_problem(raw)}" if media == negotiate.JSON_PATCH else None
        raise failures.bad_request(what or decode.json_problem(raw)) from error
    if media == negotiate.MERGE and not isinstance(body, dict):
        raise failures.bad_request("Invalid JSON Patch")
    return body


def patched(call: Call, media: str, change: Json, old: Object) -> Object:
    """The object after the patch, as a typed decoder keeps it."""
    kind = call.kind
    try:
        if media == negotiate.JSON_PATCH:
            made = json_patch(old, change)
        elif media == negotiate.MERGE:
            made = merge_patch(old, change)
        else:
            made = strategic_merge(old, change, kind.node)
    except PatchRejected as error:
        raise failures.unprocessable() from error
    except PatchError as error:
        raise _refused(error) from error
    if not isinstance(made, dict):
        raise failures.bad_request(
            f"the name of the object ({call.name} based on URL) was undeterminable: name must be provided"
        )
    made = {
        **made,
        "metadata": dict(made["metadata"]) if isinstance(made.get("metadata"), dict) else made.get("metadata") or {},
    }
    made = _decoded(call, made)
    made.setdefault("apiVersion", old["apiVersion"])
    made.setdefault("kind", old["kind"])
    check_name(made, call.name, call.namespace, namespaced=kind.resource.namespaced)
    return made


def _refused(error: PatchError) -> ApiError:
    if error.status == 400:
        return failures.bad_request(error.what)
    if error.status == 413:
        return ApiError(413, "RequestEntityTooLarge", error.what)
    return failures.unexplained(error.what)


def _decoded(call: Call, made: Object) -> Object:
    """Decodes a patched object; what does not fit is a 422 without a kind, as upstream answers."""
    try:
        decoded = call.kind.decoded(made)
    except WrongType as error:
        raise _unfit(made, error.what) from error
    unknown = tuple(f'unknown field "{path}"' for path in decoded.unknown)
    if unknown and call.options.validation == "Strict":
        raise _unfit(made, f"strict decoding error: {', '.join(unknown)}")
    complain(call, "", unknown)
    return dict(decoded.object)


def _unfit(made: Object, why: str) -> ApiError:
    text = json.dumps(made, separators=(",", ":"), sort_keys=True)
    return failures.invalid(
        Named("", ""), [Cause("FieldValueInvalid", f"Invalid value: {failures.quoted(text)}: {why}", "patch")]
    )


def _apply(world: World, call: Call, raw: bytes) -> tuple[Record, bool]:
    body = _read_apply(call, raw)
    return applied(world, call, body)


def _read_apply(call: Call, raw: bytes) -> Object:
    try:
        body = decode.decode(raw, negotiate.YAML if raw[:1] != b"{" else negotiate.JSON, "")
    except ApiError:
        try:
            body = decode.decode(raw, negotiate.YAML, "")
        except ApiError as error:
            what = error.message.partition("yaml: ")[2]
            raise failures.bad_request(f"error decoding YAML: error converting YAML to JSON: yaml: {what}") from error
    config = body.value if isinstance(body.value, dict) else {}
    complain(call, "error strict decoding YAML", body.duplicates)
    return config


def applied(world: World, call: Call, config: Object) -> tuple[Record, bool]:
    """Server-side applies a configuration: (what is stored now, whether it was created)."""
    kind = call.kind
    resource = kind.resource
    if config.get("apiVersion") != resource.api_version or config.get("kind") != resource.kind:
        group, _, version = str(config.get("apiVersion") or "").rpartition("/")
        raise failures.bad_request(f"invalid object type: {group}/{version}, Kind={config.get('kind') or ''}")
    meta(config)
    check_namespace(world, call)
    existing = world.find(kind, call.namespace, call.name)
    live = existing.object() if existing else None
    now = world.now()
    named = dict(config["metadata"])
    try:
        made = apply(
            live,
            config,
            node=kind.node,
            manager=call.manager,
            force=call.options.force,
            api_version=resource.api_version,
            subresource=call.subresource,
            now=now,
            reset_fields=kind.reset_fields(call.subresource),
        )
    except ApplyConflict as error:
        details = {"causes": list(error.causes)}
        raise ApiError(409, "Conflict", error.what, details) from error
    except BadApply as error:
        raise failures.bad_request(error.what) from error
    except (TypingError, InvalidInput) as error:
        raise failures.unexplained(error.what) from error
    if existing is not None and live is not None and not made.changed:
        check_name({"metadata": named}, call.name, call.namespace, namespaced=resource.namespaced)
        return existing, False
    return _written(world, call, existing, made.object)


def _written(world: World, call: Call, existing: Record | None, made: Object) -> tuple[Record, bool]:
    kind = call.kind
    made = {**made, "metadata": dict(made["metadata"])}
    check_name(made, call.name, call.namespace, namespaced=kind.resource.namespaced)
    try:
        made = dict(kind.decoded(made).object)
    except WrongType as error:
        raise failures.unexplained(error.what) from error
    if existing is not None:
        return replace(world, call, existing, made, own=False), False
    if call.subresource:
        raise failures.not_found(kind.about(call.name))
    if made["metadata"].get("uid"):
        what = f"the provided object specified uid {made['metadata']['uid']}, and no existing object was found"
        raise failures.conflict(kind.about(call.name), f"uid mismatch: {what}")
    check_new_content(world, call, call.name)
    return create_as(world, call, made, own=False), True
