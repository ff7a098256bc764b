"""KildeError: what went wrong, told to a person, with a stable code for machines.

KildeError                 the thing, what happened to it, what to do next
├── InvalidInput           something a person wrote is wrong; says file, line and column where it can
│   ├── InvalidYaml        the text is not YAML that Kubernetes reads
│   ├── LimitExceeded      deeper, larger or longer than anything honest
│   └── RenderFailed       the files read well, yet give no objects
├── SourceError            the repository cannot give what was asked
│   ├── RevisionNotFound   no such branch, tag or commit
│   ├── PathNotFound       the revision has no such file or folder
│   └── SourceUnavailable  the repository could not be reached, or refused us
├── ClusterError           the cluster did not do what was asked; carries its status code and reason
└── LedgerError            the ledger is not what it was
"""

from typing import NamedTuple

INSTALL_CRDS = "kilde install --crds | kubectl apply --server-side -f -"
"""What helps where a cluster does not know the kinds of Kilde."""


class Place(NamedTuple):
    """A place in a text: file as the repository names it, line and column from 1 (0: not known)."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.file:  # a text within something that the error names
            return f"line {self.line}" + (f", column {self.column}" if self.column else "") if self.line else ""
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


class KildeError(Exception):
    """What went wrong, told to a person: the thing (`about`), what happened (`what`), what to do next (`hint`).

    `code` is stable: the ledger, the API and exit codes use it, never the words.
    """

    code = "kilde-error"

    def __init__(self, what: str, *, about: str = "", hint: str = "", place: Place | None = None) -> None:
        self.what, self.about, self.hint, self.place = what, about, hint, place
        head = ": ".join(part for part in (str(place) if place else "", about) if part)
        super().__init__((f"{head}: " if head else "") + what + (f" ({hint})" if hint else ""))


class InvalidInput(KildeError):
    """Something a person wrote is wrong."""

    code = "invalid-input"


class InvalidYaml(InvalidInput):
    """The text is not YAML that Kubernetes reads."""

    code = "invalid-yaml"


class LimitExceeded(InvalidInput):
    """Deeper, larger or longer than anything honest: refused before it costs anything."""

    code = "limit-exceeded"


class RenderFailed(InvalidInput):
    """The files read well, yet give no objects."""

    code = "render-failed"


class SourceError(KildeError):
    """The repository cannot give what was asked."""

    code = "source-error"


class RevisionNotFound(SourceError):
    """No such branch, tag or commit."""

    code = "revision-not-found"


class PathNotFound(SourceError):
    """The revision has no such file or folder."""

    code = "path-not-found"


class SourceUnavailable(SourceError):
    """The repository could not be reached, or refused us; trying again later may help."""

    code = "source-unavailable"


class ClusterError(KildeError):
    """The cluster did not do what was asked.

    `status` is the HTTP status (0: no answer came), `reason` the Status object's reason ("NotFound", "Conflict", …),
    `retry_after` seconds the server asked us to wait (None: it did not), `causes` the Status' details.causes.
    """

    code = "cluster-error"

    def __init__(
        self,
        what: str,
        *,
        about: str = "",
        hint: str = "",
        status: int = 0,
        reason: str = "",
        retry_after: float | None = None,
        causes: tuple[dict[str, str], ...] = (),
    ) -> None:
        super().__init__(what, about=about, hint=hint)
        self.status, self.reason, self.retry_after, self.causes = status, reason, retry_after, causes


class LedgerError(KildeError):
    """The ledger is not what it was."""

    code = "ledger-error"
