"""How Vault is reached, and who may have it read what: the file of `--vault`, or the variables that Vault's own command reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from kilde.core.basics.reading import Reader, did_you_mean
from kilde.core.secrets.vault.rules import Rule, default_keys, default_reads, read_rules

SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  # a file's name
_METHODS = ("token", "approle", "kubernetes")
_FIELDS = ("address", "caFile", "serverName", "namespace", "insecureHTTP", "timeout", "mounts", "auth", "reads", "sops")
_AUTH = {
    "token": ("method", "tokenFile"),
    "approle": ("method", "mount", "roleID", "secretIDFile"),
    "kubernetes": ("method", "mount", "role", "tokenFile"),
}
_VARIABLES = {
    "address": "VAULT_ADDR",
    "namespace": "VAULT_NAMESPACE",
    "caFile": "VAULT_CACERT",
    "serverName": "VAULT_TLS_SERVER_NAME",
}
TOKEN = "VAULT_TOKEN"  # noqa: S105  # a variable's name
INSECURE = "KILDE_VAULT_INSECURE_HTTP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """`method` token: what is in `token_file`, or `token`; approle: `role` is the role id, `secret_file` holds the secret id; kubernetes:
    `role`, with the service account's token in `token_file`. Files are read at each login."""

    method: str = "token"
    mount: str = ""
    role: str = ""
    token_file: str = ""
    secret_file: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSettings:
    """`mounts`: engines whose path has slashes. `timeout`: seconds for one request."""

    address: str
    login: Login
    ca_file: str = ""
    server_name: str = ""
    namespace: str = ""
    timeout: float = 10.0
    mounts: tuple[str, ...] = ()
    reads: tuple[Rule, ...] = field(default_factory=default_reads)
    sops: tuple[Rule, ...] = field(default_factory=default_keys)


def read_settings(raw: Any, *, about: str) -> VaultSettings:
    """From the content of the file. InvalidInput tells every problem."""
    at = Reader(raw, "vault")
    _only(at, _FIELDS)
    found = VaultSettings(
        address=_address(at.text("address"), at, insecure=at.flag("insecureHTTP")),
        ca_file=at.text("caFile"),
        server_name=at.text("serverName"),
        namespace=at.text("namespace").strip("/"),
        timeout=at.seconds("timeout", 10.0),
        mounts=tuple(mount.strip("/") for mount in at.texts("mounts")),
        login=_login(at.mapping("auth")),
        reads=read_rules(at, "reads", who="namespaces", word="namespace", default=default_reads()),
        sops=read_rules(at, "sops", who="projects", word="project", default=default_keys()),
    )
    if not 0 < found.timeout <= 300:
        at.problem("timeout", "must be more than nothing, and at most 5m")
    at.finish(about)
    return found


def from_environment(variables: Mapping[str, str]) -> VaultSettings | None:
    """From VAULT_ADDR, VAULT_TOKEN and the like; None where there is no VAULT_ADDR. InvalidInput."""
    if not variables.get("VAULT_ADDR"):
        return None
    given = {field_name: variables[name] for field_name, name in _VARIABLES.items() if variables.get(name)}
    at = Reader(given, "environment")
    address = _address(at.text("address"), at, insecure=variables.get(INSECURE) == "true")
    token = variables.get(TOKEN, "").strip()
    if not token:
        at.problem("", f"{TOKEN} is not set")
    at.finish("VAULT_ADDR")
    return VaultSettings(
        address=address,
        ca_file=at.text("caFile"),
        server_name=at.text("serverName"),
        namespace=at.text("namespace").strip("/"),
        login=Login(token=token),
    )


def _address(text: str, at: Reader, *, insecure: bool) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        at.problem("address", "must be https://HOST:PORT")
    elif parts.scheme == "http" and not insecure:
        at.problem(
            "address",
            f"http shows tokens and values to the network: use https (insecureHTTP: true, or {INSECURE}=true, allows it)",
        )
    return text.rstrip("/")


def _login(at: Reader) -> Login:
    method = at.text("method")
    if method not in _METHODS:
        if not at.is_wrong:
            at.problem("method", f"must be one of {', '.join(_METHODS)}")
        return Login()
    _only(at, _AUTH[method])
    wanted = {"token": ("tokenFile",), "approle": ("roleID", "secretIDFile"), "kubernetes": ("role",)}[method]
    for name in wanted:
        if not at.text(name):
            at.problem(name, f"is needed for method {method}")
    return Login(
        method=method,
        mount=at.text("mount", method).strip("/"),
        role=at.text("roleID") or at.text("role"),
        token_file=at.text("tokenFile") or (SERVICE_ACCOUNT_TOKEN if method == "kubernetes" else ""),
        secret_file=at.text("secretIDFile"),
    )


def _only(at: Reader, known: tuple[str, ...]) -> None:
    for name in at.raw:
        if name not in known:
            at.problem("", f"there is no field '{str(name)[:60]}'{did_you_mean(str(name), known)}")
