"""The digest of a plan: one name for what is about to be done to an application. People approve it, records name it, files carry it.

Two hashes, since they end differently. `plan_digest` is over what is to be done; it stays while the same commit asks for the same writes on
the same objects, however often their status changes. `basis_of` is over what the judgement of one object rested on; it ends with
the first change of anything that was compared.
"""

from collections.abc import Iterable
from typing import Any

from kilde.core.basics.values import Object, digest
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.masking import is_secret

_FORMAT = "kilde.dev/plan/v1"  # a new way of hashing gets a new word: an old digest then names no plan
_WRITES = (Action.CREATE, Action.UPDATE, Action.PRUNE)
_SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "selfLink")


def writes_of(changes: Iterable[Change]) -> tuple[Change, ...]:
    """What of these changes writes or deletes something, in a fixed order."""
    return tuple(sorted((one for one in changes if one.action in _WRITES), key=lambda one: (one.ref, one.action)))


def plan_digest(*, application: str, revision: str, rendered: str, changes: Iterable[Change]) -> str:
    """SHA-256, in hex, of what is to be done to one application.

    `application` is `namespace/name`; `revision` the commit, or of several sources all of them in one word; `rendered` the digest of
    all that is wanted. Of the changes those count that write: object, action, version, and the uid of what is there. Their order does not,
    nor does why, nor a resourceVersion.
    """
    writes = [[str(one.ref), str(one.action), one.version, one.live_uid] for one in writes_of(changes)]
    return digest([_FORMAT, application, revision, rendered, writes])


def basis_of(live: Object | None) -> str:
    """What a judgement of this object rests on, as one word; "" where nothing is there.

    Its uid, and a hash of all but its status and what the server writes of its own. Of a Secret the resourceVersion instead of a hash:
    a hash of a short value tells the value to whoever tries all of them.
    """
    if live is None:
        return ""
    meta: dict[str, Any] = live.get("metadata") or {}
    uid = str(meta.get("uid", ""))
    if is_secret(live):
        return f"{uid}@{meta.get('resourceVersion', '')}"
    kept = {key: value for key, value in meta.items() if key not in _SERVERS_OWN}
    body = {key: value for key, value in live.items() if key != "status"}
    return f"{uid}#{digest({**body, 'metadata': kept})}"


def basis_digest(bases: Iterable[tuple[ObjectRef, str]]) -> str:
    """SHA-256, in hex, of what all judgements of a plan rest on; their order does not count."""
    return digest([_FORMAT, sorted([str(ref), basis] for ref, basis in bases)])
