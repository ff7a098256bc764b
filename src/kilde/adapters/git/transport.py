"""How git reaches one repository: protocol, proxy and credentials as environment and short-lived private files, never as arguments."""

import base64
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kilde.core.basics.errors import SourceUnavailable
from kilde.core.source.repository_url import RepositoryUrl, Scheme
from kilde.ports.sources import Credentials

REMOTE = "kilde"  # the remote's name; its URL is in the environment too
_CONNECT_SECONDS = 15  # Argo CD's git request timeout


@dataclass(frozen=True, slots=True)
class Transport:
    """What a git command that talks to the repository is given. `secrets` must not appear in anything it says."""

    config: tuple[tuple[str, str], ...]
    extra: dict[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


@contextmanager
def transport(url: RepositoryUrl, credentials: Credentials, private: Path) -> Iterator[Transport]:
    """Yields the Transport; its files, below `private` (0700, each 0600), are gone when the block ends, however it ends.

    Raises SourceUnavailable for credentials that cannot be used with this URL.
    """
    folder = Path(tempfile.mkdtemp(dir=private))
    try:
        config = [(f"remote.{REMOTE}.url", url.address)]
        extra = {"GIT_ALLOW_PROTOCOL": url.scheme.value}
        if url.scheme is Scheme.SSH:
            extra["GIT_SSH_COMMAND"] = _ssh(credentials, folder, url)
            extra["GIT_SSH_VARIANT"] = "ssh"
        elif url.scheme is not Scheme.FILE:
            config += _http(url, credentials, folder)
            if credentials.no_proxy:
                extra |= {"no_proxy": credentials.no_proxy, "NO_PROXY": credentials.no_proxy}
        yield Transport(tuple(config), extra, _secrets(url, credentials))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ssh(credentials: Credentials, folder: Path, url: RepositoryUrl) -> str:
    """The ssh command: configured by our file alone; neither the user's keys, agent nor known hosts are looked at."""
    if credentials.proxy:
        raise SourceUnavailable(
            "a proxy for SSH is not supported",
            about=str(url),
            hint="use the repository's https URL, or reach it without one",
        )
    options = {
        "BatchMode": "yes",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "ForwardAgent": "no",
        "ControlMaster": "no",
        "ControlPath": "none",
        "PermitLocalCommand": "no",
        "UpdateHostKeys": "no",
        "ConnectTimeout": str(_CONNECT_SECONDS),
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "3",
        "GlobalKnownHostsFile": "/dev/null",
        "UserKnownHostsFile": "/dev/null"
        if credentials.insecure
        else _file(folder, "known_hosts", credentials.known_hosts),
        "StrictHostKeyChecking": "no" if credentials.insecure else "yes",
        "IdentityFile": _file(folder, "key", credentials.ssh_private_key) if credentials.ssh_private_key else "none",
        "LogLevel": "ERROR",
    }
    text = "".join(f'{name} "{value}"\n' for name, value in options.items())
    # git hands this line to a shell: the folder's name is ours, yet quoted
    return f"ssh -F {_quoted(_file(folder, 'ssh_config', text))}"


def _http(url: RepositoryUrl, credentials: Credentials, folder: Path) -> list[tuple[str, str]]:
    config: list[tuple[str, str]] = []
    header = _authorization(url, credentials)
    if header:
        # tied to this server: git sends it nowhere else
        config.append((f"http.{url.scheme}://{url.host}{f':{url.port}' if url.port else ''}/.extraHeader", header))
    if credentials.tls_ca:
        config.append(("http.sslCAInfo", _file(folder, "ca.pem", credentials.tls_ca)))
    if credentials.tls_client_cert:
        config.append(("http.sslCert", _file(folder, "client.pem", credentials.tls_client_cert)))
        config.append(("http.sslKey", _file(folder, "client-key.pem", credentials.tls_client_key)))
    if credentials.insecure:
        config.append(("http.sslVerify", "false"))
    if credentials.proxy:
        config.append(("http.proxy", credentials.proxy))
    return config


def _authorization(url: RepositoryUrl, credentials: Credentials) -> str:
    """The header that opens the repository, sent with the first request (Argo CD's forceHttpBasicAuth); "" for none."""
    if credentials.bearer_token:
        return f"Authorization: Bearer {_one_line(credentials.bearer_token, url)}"
    value = _basic_value(url, credentials)
    return f"Authorization: Basic {value}" if value else ""


def _one_line(token: str, url: RepositoryUrl) -> str:
    token = token.strip()
    if any(character <= " " or character == "\x7f" for character in token):
        raise SourceUnavailable("the bearer token has a blank or a line break in it", about=str(url))
    return token


def _file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.touch(mode=0o600)
    # a key that was pasted without its last line break, or with CRLF, is refused by ssh as unreadable
    path.write_text(text.replace("\r\n", "\n").rstrip("\n") + "\n", encoding="utf-8")
    return str(path)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _secrets(url: RepositoryUrl, credentials: Credentials) -> tuple[str, ...]:
    plain = [credentials.password, credentials.bearer_token.strip(), url.password]
    if credentials.proxy and (password := urlsplit(credentials.proxy).password):
        plain.append(password)
    header = _basic_value(url, credentials)
    return tuple(one for one in (*plain, header) if one)


def _basic_value(url: RepositoryUrl, credentials: Credentials) -> str:
    """User and password as HTTP wants them; a user alone in the URL opens nothing, and could close what is public."""
    if credentials.username or credentials.password:
        user, password = credentials.username or url.user, credentials.password
    elif url.password:
        user, password = url.user, url.password
    else:
        return ""
    return base64.b64encode(f"{user}:{password}".encode()).decode()
