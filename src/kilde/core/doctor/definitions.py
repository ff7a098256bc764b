"""Whether the custom kinds that Kilde reads are served in the versions it reads, and what is stored of any kind can be read on."""

from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.basics.errors import INSTALL_CRDS
from kilde.core.basics.values import Object
from kilde.core.doctor.finding import Finding, Verdict


def judge_definitions(wanted: Iterable[Object], installed: Mapping[str, Object]) -> list[Finding]:
    """One finding about all CRDs that `kilde install --crds` prints; `installed` are the cluster's by name."""
    missing, unserved = [], []
    for each in wanted:
        name = each["metadata"]["name"]
        found = installed.get(name)
        if found is None:
            missing.append(name)
        elif lost := _served(each) - _served(found):
            unserved.append(f"{name} ({', '.join(sorted(lost))})")
    if not missing and not unserved:
        return [Finding(area="cluster", check="definitions", verdict=Verdict.GOOD, says="all custom kinds are served")]
    parts = [f"missing: {', '.join(missing)}"] if missing else []
    parts += [f"not served: {', '.join(unserved)}"] if unserved else []
    says = "; ".join(parts)
    return [Finding(area="cluster", check="definitions", verdict=Verdict.BAD, says=says, hint=INSTALL_CRDS)]


def _served(definition: Mapping[str, Any]) -> set[str]:
    return {str(version.get("name")) for version in definition["spec"].get("versions") or () if version.get("served")}


def judge_stored_versions(definitions: Iterable[Object]) -> list[Finding]:
    """CRDs whose objects may be stored in a version that is not served any more, or is deprecated; one finding each."""
    found = []
    for each in definitions:
        name, spec = str(each["metadata"]["name"]), each.get("spec") or {}
        stored = [str(version) for version in (each.get("status") or {}).get("storedVersions") or ()]
        deprecated = {str(version.get("name")) for version in spec.get("versions") or () if version.get("deprecated")}
        if lost := [version for version in stored if version not in _served(each)]:
            says = f"{name}: objects may be stored as {', '.join(lost)}, which is not served"
            hint = "write each of them once (kubectl get … -o json | kubectl replace -f -), then take it out of status.storedVersions"
            found.append(_versions(name, says, hint))
        elif old := [version for version in stored if version in deprecated]:
            found.append(
                _versions(
                    name,
                    f"{name}: objects may be stored as {', '.join(old)}, which is deprecated",
                    "migrate before it goes",
                )
            )
    if found:
        return found
    return [
        Finding(
            area="cluster",
            check="versions",
            verdict=Verdict.GOOD,
            says="every stored version of a custom kind is served",
        )
    ]


def _versions(name: str, says: str, hint: str) -> Finding:
    return Finding(area="cluster", check=f"versions/{name}", verdict=Verdict.WATCH, says=says, hint=hint)
