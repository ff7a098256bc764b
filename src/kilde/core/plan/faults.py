"""Why an object cannot be written, whatever the cluster says: what kubectl finds before it asks one, in its words."""

import re

import msgspec

from kilde.core.basics.values import Object, canonical
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.object_meta import text_of, undecodable
from kilde.core.plan.hooks import is_hook
from kilde.core.plan.policy import object_options

_RBAC = "rbac.authorization.k8s.io/v1"  # whose kinds go through `kubectl auth reconcile`, which reads all of them
_RECONCILING = "error running kubectl auth reconcile: "
_OF_A_MAP = re.compile(r"map\[.*\]")  # what Argo CD takes out of all that kubectl says
_decode = msgspec.json.Decoder(dict).decode


def fault_of(manifest: Manifest, meta: Object) -> str:
    """`meta`: its metadata as it would be sent, without marks; "" where nothing is wrong. Messages name the file of Git."""
    reconciled = manifest.api_version == _RBAC and not object_options(manifest.annotations).is_on("Replace")
    found = manifest.body.get("metadata")
    if is_hook(manifest.annotations) and not manifest.name:
        meta = {**meta, "name": "made-up"}  # it gets one when it runs
    wrong = undecodable(meta if isinstance(found, dict) else found)
    if reconciled and not wrong:
        wrong = _untyped(manifest, meta)
    prefix = _RECONCILING if reconciled else ""
    if wrong:
        file = f' "{manifest.origin}"' if manifest.origin else ""
        return f"{prefix}unable to decode{file}: {_OF_A_MAP.sub('', wrong)}"
    if text_of(meta.get("name")):
        return ""
    made_up = text_of(meta.get("generateName"))
    if made_up and not reconciled:
        return f"from {made_up}: cannot use generate name with apply"
    return f"{prefix}resource name may not be empty"


def _untyped(manifest: Manifest, meta: Object) -> str:
    """Why an object of a built-in kind is none of its type, in Go's words."""
    from kilde.core.objects.typed.go_decode import WrongType, decode
    from kilde.core.objects.typed.schema import builtin

    node = builtin().node(manifest.group, manifest.version, manifest.kind)
    try:
        if node is not None:
            decode(node, _decode(canonical({**manifest.body, "metadata": meta})))
    except WrongType as wrong:
        return wrong.what
    return ""
