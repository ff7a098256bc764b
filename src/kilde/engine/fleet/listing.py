"""The Applications that an installation looks after, listed once: for commands that look beside a running controller."""

import re
from collections.abc import Iterable

import msgspec

from kilde.core.access.namespaces import Namespaces, read_namespaces
from kilde.core.basics.errors import ClusterError
from kilde.core.sets.policy import CONFIG_MAP as PARAMETERS
from kilde.engine.fleet.applications import APPLICATIONS, CONFIG_MAPS
from kilde.ports.cluster import Cluster

_PLAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


class _Meta(msgspec.Struct):
    namespace: str = ""


class _Object(msgspec.Struct):
    metadata: _Meta


_decode = msgspec.json.Decoder(_Object).decode


async def list_applications(cluster: Cluster, home: str, others: str = "", *, also: Iterable[str] = ()) -> list[bytes]:
    """Those of the controller's namespace (`home`), of where else they may be, and of the namespaces `also`. Raises ClusterError.

    `others` is what the controller was started with; "": as argocd-cmd-params-cm says. Without the right to list all namespaces, those
    that `also` names must do, where it names some.
    """
    spaces = dict.fromkeys([home, *also])
    allowed = read_namespaces(others) or await _said(cluster, home)
    if allowed:
        try:
            listed = await cluster.list(APPLICATIONS)
        except ClusterError as error:
            if error.status != 403 or len(spaces) == 1:
                raise
        else:
            return [raw for raw in listed if (space := _decode(raw).metadata.namespace) in spaces or allowed.has(space)]
    return [raw for space in spaces for raw in await cluster.list(APPLICATIONS, space)]


async def every_application(cluster: Cluster, home: str, others: str = "") -> tuple[list[bytes], str]:
    """For who must not overlook one: those of all namespaces, unless `others` says which. Raises ClusterError.

    What the controller was told when it was started, nobody else can know. The second: which ones could not be seen ("": none).
    """
    told = read_namespaces(others)
    if told and all(_PLAIN.fullmatch(entry) for entry in told.entries):
        spaces = dict.fromkeys([home, *told.entries])
        return [raw for space in spaces for raw in await cluster.list(APPLICATIONS, space)], ""
    if told:
        return await list_applications(cluster, home, others), ""
    try:
        return list(await cluster.list(APPLICATIONS)), ""
    except ClusterError as error:
        if error.status != 403:
            raise
    unseen = f"Applications outside of {home} may not be listed: --application-namespaces says where there are some ({home}: nowhere else)"
    return await list_applications(cluster, home), unseen


async def _said(cluster: Cluster, home: str) -> Namespaces:
    """What the settings say; none where they may not be read."""
    try:
        raw = await cluster.get(CONFIG_MAPS, home, PARAMETERS)
    except ClusterError as error:
        if error.status != 403:
            raise
        raw = None
    data = (msgspec.json.decode(raw).get("data") or {}) if raw else {}
    return read_namespaces(str(data.get("application.namespaces") or ""))
