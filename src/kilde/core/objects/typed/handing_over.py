"""Hands what a client-side apply owned to the manager that applies from now on, as Kubernetes does it (client-go, csaupgrade).

No field of the object changes: entries of managedFields are united, so that a field that is no longer applied goes.
"""

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.typed.errors import Owner
from kilde.core.objects.typed.field_set import union
from kilde.core.objects.typed.managers import Entry, decode, encode


def handed_over(live: Object, *, former: str, manager: str) -> list[Object] | None:
    """managedFields in which what `former` wrote by updates is what `manager` applied; None where it wrote nothing.

    Of several entries of it that one counts which was written in the version that the manager applies in; the others' paths may be
    those of another shape, and are nobody's.
    """
    try:
        owners = decode((live.get("metadata") or {}).get("managedFields"))
    except InvalidInput:
        return None
    theirs = [
        owner for owner in owners if (owner.manager, owner.operation, owner.subresource) == (former, "Update", "")
    ]
    if not theirs:
        return None
    ours = Owner(manager, "Apply", "", "")
    base = owners.get(ours) or owners[theirs[0]]
    fields = base.fields
    for owner in theirs:
        if owners[owner].api_version == base.api_version:
            fields = union(fields, owners[owner].fields)
    out = {owner: entry for owner, entry in owners.items() if owner not in theirs}
    out[ours] = Entry(fields, base.api_version, base.time)
    return encode(out)
