"""Cluster Secrets, Argo CD's way to name a cluster and what opens it, read into plain values. No error or repr shows a value of theirs."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kilde.core.apps.clusters import KnownCluster
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import Reader
from kilde.core.basics.values import Object

SELECTOR = "argocd.argoproj.io/secret-type=cluster"
_LARGEST = 1 << 20  # bytes of a Secret; the API takes no larger one


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A credential plugin (`execProviderConfig`)."""

    command: str
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str = ""
    install_hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsCluster:
    """A cluster of EKS that is entered by an identity of AWS (`awsAuthConfig`)."""

    name: str
    role: str = field(default="", repr=False)
    profile: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterConfig:
    """How a cluster is entered: the Secret's `server` and `config`."""

    server: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    insecure: bool = False
    tls_server_name: str = ""
    ca: bytes = field(default=b"", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    proxy_url: str = field(default="", repr=False)
    program: Program | None = None
    aws: AwsCluster | None = None


def secret_texts(data: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a Secret's `data`; what is not text is left out."""
    out = {}
    for key, value in data.items():
        try:
            out[str(key)] = base64.b64decode(str(value), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return out


def read_cluster(secret: Object) -> KnownCluster:
    """What everybody may know of it. InvalidInput where it names no server."""
    meta, data = secret.get("metadata") or {}, secret.get("data") or {}
    open_keys = ("name", "server", "project", "namespaces", "clusterResources")
    values = secret_texts({key: data[key] for key in open_keys if key in data})
    labels, annotations = dict(meta.get("labels") or {}), dict(meta.get("annotations") or {})
    return KnownCluster(
        name=values.get("name", ""),
        server=_server(values.get("server", ""), about_of(secret)),
        project=values.get("project", ""),
        labels=labels,
        annotations=annotations,
        namespaces=tuple(filter(None, (one.strip() for one in values.get("namespaces", "").split(",")))),
        cluster_resources=values.get("clusterResources") == "true",
    )


def about_of(secret: Object) -> str:
    """The Secret, for people."""
    return f"cluster Secret {(secret.get('metadata') or {}).get('name', '')}"


def _server(text: str, about: str) -> str:
    server = text.strip().rstrip("/")
    try:
        parts = urlsplit(server)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidInput("its server is not an http or https URL", about=about)
    if parts.username is not None or parts.query or parts.fragment or any(ord(char) < 33 for char in server):
        raise InvalidInput("its server holds more than scheme, host, port and path", about=about)
    return server


def read_config(secret: Object) -> ClusterConfig:
    """What opens it. InvalidInput with every problem, and without a value."""
    about = about_of(secret)
    values = secret_texts(
        {key: value for key, value in (secret.get("data") or {}).items() if key in ("server", "config")}
    )
    text = values.get("config", "").strip() or "{}"
    try:
        raw = msgspec.json.decode(text) if len(text) <= _LARGEST else None
    except (msgspec.DecodeError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        raise InvalidInput("its config is not a JSON object", about=about)
    at = Reader(raw, "config")
    found = _config(at, _server(values.get("server", ""), about))
    if at.problems:
        raise InvalidInput("; ".join(at.problems), about=about)
    return found


def has_credentials(secret: Object) -> bool:
    """Whether it says who we are there; of the cluster of the Applications that need not be said. True also where it cannot be read."""
    try:
        config = read_config(secret)
    except InvalidInput:
        return True
    return bool(config.username or config.password or config.token)


def _config(at: Reader, server: str) -> ClusterConfig:
    tls = at.mapping("tlsClientConfig")
    program, aws = at.mapping("execProviderConfig"), at.mapping("awsAuthConfig")
    found = ClusterConfig(
        server=server,
        username=at.text("username"),
        password=at.text("password"),
        token=at.text("bearerToken"),
        insecure=tls.flag("insecure"),
        tls_server_name=tls.text("serverName"),
        ca=_pem(tls, "caData"),
        certificate=_pem(tls, "certData"),
        key=_pem(tls, "keyData"),
        proxy_url=at.text("proxyUrl"),
        program=Program(
            command=program.text("command"),
            args=program.texts("args"),
            env=program.text_map("env"),
            api_version=program.text("apiVersion"),
            install_hint=program.text("installHint"),
        )
        if at.has("execProviderConfig")
        else None,
        aws=AwsCluster(name=aws.text("clusterName"), role=aws.text("roleARN"), profile=aws.text("profile"))
        if at.has("awsAuthConfig")
        else None,
    )
    if found.aws is not None and not found.aws.name:
        aws.problem("clusterName", "is missing")
    if found.insecure and found.ca:
        tls.problem("", "insecure and caData exclude each other")
    if bool(found.certificate) != bool(found.key):
        tls.problem("", "certData and keyData belong together; one is missing")
    if found.program is not None and not found.program.command:
        program.problem("command", "is missing")
    if found.proxy_url and not found.proxy_url.startswith(("http://", "https://")):
        at.problem("proxyUrl", "must be http or https")
    return found


def _pem(at: Reader, key: str) -> bytes:
    try:
        return base64.b64decode(at.text(key), validate=True)
    except (binascii.Error, ValueError):
        at.problem(key, "is not base64")
        return b""
