"""AppArmor profiles of a pod, which older clients write as annotations: field and annotation are brought together."""

from kilde.core.basics.values import Json, Object

_KEY = "container.apparmor.security.beta.kubernetes.io/"
_LOCAL = "localhost/"
_LONGEST = 4095
_KINDS = ("initContainers", "containers", "ephemeralContainers")


def settle(pod: Object, *, both_ways: bool) -> list[str]:
    """Makes fields of annotations (`both_ways`: and annotations of fields); what to warn of."""
    spec, told = pod.get("spec"), list[str]()
    annotations = pod["metadata"].get("annotations") or {}
    if not isinstance(spec, dict) or (spec.get("os") or {}).get("name") == "windows":
        return told
    if both_ways or any(key.startswith(_KEY) for key in annotations):
        general = (spec.get("securityContext") or {}).get("appArmorProfile")
        for kind in _KINDS:
            if spec.get(kind):
                if both_ways:
                    _annotate(pod, spec[kind], general)
                spec[kind] = [_completed(one, annotations, general, told) for one in spec[kind]]
    return told


def _completed(container: Object, annotations: Object, general: Json, told: list[str]) -> Object:
    """The container with the profile of its annotation, where it has none of its own."""
    key, context = f"{_KEY}{container.get('name') or ''}", container.get("securityContext") or {}
    if key not in annotations or context.get("appArmorProfile") is not None:
        return container
    made = _profile(str(annotations[key]))
    if made is not None and made == general:
        return container
    told.append(f'metadata.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead')
    return container if made is None else {**container, "securityContext": {**context, "appArmorProfile": made}}


def _annotate(pod: Object, containers: Json, general: Json) -> None:
    """Annotations for containers that have none and a profile, be it their pod's."""
    meta = pod["metadata"]
    for container in containers or ():
        key = f"{_KEY}{container.get('name') or ''}"
        own = (container.get("securityContext") or {}).get("appArmorProfile")
        text = _annotation(own or general or {})
        if text and key not in (meta.get("annotations") or {}):
            meta["annotations"] = {**(meta.get("annotations") or {}), key: text}


def _profile(annotation: str) -> Object | None:
    if annotation in ("unconfined", "runtime/default"):
        return {"type": "Unconfined" if annotation == "unconfined" else "RuntimeDefault"}
    name = annotation.removeprefix(_LOCAL)
    if name == annotation or not name or name != name.strip() or len(name.encode()) > _LONGEST:
        return None
    return {"type": "Localhost", "localhostProfile": name}


def _annotation(profile: Object) -> str:
    kind = profile.get("type")
    if kind == "Localhost":
        name = profile.get("localhostProfile")
        return f"{_LOCAL}{name}" if name else ""
    return {"Unconfined": "unconfined", "RuntimeDefault": "runtime/default"}.get(str(kind), "")
