"""Validation of what is asked of a running container: its probes and what it does when it starts and stops."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import needed, not_negative, port

_HTTP_HEADER = re.compile(r"[-A-Za-z0-9]+", re.ASCII)
_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"


def check_life(container: Object, grace: int | None, at: str) -> Iterator[Cause]:
    """What is wrong with a container's hooks and probes; `grace` is the pod's time to end."""
    lifecycle = container.get("lifecycle") or {}
    for hook in ("postStart", "preStop"):
        if lifecycle.get(hook) is not None:
            yield from _handler(lifecycle[hook], grace, f"{at}.lifecycle.{hook}")
    for name in _PROBES:
        if container.get(name) is not None:
            yield from _probe(container[name], grace, f"{at}.{name}", ready=name == "readinessProbe")


def check_no_life(container: Object, at: str) -> Iterator[Cause]:
    """An init container that ends has no hooks and no probes."""
    for name in ("lifecycle", *_PROBES):
        if container.get(name) is not None:
            yield forbidden(f"{at}.{name}", _ONLY_SIDECARS)


def _probe(probe: Object, grace: int | None, at: str, *, ready: bool) -> Iterator[Cause]:
    yield from _handler(probe, grace, at)
    for key in _NUMBERS:
        yield from not_negative(probe.get(key), f"{at}.{key}")
    own = probe.get("terminationGracePeriodSeconds")
    if own is not None and own <= 0:
        yield invalid(f"{at}.terminationGracePeriodSeconds", own, "must be greater than 0")
    if ready:
        if own is not None:
            yield invalid(f"{at}.terminationGracePeriodSeconds", own, "must not be set for readinessProbes")
    elif probe.get("successThreshold", 1) != 1:
        yield invalid(f"{at}.successThreshold", probe["successThreshold"], "must be 1")


def _handler(handler: Object, grace: int | None, at: str) -> Iterator[Cause]:
    kinds = [kind for kind in _ACTIONS if handler.get(kind) is not None]
    for kind in kinds[:1]:
        yield from _action(kind, handler[kind], grace, f"{at}.{kind}")
    for extra in kinds[1:]:
        yield forbidden(f"{at}.{extra}", "may not specify more than 1 handler type")
    if not kinds:
        yield required(at, "must specify a handler type")


def _action(kind: str, action: Mapping[str, Any], grace: int | None, at: str) -> Iterator[Cause]:
    if kind == "exec":
        yield from needed(action.get("command"), f"{at}.command")
    elif kind == "httpGet":
        yield from needed(action.get("path"), f"{at}.path")
        yield from port(action.get("port"), f"{at}.port")
        scheme = action.get("scheme") or ""
        if scheme not in ("HTTP", "HTTPS"):
            yield not_supported(f"{at}.scheme", scheme, ("HTTP", "HTTPS"))
        for header in action.get("httpHeaders") or ():
            name = header.get("name") or ""
            if not _HTTP_HEADER.fullmatch(name):
                words = (
                    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex"
                )
                yield invalid(f"{at}.httpHeaders", name, f"{words} used for validation is '[-A-Za-z0-9]+')")
    elif kind in ("tcpSocket", "grpc"):
        yield from port(action.get("port"), f"{at}.port")
    elif kind == "sleep":
        seconds = action.get("seconds") or 0
        if grace is not None and not 0 <= seconds <= grace:
            yield invalid(at, seconds, f"must be non-negative and less than terminationGracePeriodSeconds ({grace})")
