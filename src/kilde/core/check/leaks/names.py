"""Whether a name promises a secret: `dbPassword` does, `passwordSecretRef` and `tokenTTL` do not."""

import re
from enum import IntEnum
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


class Promise(IntEnum):
    """How much a name promises. KEY: beside a value that looks random. PASSWORD: beside any value that is not a placeholder."""

    NOTHING = 0
    KEY = 1
    PASSWORD = 2


_PASSWORDS = frozenset({
    "password", "passwd", "passphrase", "pwd", "passwort", "contraseña", "pass", "pw", "requirepass",
    "masterauth",
})  # fmt: skip
_KEYS = frozenset({
    "secret", "token", "apikey", "credential", "credentials", "creds", "dsn", "authtoken", "accesskey",
    "secretkey", "privatekey", "authorization", "bearer", "sessionkey", "jwt", "salt", "pepper", "seed",
    "mnemonic", "otp", "totp", "pin", "hmac", "psk", "pat",
})  # fmt: skip
_JOINED = ("password", "passwd", "passphrase")
_JOINED_KEYS = ("secret", "token", "apikey", "credential")
# a key of what kind: `api key` is secret, `partition key` is not
_KINDS_OF_KEY = frozenset({
    "api", "access", "auth", "private", "secret", "client", "service", "account", "db", "database",
    "encryption", "signing", "master", "session", "license", "licence", "shared", "storage", "deploy", "app",
    "application", "admin", "root", "webhook", "ssh", "rsa", "aes", "jwt", "cookie", "crypt", "crypto",
    "cipher", "subscription", "write", "integration", "consumer", "broker", "registration", "host", "tls",
    "unseal", "recovery",
})  # fmt: skip
_KINDS_OF_STRING = frozenset({
    "connection", "conn",
})  # fmt: skip
# what a last word like this says of the value: it is where, how long or which, and not what
_ABOUT = frozenset({
    "name", "names", "ref", "refs", "reference", "path", "paths", "file", "files", "filename", "id", "ids",
    "url", "uri", "urls", "endpoint", "host", "hostname", "port", "type", "types", "kind", "policy", "policies",
    "length", "len", "min", "max", "size", "ttl", "expiry", "expires", "expiration", "timeout", "seconds",
    "minutes", "hours", "days", "ms", "duration", "age", "enabled", "enable", "disabled", "required", "count",
    "limit", "lifetime", "rotation", "interval", "hash", "hashed", "digest", "checksum", "sha", "sha1",
    "sha256", "md5", "etag", "fingerprint", "thumbprint", "public", "pub", "mount", "namespace", "version",
    "provider", "store", "class", "selector", "header", "field", "prefix", "suffix", "algorithm", "alg", "mode",
    "label", "labels", "env", "issuer", "audience", "audiences", "format", "strategy", "manager", "driver",
    "template", "schema", "pattern", "regex", "regexp", "message", "description", "title", "help", "text",
    "prompt", "placeholder", "error", "errors", "rules", "rule", "config", "settings", "service", "server",
    "source", "method", "location", "date", "time", "at", "status", "state", "index", "map", "list", "keys",
    "usage", "annotations", "annotation", "user", "username", "email", "account", "owner", "group", "role",
    "scope", "scopes", "cmd", "command", "func", "function", "handler", "generator", "validator", "strength",
    "hint", "reset", "review", "reviews", "request", "requests", "volume", "dir", "directory", "folder",
    "bucket", "project", "region", "address", "realm", "domain", "tag", "image", "repository", "chart", "level",
    "encoding", "charset", "budget", "budgets", "limits", "buckets", "per", "used", "tokens", "optional",
    "automount", "projected", "backend", "vault", "grace", "cert", "certificate", "crt", "ca", "csr", "pubkey",
    "kid", "arn", "resource", "binding", "controller", "operator", "sync", "synced", "create", "existing",
    "first", "last", "only", "bound", "like",
})  # fmt: skip
_HASHES = frozenset({
    "checksum", "hash", "hashed", "digest", "sha", "sha1", "sha256", "md5", "fingerprint", "thumbprint",
})  # fmt: skip
_NOT_FIRST = frozenset({
    "existing", "public", "use", "enable", "disable", "is", "has", "no", "automount", "max", "min", "num",
    "allow", "show", "hide", "require", "forgot", "reset", "get", "partition", "sort", "primary", "foreign",
    "cache", "hash", "tokenize",
})  # fmt: skip


@lru_cache(maxsize=4096)
def promise_of(name: str) -> Promise:
    """What a name, of whatever spelling (camelCase, SNAKE_CASE, dotted.path, --flag), promises."""
    words = [word.lower() for word in _WORD.findall(name[-100:])]
    words = [word for word in words if not word.isdigit()] or words
    if not words or words[-1] in _ABOUT or words[0] in _NOT_FIRST or not _HASHES.isdisjoint(words):
        return Promise.NOTHING
    last = words[-1]
    if (
        last in _PASSWORDS
        or last.endswith(_JOINED)
        or (last in ("plain", "value", "default", "old", "new", "raw") and _PASSWORDS.intersection(words))
    ):
        return Promise.PASSWORD
    if last in _KEYS or last.endswith(_JOINED_KEYS):
        return Promise.KEY
    if len(words) > 1 and _compound(words):
        return Promise.KEY
    return (
        Promise.KEY
        if last in ("value", "plain", "data", "base64", "b64", "raw", "prod", "production", "live")
        and _KEYS.intersection(words)
        else Promise.NOTHING
    )


def _compound(words: list[str]) -> bool:
    before, last = words[-2], words[-1]
    if last == "key":
        return before in _KINDS_OF_KEY
    if last == "string":
        return before in _KINDS_OF_STRING
    return last == "auth" and before in ("basic", "docker", "registry", "redis")


def holds_secrets(name: str) -> bool:
    """Whether a block of this name promises that whatever is in it is secret."""
    return name.lower().replace("_", "").replace("-", "") in _BLOCKS


_BLOCKS = frozenset({
    "secrets", "credentials", "creds", "passwords", "tokens", "apikeys", "secretenv", "secretenvs",
    "envsecrets", "stringdata", "secretdata", "secretvalues", "secretvars",
})  # fmt: skip
