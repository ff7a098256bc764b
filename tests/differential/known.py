"""The differences that are accepted, each with its reason; docs/limits.md says the same to users."""

import copy
import json
import re
from collections.abc import Sequence
from typing import Any

from differential.steps import Step

_QUOTED = re.compile(r'Invalid value: "(\{(?:\\.|[^"\\])*\})": ')


def known(step: Step, real: Any, ours: Any, before: Sequence[Step] = ()) -> str:
    """Why this difference is accepted; "" if it is not. `before` are the steps that led to it."""
    if "disallowed by cluster policy" in json.dumps(real["body"]):
        return "the real server here forbids privileged containers, which clusters that kubeadm makes do not"
    if _delete_beside_list(step.body):
        return "a list and what is to be deleted from it in one patch are done in an order that is random on the real server"
    if real["status"] == 0:
        return "the real server panics and closes the connection"
    if _one_of_several_faults(step, real, ours):
        return "which of several faults of a strategic patch is told is random on the real server"
    if _random_conversion(step, real, ours):
        return "which of several values of a map cannot be converted is told is random on the real server"
    written = _only_written(step, real, ours, before)
    if written:
        return written
    one, other = copy.deepcopy(real), copy.deepcopy(ours)
    if any(_EMPTY_SENT.search(cause["message"]) for cause in _causes(real)):
        _without_hunks(one)
        _without_hunks(other)
        if one == other:
            return "an empty list or map that was sent, which has a hunk in the difference of two structs"
    for why, forget in _FORGET:
        forget(one)
        forget(other)
        if one == other:
            return why
    if "/fuzz.test/" in step.path:
        _any_order(one)
        _any_order(other)
        if one == other:
            return "the order of causes in a custom resource, whose schema's properties the real server walks in a random order"
    return ""


def _only_written(step: Step, real: Any, ours: Any, before: Sequence[Step]) -> str:
    """Why one server has written an object that is otherwise the same, and the other has not."""
    of_it = [one for one in (*before, step) if one.about == step.about and one.method not in ("GET", "DELETE")]
    if _only_version(real, ours):
        if any(_null_bytes(one) for one in of_it):
            return "null for bytes, or an empty bundle of a webhook, is kept until the next write, though that changes nothing"
        if "/fuzz.test/" in step.about and any(_null_label(one.body) for one in of_it):
            return "a label or annotation of a custom resource that is null falls away with the next write, though it changes nothing"
        owners = json.dumps(real["body"]["metadata"].get("managedFields") or [])
        if "/fuzz.test/" in step.about and any(f'"f:{key}": {{}}' in owners for key in _OMITTED):
            return "an empty part of a custom resource's metadata falls away with the next write, though it changes nothing"
    if _only_ownership(real, ours):
        if _has_empty_in_list(step.body):
            return "an empty map or list inside of a list that is owned as a whole counts as a change of it"
        if _null_bytes(step):
            return "null counts as another value than an empty one where a value is of bytes"
        if "/horizontalpodautoscalers/" in step.about and _BINARY.search(json.dumps(real["body"]["spec"])):
            return "a quantity in powers of 1024 counts as a change of an autoscaler's metrics, whoever writes them"
    return ""


def _delete_beside_list(value: Any) -> bool:
    """Whether a map has a list and $deleteFromPrimitiveList for it."""
    if isinstance(value, list):
        return any(_delete_beside_list(one) for one in value)
    if not isinstance(value, dict):
        return False
    begin = "$deleteFromPrimitiveList/"
    return any(key.startswith(begin) and key.removeprefix(begin) in value for key in value) or any(
        _delete_beside_list(one) for one in value.values()
    )


def _null_label(body: Any) -> bool:
    """Whether an object, or a patch of it, has null for a label or annotation."""
    meta = body.get("metadata") if isinstance(body, dict) else None
    maps = [meta.get(key) for key in ("labels", "annotations")] if isinstance(meta, dict) else []
    return any(isinstance(one, dict) and None in one.values() for one in maps)


def _is_object(answer: Any) -> bool:
    body = answer["body"]
    return answer["status"] == 200 and isinstance(body, dict) and isinstance(body.get("metadata"), dict)


def _only_version(real: Any, ours: Any) -> bool:
    """Whether nothing but the resourceVersion and the generation differs."""
    if not _is_object(real) or not _is_object(ours):
        return False
    one, other = copy.deepcopy(real), copy.deepcopy(ours)
    for answer in (one, other):
        answer["body"]["metadata"] = {
            key: value
            for key, value in answer["body"]["metadata"].items()
            if key not in ("resourceVersion", "generation")
        }
        for entry in answer["body"]["metadata"].get("managedFields") or ():
            entry.pop("time", None)
    return bool(one == other)


_OMITTED = ("labels", "annotations", "ownerReferences", "finalizers")
_BINARY = re.compile(r'"\d+(\.\d+)?[KMGTPE]i"')
_FAULTS = re.compile(
    r"does not contain declared merge key|doesn't match \$setElementOrder|list element types are not identical|"
    r"no elements in any of the given slices|unable to find api field|unknown patch type|"
    r"invalid patch format of retainKeys|merging lists cannot yet be specified"
)


def _only_ownership(real: Any, ours: Any) -> bool:
    """Whether nothing but the version and the owners differ."""
    if not _is_object(real) or not _is_object(ours):
        return False
    one, other = copy.deepcopy(real), copy.deepcopy(ours)
    for answer in (one, other):
        for key in ("resourceVersion", "generation", "managedFields"):
            answer["body"]["metadata"].pop(key, None)
    return bool(one == other)


def _null_bytes(step: Step) -> bool:
    """Whether a Secret or ConfigMap is written with null for bytes, or a webhook with an empty bundle."""
    if "webhookconfigurations/" in step.about:
        hooks = step.body.get("webhooks") if isinstance(step.body, dict) else None
        clients = [one.get("clientConfig") for one in hooks or () if isinstance(one, dict)]
        return any(isinstance(one, dict) and one.get("caBundle") == "" for one in clients)
    if "/secrets/" not in step.about and "/configmaps/" not in step.about:
        return False
    if isinstance(step.body, list):
        return any(one.get("value", "") is None and "ata/" in str(one.get("path")) for one in step.body)
    data = [step.body.get(key) or {} for key in ("data", "binaryData")] if isinstance(step.body, dict) else []
    return any(isinstance(part, dict) and None in part.values() for part in data)


def _has_empty_in_list(value: Any, *, inside: bool = False) -> bool:
    if isinstance(value, dict):
        return (inside and not value) or any(_has_empty_in_list(child, inside=inside) for child in value.values())
    if isinstance(value, list):
        return (inside and not value) or any(_has_empty_in_list(item, inside=True) for item in value)
    return False


def _one_of_several_faults(step: Step, real: Any, ours: Any) -> bool:
    if "strategic" not in step.media or not {real["status"], ours["status"]} <= {400, 422, 500}:
        return False
    return all(_FAULTS.search(answer["body"]["message"]) is not None for answer in (real, ours))


_CONVERSION = re.compile(
    r"cannot convert \w+ to \w+|unrecognized type: \w+|cannot restore slice from \w+|"
    r"error decoding from json: illegal base64 data at input byte \d+"
)
_OF_BYTES = ("binaryData", "data")


def _random_conversion(step: Step, real: Any, ours: Any) -> bool:
    """Whether a map of texts or bytes that is patched has several values that are none: Go stops at the first, in a random order."""
    if "strategic" not in step.media or real["status"] != ours["status"]:
        return False
    if not _has_odd_map(step.body) and not any(_has_odd_bytes(step.body.get(key)) for key in _OF_BYTES):
        return False
    one, other = (_CONVERSION.sub("FAULT", json.dumps(answer["body"])) for answer in (real, ours))
    return one == other


def _has_odd_map(value: Any) -> bool:
    """Whether labels, annotations or another map of texts has several values that are no texts, a directive among them."""
    if isinstance(value, list):
        return any(_has_odd_map(one) for one in value)
    if not isinstance(value, dict):
        return False
    odd = [key for key, one in value.items() if one is not None and not isinstance(one, str)]
    return (len(odd) > 1 and "$retainKeys" in odd) or any(_has_odd_map(one) for one in value.values())


def _has_odd_bytes(value: Any) -> bool:
    """Whether several values of a map are no bytes in base64."""
    return isinstance(value, dict) and sum(one is not None and not _base64(one) for one in value.values()) > 1


def _base64(value: Any) -> bool:
    return isinstance(value, str) and _BASE64.fullmatch(value) is not None


_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)


def _causes(answer: Any) -> list[Any]:
    body = answer["body"]
    found = body.get("details", {}).get("causes") if isinstance(body, dict) and body.get("kind") == "Status" else None
    return found or []


_EMPTY_SENT = re.compile(r'\n\+ *"\w+": (\[\]|\{\})')


def _without_hunks(answer: Any) -> None:
    for cause in _causes(answer):
        cause["message"] = cause["message"].partition("\n@@ ")[0]
    answer["body"]["message"] = answer["body"]["message"].partition(" is invalid: ")[0]  # it is made of the causes


_OWN_VERSION = re.compile(r'(resourceVersion(?:[\\\\"]+:[\\\\"]+|:))\d+')


def _quoted_object(answer: Any) -> None:
    """A patched object that cannot be decoded is quoted with the server's own resourceVersion, and its owners in the order of the clock."""
    body = answer["body"]
    if isinstance(body, dict) and body.get("kind") == "Status":
        answer["body"] = json.loads(_OWN_VERSION.sub(r"\1N", json.dumps(_each_text(body))))


def _each_text(value: Any) -> Any:
    """With each quoted object's managedFields in one order; the order of fields stays."""
    if isinstance(value, dict):
        return {key: _each_text(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_each_text(child) for child in value]
    return _QUOTED.sub(_owners_in_order, value) if isinstance(value, str) else value


def _owners_in_order(match: re.Match[str]) -> str:
    try:
        found = json.loads(json.loads(f'"{match[1]}"'))
    except ValueError:
        return match[0]
    meta = found.get("metadata")
    if isinstance(meta, dict) and isinstance(meta.get("managedFields"), list):
        meta["managedFields"].sort(key=lambda entry: json.dumps(entry, sort_keys=True))
    return f"Invalid value: {json.dumps(json.dumps(found, separators=(',', ':'), ensure_ascii=False), ensure_ascii=False)}: "


def _unversioned(value: Any) -> Any:
    """Without resourceVersions and the order of managedFields, wherever a JSON patch has copied metadata to."""
    if isinstance(value, list):
        return [_unversioned(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _unversioned(child) for key, child in value.items() if key != "resourceVersion"}
    if isinstance(found.get("managedFields"), list):
        found["managedFields"].sort(key=lambda entry: json.dumps(entry, sort_keys=True))
    return found


_KEY = re.compile(r"\[[^\]]*[^\]\d][^\]]*\]")
_AMOUNTS = re.compile(r"\.(limits|requests)$")
_MAPS = re.compile(r"\b(labels|annotations|matchLabels|nodeSelector|selector|parameters|stringData)$")


def _map_of(field: str) -> str:
    """The path of the map whose key a cause is about; "" if it is about no key. Limits are compared while requests are walked."""
    amounts = _AMOUNTS.search(field)
    if amounts is not None:
        return f"{field[: amounts.start()]}.requests"
    found = _KEY.search(field)
    if found is not None:
        return field[: found.start()]
    return field if _MAPS.search(field) else ""


def _order(answer: Any) -> None:
    """Go walks its maps (labels, data, limits) in a random order: causes that are about keys of one map come in any."""
    causes = _causes(answer)
    maps = [_map_of(str(cause.get("field"))) for cause in causes]
    for path in {*maps} - {""}:
        places = [index for index, each in enumerate(maps) if each == path]
        for index, cause in zip(places, sorted((causes[each] for each in places), key=json.dumps), strict=True):
            causes[index] = cause
    if causes:
        answer["body"]["message"] = answer["body"]["message"].partition(" is invalid: ")[0]  # it is made of the causes


def _managers(answer: Any) -> None:
    """Go walks the sets of the managers in a random order; the conflicts with each of them are in that of their fields."""
    causes = _causes(answer)
    if any(cause.get("reason") != "FieldManagerConflict" for cause in causes) or not causes:
        return
    causes.sort(key=lambda cause: cause["message"].partition('" ')[0])
    answer["body"]["message"] = str(sorted(str(answer["body"]["message"])))


def _any_order(answer: Any) -> None:
    _causes(answer).sort(key=json.dumps)


_TYPED = "failed to create typed patch object"


def _typing(answer: Any) -> None:
    """Go walks the fields of an applied object in a random order and stops at the first that its schema does not have."""
    body = answer["body"]
    message = body.get("message") if isinstance(body, dict) else None
    if isinstance(message, str) and message.startswith(_TYPED):
        body["message"] = message.partition("): ")[0]


def _empty(answer: Any) -> None:
    """An empty list or map is quoted as null: it is dropped before it is judged."""
    if _causes(answer):
        text = re.sub(r"(Invalid|Unsupported) value: (\[\]|\{\})", r"\1 value: null", json.dumps(answer["body"]))
        answer["body"] = json.loads(re.sub(r'(\\"\w+\\":)(\[\]|\{\})', r"\1null", text))


def _copied(answer: Any) -> None:
    """A JSON patch may copy metadata into what has no schema: each server has resourceVersions of its own."""
    body = answer["body"]
    if isinstance(body, dict):
        answer["body"] = {key: child if key == "metadata" else _unversioned(child) for key, child in body.items()}


_FORGET = (
    ("a resourceVersion that a JSON patch has copied", _copied),
    ("the order in which a badly typed configuration is walked, which is random on the real server", _typing),
    ("a quoted empty list or map", _empty),
    ("the resourceVersion of a quoted object", _quoted_object),
    ("the order of managers with which an apply conflicts, which is random on the real server", _managers),
    ("the order of causes about a map's keys, which is random on the real server", _order),
)
