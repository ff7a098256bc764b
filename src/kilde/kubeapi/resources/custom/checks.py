"""What a CustomResourceDefinition must satisfy, on create and on update (apis/apiextensions/validation)."""

import re
from collections.abc import Iterator, Sequence

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, duplicate, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.custom.structural import check_schema
from kilde.kubeapi.resources.jsonpath import compiled
from kilde.kubeapi.resources.validation.names import dns_1035_label, dns_subdomain

_PROTECTED = re.compile(r"(?:.*\.)?(?:k8s\.io|kubernetes\.io)")
_APPROVAL = "api-approved.kubernetes.io"
_APPROVAL_TEXT = 'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111'
_ONE_STORAGE = "must have exactly one version marked as storage version"
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("int32", "int64", "float", "double", "byte", "date", "date-time", "password")
_HOISTED = "spec.validation.openAPIV3Schema"


def check_definition(crd: Object) -> list[Cause]:
    """What is wrong with a CRD that is created; its defaults are filled in, its status has storedVersions."""
    spec, name = crd.get("spec") or {}, (crd.get("metadata") or {}).get("name") or ""
    causes = list(_identity(spec, name))
    causes.extend(_names(spec.get("names") or {}, "spec.names"))
    causes.extend(_versions(spec))
    causes.extend(_conversion(spec.get("conversion") or {}))
    causes.extend(_stored(spec, crd.get("status") or {}))
    causes.extend(_approval(spec, crd.get("metadata") or {}))
    return causes


def check_definition_update(crd: Object, old: Object) -> list[Cause]:
    """What is wrong with a CRD that is to take the place of `old`."""
    causes = check_definition(crd)
    spec, before = crd.get("spec") or {}, old.get("spec") or {}
    fixed: list[tuple[str, Json, Json]] = [
        ("spec.group", spec.get("group"), before.get("group")),
        ("spec.names.plural", (spec.get("names") or {}).get("plural"), (before.get("names") or {}).get("plural")),
    ]
    if _established(old):
        fixed.append(("spec.scope", spec.get("scope"), before.get("scope")))
        fixed.append(
            ("spec.names.kind", (spec.get("names") or {}).get("kind"), (before.get("names") or {}).get("kind"))
        )
    causes.extend(invalid(field, value, "field is immutable") for field, value, was in fixed if value != was)
    return causes


def _established(crd: Object) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Established" and one.get("status") == "True" for one in conditions)


def _identity(spec: Object, name: str) -> Iterator[Cause]:
    group, plural = spec.get("group") or "", (spec.get("names") or {}).get("plural") or ""
    if name != f"{plural}.{group}":
        yield invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    if not group:
        yield required("spec.group")
    else:
        yield from (invalid("spec.group", group, text) for text in dns_subdomain(group))
        if "." not in group:
            yield invalid("spec.group", group, "should be a domain with at least one dot")
    scope = spec.get("scope") or ""
    if not scope:
        yield required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))
    if spec.get("preserveUnknownFields"):
        words = "must be false in order to use defaults in the schema or to create an apiextensions.k8s.io/v1 object"
        yield invalid("spec.preserveUnknownFields", value=True, detail=words)


def _names(names: Object, at: str) -> Iterator[Cause]:
    for key in ("plural", "singular", "kind", "listKind"):
        value = names.get(key) or ""
        if not value and key in ("plural", "kind"):
            yield required(f"{at}.{key}")
        elif value and key in ("kind", "listKind"):
            yield from (
                invalid(f"{at}.{key}", value, f"may have mixed case, but should otherwise match: {text}")
                for text in dns_1035_label(value.lower())
            )
        elif value:
            yield from (invalid(f"{at}.{key}", value, text) for text in dns_1035_label(value))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield invalid(f"{at}.listKind", names["listKind"], "kind and listKind may not be the same")
    for key in ("shortNames", "categories"):
        for index, value in enumerate(names.get(key) or ()):
            yield from (invalid(f"{at}.{key}[{index}]", value, text) for text in dns_1035_label(value))


def _versions(spec: Object) -> Iterator[Cause]:
    versions: Sequence[Object] = spec.get("versions") or ()
    if sum(bool(one.get("storage")) for one in versions) != 1:
        yield invalid("spec.versions", [_dump(one) for one in versions], _ONE_STORAGE)
    if versions:
        yield from (
            invalid("spec.version", versions[0].get("name", ""), text)
            for text in dns_1035_label(versions[0].get("name", ""))
        )
    seen: set[str] = set()
    for index, version in enumerate(versions):
        name = version.get("name", "")
        yield from (invalid(f"spec.versions[{index}].name", name, text) for text in dns_1035_label(name))
        if name in seen:
            yield duplicate(f"spec.versions[{index}].name", name)
        seen.add(name)
    # Equal parts of all versions are one part of the spec in the server's internal form, and errors name it there.
    yield from _parts(versions)


_INTERNAL = (
    "Name",
    "Served",
    "Storage",
    "Deprecated",
    "DeprecationWarning",
    "Schema",
    "Subresources",
    "AdditionalPrinterColumns",
    "SelectableFields",
)
_FLAGS = ("Served", "Storage", "Deprecated")


def _dump(version: Object) -> Object:
    """A version as the server prints its internal form: the parts that are hoisted into the spec are null."""
    dump = Struct(dict.fromkeys(_INTERNAL))
    dump["Name"] = version.get("name", "")
    dump |= {name: bool(version.get(name.lower())) for name in _FLAGS}
    dump["DeprecationWarning"] = version.get("deprecationWarning")
    return dump


def _parts(versions: Sequence[Object]) -> Iterator[Cause]:
    for key, hoisted in (
        ("schema", "spec.validation"),
        ("subresources", "spec.subresources"),
        ("additionalPrinterColumns", ""),
    ):
        values = [one.get(key) for one in versions]
        same = all(value == values[0] for value in values)
        for index, value in enumerate(values[:1] if same else values):
            at = (hoisted or f"spec.{key}") if same else f"spec.versions[{index}].{key}"
            yield from _part(key, value, at, missing=f"spec.versions[{index}].{key}")
    for index, version in enumerate(versions):
        yield from _selectable(version.get("selectableFields") or (), f"spec.versions[{index}].selectableFields")


def _part(key: str, value: Json, at: str, missing: str) -> Iterator[Cause]:
    if key == "schema":
        schema = (value or {}).get("openAPIV3Schema")
        if schema is None:
            yield required(f"{missing}.openAPIV3Schema", "schemas are required")
        else:
            yield from check_schema(schema, f"{at}.openAPIV3Schema")
    elif key == "subresources" and value:
        yield from _scale(value.get("scale"), f"{at}.scale")
    elif key == "additionalPrinterColumns":
        for index, column in enumerate(value or ()):
            yield from _column(column, f"{at}[{index}]")


def _scale(scale: Json, at: str) -> Iterator[Cause]:
    if scale is None:
        return
    for key, root, needed in (
        ("specReplicasPath", ".spec.", True),
        ("statusReplicasPath", ".status.", True),
        ("labelSelectorPath", "", False),
    ):
        path = scale.get(key) or ""
        if not path:
            if needed:
                yield required(f"{at}.{key}")
        elif not _is_simple_path(path):
            yield invalid(f"{at}.{key}", path, "should be a simple json path")
        elif root and not path.startswith(root):
            yield invalid(f"{at}.{key}", path, f"should be a json path under {root.rstrip('.')}")
        elif not root and not path.startswith((".spec.", ".status.")):
            yield invalid(f"{at}.{key}", path, "should be a json path under either .spec or .status")


def _is_simple_path(path: str) -> bool:
    return re.fullmatch(r"(\.[A-Za-z_][A-Za-z0-9_-]*)+", path) is not None


def _column(column: Object, at: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield required(f"{at}.name")
    kind, form = column.get("type") or "", column.get("format") or ""
    if not kind:
        yield required(f"{at}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
    elif kind not in _COLUMN_TYPES:
        yield invalid(f"{at}.type", kind, f"must be one of {','.join(_COLUMN_TYPES)}")
    if form and form not in _COLUMN_FORMATS:
        yield invalid(f"{at}.format", form, f"must be one of {','.join(sorted(_COLUMN_FORMATS))}")
    path = column.get("jsonPath") or ""
    if not path:
        yield required(f"{at}.jsonPath")
        return
    try:
        compiled(path)
    except InvalidInput as error:
        yield invalid(f"{at}.jsonPath", path, error.what)


def _selectable(fields: Sequence[Object], at: str) -> Iterator[Cause]:
    if len(fields) > 8:
        yield Cause(at, "FieldValueTooMany", f"Too many: {len(fields)}: must have at most 8 items")
    seen: set[str] = set()
    for index, field in enumerate(fields):
        path = field.get("jsonPath") or ""
        where = f"{at}[{index}].jsonPath"
        if not path:
            yield required(where)
        elif not _is_simple_path(path):
            yield invalid(where, path, "is an invalid path: must be a simple path of fields")
        elif path.startswith(".metadata."):
            yield invalid(where, path, "must not point to fields in metadata")
        elif path in seen:
            yield duplicate(where, path)
        seen.add(path)


def _conversion(conversion: Object) -> Iterator[Cause]:
    strategy = conversion.get("strategy") or ""
    if not strategy:
        yield required("spec.conversion.strategy")
    elif strategy not in ("None", "Webhook"):
        yield not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))
    webhook = conversion.get("webhook")
    if strategy == "Webhook":
        if not (webhook or {}).get("clientConfig"):
            yield required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook")
        if not (webhook or {}).get("conversionReviewVersions"):
            yield required("spec.conversion.conversionReviewVersions")
    elif strategy == "None" and webhook is not None:
        yield forbidden("spec.conversion.webhookClientConfig", "should not be set when strategy is not set to Webhook")


def _stored(spec: Object, status: Object) -> Iterator[Cause]:
    """storedVersions names every version in which objects may lie on disk."""
    stored, at = status.get("storedVersions"), "status.storedVersions"
    names = [one.get("name") for one in spec.get("versions") or ()]
    if not stored:
        yield invalid(at, stored, "must have at least one stored version")
        return
    storage = [one.get("name") for one in spec.get("versions") or () if one.get("storage")]
    if storage and storage[-1] not in stored:
        yield invalid(at, stored, f"must have the storage version {storage[-1]}")
    for index, name in enumerate(stored):
        if name not in names:
            words = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage"
                f" migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            )
            yield invalid(f"{at}[{index}]", name, words)


def _approval(spec: Object, metadata: Object) -> Iterator[Cause]:
    """Groups of the Kubernetes project need a word of approval."""
    if not _PROTECTED.fullmatch(spec.get("group") or ""):
        return
    value = (metadata.get("annotations") or {}).get(_APPROVAL) or ""
    at = f"metadata.annotations[{_APPROVAL}]"
    if not value:
        yield required(at, _APPROVAL_TEXT)
    elif not value.startswith(("https://", "http://", "unapproved")):
        yield invalid(at, value, _APPROVAL_TEXT)
