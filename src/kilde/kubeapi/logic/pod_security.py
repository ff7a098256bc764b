"""The Pod Security Standards: what `baseline` and `restricted` forbid in each of their versions, in the words of Kubernetes."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from kilde.core.basics.values import Object

LEVELS = ("privileged", "baseline", "restricted")
_LATEST = 10_000
_CAPABILITIES = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
        *("NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)
_SYSCTLS = {  # allowed since that version
    "kernel.shm_rmid_forced": 0,
    "net.ipv4.ip_local_port_range": 0,
    "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.ping_group_range": 0,
    "net.ipv4.ip_unprivileged_port_start": 0,
    "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_fin_timeout": 29,
    "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29,
    "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_wmem": 32,
}
_VOLUMES = frozenset(
    [
        "name",
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
        "image",
    ]
)
_SELINUX_TYPES = {"": 0, "container_t": 0, "container_init_t": 0, "container_kvm_t": 0, "container_engine_t": 31}
_PROFILES = ("RuntimeDefault", "Localhost")
_APP_ARMOR, _SECCOMP = "container.apparmor.security.beta.kubernetes.io/", "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_OF = "container.seccomp.security.alpha.kubernetes.io/"
_WINDOWS, _USERS, _FIELD = (
    25,
    35,
    19,
)  # versions since which Windows is left alone, user namespaces are, and seccomp is a field


class _Pod(NamedTuple):
    """A pod as checks see it; `minor` is the version of the standard."""

    spec: Object
    notes: dict[str, str]
    containers: list[tuple[str, Object]]
    minor: int

    @property
    def context(self) -> Object:
        return self.spec.get("securityContext") or {}

    @property
    def is_apart(self) -> bool:
        """Whether it has users of its own, so that some of what they may do is harmless."""
        return self.minor >= _USERS and self.spec.get("hostUsers") is False

    @property
    def is_of_windows(self) -> bool:
        return self.minor >= _WINDOWS and (self.spec.get("os") or {}).get("name") == "windows"

    def named(self, bad: Callable[[Object], Any]) -> list[str]:
        """The containers whose security context is bad."""
        return [name for name, each in self.containers if bad(_security(each))]

    def holders(self, bad: Callable[[Object], Any]) -> str:
        """Who has a security context that is bad: `pod and containers "a", "b"`; "" if nobody has."""
        names = self.named(bad)
        return " and ".join([*(["pod"] if bad(self.context) else []), *([_named(names)] if names else [])])

    def found(self, value: Callable[[Object], str]) -> list[str]:
        """What their security contexts have there."""
        every = (self.context, *(_security(each) for _, each in self.containers))
        return sorted({value(each) for each in every} - {""})


def violations(level: str, version: str, spec: Object, metadata: Object) -> list[str]:
    """Why a pod is not of this level in that version (`latest`, `v1.N`), one text a check; [] if it is."""
    if level == "privileged":
        return []
    containers = [
        (str(each.get("name") or ""), each)
        for kind in ("initContainers", "containers", "ephemeralContainers")
        for each in spec.get(kind) or ()
    ]
    minor = int(version.removeprefix("v1.")) if version.startswith("v1.") else _LATEST
    pod = _Pod(spec, metadata.get("annotations") or {}, containers, minor)
    restricted = [one for one in _RESTRICTED if level == "restricted" and one.since <= minor]
    replaced = {one.instead_of for one in restricted}
    checks = [*(one for one in _BASELINE if one.since <= minor and one.check not in replaced), *restricted]
    return [text for one in checks for text in one.check(pod)]


def _security(container: Object) -> Object:
    return container.get("securityContext") or {}


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def _some(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _named(names: list[str], word: str = "container") -> str:
    """`container "a"` or `containers "a", "b"`."""
    return f"{_some(word, len(names))} {_listed(names)}"


def _uses(names: list[str]) -> str:
    return "uses" if len(names) == 1 else "use"


def _app_armor(pod: _Pod) -> Iterator[str]:
    def kind(context: Object) -> str:
        found = str((context.get("appArmorProfile") or {}).get("type") or "")
        return "" if found in _PROFILES else found

    notes = sorted(
        f'{key}="{value}"'
        for key, value in pod.notes.items()
        if key.startswith(_APP_ARMOR) and value and value != "runtime/default" and not value.startswith("localhost/")
    )
    holders = [one for one in (pod.holders(kind), _some("annotation", len(notes)) if notes else "") if one]
    if holders:
        values = [*pod.found(kind), *notes]
        head = _some("forbidden AppArmor profile", len(values))
        yield f"{head} ({' and '.join(holders)} must not set AppArmor profile type to {_listed(values)})"


def _capabilities_baseline(pod: _Pod) -> Iterator[str]:
    def more(context: Object) -> set[str]:
        return set((context.get("capabilities") or {}).get("add") or ()) - _CAPABILITIES

    bad = pod.named(more)
    if bad:
        every = sorted(set().union(*(more(_security(each)) for _, each in pod.containers)))
        yield f"non-default capabilities ({_named(bad)} must not include {_listed(every)} in securityContext.capabilities.add)"


def _host_namespaces(pod: _Pod) -> Iterator[str]:
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(field)]
    if found:
        yield f"host namespaces ({', '.join(found)})"


def _host_path(pod: _Pod) -> Iterator[str]:
    found = [str(volume.get("name") or "") for volume in pod.spec.get("volumes") or () if "hostPath" in volume]
    if found:
        yield f"hostPath volumes ({_named(found, 'volume')})"


def _host_ports(pod: _Pod) -> Iterator[str]:
    held = [
        (name, {str(port["hostPort"]) for port in each.get("ports") or () if port.get("hostPort")})
        for name, each in pod.containers
    ]
    bad = [name for name, ports in held if ports]
    if bad:
        ports = sorted(set().union(*(some for _, some in held)))
        yield f"hostPort ({_named(bad)} {_uses(bad)} {_some('hostPort', len(ports))} {', '.join(ports)})"


def _host_probes(pod: _Pod) -> Iterator[str]:
    held = {name: _hosts(each) for name, each in pod.containers}
    bad = sorted(name for name, hosts in held.items() if hosts)
    if bad:
        hosts = sorted(set().union(*held.values()))
        word = "probe or lifecycle host"
        yield f"{word} ({_named(bad)} {_uses(bad)} {_some(word, len(hosts))} {_listed(hosts)})"


def _hosts(container: Object) -> set[str]:
    """The hosts that its probes and hooks ask."""
    lifecycle = container.get("lifecycle") or {}
    asked = [
        *(container.get(f"{kind}Probe") or {} for kind in ("liveness", "readiness", "startup")),
        *(lifecycle.get(kind) or {} for kind in ("postStart", "preStop")),
    ]
    return {str((one.get(way) or {}).get("host") or "") for one in asked for way in ("httpGet", "tcpSocket")} - {""}


def _privileged(pod: _Pod) -> Iterator[str]:
    bad = pod.named(lambda context: context.get("privileged"))
    if bad:
        yield f"privileged ({_named(bad)} must not set securityContext.privileged=true)"


def _proc_mount(pod: _Pod) -> Iterator[str]:
    if not pod.is_apart:
        yield from _proc_mount_restricted(pod)


def _proc_mount_restricted(pod: _Pod) -> Iterator[str]:
    def kind(context: Object) -> str:
        return str(context.get("procMount") or "").removeprefix("Default")

    bad = pod.named(kind)
    if bad:
        yield f"procMount ({_named(bad)} must not set securityContext.procMount to {_listed(pod.found(kind))})"


def _selinux(pod: _Pod) -> Iterator[str]:
    def kind(context: Object) -> str:
        found = str((context.get("seLinuxOptions") or {}).get("type") or "")
        return found if _SELINUX_TYPES.get(found, _LATEST + 1) > pod.minor else ""

    def said(field: str) -> Callable[[Object], str]:
        return lambda context: str((context.get("seLinuxOptions") or {}).get(field) or "")

    user, role = said("user"), said("role")
    holders = pod.holders(lambda context: kind(context) or user(context) or role(context))
    if holders:
        kinds = pod.found(kind)
        parts = [_named(kinds, "type")] if kinds else []
        parts += [f"{field} may not be set" for field in ("user", "role") if pod.found(said(field))]
        yield f"seLinuxOptions ({holders} set forbidden securityContext.seLinuxOptions: {'; '.join(parts)})"


def _seccomp_baseline(pod: _Pod) -> Iterator[str]:
    if pod.minor >= _FIELD:
        yield from _seccomp_set(pod)
        return
    keys = {_SECCOMP, *(f"{_SECCOMP_OF}{name}" for name, _ in pod.containers)}
    fine = ("runtime/default", "docker/default")
    found = sorted(
        f'{key}="{value}"'
        for key, value in pod.notes.items()
        if key in keys and value not in fine and not value.startswith("localhost/")
    )
    if found:
        yield f"seccompProfile (forbidden {_some('annotation', len(found))} {', '.join(found)})"


def _seccomp_set(pod: _Pod) -> Iterator[str]:
    """That a profile is set which may not be."""

    def kind(context: Object) -> str:
        found = str((context.get("seccompProfile") or {}).get("type") or "")
        return "" if found in _PROFILES else found

    holders = pod.holders(kind)
    if holders:
        values = _listed(pod.found(kind))
        yield f"seccompProfile ({holders} must not set securityContext.seccompProfile.type to {values})"


def _seccomp_restricted(pod: _Pod) -> Iterator[str]:
    if pod.is_of_windows:
        return
    found = list(_seccomp_set(pod))
    silent = pod.named(lambda context: not context.get("seccompProfile"))
    if not found and silent and not pod.context.get("seccompProfile"):
        wanted = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        found = [f"seccompProfile (pod or {_named(silent)} must set {wanted})"]
    yield from found


def _sysctls(pod: _Pod) -> Iterator[str]:
    names = [str(each.get("name")) for each in pod.context.get("sysctls") or ()]
    bad = [name for name in names if _SYSCTLS.get(name, _LATEST + 1) > pod.minor]
    if bad:
        yield f"forbidden sysctls ({', '.join(bad)})"


def _windows_host_process(pod: _Pod) -> Iterator[str]:
    holders = pod.holders(lambda context: (context.get("windowsOptions") or {}).get("hostProcess"))
    if holders:
        yield f"hostProcess ({holders} must not set securityContext.windowsOptions.hostProcess=true)"


def _allow_privilege_escalation(pod: _Pod) -> Iterator[str]:
    bad = pod.named(lambda context: context.get("allowPrivilegeEscalation") is not False)
    if bad and not pod.is_of_windows:
        yield f"allowPrivilegeEscalation != false ({_named(bad)} must set securityContext.allowPrivilegeEscalation=false)"


def _capabilities_restricted(pod: _Pod) -> Iterator[str]:
    def more(context: Object) -> set[str]:
        return set((context.get("capabilities") or {}).get("add") or ()) - {"NET_BIND_SERVICE"}

    if pod.is_of_windows:
        return
    keeping = pod.named(lambda context: "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()))
    adding = pod.named(more)
    texts = [f'{_named(keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    if adding:
        every = sorted(set().union(*(more(_security(each)) for _, each in pod.containers)))
        texts.append(f"{_named(adding)} must not include {_listed(every)} in securityContext.capabilities.add")
    if texts:
        yield f"unrestricted capabilities ({'; '.join(texts)})"


def _restricted_volumes(pod: _Pod) -> Iterator[str]:
    held = [(str(one.get("name") or ""), set(one) - _VOLUMES) for one in pod.spec.get("volumes") or ()]
    bad = [name for name, kinds in held if kinds]
    if bad:
        kinds = sorted(set().union(*(some for _, some in held)))
        word = "restricted volume type"
        yield f"{word}s ({_named(bad, 'volume')} {_uses(bad)} {_some(word, len(kinds))} {_listed(kinds)})"


def _run_as_non_root(pod: _Pod) -> Iterator[str]:
    if pod.is_apart:
        return
    holders = pod.holders(lambda context: context.get("runAsNonRoot") is False)
    silent = pod.named(lambda context: context.get("runAsNonRoot") is None)
    if holders:
        yield f"runAsNonRoot != true ({holders} must not set securityContext.runAsNonRoot=false)"
    elif silent and not pod.context.get("runAsNonRoot"):
        yield f"runAsNonRoot != true (pod or {_named(silent)} must set securityContext.runAsNonRoot=true)"


def _run_as_user(pod: _Pod) -> Iterator[str]:
    holders = pod.holders(lambda context: context.get("runAsUser") == 0)
    if holders and not pod.is_apart:
        yield f"runAsUser=0 ({holders} must not set runAsUser=0)"


_Check = Callable[[_Pod], Iterator[str]]


class _Rule(NamedTuple):
    """A check, the version since when it is one, and the check of the level below that it replaces."""

    check: _Check
    since: int = 0
    instead_of: _Check | None = None


# Each in the order of the names that Kubernetes gives them.
_BASELINE = (
    _Rule(_app_armor),
    _Rule(_capabilities_baseline),
    _Rule(_host_namespaces),
    _Rule(_host_path),
    _Rule(_host_ports),
    _Rule(_host_probes, 34),
    _Rule(_privileged),
    _Rule(_proc_mount),
    _Rule(_selinux),
    _Rule(_seccomp_baseline),
    _Rule(_sysctls),
    _Rule(_windows_host_process),
)
_RESTRICTED = (
    _Rule(_allow_privilege_escalation, 8),
    _Rule(_capabilities_restricted, 22, _capabilities_baseline),
    _Rule(_proc_mount_restricted, 35, _proc_mount),
    _Rule(_restricted_volumes, 0, _host_path),
    _Rule(_run_as_non_root),
    _Rule(_run_as_user, 23),
    _Rule(_seccomp_restricted, _FIELD, _seccomp_baseline),
)
