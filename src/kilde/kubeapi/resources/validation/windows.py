"""Validation of what a pod for Windows says of its users and of containers that are processes of the host."""

import re
from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, invalid
from kilde.kubeapi.resources.validation.fields import get, items
from kilde.kubeapi.resources.validation.names import dns_subdomain

_LONGEST_CREDENTIAL, _LONGEST_DOMAIN, _LONGEST_USER = 64 * 1024, 256, 104
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NET_BIOS = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_DNS_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DNS = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_DOTS = re.compile(r"[. ]+")
_FORBIDDEN = re.compile(r'["/\\:;|=,+*?<>@\[\]]')


def check_windows_options(options: Json, at: str) -> Iterator[Cause]:
    """What is wrong with the windowsOptions of a pod or container."""
    if options is None:
        return
    name, credential = options.get("gmsaCredentialSpecName"), options.get("gmsaCredentialSpec")
    if name is not None:
        yield from (invalid(f"{at}.gmsaCredentialSpecName", name, text) for text in dns_subdomain(name))
    where = f"{at}.gmsaCredentialSpec"
    if credential == "":
        yield invalid(where, credential, "gmsaCredentialSpec cannot be an empty string")
    elif credential is not None and len(credential.encode()) > _LONGEST_CREDENTIAL:
        yield invalid(where, credential, f"gmsaCredentialSpec size must be under {_LONGEST_CREDENTIAL // 1024} KiB")
    user = options.get("runAsUserName")
    if user is not None:
        yield from (invalid(f"{at}.runAsUserName", user, f"runAsUserName{text}") for text in _user(user))


def _user(name: str) -> Iterator[str]:
    """What is wrong with `DOMAIN\\USER`, of which the domain may be left out."""
    parts = name.split("\\")
    if not name:
        yield " cannot be an empty string"
        return
    if _CONTROL.search(name):
        yield " cannot contain control characters"
        return
    if len(parts) > 2:
        yield " cannot contain more than one backslash"
        return
    if len(parts) == 2:
        yield from _domain(parts[0])
    yield from _account(parts[-1])


def _domain(domain: str) -> Iterator[str]:
    if len(domain.encode()) >= _LONGEST_DOMAIN:
        yield f"'s Domain length must be under {_LONGEST_DOMAIN} characters"
    if not _NET_BIOS.fullmatch(domain) and not _DNS.fullmatch(domain):
        yield "'s Domain doesn't match the NetBios nor the DNS format"


def _account(user: str) -> Iterator[str]:
    if not user:
        yield "'s User cannot be empty"
    elif len(user.encode()) > _LONGEST_USER:
        yield f"'s User length must not be longer than {_LONGEST_USER} characters"
    if _DOTS.fullmatch(user):
        yield "'s User cannot contain only periods or spaces"
    if _FORBIDDEN.search(user):
        yield "'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]"


def check_host_processes(spec: Object, at: str) -> Iterator[Cause]:
    """Containers that are processes of the host: all of a pod are, or none, and they need the host's network."""
    of_pod = get(spec, "securityContext", "windowsOptions", "hostProcess")
    count, total = 0, 0
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in items(spec, kind):
            total += 1
            own = get(container, "securityContext", "windowsOptions", "hostProcess")
            if of_pod is not None and own is not None and of_pod != own:
                where = f"{at}.{kind}[{index}].securityContext.windowsOptions.hostProcess"
                words = f"pod hostProcess value must be identical if both are specified, was {str(of_pod).lower()}"
                yield invalid(where, own, words)
            count += bool(of_pod if own is None else own)
    if not count:
        return
    if count != total:
        words = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        yield invalid(at, "", words)
    if not spec.get("hostNetwork"):
        words = "hostNetwork must be true if pod contains any hostProcess containers"
        yield invalid(f"{at}.hostNetwork", value=False, detail=words)
