"""What a CustomResourceDefinition must satisfy, on create and on update (apis/apiextensions/validation)."""

import re
from collections.abc import Iterator, Mapping, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.custom.extras import check_column, check_scale, check_selectable
from kilde.kubeapi.resources.custom.schemas import check_schema
from kilde.kubeapi.resources.validation.names import dns_1035_label, dns_subdomain
from kilde.kubeapi.resources.validation.webhook_clients import ca_bundle_problem, check_client

_PROTECTED = re.compile(r"(?:.*\.)?(?:k8s\.io|kubernetes\.io)")
_APPROVAL = "api-approved.kubernetes.io"
_APPROVAL_TEXT = 'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111'
_ONE_STORAGE = "must have exactly one version marked as storage version"
_NAMES = ("plural", "singular", "kind", "listKind")
_LONGEST_WARNING = 256
# Where a part that is the same in all versions stands in the server's internal form.
_HOISTED = {
    "schema": "spec.validation",
    "subresources": "spec.subresources",
    "additionalPrinterColumns": "spec.additionalPrinterColumns",
    "selectableFields": "spec.selectableFields",
}


def check_definition(crd: Object, old: Object | None = None) -> list[Cause]:
    """What is wrong with a CRD that is created; its defaults are filled in, its status has storedVersions. `old` is what it was."""
    spec, name = crd.get("spec") or {}, (crd.get("metadata") or {}).get("name") or ""
    causes = list(_identity(spec, name, "" if old else (crd.get("metadata") or {}).get("generateName") or ""))
    same = _unchanged(spec, (old or {}).get("spec") or {})
    causes.extend(_versions(spec, same))
    causes.extend(_names(spec.get("names") or {}, "spec.names"))
    causes.extend(_common_parts(spec.get("versions") or (), same))
    causes.extend(_conversion(spec.get("conversion") or {}))
    causes.extend(_stored(spec, crd.get("status") or {}))
    causes.extend(_approval(spec, crd.get("metadata") or {}))
    if spec.get("preserveUnknownFields"):
        words = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        )
        causes.append(invalid("spec.preserveUnknownFields", value=True, detail=words))
    return causes


def check_definition_update(crd: Object, old: Object) -> list[Cause]:
    """What is wrong with a CRD that is to take the place of `old`."""
    causes = check_definition(crd, old)
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
    causes.extend(_authority(spec.get("conversion") or {}, before.get("conversion") or {}, old))
    causes.extend(invalid(field, value, "field is immutable") for field, value, was in fixed if value != was)
    return causes


def _unchanged(spec: Object, before: Object) -> frozenset[str]:
    """The versions whose schema is what it was."""
    was = {one.get("name"): one.get("schema") for one in before.get("versions") or ()}
    return frozenset(
        one["name"]
        for one in spec.get("versions") or ()
        if one.get("name") in was and one.get("schema") == was[one["name"]]
    )


def _established(crd: Object) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Established" and one.get("status") == "True" for one in conditions)


def _identity(spec: Object, name: str, generate: str) -> Iterator[Cause]:
    group, plural = spec.get("group") or "", (spec.get("names") or {}).get("plural") or ""
    for key, value in (("generateName", generate), ("name", name)):
        if value and value != f"{plural}.{group}":
            yield invalid(f"metadata.{key}", value, 'must be spec.names.plural+"."+spec.group')
    if not group:
        yield required("spec.group")
    elif dns_subdomain(group):
        yield invalid("spec.group", group, ",".join(dns_subdomain(group)))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")
    scope = spec.get("scope") or ""
    if not scope:
        yield required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))


def _names(names: Object, at: str) -> Iterator[Cause]:
    for key in _NAMES:
        if not names.get(key):
            yield required(f"{at}.{key}")
    for key in _NAMES:
        value, mixed = names.get(key) or "", key in ("kind", "listKind")
        wrong = dns_1035_label(value.lower() if mixed else value) if value else []
        if wrong:
            words = "may have mixed case, but should otherwise match: " if mixed else ""
            yield invalid(f"{at}.{key}", value, words + ",".join(wrong))
    yield from _labels(names.get("shortNames") or (), f"{at}.shortNames")
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield invalid(f"{at}.listKind", names["listKind"], "kind and listKind may not be the same")
    yield from _labels(names.get("categories") or (), f"{at}.categories")


def _labels(values: Sequence[str], at: str) -> Iterator[Cause]:
    for index, value in enumerate(values):
        if dns_1035_label(value):
            yield invalid(f"{at}[{index}]", value, ",".join(dns_1035_label(value)))


def _versions(spec: Object, same: frozenset[str]) -> Iterator[Cause]:
    versions: Sequence[Object] = spec.get("versions") or ()
    names = [one.get("name", "") for one in versions]
    for index, name in enumerate(names):
        if dns_1035_label(name):
            yield invalid(f"spec.versions[{index}].name", name, ",".join(dns_1035_label(name)))
    yield from _parts(versions, same)
    if len(set(names)) < len(names):
        yield invalid("spec.versions", [_dump(one) for one in versions], "must contain unique version names")
    if sum(bool(one.get("storage")) for one in versions) != 1:
        yield invalid("spec.versions", shown_versions(spec), _ONE_STORAGE)
    if names and names[0] and dns_1035_label(names[0]):
        yield invalid("spec.version", names[0], ",".join(dns_1035_label(names[0])))


def shown_versions(spec: Object) -> list[Object] | None:
    """The versions as the server prints them; null where there is no list at all."""
    versions: Sequence[Object] | None = spec.get("versions")
    return None if versions is None else [_dump(one) for one in versions]


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


def _same(versions: Sequence[Object]) -> set[str]:
    """Equal parts of all versions are one part of the spec in the server's internal form, and errors name it there."""
    return {key for key in _HOISTED if all(_part(one, key) == _part(versions[0], key) for one in versions)}


def _parts(versions: Sequence[Object], unchanged: frozenset[str]) -> Iterator[Cause]:
    same = _same(versions)
    for index, version in enumerate(versions):
        at = f"spec.versions[{index}]"
        yield from _deprecation(version, f"{at}.deprecationWarning")
        if (version.get("schema") or {}).get("openAPIV3Schema") is None:
            yield required(f"{at}.schema.openAPIV3Schema")
        places = {key: f"{at}.{key}" for key in _HOISTED if key not in same}
        yield from _judged(version, places, versions, unchanged)


def _common_parts(versions: Sequence[Object], unchanged: frozenset[str]) -> Iterator[Cause]:
    if versions:
        same = _same(versions)
        yield from _judged(versions[0], {key: _HOISTED[key] for key in _HOISTED if key in same}, versions, unchanged)


def _part(version: Object, key: str) -> Json:
    """A part of a version; an empty list counts as none, an object with nothing in it does not."""
    found = version.get(key)
    return found if isinstance(found, dict) else found or None


def _judged(
    version: Object, places: Mapping[str, str], versions: Sequence[Object], unchanged: frozenset[str]
) -> Iterator[Cause]:
    """The parts of a version that stand at these fields."""
    schema, subresources = (version.get("schema") or {}).get("openAPIV3Schema"), version.get("subresources") or {}
    if "schema" in places and schema is not None:
        hoisted = places["schema"] == _HOISTED["schema"]
        beside = versions if hoisted or "subresources" not in places else (version,)
        status = any((one.get("subresources") or {}).get("status") is not None for one in beside)
        same = version.get("name") in unchanged
        yield from check_schema(schema, f"{places['schema']}.openAPIV3Schema", status=status, same=same)
    if "subresources" in places:
        yield from check_scale(subresources.get("scale"), f"{places['subresources']}.scale")
    if "additionalPrinterColumns" in places:
        for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
            yield from check_column(column, f"{places['additionalPrinterColumns']}[{index}]")
    if "selectableFields" in places:
        yield from check_selectable(version.get("selectableFields") or (), schema, places["selectableFields"])


def _deprecation(version: Object, at: str) -> Iterator[Cause]:
    text = version.get("deprecationWarning")
    if text is None:
        return
    if not version.get("deprecated"):
        yield invalid(at, text, "can only be set for deprecated versions")
        return
    if len(text.encode()) > _LONGEST_WARNING:
        yield invalid(at, text, f"must be <= {_LONGEST_WARNING} characters long")
    if not text:
        yield invalid(at, text, "must not be an empty string")
    odd = next((index for index, char in enumerate(text) if not char.isprintable()), None)
    if odd is not None:
        at_byte = len(text[:odd].encode())
        words = f"must only contain printable UTF-8 characters; non-printable character found at index {at_byte}"
        yield invalid(at, text, words)


def _conversion(conversion: Object) -> Iterator[Cause]:
    at, strategy = "spec.conversion", conversion.get("strategy") or ""
    if not strategy:
        yield required(f"{at}.strategy")
    elif strategy not in ("None", "Webhook"):
        yield not_supported(f"{at}.strategy", strategy, ("None", "Webhook"))
    webhook: Object = conversion.get("webhook") or {}
    client, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    if strategy == "Webhook":
        if client is None:
            yield required(f"{at}.webhookClientConfig", "required when strategy is set to Webhook")
        else:
            yield from check_client(client, f"{at}.webhookClientConfig")
        yield from _review_versions(versions, f"{at}.conversionReviewVersions")
        return
    words = "should not be set when strategy is not set to Webhook"
    if client is not None:
        yield forbidden(f"{at}.webhookClientConfig", words)
    if versions:
        yield forbidden(f"{at}.conversionReviewVersions", words)


def _authority(conversion: Object, before: Object, old: Object) -> Iterator[Cause]:
    """A caBundle must be one, unless the CRD is not served yet or had none that is."""
    bundle, former = (
        str(((each.get("webhook") or {}).get("clientConfig") or {}).get("caBundle") or "")
        for each in (conversion, before)
    )
    if conversion.get("strategy") != "Webhook" or not bundle or not _established(old):
        return
    problem = ca_bundle_problem(bundle)
    if problem and not (former and ca_bundle_problem(former)):
        yield invalid("spec.conversion.webhookClientConfig.caBundle", bundle, problem)


def _review_versions(versions: Sequence[str], at: str) -> Iterator[Cause]:
    if not versions:
        yield required(at)
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{at}[{index}]", version, "duplicate version")
        else:
            yield from (invalid(f"{at}[{index}]", version, text) for text in dns_1035_label(version))
    if not {"v1", "v1beta1"} & set(versions):
        yield invalid(at, list(versions), "must include at least one of v1, v1beta1")


def _stored(spec: Object, status: Object) -> Iterator[Cause]:
    """storedVersions names every version in which objects may lie on disk."""
    stored, at = status.get("storedVersions"), "status.storedVersions"
    names = [one.get("name") for one in spec.get("versions") or ()]
    if not stored:
        yield invalid(at, stored, "must have at least one stored version")
        return
    left = set(stored)
    for version in spec.get("versions") or ():
        if version.get("storage") and version["name"] not in left:
            yield invalid(at, stored, f"must have the storage version {version['name']}")
        left.discard(version["name"])  # a version that is there twice is missed at its second
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
