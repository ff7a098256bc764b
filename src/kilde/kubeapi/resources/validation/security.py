"""Validation of security contexts: of a pod and of its containers."""

import re
from collections.abc import Iterable, Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import (
    Cause,
    Struct,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from kilde.kubeapi.resources.validation.fields import between, get, items, one_of
from kilde.kubeapi.resources.validation.volumes import safe_path
from kilde.kubeapi.resources.validation.windows import check_host_processes, check_windows_options

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_LARGEST = 2**31 - 1
_LONGEST_PATH = 4095
_SYSCTL_LENGTH = 253
_SYSCTL = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_OF_CONTEXT = "securityContext"
_WINDOWS_POD = (
    (_OF_CONTEXT, ("appArmorProfile", "seLinuxOptions")),
    ("", ("hostUsers", "hostPID", "hostIPC")),
    (_OF_CONTEXT, ("seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls")),
    ("", ("shareProcessNamespace",)),
    (
        _OF_CONTEXT,
        ("runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy"),
    ),
)
_AS_GOOD_AS_NONE = frozenset({"hostPID", "hostIPC", "sysctls"})  # where they are false or empty
_WINDOWS_CONTAINER = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)
# The first of them is behind the gate SELinuxMount, which is closed by default.
_POLICY, _POLICIES = "seLinuxChangePolicy", ("MountOption", "Recursive")
_NOT_WINDOWS = "cannot be set for a windows pod"


def check_pod_security(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with a pod's security context and the host's namespaces it asks for."""
    context, where = spec.get("securityContext") or {}, f"{at}.securityContext"
    for key in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from between(context.get(key), 0, _LARGEST, f"{where}.{key}")
    for index, group in items(context, "supplementalGroups"):
        yield from between(group, 0, _LARGEST, f"{where}.supplementalGroups[{index}]")
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        words = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{where}.shareProcessNamespace", value=True, detail=words)
    yield from _sysctls(context, f"{where}.sysctls")
    policy = context.get("fsGroupChangePolicy")
    if policy is not None:
        yield from _word(context, "fsGroupChangePolicy", ("Always", "OnRootMismatch"), where)
    yield from _seccomp(context.get("seccompProfile"), f"{where}.seccompProfile")
    yield from check_windows_options(context.get("windowsOptions"), f"{where}.windowsOptions")
    yield from _app_armor(context.get("appArmorProfile"), f"{where}.appArmorProfile")
    if context.get("supplementalGroupsPolicy") is not None:
        yield from _word(context, "supplementalGroupsPolicy", ("Merge", "Strict"), where)
    if context.get("seLinuxChangePolicy") is not None:
        yield from _word(context, _POLICY, _POLICIES[1:], where)


def with_kept_policies(causes: Iterable[Cause], new: Object, old: Object) -> list[Cause]:
    """These causes of a change, where a pod or template that had any `seLinuxChangePolicy` may have either."""
    found: list[Cause] = []
    for cause in causes:
        *path, key = cause.field.split(".")
        if key == _POLICY and cause.reason == "FieldValueNotSupported" and get(old, *path, key) is not None:
            found.extend(_word(get(new, *path), key, _POLICIES, ".".join(path)))
        else:
            found.append(cause)
    return found


def check_windows(spec: Object, at: str) -> Iterator[Cause]:
    """What a pod for Windows may not ask for."""
    for part, keys in _WINDOWS_POD:
        held, where = (spec.get(part) or {}, f"{at}.{part}") if part else (spec, at)
        for key in keys:
            if held.get(key) is not None and (held[key] or key not in _AS_GOOD_AS_NONE):
                yield forbidden(f"{where}.{key}", _NOT_WINDOWS)
    for where, container in _contexts(spec, at):
        for key in _WINDOWS_CONTAINER:
            if container.get(key) is not None:
                yield forbidden(f"{where}.{key}", _NOT_WINDOWS)


def _contexts(spec: Object, at: str) -> Iterator[tuple[str, Object]]:
    """The security context of each container and where it is."""
    for kind in ("initContainers", "containers"):
        for index, container in items(spec, kind):
            yield f"{at}.{kind}[{index}].securityContext", container.get("securityContext") or {}


def check_linux(spec: Object, at: str) -> Iterator[Cause]:
    """What a pod for Linux may not ask for."""
    if get(spec, "securityContext", "windowsOptions") is not None:
        yield forbidden(f"{at}.securityContext.windowsOptions", "windows options cannot be set for a linux pod")
    for where, container in _contexts(spec, at):
        if container.get("windowsOptions") is not None:
            yield forbidden(f"{where}.windowsOptions", "windows options cannot be set for a linux pod")


def check_container_security(context: Json, at: str, *, host_users: bool) -> Iterator[Cause]:
    """What is wrong with a container's security context."""
    if context is None:
        return
    for key in ("runAsUser", "runAsGroup"):
        yield from between(context.get(key), 0, _LARGEST, f"{at}.{key}")
    mount = context.get("procMount")
    if mount is not None:
        if mount not in ("Default", "Unmasked"):
            yield not_supported(f"{at}.procMount", mount, ("Default", "Unmasked"))
        if host_users and mount == "Unmasked":
            yield invalid(f"{at}.procMount", mount, "`hostUsers` must be false to use `Unmasked`")
    yield from _seccomp(context.get("seccompProfile"), f"{at}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        head = "cannot set `allowPrivilegeEscalation` to false and"
        if context.get("privileged"):
            yield invalid(at, _internal(context), f"{head} `privileged` to true")
        if "CAP_SYS_ADMIN" in get(context, "capabilities", "add", default=()):
            yield invalid(at, _internal(context), f"{head} `capabilities.Add` CAP_SYS_ADMIN")
    yield from check_windows_options(context.get("windowsOptions"), f"{at}.windowsOptions")
    yield from _app_armor(context.get("appArmorProfile"), f"{at}.appArmorProfile")


_INTERNAL = (
    "capabilities",
    "privileged",
    "seLinuxOptions",
    "windowsOptions",
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "readOnlyRootFilesystem",
    "allowPrivilegeEscalation",
    "procMount",
    "seccompProfile",
    "appArmorProfile",
)
_GO_NAMES = {"seLinuxOptions": "SELinuxOptions"}


_PROFILE = {"Type": "type", "LocalhostProfile": "localhostProfile"}
_PARTS = {
    "Capabilities": {"Add": "add", "Drop": "drop"},
    "SELinuxOptions": {"User": "user", "Role": "role", "Type": "type", "Level": "level"},
    "WindowsOptions": {
        "GMSACredentialSpecName": "gmsaCredentialSpecName",
        "GMSACredentialSpec": "gmsaCredentialSpec",
        "RunAsUserName": "runAsUserName",
        "HostProcess": "hostProcess",
    },
    "SeccompProfile": _PROFILE,
    "AppArmorProfile": _PROFILE,
}


def _internal(context: Object) -> Struct:
    """A container's security context as the server holds it: Go's names, nothing left out."""
    held = Struct({_GO_NAMES.get(key, key[0].upper() + key[1:]): context.get(key) for key in _INTERNAL})
    for name, fields in _PARTS.items():
        part = held[name]
        if isinstance(part, dict):
            held[name] = Struct({field: part.get(key) for field, key in fields.items()})
    return held


def _word(context: Object, key: str, allowed: tuple[str, ...], at: str) -> Iterator[Cause]:
    if context[key] not in allowed:
        yield not_supported(f"{at}.{key}", context[key], allowed)


def check_own_users(spec: Object, at: str) -> Iterator[Cause]:
    """A pod with users of its own shares nothing with the host."""
    words = "when `hostUsers` is false"
    if spec.get("hostUsers") is not False:
        return
    if spec.get("hostNetwork"):
        yield forbidden(f"{at}.hostNetwork", words)
    if spec.get("hostPID"):
        yield forbidden(f"{at}.HostPID", words)
    if spec.get("hostIPC"):
        yield forbidden(f"{at}.HostIPC", words)
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in items(spec, kind):
            if container.get("volumeDevices"):
                yield forbidden(f"{at}.{kind}[{index}].volumeDevices", words)


def _sysctls(context: Object, at: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, one in items(context, "sysctls"):
        where, name = f"{at}[{index}].name", one.get("name") or ""
        if not name:
            yield required(where)
        elif len(name) > _SYSCTL_LENGTH or not re.fullmatch(_SYSCTL, name):
            yield invalid(where, name, f"must have at most {_SYSCTL_LENGTH} characters and match regex {_SYSCTL}")
        elif name in seen:
            yield duplicate(where, name)
        seen.add(name)


def _seccomp(profile: Json, at: str) -> Iterator[Cause]:
    if profile is None:
        return
    kind, path = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        yield required(f"{at}.type", "type is required when seccompProfile is set")
    else:
        yield from one_of(kind, _PROFILES, f"{at}.type")
    if kind == "Localhost":
        if path is None:
            yield required(f"{at}.localhostProfile", "must be set when seccomp type is Localhost")
        else:
            yield from safe_path(path, f"{at}.localhostProfile")
    elif path is not None:
        held = Struct({"Type": kind, "LocalhostProfile": path})
        yield invalid(f"{at}.localhostProfile", held, "can only be set when seccomp type is Localhost")


def _app_armor(profile: Json, at: str) -> Iterator[Cause]:
    if profile is None:
        return
    kind, path = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        yield required(f"{at}.type", "type is required when appArmorProfile is set")
    elif kind not in _PROFILES:
        yield not_supported(f"{at}.type", kind, _PROFILES)
    elif kind != "Localhost":
        if path is not None:
            yield invalid(f"{at}.localhostProfile", path, "can only be set when AppArmor type is Localhost")
    elif path is None or not path:
        yield required(f"{at}.localhostProfile", "must be set when AppArmor type is Localhost")
    else:
        if path.strip() != path:
            yield invalid(f"{at}.localhostProfile", path, "must not be padded with whitespace")
        if len(path) > _LONGEST_PATH:
            yield too_long(f"{at}.localhostProfile", _LONGEST_PATH)


__all__ = [
    "check_container_security",
    "check_host_processes",
    "check_linux",
    "check_own_users",
    "check_pod_security",
    "check_windows",
]
