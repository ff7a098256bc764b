"""Authentication: bearer tokens, and client certificates that our own CA has signed."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from cryptography import x509
from cryptography.x509.oid import NameOID

from kilde.kubeapi.call import User

ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
_AUTHENTICATED = "system:authenticated"
_CREDENTIAL = "authentication.kubernetes.io/credential-id"


class Authenticator:
    """Knows who asks. The TLS layer has verified a client certificate before it comes here."""

    def __init__(self, tokens: Mapping[str, User]) -> None:
        self._tokens = dict(tokens)

    def user(self, certificate: bytes | None, authorization: str) -> User | None:
        """The user of a DER client certificate, or else of a bearer token; None if there is neither."""
        if certificate:
            return certificate_user(certificate)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        for known, user in self._tokens.items():
            if hmac.compare_digest(known.encode(), token.strip().encode()):
                return user
        return None


def certificate_user(der: bytes) -> User:
    """The common name is the user, each organisation a group; which certificate it was is told, too."""
    subject = x509.load_der_x509_certificate(der).subject
    names = [str(attribute.value) for attribute in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [str(attribute.value) for attribute in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    credential = (_CREDENTIAL, (f"X509SHA256={sha256(der).hexdigest()}",))
    return User(names[0] if names else "", (*groups, _AUTHENTICATED), extra=(credential,))
