"""KeyFile: the ledger's Ed25519 key in a file of its owner's (PKCS #8, PEM, mode 0600); made where there is none."""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as words
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kilde.core.basics.errors import LedgerError


class KeyFile:
    """Keeps the promises of ports.signing.SigningKey."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        """Reads the key, or makes one. Raises LedgerError."""
        self._path = path
        try:
            if make and not path.exists():
                _write(path, Ed25519PrivateKey.generate())
            self._key = _read(path)
        except FileNotFoundError:
            hint = "name the data directory of kilde up, and be its user"
            raise LedgerError("there is no signing key", about=str(path), hint=hint) from None
        except OSError as error:
            raise LedgerError(f"the signing key cannot be used: {error.strerror}", about=str(path)) from error

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes(words.Encoding.Raw, words.PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def next(self) -> "KeyFile":
        """The key that will follow; it lies beside this one until `advance`."""
        return KeyFile(self._beside)

    def advance(self) -> "KeyFile":
        """Puts the next key in place of this one, whose private half is gone then."""
        try:
            self._beside.replace(self._path)
        except OSError as error:
            raise LedgerError(f"the new key cannot be put in place: {error.strerror}", about=str(self._path)) from error
        return KeyFile(self._path, make=False)

    @property
    def _beside(self) -> Path:
        return self._path.with_name(f"{self._path.name}.next")


def _write(path: Path, key: Ed25519PrivateKey) -> None:
    """Durable, and whole or not there: a crash leaves no half of a key under its name."""
    text = key.private_bytes(words.Encoding.PEM, words.PrivateFormat.PKCS8, words.NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, text)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        pass  # another process was faster: its key counts
    finally:
        unfinished.unlink()


def _read(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & 0o077:
        raise LedgerError("others can read the signing key", about=str(path), hint=f"chmod 600 {path}")
    try:
        key = words.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise LedgerError("this is no Ed25519 private key in PEM", about=str(path))
    return key
