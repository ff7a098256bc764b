"""Where a webhook is reached: the rules of its url, or of its Service (apiserver's util/webhook)."""

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, invalid, required
from kilde.kubeapi.resources.validation.go_urls import url_problem
from kilde.kubeapi.resources.validation.names import dns_subdomain

_PEM = re.compile(rb"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----.*?-----END (?P=kind)-----", re.DOTALL)
_FORM = "; desired format: https://host[/path]"
_LAST_PORT = 65535


def check_client(client: Object, at: str) -> Iterator[Cause]:
    """What is wrong with where a webhook is: a URL or a Service."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield required(at, "exactly one of url or service is required")
    elif service is None:
        yield from _url(str(url), f"{at}.url")
    else:
        # The real server takes one for the other when it looks whether they are there.
        swapped = {**service, "name": service.get("namespace"), "namespace": service.get("name")}
        yield from _service(swapped, f"{at}.service")


def _url(url: str, at: str) -> Iterator[Cause]:
    """What is wrong with the url of a webhook."""
    problem = url_problem(url)
    try:
        parts = urlsplit(url)
    except ValueError as error:  # a host that only Python refuses
        problem = problem or str(error)
    if problem:
        yield required(at, f"url must be a valid URL: {problem}{_FORM}")
        return
    if parts.scheme != "https":
        yield invalid(at, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    user, _, host = parts.netloc.rpartition("@")
    if not host:
        yield invalid(at, host, f"host must be specified{_FORM}")
    if "@" in parts.netloc:
        yield invalid(at, user, "user information is not permitted in the URL")
    if parts.fragment:
        yield invalid(at, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield invalid(at, parts.query, "query parameters are not permitted in the URL")


def ca_bundle_problem(bundle: str) -> str:
    """Why a caBundle (base64) cannot be trusted; "" if it can (client-go's transport.TLSConfigFor)."""
    from cryptography import x509

    head = "unable to load root certificates: "
    try:
        raw = base64.b64decode(bundle)
    except (binascii.Error, ValueError):
        raw = b""
    blocks = [match for match in _PEM.finditer(raw) if match["kind"] == b"CERTIFICATE"]
    valid = 0
    for block in blocks:
        try:
            x509.load_pem_x509_certificate(block.group())
        except ValueError:
            continue
        valid += 1
    if valid:
        return ""
    if not _PEM.search(raw):
        return f"{head}unable to parse bytes as PEM block"
    return (
        f"{head}failed to parse certificate: x509: malformed certificate"
        if blocks
        else f"{head}no valid certificate authority data seen"
    )


def _service(service: Object, at: str) -> Iterator[Cause]:
    """What is wrong with the Service of a webhook; its port is filled in."""
    for key in ("name", "namespace"):
        if not service.get(key):
            yield required(f"{at}.{key}")
    port = service.get("port")
    if port is not None and not 1 <= port <= _LAST_PORT:
        yield invalid(f"{at}.port", port, f"port is not valid: must be between 1 and {_LAST_PORT}, inclusive")
    path = service.get("path") or "/"
    if path == "/":
        return
    if path == "//":
        yield invalid(f"{at}.path", path, "segment[0] may not be empty")
        return
    if not path.startswith("/"):
        yield invalid(f"{at}.path", path, "must start with a '/'")
    for index, step in enumerate(path[1:].removesuffix("/").split("/")):
        if not step:
            yield invalid(f"{at}.path", path, f"segment[{index}] may not be empty")
        else:
            yield from (invalid(f"{at}.path", path, f"segment[{index}]: {text}") for text in dns_subdomain(step))
