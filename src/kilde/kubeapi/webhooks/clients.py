"""Where a webhook is reached: its clientConfig as an address, the name its certificate must have, and whom to trust."""

import base64
import binascii
from collections.abc import Callable

from kilde.core.basics.values import Object
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.storage.store import Store
from kilde.kubeapi.webhooks.questions import Target

_DEFAULT_PORT = 443
Locate = Callable[[Object, str], tuple[str, str]]
"""(service, host) → (address:port to open, "") or ("", problem)."""


def target_of(client: Object, locate: Locate, seconds: int) -> tuple[Target, str]:
    """Where a webhook listens, and why it cannot be asked ("" if it can)."""
    if client.get("url"):
        url = f"{client['url']}{'&' if '?' in client['url'] else '?'}timeout={seconds}s"
        return Target(url, "", url), ""
    service = client.get("service") or {}
    host = f"{service.get('name')}.{service.get('namespace')}.svc"
    path = f"/{str(service.get('path') or '').lstrip('/')}"
    shown = f"https://{host}:{service.get('port') or _DEFAULT_PORT}{path}?timeout={seconds}s"
    address, problem = locate(service, host)
    return Target(f"https://{address}{path}?timeout={seconds}s", host, shown), problem


def authority_of(client: Object) -> str:
    """The PEM of the authorities that a webhook's certificate may be of; "" trusts what the machine trusts."""
    bundle = client.get("caBundle")
    try:
        return base64.b64decode(bundle).decode().strip() if bundle else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def locator(store: Store) -> Locate:
    """Finds what is behind a Service: there is no network here, so its cluster IP leads nowhere."""

    def locate(service: Object, host: str) -> tuple[str, str]:
        namespace, name = str(service.get("namespace") or ""), str(service.get("name") or "")
        found = store.get(Key("services", namespace, name))
        if found is None:
            return "", f'service "{name}" not found'
        wanted = int(service.get("port") or _DEFAULT_PORT)
        ports = (found.object().get("spec") or {}).get("ports") or ()
        chosen = next((port for port in ports if port.get("port") == wanted), None)
        if chosen is None:
            return "", f'no service port {wanted} found for service "{name}"'
        for record in store.all("endpoints", namespace):
            if record.key.name == name:
                for subset in record.object().get("subsets") or ():
                    address = _behind(subset, chosen)
                    if address:
                        return address, ""
        return "", f'no endpoints available for service "{name}"'

    return locate


def _behind(subset: Object, port: Object) -> str:
    addresses = subset.get("addresses") or ()
    number = next(
        (one["port"] for one in subset.get("ports") or () if (one.get("name") or "") == (port.get("name") or "")), None
    )
    return f"{addresses[0]['ip']}:{number}" if addresses and number else ""
