"""Converter: the conversion webhook of a CRD: what it is asked, what its answers mean, and what it has answered lately.

The rules and words are those of apiextensions' webhook converter (pkg/apiserver/conversion). It is asked for many objects at once, and
what it made of an object is kept, within bounds, for as long as the definition is the same.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.failures import quoted
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.resources.validation.metadata import check_annotations, check_labels
from kilde.kubeapi.storage.records import encode
from kilde.kubeapi.webhooks.clients import Locate, authority_of, target_of
from kilde.kubeapi.webhooks.questions import Question, Reply, Waits

_SECONDS = 30
_GROUP, _KIND = "apiextensions.k8s.io", "ConversionReview"
_REVIEWS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")
_MOST_OBJECTS, _MOST_SENT = 500, 1 << 20  # of one review
_MOST_KEPT = 32 << 20  # bytes of converted objects
_Key = tuple[str, bytes]


class Converter:
    """Converts objects between the versions of one CRD. Synchronous: what has to be asked first is raised as `Waits`."""

    def __init__(self, webhook: Object, versions: frozenset[str], locate: Locate) -> None:
        """`webhook` is spec.conversion.webhook, `versions` the apiVersions of the CRD, served or not."""
        self._client: Object = webhook.get("clientConfig") or {}
        offered = webhook.get("conversionReviewVersions") or ()
        self._review = next((each for each in offered if each in ("v1", "v1beta1")), "")
        self._versions, self._locate = versions, locate
        self._kept: dict[_Key, bytes] = {}
        self._size = 0

    def converted(self, objects: Sequence[bytes], wanted: str) -> list[bytes]:
        """Encoded objects in another version, in their order. Waits; ApiError 500 where that cannot be."""
        keys = [(wanted, hashlib.blake2b(each, digest_size=16).digest()) for each in objects]
        missing = {key: each for key, each in zip(keys, objects, strict=True) if key not in self._kept}
        if missing:
            self._make_room(keys)
            raise Waits([self._question(part, wanted) for part in _parts(missing)])
        return [self._kept[key] for key in keys]

    def _question(self, part: dict[_Key, bytes], wanted: str) -> Question:
        sent = [json.loads(each) for each in part.values()]
        for obj in sent:
            self._check_versions(obj, wanted)
        if not self._review:
            raise failures.unexplained("no supported conversion review versions")
        uid = str(uuid.uuid4())
        request = {"uid": uid, "desiredAPIVersion": wanted, "objects": sent}
        none: Object = {"uid": "", "convertedObjects": None, "result": {"metadata": {}}}
        version = f"{_GROUP}/{self._review}"
        review = {"kind": _KIND, "apiVersion": version, "request": request, "response": none}
        target, problem = target_of(self._client, self._locate, _SECONDS)

        def take(reply: Reply) -> None:
            self._keep(zip(part, _answered(reply, sent, review), strict=True))

        return Question(uid, target, authority_of(self._client), review, _SECONDS, problem, take)

    def _check_versions(self, obj: Object, wanted: str) -> None:
        for word, version in (("to", wanted), ("from", str(obj.get("apiVersion")))):
            if version not in self._versions:
                raise failures.unexplained(f"request to convert CR {word} an invalid group/version: {version}")

    def _keep(self, answered: Iterator[tuple[_Key, Object]]) -> None:
        for key, obj in answered:
            raw = encode(obj)
            self._size += len(raw) - len(self._kept.pop(key, b""))
            self._kept[key] = raw

    def _make_room(self, wanted: Sequence[_Key]) -> None:
        """Forgets the oldest of what is too much, before more is asked for: never what whoever asks has waited for."""
        needed = set(wanted)
        for key in [key for key in self._kept if key not in needed] if self._size > _MOST_KEPT else ():
            self._size -= len(self._kept.pop(key))
            if self._size <= _MOST_KEPT:
                return


def _parts(missing: dict[_Key, bytes]) -> Iterator[dict[_Key, bytes]]:
    """What one review asks about at a time."""
    part: dict[_Key, bytes] = {}
    size = 0
    for key, each in missing.items():
        if part and (len(part) >= _MOST_OBJECTS or size + len(each) > _MOST_SENT):
            yield part
            part, size = {}, 0
        part[key] = each
        size += len(each)
    yield part


def _answered(reply: Reply, sent: Sequence[Object], review: Object) -> list[Object]:
    """The converted objects of a reply. ApiError 500."""
    first = sent[0]
    about = f"conversion webhook for {first['apiVersion']}, Kind={first.get('kind')}"
    problem = reply.problem or _unfit(reply.body, review)
    if problem:
        raise failures.unexplained(f"{about} failed: {problem}")
    made = reply.body["response"].get("convertedObjects") or []
    if len(made) != len(sent):
        raise failures.unexplained(f"{about} returned {len(made)} objects, expected {len(sent)}")
    wanted = review["request"]["desiredAPIVersion"]
    many = len(sent) > 1
    return [
        _restored(about, before, after, wanted, f"converted object at index {index}" if many else "object")
        for index, (before, after) in enumerate(zip(sent, made, strict=True))
    ]


def _unfit(body: Any, review: Object) -> str:
    """Why a reply is no review that says yes; "" if it is one."""
    if not isinstance(body, dict):
        return "no response provided"
    response, version = body.get("response"), str(review["apiVersion"])
    answered = str(body.get("apiVersion") or "")
    if answered != version and answered in _REVIEWS and body.get("kind") == _KIND:
        one, other = (each.rpartition("/")[2] for each in (answered, version))
        return f"converting ({one}.{_KIND}) to ({other}.{_KIND}): unknown conversion"
    if version.endswith("/v1"):  # of v1beta1 nobody looks at version and uid
        if (answered, body.get("kind")) != (version, _KIND):
            found = f"{answered}, Kind={body.get('kind') or ''}"
            return f"expected webhook response of {version}, Kind={_KIND}, got {found}"
        uid = review["request"]["uid"]
        if isinstance(response, dict) and response.get("uid") != uid:
            return f"expected response.uid={quoted(uid)}, got {quoted(str(response.get('uid') or ''))}"
    if not isinstance(response, dict):
        return "no response provided"
    result = response.get("result")
    result = result if isinstance(result, dict) else {}
    if result.get("status") == "Success":
        return ""
    return str(result.get("message") or f"response.result.status was '{result.get('status') or ''}', not 'Success'")


def _restored(about: str, before: Object, after: Any, wanted: str, place: str) -> Object:
    """A converted object with the metadata of the original, but for labels and annotations, which are the webhook's."""
    invalid, single = f"{about} returned invalid {place}", place == "object"
    found: Object = after if isinstance(after, dict) else {}
    indexed = f"{invalid} at index 0" if single else invalid
    if found.get("apiVersion") != wanted:
        got = found.get("apiVersion") or ""
        raise failures.unexplained(f"{indexed}: invalid groupVersion (expected {wanted}, received {got})")
    if found.get("kind") != before.get("kind"):
        told = f"invalid kind (expected {before.get('kind')}, received {found.get('kind') or ''})"
        raise failures.unexplained(f"{indexed}: {told}")
    meta, old = found.get("metadata"), before.get("metadata") or {}
    named = meta if isinstance(meta, dict) else {}
    for key, word in (("name", "name"), ("namespace", "namespace"), ("uid", "UID")):
        if (named.get(key) or "") != (old.get(key) or ""):
            told = f"must have the same {word}: {old.get(key) or ''} != {named.get(key) or ''}"
            raise failures.unexplained(f"{invalid}: {told}")
    problem, kept = _metadata(old, meta, absent="metadata" not in found)
    if problem:
        head = f"{about} returned invalid metadata"
        raise failures.unexplained(f"{head}: {problem}" if single else f"{head} in {place[10:]}: {problem}")
    return {**found, "metadata": kept}


_CHECKS: tuple[tuple[str, str, Callable[[Any, str], Iterator[Cause]]], ...] = (
    ("labels", "metadata.labels", check_labels),
    ("annotations", "metadata.annotation", check_annotations),
)


def _metadata(old: Object, meta: Any, *, absent: bool) -> tuple[str, Object]:
    """What is wrong with a converted object's metadata ("": nothing), and the metadata it gets."""
    if absent:
        return "missing metadata in converted object", {}
    if not isinstance(meta, dict):
        return f"invalid metadata of type {_go_type(meta)} in converted object", {}
    kept = dict(old)
    for field, at, check in _CHECKS:
        found = meta.get(field)
        kept.pop(field, None)
        if found is None:
            continue
        if not isinstance(found, dict):
            return f"invalid metadata.{field} of type {_go_type(found)} in converted object", {}
        for key, value in found.items():
            if not isinstance(value, str):
                return f"metadata.{field}[{key}] must be a string, but is {_go_type(value)} in converted object", {}
        causes = [] if found == (old.get(field) or {}) else list(check(found, at))
        if causes:
            told = list(dict.fromkeys(f"{each.field}: {each.message}" for each in causes))
            return told[0] if len(told) == 1 else f"[{', '.join(told)}]", {}
        kept[field] = found
    return "", kept


def _go_type(value: Any) -> str:
    """The type of a decoded JSON value as Go prints it."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return {str: "string", int: "int64", float: "float64"}.get(type(value), "<nil>")
