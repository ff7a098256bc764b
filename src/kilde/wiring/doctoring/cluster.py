"""What the doctor looks at over the API server: how it answers, and whether what Kilde needs in the cluster is in order."""

import base64
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path

import msgspec

from kilde.adapters.cluster.client import SERVICES, KubeCluster
from kilde.adapters.cluster.serving import serving_certificate
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.core.doctor import admission, apiserver, machine
from kilde.core.doctor.certificates import Held, judge_certificates
from kilde.core.doctor.definitions import judge_definitions, judge_stored_versions
from kilde.core.doctor.durations import spread
from kilde.core.doctor.exposition import samples
from kilde.core.doctor.finding import Finding, Verdict
from kilde.core.doctor.sealing import judge_keys
from kilde.crds import definitions
from kilde.engine.fleet.applications import CONFIG_MAPS, SECRETS
from kilde.ports.cluster import Resource
from kilde.wiring.cluster import open_cluster
from kilde.wiring.doctoring.git import look_at_credentials, look_at_servers
from kilde.wiring.doctoring.orphans import look_for_orphans

_ROUND_TRIPS = 40
_DEFINITION = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
_ADMISSION = "admissionregistration.k8s.io"
_HOOKS = (
    Resource(_ADMISSION, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False),
    Resource(_ADMISSION, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", False),
)
_SLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True)
_SERVICE_NAME = "kubernetes.io/service-name"
_KEYS_SELECTOR = "sealedsecrets.bitnami.com/sealed-secrets-key"
_TLS_CERTS = "argocd-tls-certs-cm"


@dataclass(slots=True)
class Looked:
    """What a look at the cluster found, and what later looks go by: when the newest sealing key was made (None: there is none)."""

    findings: list[Finding] = field(default_factory=list)
    newest_key: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One look: the cluster, the namespace of the Applications, the folder of the controller's mirrors, and what is known by now."""

    cluster: KubeCluster
    namespace: str
    mirrors: Path
    looked: Looked


@contextlib.asynccontextmanager
async def _opened(file: Path | None, context: str) -> AsyncIterator[KubeCluster]:
    cluster = open_cluster(file, context=context)
    try:
        yield cluster
    finally:
        await cluster.close()


async def look_at_cluster(file: Path | None, *, context: str, namespace: str, data_dir: Path) -> Looked:
    """How the API server answers, what its metrics say, and whether what Kilde needs there is in order."""
    looked = Looked()
    try:
        async with _opened(file, context) as cluster:
            looked.findings += await _round_trips(cluster)
            look = _Look(cluster=cluster, namespace=namespace, mirrors=data_dir / "git", looked=looked)
            for name, each in _LOOKS:
                try:
                    looked.findings += await each(look)
                except ClusterError as error:
                    looked.findings.append(
                        Finding(area="cluster", check=name, verdict=Verdict.UNKNOWN, says=str(error))
                    )
    except KildeError as error:
        hint = error.hint or "kilde doctor goes by --kubeconfig, or by --data-dir of a running kilde up"
        looked.findings.append(Finding(area="api", check="reachable", verdict=Verdict.BAD, says=str(error), hint=hint))
    return looked


async def _round_trips(cluster: KubeCluster) -> list[Finding]:
    version = await cluster.version()
    durations, offsets = [], []
    for _ in range(_ROUND_TRIPS):
        sent, begun = time.time(), time.perf_counter()
        date = await cluster.date()
        durations.append(time.perf_counter() - begun)
        with contextlib.suppress(ValueError, TypeError):
            # the header is cut to whole seconds: the server's time is half a second later on average
            offsets.append(parsedate_to_datetime(date).timestamp() + 0.5 - (sent + durations[-1] / 2))
    good = Finding(area="api", check="version", verdict=Verdict.GOOD, says=f"Kubernetes {version}")
    found = [good, apiserver.judge_round_trips(spread(durations))]
    return [*found, machine.judge_skew(offsets)] if offsets else found


async def _metrics(look: _Look) -> list[Finding]:
    page = await look.cluster.metrics()
    if page is None:
        hint = "kubectl create clusterrole metrics --verb=get --non-resource-url=/metrics, and bind it"
        says = "this user may not read /metrics"
        return [Finding(area="api", check="metrics", verdict=Verdict.UNKNOWN, says=says, hint=hint)]
    found = samples(page, (*apiserver.METRICS, *admission.METRICS))
    return apiserver.judge_apiserver(found) + admission.judge_webhook_calls(found)


async def _definitions(look: _Look) -> list[Finding]:
    installed = {each["metadata"]["name"]: each for each in await _listed(look.cluster, _DEFINITION)}
    return judge_definitions(definitions(), installed) + judge_stored_versions(installed.values())


async def _webhooks(look: _Look) -> list[Finding]:
    configurations = await _hooks(look.cluster)
    return admission.judge_admission(
        configurations, await _listed(look.cluster, _DEFINITION), await _backends(look.cluster)
    )


async def _hooks(cluster: KubeCluster) -> list[Object]:
    return [each for resource in _HOOKS for each in await _listed(cluster, resource)]


async def _backends(cluster: KubeCluster) -> dict[tuple[str, str], bool]:
    """Every Service, and whether one of its addresses is ready; what leads out of the cluster counts as ready."""
    found = {}
    for service in await _listed(cluster, SERVICES):
        meta, spec = service["metadata"], service.get("spec") or {}
        found[meta.get("namespace", ""), meta["name"]] = spec.get("type") == "ExternalName"
    for each in await _listed(cluster, _SLICES):
        place = each["metadata"].get("namespace", ""), (each["metadata"].get("labels") or {}).get(_SERVICE_NAME, "")
        ready = any((end.get("conditions") or {}).get("ready", True) for end in each.get("endpoints") or ())
        if place in found and ready:
            found[place] = True
    return found


async def _credentials(look: _Look) -> list[Finding]:
    return await look_at_credentials(look.cluster, look.namespace)


async def _servers(look: _Look) -> list[Finding]:
    return await look_at_servers(look.cluster, look.namespace, look.mirrors)


async def _orphans(look: _Look) -> list[Finding]:
    return await look_for_orphans(look.cluster, look.namespace)


async def _sealing_keys(look: _Look) -> list[Finding]:
    found = [msgspec.json.decode(raw) for raw in await look.cluster.list(SECRETS, label_selector=_KEYS_SELECTOR)]
    made = [parse(str(each["metadata"].get("creationTimestamp") or "")) for each in found]
    look.looked.newest_key = max((moment for moment in made if moment is not None), default=None)
    return judge_keys(found, now=time.time())


async def _certificates(look: _Look) -> list[Finding]:
    access = look.cluster.access
    credential = await access.credentials.current()
    held = [
        Held("kubeconfig/client", credential.certificate),
        Held("kubeconfig/certificate-authority", access.ca),
        Held("api/server", await serving_certificate(access)),
    ]
    for configuration in await _hooks(look.cluster):
        for hook in configuration.get("webhooks") or ():
            bundle = (hook.get("clientConfig") or {}).get("caBundle")
            held.append(Held(f"webhook/{hook.get('name')}", _decoded(str(bundle or ""))))
    raw = await look.cluster.get(CONFIG_MAPS, look.namespace, _TLS_CERTS)
    for host, pem in ((msgspec.json.decode(raw).get("data") or {}) if raw else {}).items():
        held.append(Held(f"git/{host}", str(pem).encode()))
    return judge_certificates(held, now=time.time())


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""


async def _listed(cluster: KubeCluster, resource: Resource) -> list[Object]:
    return [msgspec.json.decode(raw) for raw in await cluster.list(resource)]


_LOOKS: tuple[tuple[str, Callable[[_Look], Awaitable[list[Finding]]]], ...] = (
    ("metrics", _metrics),
    ("definitions", _definitions),
    ("webhooks", _webhooks),
    ("credentials", _credentials),
    ("servers", _servers),
    ("orphans", _orphans),
    ("sealing-keys", _sealing_keys),
    ("certificates", _certificates),
)
