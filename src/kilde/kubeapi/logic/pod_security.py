"""The Pod Security Standards: what `baseline` and `restricted` forbid, in the words of k8s.io/pod-security-admission (policy)."""

from collections.abc import Callable, Iterator
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.logic.failures import quoted

LEVELS = ("privileged", "baseline", "restricted")
_CAPABILITIES = frozenset(
    (
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    )
)
_SYSCTLS = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    )
)
_VOLUMES = frozenset(
    (
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
    )
)
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_Containers = list[tuple[str, Object]]


def violations(level: str, spec: Object, metadata: Object) -> list[str]:
    """Why a pod is not of this level, one text a check; [] if it is."""
    if level == "privileged":
        return []
    containers = [
        (str(each.get("name") or ""), each)
        for kind in ("initContainers", "containers", "ephemeralContainers")
        for each in spec.get(kind) or ()
    ]
    if level == "restricted" and (spec.get("os") or {}).get("name") == "windows":
        checks = [check for check in _BASELINE if check not in _REPLACED]
    elif level == "restricted":
        checks = [*(check for check in _BASELINE if check not in _REPLACED), *_RESTRICTED]
    else:
        checks = list(_BASELINE)
    found = [(check.__name__, text) for check in checks for text in check(spec, metadata, containers)]
    return [text for _, text in sorted(found)]


def _security(container: Object) -> Object:
    return container.get("securityContext") or {}


def _named(names: list[str], word: str = "container") -> str:
    """`container "a"` or `containers "a", "b"`."""
    return f"{word}{'s' if len(names) > 1 else ''} {', '.join(quoted(name) for name in names)}"


def _allow_privilege_escalation(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    bad = [name for name, each in containers if _security(each).get("allowPrivilegeEscalation") is not False]
    if bad:
        yield f"allowPrivilegeEscalation != false ({_named(bad)} must set securityContext.allowPrivilegeEscalation=false)"


def _capabilities_baseline(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    bad, extra = [], set()
    for name, each in containers:
        more = set((_security(each).get("capabilities") or {}).get("add") or ()) - _CAPABILITIES
        if more:
            bad.append(name)
            extra |= more
    if bad:
        listed = ", ".join(quoted(str(one)) for one in sorted(extra))
        yield f"non-default capabilities ({_named(bad)} must not include {listed} in securityContext.capabilities.add)"


def _capabilities_restricted(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    keeping, adding, extra = [], [], set()
    for name, each in containers:
        capabilities = _security(each).get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            keeping.append(name)
        more = set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}
        if more:
            adding.append(name)
            extra |= more
    texts = []
    if keeping:
        texts.append(f'{_named(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        listed = ", ".join(quoted(str(one)) for one in sorted(extra))
        texts.append(f"{_named(adding)} must not include {listed} in securityContext.capabilities.add")
    if texts:
        yield f"unrestricted capabilities ({'; '.join(texts)})"


def _host_namespaces(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    if found:
        yield f"host namespaces ({', '.join(found)})"


def _host_path(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    found = [str(volume.get("name") or "") for volume in spec.get("volumes") or () if "hostPath" in volume]
    if found:
        yield f"hostPath volumes ({_named(found, 'volume')})"


def _host_ports(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    bad, ports = [], set()
    for name, each in containers:
        held = {int(port["hostPort"]) for port in each.get("ports") or () if port.get("hostPort")}
        if held:
            bad.append(name)
            ports |= held
    if bad:
        listed = ", ".join(str(port) for port in sorted(ports))
        yield f"hostPort ({_named(bad)} use{'' if len(bad) > 1 else 's'} hostPort{'s' if len(ports) > 1 else ''} {listed})"


def _privileged(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    bad = [name for name, each in containers if _security(each).get("privileged")]
    if bad:
        yield f"privileged ({_named(bad)} must not set securityContext.privileged=true)"


def _proc_mount(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    bad = [name for name, each in containers if _security(each).get("procMount") not in (None, "", "Default")]
    if bad:
        kinds = sorted({str(_security(each)["procMount"]) for name, each in containers if name in bad})
        yield f"procMount ({_named(bad)} must not set securityContext.procMount to {', '.join(quoted(one) for one in kinds)})"


def _restricted_volumes(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    bad, kinds = [], set()
    for volume in spec.get("volumes") or ():
        other = [key for key in volume if key not in _VOLUMES]
        if other:
            bad.append(str(volume.get("name") or ""))
            kinds |= set(other)
    if bad:
        listed = ", ".join(quoted(one) for one in sorted(kinds))
        use = "use" if len(bad) > 1 else "uses"
        yield f"restricted volume types ({_named(bad, 'volume')} {use} restricted volume type{'s' if len(kinds) > 1 else ''} {listed})"


def _run_as_non_root(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    whole = (spec.get("securityContext") or {}).get("runAsNonRoot")
    denying = [name for name, each in containers if _security(each).get("runAsNonRoot") is False]
    silent = [name for name, each in containers if _security(each).get("runAsNonRoot") is None]
    if whole is False or denying:
        parts = ["pod must not set securityContext.runAsNonRoot=false"] if whole is False else []
        if denying:
            parts.append(f"{_named(denying)} must not set securityContext.runAsNonRoot=false")
        yield f"runAsNonRoot != true ({'; '.join(parts)})"
    elif whole is None and silent:
        yield f"runAsNonRoot != true (pod or {_named(silent)} must set securityContext.runAsNonRoot=true)"


def _run_as_user(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    parts = []
    if (spec.get("securityContext") or {}).get("runAsUser") == 0:
        parts.append("pod")
    bad = [name for name, each in containers if _security(each).get("runAsUser") == 0]
    if bad:
        parts.append(_named(bad))
    if parts:
        yield f"runAsUser=0 ({' and '.join(parts)} must not set runAsUser=0)"


def _seccomp_baseline(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    holders: list[str] = []
    if _seccomp(spec.get("securityContext") or {}) == "Unconfined":
        holders.append("pod")
    bad = [name for name, each in containers if _seccomp(_security(each)) == "Unconfined"]
    if bad:
        holders.append(_named(bad))
    if holders:
        yield f'seccompProfile ({" and ".join(holders)} must not set securityContext.seccompProfile.type to "Unconfined")'


def _seccomp_restricted(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    whole = _seccomp(spec.get("securityContext") or {})
    silent = [name for name, each in containers if not _seccomp(_security(each))]
    bad = [name for name, each in containers if _seccomp(_security(each)) == "Unconfined"]
    wanted = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    if whole == "Unconfined" or bad:
        holders = ["pod"] if whole == "Unconfined" else []
        holders += [_named(bad)] if bad else []
        yield f'seccompProfile ({" and ".join(holders)} must not set securityContext.seccompProfile.type to "Unconfined")'
    elif not whole and silent:
        yield f"seccompProfile (pod or {_named(silent)} must set {wanted})"


def _seccomp(context: Object) -> str:
    return str((context.get("seccompProfile") or {}).get("type") or "")


def _selinux(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    contexts: list[Any] = [spec.get("securityContext") or {}, *(_security(each) for _, each in containers)]
    options = [each.get("seLinuxOptions") or {} for each in contexts]
    kinds = sorted(
        {str(each.get("type")) for each in options if each.get("type") and each["type"] not in _SELINUX_TYPES}
    )
    parts = [f"type{'s' if len(kinds) > 1 else ''} {', '.join(quoted(one) for one in kinds)}"] if kinds else []
    parts += [f"{field} may not be set" for field in ("user", "role") if any(each.get(field) for each in options)]
    if parts:
        yield f"seLinuxOptions ({'; '.join(parts)})"


def _sysctls(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    names = [str(each.get("name")) for each in (spec.get("securityContext") or {}).get("sysctls") or ()]
    bad = [name for name in names if name not in _SYSCTLS]
    if bad:
        yield f"forbidden sysctls ({', '.join(bad)})"


def _windows_host_process(spec: Object, metadata: Object, containers: _Containers) -> Iterator[str]:
    contexts: list[Any] = [spec.get("securityContext") or {}, *(_security(each) for _, each in containers)]
    if any((each.get("windowsOptions") or {}).get("hostProcess") for each in contexts):
        yield "hostProcess (pod or containers must not set securityContext.windowsOptions.hostProcess=true)"


_Check = Callable[[Object, Object, _Containers], Iterator[str]]
_BASELINE: tuple[_Check, ...] = (
    _capabilities_baseline,
    _host_namespaces,
    _host_path,
    _host_ports,
    _privileged,
    _proc_mount,
    _seccomp_baseline,
    _selinux,
    _sysctls,
    _windows_host_process,
)
_RESTRICTED: tuple[_Check, ...] = (
    _allow_privilege_escalation,
    _capabilities_restricted,
    _restricted_volumes,
    _run_as_non_root,
    _run_as_user,
    _seccomp_restricted,
)
_REPLACED: tuple[_Check, ...] = (_capabilities_baseline, _seccomp_baseline)
