"""SOPS files: values in place, each by AES-256-GCM under one data key with its path as associated data, and a MAC over all.

After the SOPS file format (its README, "Encryption protocol"), checked against the program (tests/real/test_sops.py). Four forms by name:
YAML and JSON, dotenv, and anything else as a binary file. The data key comes from elsewhere: see `Unwrap`.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import to_json
from kilde.core.objects.yaml_writer import write_document
from kilde.core.render.patterns import compile_pattern

LARGEST = 4 << 20  # bytes of a file
_VALUE = re.compile(
    r"ENC\[AES256_GCM,data:([A-Za-z0-9+/=]*),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:(str|int|float|bool|bytes|comment)\]"
)
_ONLY_ENCRYPTED = hashlib.sha256(b"sops").digest()  # what the MAC begins with under mac_only_encrypted
_RULES = ("unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex")
_REFUSED = ("key_groups", "shamir_threshold", "unencrypted_comment_regex", "encrypted_comment_regex")
_DATA_KEY = 32  # bytes
AGE, VAULT = "age", "hc_vault"
_EXACT = 2.0**53  # up to here every whole number is a float
_AS_GO = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
Unwrap = Callable[[Object], bytes]  # a file's SOPS metadata → its data key; KildeError where nothing at hand opens it


@dataclass(slots=True)
class Opened:
    """A decrypted file, and each value that had been encrypted in it, as text."""

    data: bytes = field(repr=False)
    values: list[str] = field(repr=False)


class SopsFailed(InvalidInput):
    """A SOPS file that cannot be decrypted; the message holds no value."""

    code = "sops-file-does-not-open"


def is_sops(name: str, data: bytes) -> bool:
    """Whether a file may be one: it has encrypted values and metadata. Cheap."""
    return b"ENC[AES256_GCM," in data and (b"sops_mac=" in data if name.endswith(".env") else b"sops" in data)


def decrypted(name: str, data: bytes, unwrap: Unwrap) -> Opened | None:
    """The file in plain; None for one that has no SOPS metadata. SopsFailed, InvalidInput."""
    if len(data) > LARGEST:
        raise SopsFailed(f"is larger than {LARGEST >> 20} MiB", about=name)
    try:
        if name.endswith(".env"):
            return _dotenv(name, data, unwrap)
        if name.endswith((".yaml", ".yml")):
            return _yaml(name, data, unwrap)
        return _json(name, data, unwrap, binary=not name.endswith(".json"))
    except RecursionError:
        raise SopsFailed("is nested deeper than anything honest", about=name) from None


def _yaml(name: str, data: bytes, unwrap: Unwrap) -> Opened | None:
    values = [to_json(document.value) for document in read_documents(data, file=name, duplicates="last")]
    held = [value for value in values if isinstance(value, dict) and isinstance(value.get("sops"), dict)]
    if not held:
        return None
    if len(held) != len(values):
        raise SopsFailed("has documents with and without SOPS metadata", about=name)
    metadata = held[0]["sops"]
    walk = _Walk(name, metadata, unwrap)
    plain = [walk.of({key: value for key, value in each.items() if key != "sops"}) for each in held]
    walk.check()
    return Opened("---\n".join(write_document(each) for each in plain).encode(), walk.values)


def _json(name: str, data: bytes, unwrap: Unwrap, *, binary: bool) -> Opened | None:
    try:
        held = json.loads(data)
    except (ValueError, UnicodeDecodeError):
        return None
    if not isinstance(held, dict) or not isinstance(held.get("sops"), dict):
        return None
    walk = _Walk(name, held.pop("sops"), unwrap)
    plain = walk.of(held)
    walk.check()
    if not binary:
        text = json.dumps(plain, indent="\t", ensure_ascii=False).translate(_AS_GO)
        return Opened(text.encode("utf-8", "surrogateescape"), walk.values)
    content = plain.get("data")
    if not isinstance(content, str):
        raise SopsFailed("holds no 'data', as a binary file of SOPS does", about=name)
    return Opened(content.encode("utf-8", "surrogateescape"), walk.values)


def _dotenv(name: str, data: bytes, unwrap: Unwrap) -> Opened | None:
    flat: dict[str, str] = {}
    lines: list[tuple[str, str]] = []  # a comment's key begins with #, and it has no value
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        key, equals, text = line.partition("=")
        if not line:
            continue
        if line.startswith("#"):
            lines.append((line, ""))
            continue
        if not equals:
            raise SopsFailed("has a line that is no KEY=value", about=name)
        value = text.replace("\\n", "\n")
        if key.startswith("sops_"):
            flat[key.removeprefix("sops_")] = value
        else:
            lines.append((key, value))
    if "mac" not in flat:
        return None
    walk = _Walk(name, _unflattened(flat), unwrap)
    plain = [walk.comment(key) if key[0:1] == "#" else (key, str(walk.of(value, (key,)))) for key, value in lines]
    walk.check()
    text = "".join(f"{key}\n" if key[0:1] == "#" else f"{key}={_one_line(value)}\n" for key, value in plain)
    return Opened(text.encode("utf-8", "surrogateescape"), walk.values)


def _one_line(value: str) -> str:
    return value.replace("\n", "\\n")


def _unflattened(flat: dict[str, str]) -> Object:
    """Metadata of a dotenv file: `age__list_0__map_enc` is the field enc of the first of `age`."""
    found: Object = {key: value for key, value in flat.items() if "__" not in key}
    entries: dict[tuple[str, int], Object] = {}
    for key, value in flat.items():
        match = re.fullmatch(rf"({AGE}|{VAULT})__list_(\d{{1,3}})__map_(\w+)", key)
        if match:
            entries.setdefault((match[1], int(match[2])), {})[match[3]] = value
    held = {kind: [entries[at] for at in sorted(entries) if at[0] == kind] for kind in (AGE, VAULT)}
    return {**found, **held, "mac_only_encrypted": flat.get("mac_only_encrypted") == "true"}


def wrapped_by(metadata: Object, kind: str) -> list[Object]:
    """The data key as it is wrapped by each master key of a kind (AGE, VAULT): the entries of the metadata."""
    found = metadata.get(kind)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


class _Walk:
    """Goes through a tree in the order of the file, decrypts, and works the MAC out."""

    def __init__(self, name: str, metadata: Object, unwrap: Unwrap) -> None:
        self._name, self._metadata = name, metadata
        for field_name in _REFUSED:
            if metadata.get(field_name):
                raise SopsFailed(f"uses {field_name}, which is not supported", about=name)
        given = {rule: str(metadata[rule]) for rule in _RULES if metadata.get(rule)}
        self._rules = given or {"unencrypted_suffix": "_unencrypted"}
        key = unwrap(metadata)
        if len(key) != _DATA_KEY:
            raise SopsFailed("its data key has the wrong length", about=name)
        self._cipher = AESGCM(key)
        self._only_encrypted = metadata.get("mac_only_encrypted") is True
        self._hash = hashlib.sha512(_ONLY_ENCRYPTED if self._only_encrypted else b"")
        self.values: list[str] = []

    def of(self, value: Any, path: tuple[str, ...] = ()) -> Any:
        """The value in plain. SopsFailed."""
        if isinstance(value, dict):
            return {key: self.of(each, (*path, str(key))) for key, each in value.items()}
        if isinstance(value, list):
            return [self.of(each, path) for each in value]
        if value is None:
            return None
        encrypted = self._is_encrypted(path)
        plain = self._opened(value, path) if encrypted else value
        if encrypted or not self._only_encrypted:
            self._hash.update(_bytes(plain))
        return plain

    def comment(self, line: str) -> tuple[str, str]:
        """A comment of the top level in plain, with nothing after it; one that is not encrypted stays. The MAC leaves them out."""
        found = self._decrypted(line[1:], ":")
        return line if found is None else f"#{found.decode('utf-8', 'surrogateescape')}", ""

    def check(self) -> None:
        """SopsFailed unless the MAC of the file is that of what was seen."""
        moment = str(self._metadata.get("lastmodified", ""))
        found = self._decrypted(self._metadata.get("mac"), moment)
        mac = found.decode("ascii", "replace") if found is not None else ""
        if not hmac.compare_digest(mac.encode(), self._hash.hexdigest().upper().encode()):
            hint = "it was changed since it was encrypted: edit it with sops"
            raise SopsFailed("its MAC does not fit", about=self._name, hint=hint)

    def _opened(self, value: Any, path: tuple[str, ...]) -> Any:
        if value == "":
            return ""
        found = self._decrypted(value, "".join(f"{part}:" for part in path))
        if found is None:
            hint = "it was changed or moved since it was encrypted: edit it with sops"
            raise SopsFailed("a value does not decrypt", about=f"{self._name}: {'.'.join(path)}", hint=hint)
        text = found.decode("utf-8", "surrogateescape")
        self.values.append(text)
        return _typed(text, str(value).rpartition("type:")[2].removesuffix("]"))

    def _decrypted(self, value: Any, bound: str) -> bytes | None:
        match = _VALUE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return None
        try:
            data, nonce, tag = (base64.b64decode(part, validate=True) for part in match.groups()[:3])
            return self._cipher.decrypt(nonce, data + tag, bound.encode("utf-8", "surrogateescape"))
        except (InvalidTag, binascii.Error, ValueError):
            return None

    def _is_encrypted(self, path: tuple[str, ...]) -> bool:
        """SOPS' rules, one after the other; a later one that is given decides."""
        encrypted = True
        for rule, text in self._rules.items():
            fits = any(_fits(rule, text, part) for part in path)
            encrypted = (encrypted and not fits) if rule.startswith("unencrypted") else fits
        return encrypted


def _fits(rule: str, text: str, part: str) -> bool:
    return part.endswith(text) if rule.endswith("suffix") else compile_pattern(text).search(part)


def _typed(text: str, kind: str) -> Any:
    try:
        if kind == "int":
            return int(text)
        if kind == "float":
            number = float(text)
            return int(number) if number.is_integer() and abs(number) < _EXACT and text != "-0" else number
    except ValueError:
        raise SopsFailed("a value is not of the type that it says") from None
    return text == "True" or text == "true" if kind == "bool" else text


def _bytes(value: Any) -> bytes:
    """As SOPS writes a value into its MAC."""
    if isinstance(value, bool):
        return b"True" if value else b"False"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0").encode()
    return str(value).encode("utf-8", "surrogateescape")
