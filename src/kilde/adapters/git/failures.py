"""What git and ssh say when a repository cannot be reached, told to a person: what happened, and what to do about it."""

import re
from dataclasses import dataclass

from kilde.core.basics.errors import SourceUnavailable
from kilde.core.source.repository_url import RepositoryUrl, Scheme

_LONGEST = 400  # characters of a foreign message


@dataclass(frozen=True, slots=True)
class _Saying:
    """A pattern in standard error, and what it means. `{0}` is the pattern's group; `{host}` and the like are the URL's."""

    pattern: str
    what: str
    hint: str = ""


_KNOWN_HOSTS = "the ConfigMap argocd-ssh-known-hosts-cm, key ssh_known_hosts"

_SAYINGS = (
    _Saying(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed",
        "the server's host key is not the one that is known for {host}: somebody may be listening in",
        f"if the server has new keys, replace its lines in {_KNOWN_HOSTS}, with the output of `{{keyscan}}`, after checking it",
    ),
    _Saying(
        r"Host key verification failed|No .* host key is known",
        "the host key of {host} is not known",
        f"add the output of `{{keyscan}}`, after checking it, to {_KNOWN_HOSTS}",
    ),
    _Saying(
        r"error in libcrypto|invalid format|Load key",
        "the SSH private key cannot be read",
        "give a whole, unencrypted key in sshPrivateKey",
    ),
    _Saying(
        r"Permission denied \(",
        "the server refused the SSH key",
        "add the public half as a deploy key of the repository, and the private one as sshPrivateKey of its Secret",
    ),
    _Saying(
        r"returned error: 30\d",
        "the server sends us on to another URL, which is not followed",
        "write the repository's final URL, often the same with .git at its end",
    ),
    _Saying(
        r"Authentication failed|could not read (?:Username|Password)|returned error: 401",
        "the server wants credentials, or refused those it was given",
        "check username and password, or the token, in the repository's Secret",
    ),
    _Saying(r"returned error: 403", "the server forbids access with these credentials", "check the token's rights"),
    _Saying(
        r"returned error: 407|CONNECT tunnel failed|Proxy CONNECT aborted",
        "the proxy refused the connection",
        "check `proxy`",
    ),
    _Saying(r"returned error: 429", "the server says that we ask too often"),
    _Saying(r"returned error: (5\d\d)", "the server answered with status {0}"),
    _Saying(
        r"detected dubious ownership",
        "the folder belongs to another user of this machine",
        "run Kilde as its owner, or change the folder's owner",
    ),
    _Saying(r"transport '([^']*)' not allowed", "the protocol '{0}' is not allowed"),
    _Saying(
        r"[Rr]epository '?.*'? not found|does not appear to be a git repository|returned error: 404|[Rr]epository not found"
        r"|[Pp]roject you were looking for could not be found|does not exist|not a git repository",
        "repository not found",
        "check the URL, and that the credentials may see it",
    ),
    _Saying(
        r"((?:SSL certificate problem|server certificate verification failed|SSL: no alternative certificate|"
        r"certificate subject name)[^\n]*)",
        "the server's certificate is not trusted: {0}",
        "add the authority that signed it to the ConfigMap argocd-tls-certs-cm, under the key '{bare_host}'",
    ),
    _Saying(
        r"alert (?:certificate required|bad certificate|handshake failure|unknown ca)|SSL_ERROR_SYSCALL|SSL peer"
        r"|GnuTLS recv error|gnutls_handshake\(\) failed|getpeername\(\) failed|SSL_read|SSL_connect",
        "the server broke off the TLS connection",
        "it may want a client certificate: tlsClientCertData and tlsClientCertKey",
    ),
    _Saying(r"[Cc]ould not resolve (?:host|proxy)", "the name {host} cannot be resolved", "check the URL and DNS"),
    _Saying(
        r"(Connection refused|Connection timed out|No route to host|Network is unreachable|Connection reset|"
        r"Couldn't connect to server|Timeout was reached|Empty reply from server)",
        "{host} cannot be reached: {0}",
    ),
    _Saying(
        r"Operation timed out|Operation too slow|Connection to .* timed out", "{host} is too slow or does not answer"
    ),
    _Saying(r"No space left on device", "the disk that holds the mirrors is full"),
    _Saying(
        r"File size limit exceeded|died of signal 25|invalid index-pack output|index-pack failed|File too large",
        "the repository is larger than a mirror may be, or what it sent is damaged",
    ),
    _Saying(r"mismatched algorithms", "the repository's object format (SHA-256) is not that of its mirror"),
)

_CORRUPT = re.compile(
    r"object file .* is empty|loose object .* is corrupt|object .* is corrupt|unable to read (?:sha1|tree|object)|bad object"
    r"|packfile .* (?:cannot be|does not match|is far too short)|inflate: |not a valid object|bad tree object"
    r"|not a git repository: |missing blob|missing tree|did not send all necessary objects|unable to parse (?:object|commit)"
    r"|broken links?|bad config|index file .* is too small|bad signature|invalid HEAD|unexpected line in .*packed-refs"
    r"|mismatched algorithms",
    re.IGNORECASE,
)


def looks_corrupt(error: str) -> bool:
    """Whether git's words mean that our own mirror is damaged, rather than the repository away."""
    return _CORRUPT.search(error) is not None


def unavailable(error: str, url: RepositoryUrl) -> SourceUnavailable:
    """The error for a fetch that failed. `error`: what git said, redacted."""
    for saying in _SAYINGS:
        match = re.search(saying.pattern, error)
        if match:
            facts = {"host": _host(url), "bare_host": url.host.strip("[]"), "keyscan": _keyscan(url)}
            group = match.group(1) if match.re.groups else ""
            return SourceUnavailable(
                saying.what.format(group, **facts), about=str(url), hint=saying.hint.format(**facts)
            )
    return SourceUnavailable(last_words(error) or "git failed without a word", about=str(url))


def last_words(error: str) -> str:
    """The line of git's error that says most, without its label."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    for label in ("fatal: ", "ERROR: ", "remote: ", "error: "):
        for line in lines:
            if line.startswith(label) and "Could not read from remote" not in line:
                return line.removeprefix(label)[:_LONGEST]
    return lines[-1][:_LONGEST] if lines else ""


def _host(url: RepositoryUrl) -> str:
    if not url.port:
        return url.host or "the machine"
    return f"[{url.host.strip('[]')}]:{url.port}" if url.scheme is Scheme.SSH else f"{url.host}:{url.port}"


def _keyscan(url: RepositoryUrl) -> str:
    port = f"-p {url.port} " if url.scheme is Scheme.SSH and url.port else ""
    return f"ssh-keyscan {port}{url.host.strip('[]')}"
