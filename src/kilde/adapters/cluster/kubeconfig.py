"""Kubeconfig: files → Access, as kubectl reads them; and the service account of the pod we run in.

Rules: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ and client-go's clientcmd.
"""

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from kilde.adapters.cluster.access import Access, Credential, CredentialSource, Fixed
from kilde.adapters.cluster.exec_plugin import VERSIONS, ExecPlugin, ExecSettings
from kilde.adapters.cluster.token_file import TokenFile
from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.yaml_reader import read_documents
from kilde.ports.clock import Clock

_LARGEST = 8 << 20
_EXEC_EXTENSION: Final = "client.authentication.k8s.io/exec"
_SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_HEADERS: Final = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}


def default_files(env: Mapping[str, str]) -> list[Path]:
    """Where kubectl looks: every file of $KUBECONFIG, else ~/.kube/config."""
    named = [Path(part) for part in env.get("KUBECONFIG", "").split(os.pathsep) if part]
    return named or [Path(env.get("HOME", "~")).expanduser() / ".kube" / "config"]


def load(files: Sequence[Path], clock: Clock, *, context: str = "", cluster: str = "", user: str = "") -> Access:
    """The Access a kubeconfig's context gives ("": its current-context), with another `cluster` or `user` of it if named.

    Of several files the first that names a thing counts; files that are not there are skipped unless there is only one.
    Raises InvalidInput that names the file and what is wrong in it.
    """
    merged = _Merged(files)
    return _Reading(merged, clock).access(context or merged.current, cluster=cluster, user=user)


def in_cluster(clock: Clock, env: Mapping[str, str], *, folder: Path = _SERVICE_ACCOUNT) -> Access:
    """The Access of the pod we run in (its service account). Raises InvalidInput outside a pod."""
    host, port = env.get("KUBERNETES_SERVICE_HOST", ""), env.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise InvalidInput("not inside a cluster: KUBERNETES_SERVICE_HOST is not set", hint="give --kubeconfig")
    token, ca = folder / "token", folder / "ca.crt"
    if not token.is_file():
        raise InvalidInput("the pod has no service account token", about=str(token))
    namespace = folder / "namespace"
    return Access(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        ca=ca.read_bytes() if ca.is_file() else b"",
        credentials=TokenFile(token, clock),
        namespace=namespace.read_text().strip() if namespace.is_file() else "default",
        context="in-cluster",
    )


def contexts(files: Sequence[Path]) -> tuple[list[str], str]:
    """The names of all contexts, and the current one ("" if there is none). Raises InvalidInput."""
    merged = _Merged(files)
    return list(merged.sections["context"]), merged.current


class _Merged:
    """Clusters, users and contexts of all files, each with the folder its relative paths begin at."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.about = os.pathsep.join(map(str, files))
        self.current = ""
        self.sections: dict[str, dict[str, tuple[dict[str, Any], Path]]] = {"cluster": {}, "user": {}, "context": {}}
        for file in files:
            if len(files) == 1 or file.exists():
                self._add(file, _read(file))

    def _add(self, file: Path, config: dict[str, Any]) -> None:
        current = config.get("current-context")
        self.current = self.current or (current if isinstance(current, str) else "")
        for section, known in self.sections.items():
            for item in config.get(f"{section}s") or ():
                if not isinstance(item, dict) or not isinstance(item.get("name"), str):
                    raise InvalidInput(f"each of '{section}s' needs a name", about=str(file))
                body = item.get(section)
                known.setdefault(item["name"], (body if isinstance(body, dict) else {}, file.parent))

    def get(self, section: str, name: str) -> tuple[dict[str, Any], Path]:
        found = self.sections[section].get(name)
        if found is None:
            known = ", ".join(sorted(self.sections[section])) or "none"
            raise InvalidInput(f"there is no {section} '{name}'", about=self.about, hint=f"there is: {known}")
        return found


def _read(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes()[: _LARGEST + 1]
    except OSError as error:
        raise InvalidInput(f"the kubeconfig cannot be read: {error.strerror}", about=str(file)) from error
    documents = read_documents(data, file=str(file), duplicates="refuse")
    config = documents[0].value if documents else {}
    if not isinstance(config, dict):
        raise InvalidInput("is not a kubeconfig", about=str(file))
    for section in ("clusters", "users", "contexts"):
        if not isinstance(config.get(section) or [], list):
            raise InvalidInput(f"'{section}' must be a list", about=str(file))
    return config


class _Reading:
    """From one context to an Access."""

    def __init__(self, merged: _Merged, clock: Clock) -> None:
        self._merged, self._clock, self._about = merged, clock, merged.about

    def access(self, context: str, *, cluster: str = "", user: str = "") -> Access:
        if not context:
            raise self._wrong("has no current-context", hint="name one with --context")
        chosen, _ = self._merged.get("context", context)
        place, place_folder = self._merged.get("cluster", cluster or self._text(chosen, "cluster"))
        name = user or self._text(chosen, "user")
        person, person_folder = self._merged.get("user", name) if name else ({}, place_folder)
        server = self._server(place)
        ca = self._material(place, "certificate-authority", place_folder)
        insecure = place.get("insecure-skip-tls-verify") is True
        if insecure and ca:
            raise self._wrong("certificate-authority and insecure-skip-tls-verify exclude each other")
        return Access(
            server=server,
            ca=ca,
            insecure=insecure,
            tls_server_name=self._text(place, "tls-server-name"),
            proxy_url=self._proxy(place),
            credentials=self._credentials(person, person_folder, place, ca),
            headers=tuple(_impersonation(person)),
            namespace=self._text(chosen, "namespace") or "default",
            context=context,
        )

    def _server(self, cluster: Mapping[str, Any]) -> str:
        server = self._text(cluster, "server").rstrip("/")
        if not server:
            raise self._wrong("the cluster has no server")
        if "://" not in server:
            server = f"http://{server}"  # as client-go reads it
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise self._wrong(f"server '{server}' is not an http or https URL")
        return server

    def _proxy(self, cluster: Mapping[str, Any]) -> str:
        proxy = self._text(cluster, "proxy-url")
        if proxy and urlsplit(proxy).scheme not in ("http", "https"):
            raise self._wrong("proxy-url must be http or https; socks5 is not supported")
        return proxy

    def _credentials(
        self, user: Mapping[str, Any], folder: Path, cluster: Mapping[str, Any], ca: bytes
    ) -> CredentialSource:
        certificate = self._material(user, "client-certificate", folder)
        key = self._material(user, "client-key", folder)
        if bool(certificate) != bool(key):
            raise self._wrong("client-certificate and client-key belong together; one is missing")
        token, token_file = self._text(user, "token"), self._text(user, "tokenFile")
        if isinstance(user.get("exec"), dict):
            if token or token_file or self._text(user, "username"):
                raise self._wrong("a user has either exec, a token, or username and password")
            return ExecPlugin(self._exec(user["exec"], folder, cluster, ca), self._clock)
        if user.get("auth-provider"):
            raise self._wrong("auth-provider is not supported", hint="use an exec credential plugin")
        if token_file:
            return TokenFile(folder / token_file, self._clock, certificate=certificate, key=key)
        authorization = f"Bearer {token}" if token else ""
        if not token and self._text(user, "username"):
            pair = f"{self._text(user, 'username')}:{self._text(user, 'password')}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return Fixed(Credential(authorization, certificate, key))

    def _exec(self, settings: Mapping[str, Any], folder: Path, cluster: Mapping[str, Any], ca: bytes) -> ExecSettings:
        version, command = self._text(settings, "apiVersion"), self._text(settings, "command")
        if version not in VERSIONS:
            raise self._wrong(f"exec apiVersion '{version}' is not one of {', '.join(VERSIONS)}")
        if not command:
            raise self._wrong("exec names no command")
        if settings.get("interactiveMode") == "Always":
            raise self._wrong(f"exec {command} wants a terminal (interactiveMode: Always), and there is none")
        env = {str(item.get("name")): str(item.get("value")) for item in _mappings(settings.get("env"))}
        return ExecSettings(
            command=command,
            args=tuple(str(arg) for arg in settings.get("args") or ()),
            env=env,
            api_version=version,
            install_hint=self._text(settings, "installHint"),
            folder=folder,
            cluster=self._cluster_info(cluster, ca) if settings.get("provideClusterInfo") is True else None,
        )

    def _cluster_info(self, cluster: Mapping[str, Any], ca: bytes) -> dict[str, Any]:
        info: dict[str, Any] = {"server": self._server(cluster)}
        for key in ("tls-server-name", "insecure-skip-tls-verify", "proxy-url", "disable-compression"):
            if cluster.get(key):
                info[key] = cluster[key]
        if ca:
            info["certificate-authority-data"] = base64.b64encode(ca).decode()
        for item in _mappings(cluster.get("extensions")):
            if item.get("name") == _EXEC_EXTENSION:
                info["config"] = item.get("extension")
        return info

    def _material(self, section: Mapping[str, Any], key: str, folder: Path) -> bytes:
        """PEM from `<key>-data` (base64) or the file `<key>`; the data wins, as in client-go."""
        data = self._text(section, f"{key}-data")
        if data:
            try:
                return base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError) as error:
                raise self._wrong(f"{key}-data is not base64") from error
        file = self._text(section, key)
        if not file:
            return b""
        try:
            return (folder / file).read_bytes()
        except OSError as error:
            raise self._wrong(f"{key} '{file}' cannot be read: {error.strerror}") from error

    def _text(self, section: Mapping[str, Any], key: str) -> str:
        found = section.get(key)
        if found is None:
            return ""
        if not isinstance(found, str):
            raise self._wrong(f"'{key}' must be a string")
        return found

    def _wrong(self, what: str, *, hint: str = "") -> InvalidInput:
        return InvalidInput(what, about=self._about, hint=hint)


def _mappings(found: Any) -> list[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _impersonation(user: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = [(header, str(user[key])) for key, header in _HEADERS.items() if user.get(key)]
    headers += [("Impersonate-Group", str(group)) for group in user.get("as-groups") or ()]
    extra = user.get("as-user-extra")
    for key, values in extra.items() if isinstance(extra, dict) else ():
        headers += [(f"Impersonate-Extra-{key}", str(value)) for value in values or ()]
    return headers
