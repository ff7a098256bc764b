"""A contract server of Vault's HTTP API, from its public documentation: tokens, logins, policies, key/value (1 and 2), transit, sealing.

It is set up by the same requests as a real one (contracts/vaults.py), so that tests run against either.
"""

import base64
import contextlib
import json
import os
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_DENIED = (403, {"errors": ["permission denied"]})
_EMPTY = (404, {"errors": []})
_DEFAULT = {f"auth/token/{word}-self": ["read", "update"] for word in ("lookup", "renew", "revoke")}
_CAPABILITY = {"GET": "read", "LIST": "list", "DELETE": "delete"}
Result = tuple[int, dict[str, Any]]


@dataclass
class Token:
    policies: list[str]
    ends: float | None
    ttl: int
    renewable: bool
    period_end: float | None = None  # explicit_max_ttl


@dataclass
class State:
    """All that a Vault remembers."""

    root: str = field(default_factory=lambda: f"hvs.{secrets.token_hex(12)}")
    unseal_key: str = field(default_factory=lambda: secrets.token_hex(16))
    sealed: bool = False
    tokens: dict[str, Token] = field(default_factory=dict)
    policies: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    mounts: dict[str, tuple[str, str]] = field(default_factory=dict)  # path → type, version
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    secret_ids: dict[str, str] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic


class VaultServer:
    """Answers on a free port of this machine until it is closed. `faults`: answers to give first, one a request."""

    def __init__(self, *, tls: tuple[str, str] | None = None) -> None:
        self.state = State()
        self.state.tokens[self.state.root] = Token(["root"], None, 0, renewable=False)
        self.faults: list[tuple[int, dict[str, Any], dict[str, str]]] = []
        self.asked: list[tuple[str, str]] = []
        self.namespaces: set[str] = set()
        self.connections: list[Any] = []
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server.connections.append(self.connection)

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, ssl.SSLError):
                    self.close_connection = True

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length) if length else b""
                status, body, headers = server.answer(self.command, self.path, self.headers, raw)
                data = b"" if status == 204 else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = do_LIST = _serve  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "https" if tls else "http"
        self.address = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def answer(self, method: str, target: str, headers: Any, raw: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
        parts = urlsplit(target)
        path = unquote(parts.path).removeprefix("/v1/")
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        with self._lock:
            self.asked.append((method, path))
            self.namespaces.add(headers.get("X-Vault-Namespace", ""))
            if self.faults:
                return self.faults.pop(0)
            if method == "GET" and query.get("list") == "true":
                method = "LIST"
            try:
                body = json.loads(raw) if raw else {}
            except ValueError:
                return 400, {"errors": ["failed to parse JSON input"]}, {}
            status, found = self._route(method, path.rstrip("/"), headers.get("X-Vault-Token", ""), body, query)
        return status, found, {}

    # who may

    def _route(self, method: str, path: str, token: str, body: Any, query: dict[str, str]) -> Result:
        state = self.state
        if path == "sys/seal-status":
            return 200, {"sealed": state.sealed, "initialized": True, "type": "shamir"}
        if path == "sys/unseal":
            state.sealed = state.sealed and body.get("key") != state.unseal_key
            return 200, {"sealed": state.sealed}
        if state.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if path.startswith("auth/") and path.endswith("/login"):
            return self._login(path.split("/")[1], body)
        held = state.tokens.get(token)
        if held is None or (held.ends is not None and held.ends <= state.now()):
            state.tokens.pop(token, None)
            return 403, {"errors": ["permission denied"]}
        if not self._may(held, method, path):
            return _DENIED
        return self._do(method, path, token, held, body, query)

    def _may(self, token: Token, method: str, path: str) -> bool:
        if "root" in token.policies:
            return True
        wanted = _CAPABILITY.get(method, "update")
        rules = [_DEFAULT if "default" in token.policies else {}]
        rules += [self.state.policies.get(name, {}) for name in token.policies]
        asked = f"{path}/" if method == "LIST" else path
        found = [
            caps
            for each in rules
            for pattern, caps in each.items()
            if pattern in (path, asked) or (pattern.endswith("*") and asked.startswith(pattern[:-1]))
        ]
        flat = {one for caps in found for one in caps}
        return "deny" not in flat and (wanted in flat or (wanted == "update" and "create" in flat))

    # what

    def _do(self, method: str, path: str, token: str, held: Token, body: Any, query: dict[str, str]) -> Result:
        if path.startswith("auth/token/"):
            return self._tokens(path.removeprefix("auth/token/"), token, held, body)
        if path.startswith("auth/"):
            return self._roles(method, path, body)
        if path.startswith("sys/"):
            return self._system(path, body)
        for mount, (kind, version) in sorted(self.state.mounts.items(), key=lambda pair: -len(pair[0])):
            if path.startswith(f"{mount}/"):
                rest = path.removeprefix(f"{mount}/")
                if kind == "transit":
                    return self._transit(method, mount, rest, body)
                if version == "2":
                    return self._kv(method, mount, rest, body, query)
                return self._kv1(method, path, body)
        return 404, {"errors": [f'no handler for route "{path}". route entry not found.']}

    def _system(self, path: str, body: Any) -> Result:
        state = self.state
        if path == "sys/seal":
            state.sealed = True
        elif path.startswith("sys/mounts/"):
            version = (body.get("options") or {}).get("version", "1")
            state.mounts[path.removeprefix("sys/mounts/")] = (body["type"], version)
        elif path.startswith("sys/policies/acl/"):
            rules = json.loads(body["policy"])["path"]
            state.policies[path.removeprefix("sys/policies/acl/")] = {
                name: rule["capabilities"] for name, rule in rules.items()
            }
        elif not path.startswith("sys/auth/"):
            return 404, {"errors": ["no handler for route"]}
        return 204, {}

    def _new_token(self, policies: list[str], ttl: int, *, renewable: bool, most: int = 0) -> dict[str, Any]:
        now = self.state.now()
        text = f"hvs.{secrets.token_hex(12)}"
        end = now + ttl if ttl else None
        self.state.tokens[text] = Token(policies, end, ttl, renewable, now + most if most else None)
        return {"client_token": text, "lease_duration": ttl, "renewable": renewable, "token_policies": policies}

    def _tokens(self, word: str, token: str, held: Token, body: Any) -> Result:
        state = self.state
        left = 0 if held.ends is None else max(0, int(held.ends - state.now()))
        if word == "create":
            policies = list(body.get("policies") or ["root"])
            policies += [] if body.get("no_default_policy") else ["default"]
            ttl, most = _seconds(body.get("ttl")), _seconds(body.get("explicit_max_ttl"))
            return 200, {"auth": self._new_token(policies, ttl, renewable=body.get("renewable", True), most=most)}
        if word == "lookup-self":
            return 200, {"data": {"ttl": left, "renewable": held.renewable, "policies": held.policies}}
        if word == "renew-self":
            if not held.renewable:
                return 400, {"errors": ["lease is not renewable"]}
            end = state.now() + held.ttl
            held.ends = min(end, held.period_end) if held.period_end else end
            left = max(0, int(held.ends - state.now()))
            return 200, {"auth": {"client_token": token, "lease_duration": left, "renewable": held.renewable}}
        if word == "revoke-self":
            state.tokens.pop(token, None)
            return 204, {}
        if word == "revoke":
            state.tokens.pop(body["token"], None)
            return 204, {}
        return 404, {"errors": ["unsupported path"]}

    def _roles(self, method: str, path: str, body: Any) -> Result:
        if path.endswith("/role-id"):
            return 200, {"data": {"role_id": self.state.roles[path.removesuffix("/role-id")]["role_id"]}}
        if path.endswith("/secret-id"):
            role, made = path.removesuffix("/secret-id"), secrets.token_hex(12)
            self.state.secret_ids[made] = role
            return 200, {"data": {"secret_id": made}}
        if "/role/" in path:
            self.state.roles[path] = {
                **body,
                "role_id": self.state.roles.get(path, {}).get("role_id") or secrets.token_hex(8),
            }
        return 204, {}

    def _login(self, mount: str, body: Any) -> Result:
        roles = {path: role for path, role in self.state.roles.items() if path.startswith(f"auth/{mount}/role/")}
        if "secret_id" in body:
            found = next((path for path, role in roles.items() if role["role_id"] == body.get("role_id")), "")
            if not found or self.state.secret_ids.get(body["secret_id"]) != found:
                return 400, {"errors": ["invalid role or secret ID"]}
        else:
            found = f"auth/{mount}/role/{body.get('role')}"
            if found not in roles:
                return 400, {"errors": ["invalid role name"]}
            subject = _subject(str(body.get("jwt", "")))
            role = roles[found]
            wanted = f"system:serviceaccount:{role['bound_service_account_namespaces'][0]}:{role['bound_service_account_names'][0]}"
            if subject != wanted:
                return 403, {"errors": ["permission denied"]}
        role = roles[found]
        policies = [*role.get("token_policies", []), "default"]
        ttl, most = _seconds(role.get("token_ttl")) or 2764800, _seconds(role.get("token_max_ttl"))
        return 200, {"auth": self._new_token(policies, ttl, renewable=True, most=most)}

    # key/value

    def _kv(self, method: str, mount: str, rest: str, body: Any, query: dict[str, str]) -> Result:
        word, _, name = rest.partition("/")
        path = f"{mount}/{name}"
        entry = self.state.entries.get(path)
        if word == "metadata":
            if method == "LIST":
                return self._kv_list(mount, name)
            if method == "DELETE":
                self.state.entries.pop(path, None)
                return 204, {}
            if entry is None:
                return _EMPTY
            return 200, {"data": {"current_version": len(entry["versions"]), "versions": {}}}
        if word in ("delete", "destroy", "undelete"):
            for number in body["versions"]:
                one = entry["versions"][number - 1] if entry else {}
                one["destroyed"] = one["destroyed"] or word == "destroy"
                one["deleted"] = word != "undelete"
            return 204, {}
        if word != "data":
            return 404, {"errors": [], "warnings": ["Invalid path for a versioned K/V secrets engine."]}
        if method == "GET":
            return self._kv_read(entry, int(query.get("version", "0")))
        if method == "DELETE":
            if entry:
                entry["versions"][-1]["deleted"] = True
            return 204, {}
        newest = len(entry["versions"]) if entry else 0
        cas = (body.get("options") or {}).get("cas")
        if cas is not None and cas != newest:
            return 400, {"errors": ["check-and-set parameter did not match the current version"]}
        made = {"data": body["data"], "deleted": False, "destroyed": False}
        self.state.entries.setdefault(path, {"versions": []})["versions"].append(made)
        return 200, {"data": {"version": newest + 1, "created_time": "2026-01-01T00:00:00Z", "destroyed": False}}

    def _kv_read(self, entry: dict[str, Any] | None, version: int) -> Result:
        if entry is None or version > len(entry["versions"]):
            return _EMPTY
        number = version or len(entry["versions"])
        one = entry["versions"][number - 1]
        metadata = {
            "version": number,
            "destroyed": one["destroyed"],
            "deletion_time": "2026-01-01T00:00:00Z" if one["deleted"] else "",
        }
        if one["deleted"] or one["destroyed"]:
            return 404, {"data": {"data": None, "metadata": metadata}}
        return 200, {"data": {"data": one["data"], "metadata": metadata}}

    def _kv_list(self, mount: str, name: str) -> Result:
        before = f"{mount}/{name}/" if name else f"{mount}/"
        found = sorted(
            {
                head + ("/" if slash else "")
                for path in self.state.entries
                if path.startswith(before)
                for head, slash, _ in [path.removeprefix(before).partition("/")]
            }
        )
        return (200, {"data": {"keys": found}}) if found else _EMPTY

    def _kv1(self, method: str, path: str, body: Any) -> Result:
        if method == "GET":
            found = self.state.entries.get(path)
            return _EMPTY if found is None else (200, {"data": found})
        if method == "LIST":
            return _EMPTY
        self.state.entries[path] = body
        return 204, {}

    # transit

    def _transit(self, method: str, mount: str, rest: str, body: Any) -> Result:
        word, _, name = rest.partition("/")
        name, _, action = name.partition("/")
        path = f"{mount}/{name}"
        key = self.state.keys.get(path)
        if word == "keys":
            return self._transit_key(method, path, action, key, body)
        if word == "encrypt":
            key = key or self.state.keys.setdefault(path, _new_key())
            return 200, {"data": {"ciphertext": _wrap(key, base64.b64decode(body["plaintext"]))}}
        if key is None:
            return 400, {"errors": ["encryption key not found"]}
        plain = _unwrap(key, str(body.get("ciphertext", "")))
        if isinstance(plain, str):
            return 400, {"errors": [plain]}
        if word == "rewrap":
            return 200, {"data": {"ciphertext": _wrap(key, plain)}}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}

    def _transit_key(self, method: str, path: str, action: str, key: dict[str, Any] | None, body: Any) -> Result:
        if action == "rotate" and key:
            key["versions"].append(AESGCM.generate_key(256))
        elif action == "config" and key:
            key["min"] = int(body.get("min_decryption_version", key["min"]))
            key["deletable"] = bool(body.get("deletion_allowed", key.get("deletable")))
        elif method == "GET":
            if key is None:
                return _EMPTY
            return 200, {"data": {"latest_version": len(key["versions"]), "min_decryption_version": key["min"]}}
        elif method == "DELETE":
            if key and not key.get("deletable"):
                return 400, {"errors": ["deletion is not allowed for this key"]}
            self.state.keys.pop(path, None)
        else:
            self.state.keys.setdefault(path, _new_key())
        return 204, {}


def _new_key() -> dict[str, Any]:
    return {"versions": [AESGCM.generate_key(256)], "min": 1}


def _wrap(key: dict[str, Any], plain: bytes) -> str:
    nonce, number = os.urandom(12), len(key["versions"])
    sealed = nonce + AESGCM(key["versions"][-1]).encrypt(nonce, plain, None)
    return f"vault:v{number}:{base64.b64encode(sealed).decode()}"


def _unwrap(key: dict[str, Any], text: str) -> bytes | str:
    """The plain bytes, or the error's words."""
    match = re.fullmatch(r"vault:v(\d+):(.*)", text)
    if match is None:
        return "invalid ciphertext: no prefix"
    number = int(match[1])
    if number < key["min"]:
        return "ciphertext or signature version is disallowed by policy (too old)"
    try:
        data = base64.b64decode(match[2], validate=True)
        return AESGCM(key["versions"][number - 1]).decrypt(data[:12], data[12:], None)
    except (ValueError, IndexError, InvalidTag):
        return "invalid ciphertext: unable to decrypt"


def _seconds(value: Any) -> int:
    if isinstance(value, str):
        units = {"s": 1, "m": 60, "h": 3600}
        return int(value[:-1]) * units[value[-1]] if value[-1] in units else int(value)
    return int(value or 0)


def _subject(token: str) -> str:
    """Of a service account's token; nothing is verified here."""
    try:
        part = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"])
    except (IndexError, ValueError, KeyError):
        return ""
