"""patch: JSON patch, merge patch and strategic merge patch; a server-side apply is handed on."""

import json
from collections.abc import Callable
from functools import partial

from kilde.core.basics.json_words import json_problem, word_of
from kilde.core.basics.values import Json, Object, canonical
from kilde.core.objects.patches.errors import PatchError, PatchRejected
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.patches.merge_patch import merge_patch
from kilde.core.objects.patches.strategic_merge import merged_with_rest
from kilde.core.objects.typed.go_decode import Decoded, WrongType, decode_unversioned
from kilde.core.objects.typed.go_decode import decode as decode_as
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.validation import printed
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import decode, failures, negotiate
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.logic.metadata import check_name
from kilde.kubeapi.logic.patched import after_json_patch, after_merge_patch
from kilde.kubeapi.resources.go_order import as_go_writes
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.verbs.admit import check_namespace, complain
from kilde.kubeapi.verbs.apply import applied, read_apply
from kilde.kubeapi.verbs.body_kind import Said, foreign
from kilde.kubeapi.verbs.update import replace
from kilde.kubeapi.world import World

BUILTIN_PATCHES = (negotiate.JSON_PATCH, negotiate.MERGE, negotiate.STRATEGIC, negotiate.APPLY)
CUSTOM_PATCHES = (negotiate.JSON_PATCH, negotiate.MERGE, negotiate.APPLY)
Decoding = Callable[[Object], Decoded]


def patch(world: World, call: Call, media: str, raw: bytes) -> tuple[Record, bool]:
    """Applies a patch body: (what is stored now, whether it was created)."""
    if media == negotiate.APPLY:
        return applied(world, call, read_apply(call, raw))
    check_namespace(world, call)
    if world.find(call.kind, call.namespace, call.name) is None:
        raise failures.not_found(call.kind.about(call.name))
    return change(world, call, media, read_patch(media, raw)), False


def change(world: World, call: Call, media: str, wanted: Json) -> Record:
    """Applies a patch that has been read: what is stored now."""
    existing = world.find(call.kind, call.namespace, call.name)
    if existing is None:
        raise failures.not_found(call.kind.about(call.name))
    old = call.kind.held(existing)
    document, rest = _changed(call, media, wanted, old, call.kind.node)
    if rest is None and not call.kind.resource.custom:
        _check_kind(call, document, lambda: as_told(call, media, wanted, old, call.kind.node))
    call.kind.mark_unchanged(document, old)
    made = _decoded(call, document, rest, lambda: as_told(call, media, wanted, old, call.kind.node))
    if not call.kind.resource.custom:
        made["apiVersion"], made["kind"] = old["apiVersion"], old["kind"]  # a typed decoder takes them from the URL
    elif not made.get("apiVersion"):
        raise failures.internal("Object 'apiVersion' is missing in 'object has no apiVersion field'")
    check_name(made, call.name, call.namespace, namespaced=call.kind.resource.namespaced)
    return replace(world, call, existing, made, own=True, exact=False)


def _check_kind(call: Call, document: Object, told: Callable[[], Object]) -> None:
    """422 for a document of another kind: what is wrong with it as that kind, else that it is another."""
    resource = call.kind.resource
    found = foreign(document, Said(resource.group, resource.version, resource.kind))
    if found is None:
        return
    shown, why = told(), found.why
    try:
        if found.node is not None:
            decode_as(found.node, shown)
    except WrongType as error:
        why = error.what
    raise unfit(shown, why)


def read_patch(media: str, raw: bytes) -> Json:
    """The patch of a body; 400 if it is no JSON."""
    try:
        body = decode.decode(raw, negotiate.JSON, "Patch").value
    except ApiError as error:
        what = json_problem(raw)
        raise failures.bad_request(what if media == negotiate.STRATEGIC else f"error decoding patch: {what}") from error
    if media == negotiate.MERGE and not isinstance(body, dict):
        if body is None:
            raise failures.bad_request("Invalid JSON Patch")
        what = f"json: cannot unmarshal {word_of(body)} into Go value of type map[string]interface {{}}"
        raise failures.bad_request(f"error decoding patch: {what}")
    return body


def change_document(call: Call, media: str, wanted: Json, old: Object, node: Node) -> Object:
    """The document after the patch, not yet decoded; its metadata may be changed."""
    return _changed(call, media, wanted, old, node)[0]


def _changed(call: Call, media: str, wanted: Json, old: Object, node: Node) -> tuple[Object, Object | None]:
    """The same, and what is left of a strategic patch (None: it is of another kind)."""
    rest = None
    try:
        if media == negotiate.JSON_PATCH:
            made = json_patch(old, wanted)
        elif media == negotiate.MERGE:
            made = merge_patch(old, wanted)
        else:
            made, rest = merged_with_rest(old, wanted, node)
    except PatchRejected as error:
        raise failures.unprocessable() from error
    except PatchError as error:
        raise _refused(error, media) from error
    if not isinstance(made, dict):
        raise failures.bad_request(
            f"the name of the object ({call.name} based on URL) was undeterminable: name must be provided"
        )
    meta = made.get("metadata")
    return ({**made, "metadata": dict(meta)} if isinstance(meta, dict) else dict(made)), rest


def _refused(error: PatchError, media: str) -> ApiError:
    if error.status == 400:
        return failures.bad_request(
            f"error decoding patch: {error.what}" if media == negotiate.JSON_PATCH else error.what
        )
    if error.status == 413:
        return ApiError(413, "RequestEntityTooLarge", error.what)
    return failures.unexplained(error.what)


def as_told(call: Call, media: str, wanted: Json, old: Object, node: Node) -> Object:
    """The document after the patch in the order in which a real server has it: a refusal quotes it, or tells its first fault."""
    custom = call.kind.resource.custom and node is call.kind.node
    before = json.loads(canonical(old)) if custom else as_go_writes(node, old)
    if media == negotiate.JSON_PATCH:
        found: Object = after_json_patch(before, wanted)
        return found
    return after_merge_patch(_changed(call, media, wanted, before, node)[0], wanted)


def _decoded(call: Call, made: Object, rest: Object | None, told: Callable[[], Object]) -> Object:
    """Decodes a patched object; what does not fit is a 422 without a kind, as upstream answers. `rest` is of a strategic patch."""
    if call.kind.resource.custom and not made.get("kind"):
        text = _text(told())
        raise _unlike(text, f"Object 'Kind' is missing in '{text}'")
    decoding: Decoding = call.kind.decoded
    if rest is None and not call.kind.resource.custom and not made.get("apiVersion"):
        decoding = partial(decode_unversioned, call.kind.node)
    try:
        decoded = decoding(made)
    except WrongType as error:
        if rest is not None:
            first = _first_fault(decoding, as_go_writes(call.kind.node, made)) or error
            raise _unlike(printed(rest), first.restored) from error
        shown = told()
        raise unfit(shown, (_first_fault(decoding, shown) or error).what) from error
    unknown = decoded.unknown
    if rest is None and len(unknown) > 1:
        unknown = decoding(told()).unknown
    problems = tuple(f'unknown field "{path}"' for path in unknown)
    if rest is not None:
        problems = tuple(sorted(problems))
    if problems and call.options.validation == "Strict":
        why = f"strict decoding error: {', '.join(problems)}"
        raise unfit(told(), why) if rest is None else _unlike(printed(rest), why)
    complain(call, "", problems)
    found = dict(decoded.object)
    return {**found, "metadata": dict(found.get("metadata") or {})}


def _first_fault(decoding: Decoding, made: Object) -> WrongType | None:
    """What is told of several values of a wrong type: the first in the order in which a real server has them."""
    try:
        decoding(made)
    except WrongType as error:
        return error
    return None


def unfit(shown: Object, why: str) -> ApiError:
    """422 for a patched object that does not decode, with the whole of it."""
    return _unlike(_text(shown), why)


def _text(shown: Object) -> str:
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)


def _unlike(text: str, why: str) -> ApiError:
    words = f"Invalid value: {failures.quoted(text)}: {why}"
    return failures.invalid(Named("", ""), [failures.cause("FieldValueInvalid", words, "patch")])
