"""Validation of the annotations that mean something on a pod: the mirror's, the cost of its deletion, security profiles."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid
from kilde.kubeapi.resources.validation.fields import get, items

_MIRROR = "kubernetes.io/config.mirror"
_COST = "controller.kubernetes.io/pod-deletion-cost"
_INTEGER = re.compile(r"-[0-9]+|0|[1-9][0-9]*", re.ASCII)
_LARGEST, _LETTERS = 2**31, 64
_LOCAL = "localhost/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_KINDS = ("containers", "initContainers", "ephemeralContainers")


class _Profiles(NamedTuple):
    """One kind of security profile, as annotations and fields name it."""

    word: str
    key: str
    field: str
    unconfined: tuple[str, ...]
    standard: tuple[str, ...]


_SECCOMP = _Profiles(
    "seccomp",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccompProfile",
    ("unconfined",),
    ("runtime/default", "docker/default"),
)
_APP_ARMOR = _Profiles(
    "apparmor",
    "container.apparmor.security.beta.kubernetes.io/",
    "appArmorProfile",
    ("unconfined",),
    ("runtime/default",),
)


def check_pod_annotations(annotations: Json, spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with the annotations of a pod or a template; `at` is their field."""
    found = annotations or {}
    if _MIRROR in found and not spec.get("nodeName"):
        yield invalid(f"{at}[{_MIRROR}]", found[_MIRROR], "must set spec.nodeName if mirror pod annotation is set")
    if _COST in found and not _is_cost(str(found[_COST])):
        yield invalid(f"{at}[{_COST}]", found[_COST], "must be a 32bit integer")
    names = {container.get("name") for kind in _KINDS for _, container in items(spec, kind)}
    for key, value in found.items():
        if key == _SECCOMP_POD or key.startswith(_SECCOMP.key):
            yield from _seccomp(str(value), f"{at}.{key}")
        elif key.startswith(_APP_ARMOR.key):
            yield from _app_armor(key, str(value), names, at)


def check_profiles_match(annotations: Json, spec: Object, at: str) -> Iterator[Cause]:
    """A new pod's annotations and fields must name the same profiles; `at` is the field of the spec."""
    found = annotations or {}
    if not found:
        return
    own = get(spec, "securityContext", "seccompProfile")
    if own is not None and _SECCOMP_POD in found:
        yield from _differs(_SECCOMP, str(found[_SECCOMP_POD]), own, f"{at}.securityContext")
    general = get(spec, "securityContext", "appArmorProfile")
    windows = get(spec, "os", "name") == "windows"
    for kind in _KINDS:
        for index, container in items(spec, kind):
            where, name = f"{at}.{kind}[{index}].securityContext", container.get("name") or ""
            seccomp = get(container, "securityContext", "seccompProfile")
            app_armor = get(container, "securityContext", "appArmorProfile") or general
            for profiles, profile in ((_SECCOMP, seccomp), (_APP_ARMOR, None if windows else app_armor)):
                key = f"{profiles.key}{name}"
                if profile is not None and key in found:
                    yield from _differs(profiles, str(found[key]), profile, where)


def check_annotations_stay(new: Object, old: Object) -> Iterator[Cause]:
    """Of a pod that is there, the mirror's annotation and AppArmor's stay as they are."""
    was, now = (get(pod, "metadata", "annotations", default={}) for pod in (old, new))
    for key in sorted({*was, *now}):
        changed = "remove or update" if key in was else "add"
        words = "AppArmor annotations" if key.startswith(_APP_ARMOR.key) else "mirror pod annotation"
        if was.get(key) != now.get(key) and (key == _MIRROR or key.startswith(_APP_ARMOR.key)):
            yield forbidden(f"metadata.annotations[{key}]", f"may not {changed} {words}")


def _is_cost(text: str) -> bool:
    return len(text) < _LETTERS and _INTEGER.fullmatch(text) is not None and -_LARGEST <= int(text) < _LARGEST


def _seccomp(profile: str, at: str) -> Iterator[Cause]:
    if profile in (*_SECCOMP.unconfined, *_SECCOMP.standard):
        return
    path = profile.removeprefix(_LOCAL)
    if path == profile:
        yield invalid(at, profile, "must be a valid seccomp profile")
        return
    if path.startswith("/"):
        yield invalid(at, path, "must be a relative path")
    if ".." in path.split("/"):
        yield invalid(at, path, "must not contain '..'")


def _app_armor(key: str, profile: str, names: set[Json], at: str) -> Iterator[Cause]:
    name = key.removeprefix(_APP_ARMOR.key)
    if name not in names:
        yield invalid(f"{at}[{key}]", name, "container not found")
    if profile not in ("", "unconfined", "runtime/default") and not profile.startswith(_LOCAL):
        yield invalid(f"{at}[{key}]", profile, f'invalid AppArmor profile name: "{profile}"')


def _differs(profiles: _Profiles, annotation: str, profile: Object, at: str) -> Iterator[Cause]:
    kind, where = profile.get("type"), f"{at}.{profiles.field}"
    same = {
        "Unconfined": annotation in profiles.unconfined,
        "RuntimeDefault": annotation in profiles.standard,
        "Localhost": annotation.startswith(_LOCAL),
    }
    if not same.get(str(kind), True):
        yield forbidden(f"{where}.type", f"{profiles.word} type in annotation and field must match")
    elif kind == "Localhost" and annotation.removeprefix(_LOCAL) != profile.get("localhostProfile"):
        yield forbidden(f"{where}.localhostProfile", f"{profiles.word} profile in annotation and field must match")
