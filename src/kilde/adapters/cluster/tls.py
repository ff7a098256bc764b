"""TLS: Access and credential → the context a connection is made with."""

import asyncio.sslproto
import ssl
import tempfile
from pathlib import Path

from kilde.adapters.cluster.access import Access, Credential
from kilde.core.basics.errors import ClusterError

_BUFFER = 16 * 1024  # one TLS record; asyncio's own 256 KiB a connection is what 300 idle watches would pay for


def shrink_buffers() -> None:
    """Makes asyncio's TLS connections take 65 KB each instead of 312 KB. No effect on uvloop, which is lean by itself."""
    asyncio.sslproto.SSLProtocol.max_size = _BUFFER


def context(access: Access, credential: Credential) -> ssl.SSLContext | None:
    """The context for an https server; None for plain http. Raises ClusterError where the material is unusable."""
    if not access.server.startswith("https:"):
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if access.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif access.ca:
        try:
            made.load_verify_locations(cadata=access.ca.decode("ascii"))
        except (ssl.SSLError, UnicodeDecodeError) as error:
            raise _unusable(access, "the certificate authority is not PEM") from error
    else:
        made.load_default_certs()
    if credential.certificate:
        _load_pair(access, made, credential)
    return made


def _load_pair(access: Access, made: ssl.SSLContext, credential: Credential) -> None:
    """OpenSSL reads files only: the pair lies in a folder of our own (0700) for the moment this takes."""
    with tempfile.TemporaryDirectory(prefix="kilde-") as folder:
        certificate, key = Path(folder) / "certificate", Path(folder) / "key"
        for file, content in ((certificate, credential.certificate), (key, credential.key)):
            file.touch(mode=0o600)
            file.write_bytes(content)
        try:
            made.load_cert_chain(certificate, key, password=lambda: b"")
        except (ssl.SSLError, ValueError) as error:
            raise _unusable(access, "the client certificate and its key are not a pair in PEM") from error


def _unusable(access: Access, what: str) -> ClusterError:
    return ClusterError(what, about=f"context {access.context}" if access.context else access.server)
