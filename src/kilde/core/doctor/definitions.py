"""Whether the custom kinds that Kilde reads are installed, in the versions it reads."""

from collections.abc import Iterable, Mapping
from typing import Any

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
    hint = "kilde install --crds | kubectl apply --server-side -f -"
    return [Finding(area="cluster", check="definitions", verdict=Verdict.BAD, says="; ".join(parts), hint=hint)]


def _served(definition: Mapping[str, Any]) -> set[str]:
    return {str(version.get("name")) for version in definition["spec"].get("versions") or () if version.get("served")}
