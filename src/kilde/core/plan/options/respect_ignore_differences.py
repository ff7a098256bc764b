"""`RespectIgnoreDifferences=true`: what ignoreDifferences leaves to others is not only not compared, it is not written either."""

from kilde.core.basics.values import Object
from kilde.core.objects.defaults import apply_defaults
from kilde.core.objects.pointer import with_value_of
from kilde.core.objects.typed.yielding import as_live, fields_of, left_out
from kilde.core.plan.ignore import located, managers_for, pointers_for
from kilde.core.plan.options.option import SyncOption, Writing

NAME = "RespectIgnoreDifferences"


def manifest(at: Writing) -> Object:
    """What is there stays where pointers and expressions lead; what trusted managers own is left out.

    Argo CD copies the live value in both cases. A field with an owner stays without that, and is never overruled by a value that was
    read a moment too early; where the whole object is put, the live value is copied here, too.
    """
    if not at.policy.options.is_on(NAME):
        return at.wanted
    body = at.wanted
    for pointer in located(pointers_for(at.ignore, at.ref), at.live):
        body = with_value_of(body, at.live, pointer)
    trusted = managers_for(at.ignore, at.ref)
    if not trusted:
        return body
    stored = apply_defaults(body) if "stringData" in body else body  # where the managers own it
    fields = fields_of(trusted, at.live, stored, node=at.node, but=at.manager)
    if not fields:
        return body
    kept = as_live(stored, at.live, fields, node=at.node) if at.whole else left_out(stored, fields, node=at.node)
    return kept if isinstance(kept, dict) else body


OPTION = SyncOption(name=NAME, manifest=manifest)
