"""Tokens of ServiceAccounts: JWTs (RFC 7519) signed with the server's own key by ES256, bound to an account that must still be there."""

import base64
import hashlib
import uuid
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from kilde.core.basics.values import Object
from kilde.kubeapi.call import User
from kilde.kubeapi.certificates import write_private
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.storage.store import Store

ISSUER = "https://kubernetes.default.svc"
_ECDSA = ec.ECDSA(hashes.SHA256())
_LONGEST_TOKEN = 16_384


def signing_key(path: Path | None) -> ec.EllipticCurvePrivateKey:
    """The key in a file, made if it is not there; None keeps it in memory."""
    if path is not None and path.exists():
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if isinstance(found, ec.EllipticCurvePrivateKey):
            return found
    made = ec.generate_private_key(ec.SECP256R1())
    if path is not None:
        pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_private(path, made.private_bytes(*pem))
    return made


class Tokens:
    """Issues tokens and knows whose they are."""

    def __init__(self, store: Store, key: ec.EllipticCurvePrivateKey) -> None:
        self._store, self._key = store, key
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._name = _encoded(hashlib.sha256(public).digest())

    def issue(
        self, namespace: str, account: Object, *, audiences: list[str], seconds: int, now: float, bound: Object | None
    ) -> str:
        """A token for an account, for so many seconds from `now`; `bound` is the object it ends with."""
        name, uid = account["metadata"]["name"], account["metadata"]["uid"]
        private: Object = {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}}
        if bound:
            private[str(bound["kind"]).lower()] = {"name": bound["name"], "uid": bound["uid"]}
        claims = {
            "aud": audiences or [ISSUER],
            "exp": int(now) + seconds,
            "iat": int(now),
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": private,
            "nbf": int(now),
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        head = (
            _encoded(msgspec.json.encode({"alg": "ES256", "kid": self._name}))
            + "."
            + _encoded(msgspec.json.encode(claims))
        )
        r, s = decode_dss_signature(self._key.sign(head.encode(), _ECDSA))
        return head + "." + _encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def key_set(self) -> Object:
        """The public key as a JSON Web Key Set (RFC 7517), by which others verify tokens."""
        numbers = self._key.public_key().public_numbers()
        point = {"x": _encoded(numbers.x.to_bytes(32, "big")), "y": _encoded(numbers.y.to_bytes(32, "big"))}
        return {"keys": [{"use": "sig", "kty": "EC", "kid": self._name, "crv": "P-256", "alg": "ES256", **point}]}

    def claims(self, token: str) -> Object | None:
        """What a token of ours says, whatever its age; None if it is not ours."""
        parts = token.split(".")
        if len(parts) != 3 or len(token) > _LONGEST_TOKEN:
            return None
        try:
            signature = _decoded(parts[2])
            if len(signature) != 64:
                return None
            pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
            self._key.public_key().verify(pair, f"{parts[0]}.{parts[1]}".encode(), _ECDSA)
            found: Any = msgspec.json.decode(_decoded(parts[1]))
        except (ValueError, InvalidSignature, msgspec.MsgspecError):
            return None
        return found if isinstance(found, dict) else None

    def user(self, token: str, now: float) -> User | None:
        """Whose token it is; None if it is not ours, too old, or its account is gone."""
        found = self.claims(token)
        if found is None or found["exp"] <= now or found["nbf"] > now + 60:
            return None
        private = found["kubernetes.io"]
        namespace, account = private["namespace"], private["serviceaccount"]
        record = self._store.get(Key("serviceaccounts", namespace, account["name"]))
        if record is None or record.object()["metadata"]["uid"] != account["uid"]:
            return None
        if "pod" in private and not self._bound_still_there("pods", namespace, private["pod"]):
            return None
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        extra = [("authentication.kubernetes.io/credential-id", (f"JTI={found['jti']}",))]
        if "pod" in private:
            extra.append(("authentication.kubernetes.io/pod-name", (private["pod"]["name"],)))
            extra.append(("authentication.kubernetes.io/pod-uid", (private["pod"]["uid"],)))
        return User(found["sub"], groups, account["uid"], tuple(extra))

    def _bound_still_there(self, resource: str, namespace: str, bound: Object) -> bool:
        record = self._store.get(Key(resource, namespace, bound["name"]))
        return record is not None and bool(record.object()["metadata"]["uid"] == bound["uid"])

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._key.public_key()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
