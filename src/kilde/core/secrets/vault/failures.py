"""VaultError: what Vault did not do, by a reason that conditions carry."""

from enum import StrEnum

from kilde.core.basics.errors import KildeError


class Reason(StrEnum):
    """Why, in a word: the `reason` of a condition. The first four may pass by themselves."""

    SEALED = "VaultSealed"
    UNREACHABLE = "VaultUnreachable"
    BUSY = "VaultBusy"
    EXPIRED = "TokenExpired"
    DENIED = "PermissionDenied"
    NOT_FOUND = "NotFound"
    CONFLICT = "WriteConflict"
    REFUSED = "VaultRefused"


class VaultError(KildeError):
    """Vault did not do what was asked. No message holds a token, a value or a part of either."""

    code = "vault-error"

    def __init__(self, reason: Reason, what: str, *, about: str = "", hint: str = "", after: float = 0.0) -> None:
        super().__init__(what, about=about, hint=hint)
        self.reason = reason
        self.after = after  # seconds that the server asked us to wait
