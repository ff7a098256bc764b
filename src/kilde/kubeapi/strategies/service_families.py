"""The IP families of a Service: what is chosen for it in a cluster of one family, and what cannot be had there."""

import ipaddress
from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, invalid
from kilde.kubeapi.resources.validation.services import check_addresses

_OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}
_SINGLE, _DOUBLE = "SingleStack", "RequireDualStack"


def choose(spec: Object, before: Object, family: str) -> list[Cause]:
    """Sets the policy and the families of a Service; `before` is its former spec ({} where it is new), `family` the cluster's.

    The causes are why that cannot be; nothing else of the Service is judged then.
    """
    if spec.get("type") == "ExternalName" or _is_as_it_was(spec, before):
        return []
    if spec.get("ipFamilyPolicy") is None:
        spec["ipFamilyPolicy"] = before.get("ipFamilyPolicy") or (_DOUBLE if _is_free(spec) else _SINGLE)
    causes = list(check_addresses(spec)) or list(_policy(spec, before)) + list(_infer(spec, family))
    if causes:
        return causes
    if _is_free(spec):
        found = spec.get("ipFamilies") or [family]
        if len(found) == 1 and spec["ipFamilyPolicy"] != _SINGLE:
            found = [*found, _OTHER[found[0]]]
        spec["ipFamilies"] = found
        return []
    causes = list(_unconfigured(spec, family))
    if not causes and not spec.get("ipFamilies"):
        spec["ipFamilies"] = [family]
    return causes


def _is_free(spec: Object) -> bool:
    """Whether a Service has neither an address nor pods: it may have any families."""
    return spec.get("clusterIP") == "None" and not spec.get("selector")


def _is_as_it_was(spec: Object, before: Object) -> bool:
    """Whether nothing is asked for of a Service that would rather have two families."""
    policies = (spec.get("ipFamilyPolicy"), before.get("ipFamilyPolicy", "PreferDualStack"))
    alike = all((spec.get(key) or []) == (before.get(key) or []) for key in ("type", "clusterIPs", "ipFamilies"))
    return bool(before) and alike and policies == ("PreferDualStack", "PreferDualStack")


def _policy(spec: Object, before: Object) -> Iterator[Cause]:
    """What does not go with the policy; one family is taken away where the policy asks for that alone."""
    policy, at = spec["ipFamilyPolicy"], "spec.ipFamilyPolicy"
    for key, one, many in (
        ("clusterIPs", "cluster IP", "cluster IPs"),
        ("ipFamilies", "IP family", "IP families"),
    ):
        mine, theirs = spec.get(key) or [], before.get(key) or []
        if policy == _SINGLE and mine == theirs:
            mine = spec[key] = mine[:1]
        elif policy != _SINGLE and 0 < len(mine) < len(theirs):
            yield invalid(at, policy, f"must be 'SingleStack' to release the secondary {one}")
        if policy == _SINGLE and len(mine) == 2:
            words = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {many} are specified"
            yield invalid(at, policy, words)


def _infer(spec: Object, family: str) -> Iterator[Cause]:
    """Families by the addresses that are asked for."""
    families = list(spec.get("ipFamilies") or ())
    for index, address in enumerate(spec.get("clusterIPs") or ()):
        if address == "None":
            break
        if index < len(families):
            continue
        found = f"IPv{ipaddress.ip_address(address).version}"
        if found != family:
            yield invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], f"{found} is not configured on this cluster")
        else:
            families.append(found)
    if families:
        spec["ipFamilies"] = families


def _unconfigured(spec: Object, family: str) -> Iterator[Cause]:
    if spec["ipFamilyPolicy"] == _DOUBLE:
        yield invalid("spec.ipFamilyPolicy", _DOUBLE, "this cluster is not configured for dual-stack services")
    for index, one in enumerate(spec.get("ipFamilies") or ()):
        if one != family:
            yield invalid(f"spec.ipFamilies[{index}]", one, "not configured on this cluster")
