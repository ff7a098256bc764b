"""Where a certificate comes from that is named by a URL; http only from this machine, or where it is asked for."""

import datetime
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets import keys

LARGEST = 1 << 20  # bytes
_PATIENCE = 30.0  # seconds


def load(where: str, *, insecure: bool) -> bytes:
    """The bytes of `--cert`. InvalidInput."""
    parts = urlsplit(where)
    if parts.scheme.lower() == "file":
        return _file(Path(unquote(parts.path)))
    if parts.scheme.lower() not in ("http", "https"):
        raise InvalidInput(f"cannot be fetched: {parts.scheme} is neither https nor file", about=where)
    _check(where, insecure=insecure)
    return _fetch(where, insecure=insecure)


def public_key_at(where: str) -> RSAPublicKey:
    """The key of a certificate in a file or at a URL, to seal to now. InvalidInput."""
    data = load(where, insecure=False) if "://" in where else _file(Path(where))
    now = datetime.datetime.now(datetime.UTC)
    return keys.public_key(keys.read_certificate(data, about=where), now=now, about=where)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except FileNotFoundError:
        raise InvalidInput(f"open {path}: no such file or directory") from None
    except OSError as error:
        raise InvalidInput(f"open {path}: {(error.strerror or 'cannot be read').lower()}") from None


def _check(url: str, *, insecure: bool) -> None:
    """Whoever can change an http answer on its way gives us a key of his own, and reads what is sealed to it."""
    parts = urlsplit(url)
    if parts.scheme.lower() == "http" and not insecure and not _is_here(parts.hostname or ""):
        raise InvalidInput(
            "a certificate is not taken over plain http: who is on the way could put in another",
            about=url,
            hint="use https, a file, or --insecure-cert-url if you trust the way",
        )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where we would have gone ourselves."""

    def __init__(self, *, insecure: bool) -> None:
        self._insecure = insecure

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Any:
        if urlsplit(newurl).scheme.lower() not in ("http", "https"):
            raise InvalidInput("redirects to what is neither http nor https", about=req.full_url)
        _check(newurl, insecure=self._insecure)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str, *, insecure: bool) -> bytes:
    opener = urllib.request.build_opener(_Redirects(insecure=insecure))
    try:
        with opener.open(url, timeout=_PATIENCE) as answer:
            data: bytes = answer.read(LARGEST + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise InvalidInput(f'cannot fetch "{url}": {error.code} {error.reason}') from None
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        words = reason.verify_message if isinstance(reason, ssl.SSLCertVerificationError) else reason
        raise InvalidInput(f'cannot fetch "{url}": {words}') from None
    if len(data) > LARGEST:
        raise InvalidInput(f"is larger than {LARGEST} bytes: not a certificate", about=url)
    return data
