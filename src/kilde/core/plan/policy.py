"""How an application wants to be synced: automation, retries and sync options, parsed from its manifest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kilde.core.basics.reading import did_you_mean

SYNC_OPTIONS_ANNOTATION = "argocd.argoproj.io/sync-options"
COMPARE_OPTIONS_ANNOTATION = "argocd.argoproj.io/compare-options"

KNOWN_OPTIONS = (
    "ApplyOutOfSyncOnly", "ClientSideApplyMigration", "CreateNamespace", "Delete", "FailOnSharedResource", "Force",
    "Prune", "PruneLast", "PrunePropagationPolicy", "Replace", "RespectIgnoreDifferences", "ServerSideApply",
    "SkipDryRunOnMissingResource", "Validate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """`Name=value` pairs; a later one of the same name wins. Used at application and at object level."""

    values: Mapping[str, str] = field(default_factory=dict)

    def is_on(self, name: str) -> bool:
        return self.values.get(name) == "true"

    def is_off(self, name: str) -> bool:
        return self.values.get(name) == "false"

    def get(self, name: str, default: str = "") -> str:
        return self.values.get(name, default)


def read_options(texts: Iterable[str]) -> Options:
    """`["CreateNamespace=true", …]` → Options; what has no `=` counts as switched on, as in Argo CD's annotations."""
    pairs = (text.strip().partition("=") for text in texts if text.strip())
    return Options({name: (value if equals else "true") for name, equals, value in pairs})


def object_options(annotations: Mapping[str, str]) -> Options:
    """The sync options an object carries itself."""
    text = annotations.get(SYNC_OPTIONS_ANNOTATION, "")
    return read_options(text.split(",")) if text else _NONE


def compare_options(annotations: Mapping[str, str]) -> Options:
    """The compare options an object carries itself."""
    text = annotations.get(COMPARE_OPTIONS_ANNOTATION, "")
    return read_options(text.split(",")) if text else _NONE


def unknown_options(options: Options) -> list[str]:
    """A sentence for each option that nobody knows."""
    return [
        f"sync option '{name}' is not known{did_you_mean(name, KNOWN_OPTIONS)}"
        for name in options.values
        if name not in KNOWN_OPTIONS
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Automated:
    """`syncPolicy.automated`: its presence switches automation on."""

    prune: bool = False
    self_heal: bool = False
    allow_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """`syncPolicy.retry`. Seconds; limit < 0: for ever, 0: not at all."""

    limit: int = 0
    first: float = 5.0
    factor: float = 2.0
    ceiling: float = 180.0
    refresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPolicy:
    """What an application asks for. Without a retry block automated syncs are tried five times more, as in Argo CD."""

    automated: Automated | None = None
    retry: Retry | None = None
    options: Options = field(default_factory=Options)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    namespace_annotations: Mapping[str, str] = field(default_factory=dict)
    retry_raw: Mapping[str, object] = field(default_factory=dict, compare=False)


_NONE = Options()
