"""ChartPlace: a chart of a repository or a registry, as one word that ports and queues know it by, like the URL of a Git repository."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

_CHART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*\Z")
_KEY, _KEY_PASSING = "chart:", "chart+pass:"
OCI = "oci://"


class ChartPlace(NamedTuple):
    """`repository` as it is written: an http(s) address of an index, or `host/path` of a registry, with or without `oci://`.

    `chart` "" is a whole artifact at an `oci://` address. `pass_credentials`: hosts that an index leads to get them, too.
    """

    repository: str
    chart: str
    pass_credentials: bool = False

    @property
    def key(self) -> str:
        """Its one word; `parse_place` reads it."""
        return f"{_KEY_PASSING if self.pass_credentials else _KEY}{self.repository}#{self.chart}"

    @property
    def in_registry(self) -> bool:
        """Whether its address alone says that it is in an OCI registry (Argo CD: one without a protocol is)."""
        return self.repository.startswith(OCI) or "://" not in self.repository

    @property
    def host(self) -> str:
        """The host and port it is asked at, without a user."""
        text = self.repository if "://" in self.repository else OCI + self.repository
        return urlsplit(text).netloc.rpartition("@")[2].lower()

    @property
    def image(self) -> str:
        """Its name in a registry, without the host."""
        text = self.repository.partition("://")[2] or self.repository
        return "/".join(part for part in (*text.split("/")[1:], *self.chart.split("/")) if part)

    def __str__(self) -> str:
        return f"{self.repository.rstrip('/')}/{self.chart}".rstrip("/")


def parse_place(key: str) -> ChartPlace | None:
    """What a key names; None for one of a Git repository."""
    for prefix in (_KEY, _KEY_PASSING):
        if key.startswith(prefix):
            repository, _, chart = key.removeprefix(prefix).rpartition("#")
            return ChartPlace(repository=repository, chart=chart, pass_credentials=prefix == _KEY_PASSING)
    return None


def is_chart_name(name: str) -> bool:
    """Whether a chart can have this name; in a registry it may have slashes."""
    return len(name) <= 250 and _CHART.match(name) is not None
