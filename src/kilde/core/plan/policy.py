"""How an application wants to be synced: automation, retries and sync options, parsed from its manifest."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kilde.core.basics.reading import LONGEST_DURATION, Reader, duration
from kilde.core.basics.values import Object

SYNC_OPTIONS_ANNOTATION = "argocd.argoproj.io/sync-options"
COMPARE_OPTIONS_ANNOTATION = "argocd.argoproj.io/compare-options"

MIGRATES_ANNOTATION = "argocd.argoproj.io/client-side-apply-migration-manager"
KUBECTL = "kubectl-client-side-apply"
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")  # more is no number of Go


@dataclass(frozen=True, slots=True)
class Options:
    """Words, most of them `Name=value`, of an application or an object, read as Argo CD reads them.

    One that says `true` switches on, whatever another one says; of other values the first counts; a name alone is a word of its own.
    """

    words: tuple[str, ...] = ()

    def has(self, word: str) -> bool:
        return word in self.words

    def is_on(self, name: str) -> bool:
        return f"{name}=true" in self.words

    def is_off(self, name: str) -> bool:
        return f"{name}=false" in self.words

    def get(self, name: str) -> str:
        """The value; "" where there is none."""
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")), "")


def read_options(texts: Iterable[str]) -> Options:
    """`["CreateNamespace=true", …]` → Options."""
    return Options(tuple(text.strip() for text in texts if text.strip()))


def object_options(annotations: Mapping[str, str]) -> Options:
    """The sync options an object carries itself."""
    text = annotations.get(SYNC_OPTIONS_ANNOTATION, "")
    return read_options(text.split(",")) if text else _NONE


def own_options(body: Object) -> Options:
    """The same, of a whole object."""
    return object_options((body.get("metadata") or {}).get("annotations") or {})


def compare_options(annotations: Mapping[str, str]) -> Options:
    """The compare options an object carries itself."""
    text = annotations.get(COMPARE_OPTIONS_ANNOTATION, "")
    return read_options(text.split(",")) if text else _NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Automated:
    """`syncPolicy.automated`: its presence switches automation on."""

    prune: bool = False
    self_heal: bool = False
    allow_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """`syncPolicy.retry`. Seconds; limit < 0: for ever, 0: not at all; a ceiling of nothing: none.

    `unread`: what of its durations cannot be read. Argo CD finds that out when it comes to the first retry, and then makes none.
    """

    limit: int = 0
    first: float = 5.0
    factor: float = 2.0
    ceiling: float = 180.0
    refresh: bool = False
    unread: str = ""

    def delay(self, retries: int) -> float:
        """Seconds until the next attempt after so many retries."""
        try:
            wait = self.first * self.factor**retries
        except (OverflowError, ZeroDivisionError):
            wait = LONGEST_DURATION
        return max(0.0, min(wait, self.ceiling if self.ceiling > 0 else LONGEST_DURATION))


def read_retry(at: Reader) -> Retry:
    """`retry{limit, refresh, backoff{duration, factor, maxDuration}}` with Argo CD's defaults."""
    backoff = at.mapping("backoff")
    texts = [backoff.text(key) for key in ("duration", "maxDuration")]
    first, ceiling = (_seconds(text) if text else default for text, default in zip(texts, (5.0, 180.0), strict=True))
    unread = [text for text, read in zip(texts, (first, ceiling), strict=True) if read is None]
    return Retry(
        limit=at.number("limit", 0),
        first=first or 0.0,
        factor=float(backoff.number("factor", 2)),
        ceiling=ceiling or 0.0,
        refresh=at.flag("refresh"),
        unread=f"unable to parse {unread[0]} as a duration" if unread else "",
    )


def _seconds(text: str) -> float | None:
    """Of a Go duration, or of a number without a unit; None where it is neither."""
    if _WHOLE.fullmatch(text):
        return float(int(text))
    return duration(text) if text == text.strip() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPolicy:
    """What an application asks for. Without a retry block automated syncs are tried five times more, as in Argo CD.

    `migrates`: whose client-side applies are taken over (`ClientSideApplyMigration`).
    """

    automated: Automated | None = None
    retry: Retry | None = None
    options: Options = field(default_factory=Options)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    namespace_annotations: Mapping[str, str] = field(default_factory=dict)
    retry_raw: Mapping[str, object] = field(default_factory=dict, compare=False)
    migrates: str = KUBECTL

    @property
    def namespace_metadata(self) -> dict[str, dict[str, str]]:
        """`managedNamespaceMetadata` as written, without what is empty."""
        both = {"labels": dict(self.namespace_labels), "annotations": dict(self.namespace_annotations)}
        return {key: value for key, value in both.items() if value}

    def asks(self, name: str, body: Object) -> bool:
        """Whether an option is on for an object: its own word or its application's; only some can be switched off for one object.

        Some are an object's alone, and mean nothing in the options of an application.
        """
        own = own_options(body)
        if name in _OF_ONE:
            return own.is_on(name)
        return own.is_on(name) or (self.options.is_on(name) and not (name in _OFF_FOR_ONE and own.is_off(name)))


_NONE = Options()
_OF_ONE = ("Force",)
_OFF_FOR_ONE = ("ServerSideApply",)
