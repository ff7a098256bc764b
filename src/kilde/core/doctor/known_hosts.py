"""Which keys a known_hosts file (sshd(8)) holds of a host."""

import base64
import binascii
import fnmatch
import hashlib
import hmac

_SSH_PORT = 22


def key_types(text: str, host: str, port: int = _SSH_PORT) -> tuple[str, ...]:
    """The types of the keys of a host, in the file's order, each once; marked lines (@revoked, @cert-authority) do not count."""
    name = host.lower() if port == _SSH_PORT else f"[{host.lower()}]:{port}"
    found: dict[str, None] = {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) >= 3 and not parts[0].startswith(("#", "@")) and _is_of(parts[0], name):
            found[parts[1]] = None
    return tuple(found)


def _is_of(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _hashed(patterns, name)
    told = [pattern.lower() for pattern in patterns.split(",")]
    if any(each.startswith("!") and _matches(name, each[1:]) for each in told):
        return False
    return any(_matches(name, each) for each in told)


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _hashed(field: str, name: str) -> bool:
    salt, _, digest = field.removeprefix("|1|").partition("|")
    try:
        key, wanted = base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(key, name.encode(), hashlib.sha1), wanted)
