"""Credentials: what opens a repository, chosen from Argo CD's labelled Secrets and its two ConfigMaps of trust."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from kilde.core.basics import github_app
from kilde.core.basics.errors import InvalidInput, SourceUnavailable
from kilde.core.basics.values import Object
from kilde.core.source.chart_place import OCI, ChartPlace, parse_place
from kilde.core.source.repository_url import Scheme, begins_with, parse, same_repository

SECRET_TYPE = "argocd.argoproj.io/secret-type"  # noqa: S105 - the name of a label
REPOSITORY, TEMPLATE = "repository", "repo-creds"
KNOWN_HOSTS, TLS_CERTS = "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm"

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))  # Go's strconv.ParseBool
_FALSE = frozenset(("", "0", "f", "F", "FALSE", "false", "False"))

# Secret key → field
_FIELDS = {
    "username": "username",
    "password": "password",
    "bearerToken": "bearer_token",
    "sshPrivateKey": "ssh_private_key",
    "tlsClientCertData": "tls_client_cert",
    "tlsClientCertKey": "tls_client_key",
    "proxy": "proxy",
    "noProxy": "no_proxy",
}
_SECRET_FIELDS = ("username", "password", "bearer_token", "ssh_private_key", "tls_client_cert", "tls_client_key", "app")
_BEFORE_APPS = ("username", "password", "bearer_token", "ssh_private_key")  # Argo CD's order

# Argo CD gets a short-lived token with these from a cloud; Kilde does not
_CLOUD_KEYS = {
    "gcpServiceAccountKey": "a Google service account",
    "azureServicePrincipalClientSecret": "an Azure service principal",
    "useAzureWorkloadIdentity": "an Azure workload identity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What opens a repository; from Argo CD's labelled Secrets. Its repr shows no value."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)
    ssh_private_key: str = field(default="", repr=False)
    app: github_app.GitHubApp | None = field(default=None, repr=False)  # where nothing else opens it; gets us a token
    tls_client_cert: str = field(default="", repr=False)
    tls_client_key: str = field(default="", repr=False)
    tls_ca: str = field(default="", repr=False)  # PEM bundle, from argocd-tls-certs-cm
    known_hosts: str = field(default="", repr=False)  # text of argocd-ssh-known-hosts-cm
    insecure: bool = False  # the user said so: neither TLS certificate nor host key is checked
    enable_oci: bool = False  # a chart repository that is a registry
    plain_http: bool = False  # a registry that is asked without TLS
    proxy: str = field(default="", repr=False)
    no_proxy: str = field(default="", repr=False)


def choose(url: str, secrets: Iterable[Object], configmaps: Iterable[Object], *, project: str = "") -> Credentials:
    """The credentials for a repository, as Argo CD chooses them.

    The `repository` Secret with the same URL (that of the project before one of none); what it leaves unsaid, if it has no
    credentials of its own, comes from the `repo-creds` Secret with the longest matching prefix. Certificates and host keys come
    from the ConfigMaps. Raises SourceUnavailable, naming Secret and key, when the chosen one cannot be used.
    """
    place = parse_place(url)
    own, template = _pick(url if place is None else place.repository, list(secrets), project, charts=place is not None)
    chosen = _read(own) if own is not None else Credentials()
    if template is not None and not any(getattr(chosen, name) for name in _SECRET_FIELDS):
        chosen = _inherit(chosen, _read(template))
    if any(getattr(chosen, name) for name in _BEFORE_APPS):
        chosen = replace(chosen, app=None)
    return _with_trust(chosen, url, place, configmaps)


def holders(url: str, secrets: Iterable[Object], project: str = "") -> list[Object]:
    """The Secrets that a Git repository goes by: its own, and the template with the longest prefix."""
    return [one for one in _pick(url, list(secrets), project, charts=False) if one is not None]


def opened_by(url: str, secrets: Iterable[Object], project: str = "") -> tuple[str, ...]:
    """The names of the Secrets that `choose` takes credentials from: a template counts only where the repository's own has none."""
    found = holders(url, secrets, project)
    if len(found) == 2 and any(getattr(_read(found[0]), name) for name in _SECRET_FIELDS):
        found.pop()
    return tuple(str(one["metadata"].get("name")) for one in found)


def scope_of(url: str, secrets: Iterable[Object], project: str) -> str:
    """The project, where a Secret of its own opens the repository to it; "" where what opens it opens it to all."""
    place = parse_place(url)
    chosen = _pick(url if place is None else place.repository, list(secrets), project, charts=place is not None)
    scoped = project and any(one is not None and _peek(one, "project") == project for one in chosen)
    return project if scoped else ""


def named_repository(name: str, secrets: Iterable[Object], project: str) -> str:
    """The address of the chart repository that a Secret calls so; "" where none does."""
    for secret in secrets:
        mine = _labels(secret).get(SECRET_TYPE) == REPOSITORY and _peek(secret, "project") in ("", project)
        if mine and _peek(secret, "type") == "helm" and _peek(secret, "name") == name:
            return _peek(secret, "url")
    return ""


def _pick(url: str, secrets: list[Object], project: str, *, charts: bool) -> tuple[Object | None, Object | None]:
    """The Secret of this very repository, and the template with the longest prefix; `oci://` may be written or not."""
    types = ("", "git", "helm", "oci") if charts else ("", "git")
    url = url.removeprefix(OCI)
    own: Object | None = None
    template: Object | None = None
    longest = 0
    for secret in secrets:
        kind = _labels(secret).get(SECRET_TYPE)
        if kind not in (REPOSITORY, TEMPLATE) or _peek(secret, "type") not in types:
            continue
        theirs, scope = _peek(secret, "url").removeprefix(OCI), _peek(secret, "project")
        if scope not in ("", project):
            continue
        if kind == REPOSITORY and same_repository(url, theirs) and (own is None or scope):
            own = secret
        if kind == TEMPLATE and (covered := begins_with(url, theirs)) > longest:
            longest, template = covered, secret
    return own, template


def _read(secret: Object) -> Credentials:
    """One Secret's keys as Credentials. Raises SourceUnavailable."""
    for key, what in _CLOUD_KEYS.items():
        if _peek(secret, key) not in _FALSE:
            raise _unusable(
                secret, key, f"credentials of {what} are not supported", "give a token or a deploy key instead"
            )
    values = {name: _text(secret, key) for key, name in _FIELDS.items()}
    flags = {key: _flag(secret, key) for key in ("insecure", "insecureIgnoreHostKey")}
    found = Credentials(
        insecure=any(flags.values()),
        enable_oci=_flag(secret, "enableOCI"),
        plain_http=_flag(secret, "insecureOCIForceHttp"),
        app=_app(secret),
        **values,
    )
    if found.ssh_private_key:
        _check_private_key(secret, "sshPrivateKey", found.ssh_private_key)
    if bool(found.tls_client_cert) != bool(found.tls_client_key):
        missing = "tlsClientCertKey" if found.tls_client_cert else "tlsClientCertData"
        raise _unusable(secret, missing, "a client certificate needs both its halves", "")
    for key in ("username", "password", "bearerToken", "proxy"):
        if any(character in values[_FIELDS[key]] for character in "\n\r\0"):
            raise _unusable(
                secret, key, "it has a line break in it", "was it encoded with one? use `printf %s`, not `echo`"
            )
    return found


def _inherit(own: Credentials, template: Credentials) -> Credentials:
    """What the repository's own Secret leaves unsaid is the template's (Argo CD's CopyCredentialsFrom)."""
    unsaid = {f.name: getattr(template, f.name) for f in fields(own) if not getattr(own, f.name)}
    return replace(own, **unsaid)


def _with_trust(found: Credentials, url: str, place: ChartPlace | None, configmaps: Iterable[Object]) -> Credentials:
    maps = {one.get("metadata", {}).get("name"): one.get("data") or {} for one in configmaps}
    if place is not None:
        return replace(found, tls_ca=str(maps.get(TLS_CERTS, {}).get(_host_alone(place.host), "")))
    known_hosts = str(maps.get(KNOWN_HOSTS, {}).get("ssh_known_hosts", ""))
    try:
        parsed = parse(url)
    except InvalidInput:
        return replace(found, known_hosts=known_hosts)
    certificates = maps.get(TLS_CERTS, {}) if parsed.scheme is Scheme.HTTPS else {}
    return replace(found, known_hosts=known_hosts, tls_ca=str(certificates.get(parsed.host.strip("[]"), "")))


def _host_alone(host: str) -> str:
    """Without a port; Argo CD names certificates by host alone."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _labels(secret: Object) -> Mapping[str, str]:
    return secret.get("metadata", {}).get("labels") or {}


def _peek(secret: Object, key: str) -> str:
    """A value needed to choose; "" where it cannot be read, for another repository's broken Secret is not our trouble."""
    try:
        return _text(secret, key).strip()
    except SourceUnavailable:
        return ""


def _text(secret: Object, key: str) -> str:
    plain = secret.get("stringData") or {}
    if key in plain:
        return str(plain[key])
    encoded = (secret.get("data") or {}).get(key)
    if encoded is None:
        return ""
    try:
        return base64.b64decode(str(encoded), validate=True).decode()
    except (binascii.Error, ValueError):  # its words may hold the value: not chained
        raise _unusable(secret, key, "it is not base64 of UTF-8 text", "") from None


def _flag(secret: Object, key: str) -> bool:
    text = _text(secret, key).strip()
    if text not in _TRUE | _FALSE:
        raise _unusable(secret, key, "it is neither 'true' nor 'false'", "")
    return text in _TRUE


def _app(secret: Object) -> github_app.GitHubApp | None:
    """The GitHub App of the Secret, by Argo CD's four keys."""
    key, app = _text(secret, "githubAppPrivateKey"), _text(secret, "githubAppID").strip()
    installation, api = _text(secret, "githubAppInstallationID").strip(), _text(secret, "githubAppEnterpriseBaseUrl")
    if not key:
        return None
    for name, number in (("githubAppID", app), ("githubAppInstallationID", installation or "0")):
        if not (number.isascii() and number.isdigit()):
            raise _unusable(secret, name, "it is not a number", "the page of the app's settings has it")
    _check_private_key(secret, "githubAppPrivateKey", key)
    api = api.strip() or github_app.API
    if not api.startswith("https://") or any(character <= " " for character in api):
        raise _unusable(
            secret, "githubAppEnterpriseBaseUrl", "it is not an https address", "it is like https://HOST/api/v3"
        )
    named = installation if installation.strip("0") else ""
    return github_app.GitHubApp(id=app, private_key=key, installation=named, api=api.rstrip("/") + "/")


def _check_private_key(secret: Object, key: str, text: str) -> None:
    lines = [line.strip() for line in text.strip().splitlines()]
    whole = len(lines) > 2 and lines[0].startswith("-----BEGIN ") and lines[-1].startswith("-----END ")
    if not whole or "PRIVATE KEY" not in lines[0]:
        raise _unusable(
            secret,
            key,
            "it is not a private key in PEM form",
            "paste the whole file, first and last line too",
        )
    if any(_encrypted(lines)):
        raise _unusable(
            secret,
            key,
            "it is protected by a passphrase",
            "take it off with `ssh-keygen -p -N ''`, or make a deploy key",
        )


def _encrypted(lines: list[str]) -> Iterator[bool]:
    yield "ENCRYPTED" in lines[0]
    yield any(line.startswith("Proc-Type:") and "ENCRYPTED" in line for line in lines[:3])
    if "OPENSSH" in lines[0]:
        try:
            raw = base64.b64decode("".join(lines[1:-1]))
        except binascii.Error:
            return
        # PROTOCOL.key: magic, then the cipher's name with a 4-byte length; "none" when it is in the clear
        yield raw.startswith(b"openssh-key-v1\0") and raw[15:23] != b"\0\0\0\4none"


def _unusable(secret: Object, key: str, what: str, hint: str) -> SourceUnavailable:
    meta = secret.get("metadata", {})
    name = "/".join(str(meta[part]) for part in ("namespace", "name") if meta.get(part))
    return SourceUnavailable(f"key '{key}': {what}", about=f"Secret {name}", hint=hint)
