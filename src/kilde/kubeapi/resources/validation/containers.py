"""Validation of a pod's containers, check by check in the order of Kubernetes' own."""

from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
    too_many,
)
from kilde.kubeapi.resources.validation.amounts import check_resources
from kilde.kubeapi.resources.validation.environment import check_environment
from kilde.kubeapi.resources.validation.fields import between, get, items, named, one_of
from kilde.kubeapi.resources.validation.mounts import check_mounts
from kilde.kubeapi.resources.validation.names import dns_label, port_name
from kilde.kubeapi.resources.validation.pod_parts import PodParts
from kilde.kubeapi.resources.validation.probes import check_life, check_no_life
from kilde.kubeapi.resources.validation.security import check_container_security

PROTOCOLS = ("SCTP", "TCP", "UDP")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESTARTS = ("Always", "Never", "OnFailure")
_RESTART_ACTIONS, _RESTART_OPERATORS = ("Restart", "RestartAllContainers"), ("In", "NotIn")
_MOST_RULES, _MOST_VALUES = 20, 255
_NO_RESTART = "must specify restartPolicy when restart rules are used"
_PADDED = "must not have leading or trailing whitespace"
_NOT_EPHEMERAL = "cannot be set for an Ephemeral Container"
_EPHEMERAL = frozenset(
    {
        *("name", "image", "command", "args", "workingDir", "env", "envFrom", "volumeMounts", "volumeDevices"),
        *("terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "securityContext"),
        *("stdin", "stdinOnce", "tty", "resizePolicy", "targetContainerName"),
    }
)


def check_containers(containers: Json, parts: PodParts, at: str) -> Iterator[Cause]:
    """What is wrong with the containers of a pod: there must be one."""
    if not containers:
        yield required(at)
        return
    seen: set[str] = set()
    for index, container in enumerate(containers):
        where, name = f"{at}[{index}]", container.get("name") or ""
        yield from _common(container, parts, where)
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen.add(name)
        yield from check_life(container, parts.grace, where)
        yield from _restart(container, where)
    yield from _port_conflicts(containers, at)


def check_init_containers(containers: Json, regular: Json, parts: PodParts, at: str) -> Iterator[Cause]:
    """What is wrong with what runs before or beside the `regular` containers of a pod."""
    seen = {one.get("name") or "" for one in regular or ()}
    for index, container in enumerate(containers or ()):
        where, name = f"{at}[{index}]", container.get("name") or ""
        yield from _common(container, parts, where)
        if container.get("restartPolicy") is None and container.get("restartPolicyRules"):
            yield required(f"{where}.restartPolicy", _NO_RESTART)
        else:
            yield from _restart(container, where)
        if name in seen:
            yield duplicate(f"{where}.name", name)
        elif name:
            seen.add(name)
        yield from _port_conflicts([container], at)  # they run one by one; the real path is always that of the first
        if container.get("restartPolicy") == "Always":
            yield from check_life(container, parts.grace, where)
            continue
        yield from check_no_life(container, where)
        for number, one in items(container, "resizePolicy"):
            if one.get("restartPolicy") == "RestartContainer":
                words = "must not be set to 'RestartContainer' for non-sidecar initContainers"
                yield invalid(f"{where}.resizePolicy[{number}].restartPolicy", "RestartContainer", words)


def check_ephemeral_containers(spec: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    """What is wrong with the ephemeral containers of a pod's spec: names of their own, and little of what others have."""
    others = {one.get("name") or "" for kind in ("containers", "initContainers") for _, one in items(spec, kind)}
    seen = set(others)
    for index, container in items(spec, "ephemeralContainers"):
        where, name = f"{at}[{index}]", container.get("name") or ""
        yield from _common(container, parts, where)
        yield from _image(container, where)
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            yield not_found(f"{where}.targetContainerName", target)
        for key, value in container.items():
            if key not in _EPHEMERAL and value not in (None, {}, []):
                yield forbidden(f"{where}.{key}", _NOT_EPHEMERAL)
        for number, mount in items(container, "volumeMounts"):
            for key in ("subPath", "subPathExpr"):
                if mount.get(key):
                    yield forbidden(f"{where}.volumeMounts[{number}].{key}", _NOT_EPHEMERAL)


def check_images(containers: Json, at: str) -> Iterator[Cause]:
    """The images of a pod, which a template may have with spaces around them."""
    for index, container in enumerate(containers or ()):
        yield from _image(container, f"{at}[{index}]")


def _image(container: Object, at: str) -> Iterator[Cause]:
    image = container.get("image") or ""
    if image != image.strip():
        yield invalid(f"{at}.image", image, _PADDED)


def _common(container: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    """What is asked of containers of every sort."""
    yield from named(container.get("name"), dns_label, f"{at}.name", needed=True)
    if not container.get("image"):
        yield required(f"{at}.image")
    policy = container.get("terminationMessagePolicy")
    yield from one_of(policy, _MESSAGE_POLICIES, f"{at}.terminationMessagePolicy", needed=True)
    yield from _ports(container, at)
    yield from check_environment(container, at)
    yield from check_mounts(container, parts, at)
    yield from one_of(container.get("imagePullPolicy"), _PULL_POLICIES, f"{at}.imagePullPolicy", needed=True)
    yield from check_resources(container.get("resources"), f"{at}.resources", parts.claims)
    yield from _resize(container, parts, at)
    security = container.get("securityContext")
    yield from check_container_security(security, f"{at}.securityContext", host_users=parts.host_users)


def _ports(container: Object, at: str) -> Iterator[Cause]:
    names: set[str] = set()
    for index, one in items(container, "ports"):
        where, name, number = f"{at}.ports[{index}]", one.get("name") or "", one.get("containerPort") or 0
        problems = port_name(name) if name else []
        yield from (invalid(f"{where}.name", name, text) for text in problems)
        if name and not problems:
            if name in names:
                yield duplicate(f"{where}.name", name)
            names.add(name)
        if not number:
            yield required(f"{where}.containerPort")
        else:
            yield from between(number, 1, 65535, f"{where}.containerPort")
        if one.get("hostPort"):
            yield from between(one["hostPort"], 1, 65535, f"{where}.hostPort")
        yield from one_of(one.get("protocol"), PROTOCOLS, f"{where}.protocol", needed=True)


def _port_conflicts(containers: list[Object], at: str) -> Iterator[Cause]:
    """No two may take the same port of a node."""
    taken: set[str] = set()
    for index, container in enumerate(containers):
        for number, one in items(container, "ports"):
            if one.get("hostPort"):
                claim = f"{one.get('protocol') or ''}/{one.get('hostIP') or ''}/{one['hostPort']}"
                if claim in taken:
                    yield duplicate(f"{at}[{index}].ports[{number}].hostPort", claim)
                taken.add(claim)


def check_host_network(spec: Object, at: str, *, is_pod: bool) -> Iterator[Cause]:
    """On the network of its node a container's port is the node's; a template may leave that to be filled in."""
    for index, container in items(spec, "containers") if spec.get("hostNetwork") else ():
        for number, one in items(container, "ports"):
            port, held = one.get("containerPort") or 0, one.get("hostPort") or 0
            if (is_pod or held) and held != port:
                words = "must match `containerPort` when `hostNetwork` is true"
                yield invalid(f"{at}.containers[{index}].ports[{number}].hostPort", held, words)


def _restart(container: Object, at: str) -> Iterator[Cause]:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is None:
        if rules:
            yield required(f"{at}.restartPolicy", _NO_RESTART)
    elif policy not in _RESTARTS:
        yield not_supported(f"{at}.restartPolicy", policy, _RESTARTS)
    if len(rules) > _MOST_RULES:
        yield too_many(f"{at}.restartPolicyRules", len(rules), _MOST_RULES)
    for index, rule in enumerate(rules):
        yield from _restart_rule(rule, f"{at}.restartPolicyRules[{index}]")


def _restart_rule(rule: Object, at: str) -> Iterator[Cause]:
    if rule.get("action") not in _RESTART_ACTIONS:
        yield not_supported(f"{at}.action", rule.get("action") or "", _RESTART_ACTIONS)
    codes = rule.get("exitCodes")
    if codes is None:
        yield required(f"{at}.exitCodes", "must be specified")
        return
    if codes.get("operator") not in _RESTART_OPERATORS:
        yield not_supported(f"{at}.exitCodes.operator", codes.get("operator") or "", _RESTART_OPERATORS)
    count = len(get(codes, "values", default=()))
    if count > _MOST_VALUES:
        yield too_many(f"{at}.exitCodes.values", count, _MOST_VALUES)


def _resize(container: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, one in items(container, "resizePolicy"):
        where, name, policy = f"{at}.resizePolicy", one.get("resourceName") or "", one.get("restartPolicy") or ""
        if name in seen:
            yield duplicate(f"{where}[{index}]", name)
        seen.add(name)
        yield from one_of(name, ("cpu", "memory"), where, needed=True)
        yield from one_of(policy, ("NotRequired", "RestartContainer"), where, needed=True)
        if parts.restart == "Never" and policy != "NotRequired":
            yield invalid(where, policy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")
