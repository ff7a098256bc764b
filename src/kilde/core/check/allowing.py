"""Allowances: what `.kilde-allow.yaml` lets stand in plain text: one leak or one rule in some files, with a reason, and until when."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from kilde.core.basics.errors import InvalidInput, LimitExceeded, Place, RenderFailed
from kilde.core.basics.reading import did_you_mean
from kilde.core.check.leaks import RULES, Leak
from kilde.core.objects.yaml_reader import Document, Path, YamlLimits, read_documents
from kilde.core.render.globs import Glob, compile_glob

FILE = ".kilde-allow.yaml"
_LIMITS = YamlLimits(size=1 << 20, depth=20, aliased=1_000)
_MOST_ENTRIES = 5_000
_SHORTEST_REASON = 10  # characters: "ok" is no reason
_FIELDS = ("fingerprint", "rule", "path", "reason", "expires")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class Allowance:
    """One entry: either a fingerprint, or a rule in the files that fit. `expires`: the last day it counts, as YYYY-MM-DD."""

    fingerprint: str
    rule: str
    glob: Glob | None
    reason: str
    expires: str
    place: Place

    def covers(self, leak: Leak) -> bool:
        if self.fingerprint:
            return leak.fingerprint == self.fingerprint
        return leak.rule == self.rule and self.glob is not None and self.glob.fullmatch(leak.path)

    def is_over(self, today: str) -> bool:
        return bool(today) and self.expires < today


@dataclass(frozen=True, slots=True)
class Allowances:
    """All of them, for one day."""

    entries: tuple[Allowance, ...] = ()
    today: str = ""

    def allows(self, leak: Leak) -> bool:
        """Whether an entry that is not over covers it."""
        return any(entry.covers(leak) and not entry.is_over(self.today) for entry in self.entries)

    def over(self) -> tuple[Allowance, ...]:
        """Those whose day has passed."""
        return tuple(entry for entry in self.entries if entry.is_over(self.today))


def read_allowances(data: bytes, today: str, *, file: str = FILE) -> Allowances:
    """Raises InvalidInput for the first thing that is wrong, with its line: an allow file that is half understood allows nothing."""
    documents = read_documents(data, file=file, limits=_LIMITS)
    if not documents:
        return Allowances((), today)
    if len(documents) > 1:
        raise InvalidInput("has more than one document", place=documents[1].place())
    return Allowances(_Entries(documents[0]).read(), today)


class _Entries:
    def __init__(self, document: Document) -> None:
        self._document = document

    def read(self) -> tuple[Allowance, ...]:
        top = self._mapping(self._document.value, (), ("allow",))
        found = top.get("allow") or []
        if not isinstance(found, list):
            self._wrong(("allow",), "must be a list", "begin each entry with '- '")
        if len(found) > _MOST_ENTRIES:
            raise LimitExceeded(f"has more than {_MOST_ENTRIES} entries", place=self._document.place(("allow",)))
        return tuple(self._entry(entry, ("allow", number)) for number, entry in enumerate(found))

    def _entry(self, entry: Any, at: Path) -> Allowance:
        fields = self._mapping(entry, at, _FIELDS)
        texts = {name: self._text(fields, name, at) for name in _FIELDS}
        if len(texts["reason"]) < _SHORTEST_REASON:
            self._wrong(at, "has no reason", "add reason: a sentence that says why")
        if not _DAY.fullmatch(texts["expires"]):
            self._wrong(at, "has no day on which it expires", 'add expires: "2027-01-31", the last day it counts')
        glob = None
        if texts["fingerprint"]:
            if texts["rule"] or texts["path"]:
                self._wrong(at, "names a fingerprint and more", "a fingerprint says rule and file; leave them out")
            if not _FINGERPRINT.fullmatch(texts["fingerprint"]):
                self._wrong((*at, "fingerprint"), "is no fingerprint", "copy the 16 digits that kilde check tells")
        else:
            glob = self._glob(texts, at)
        place = self._document.place(at)
        return Allowance(texts["fingerprint"], texts["rule"], glob, texts["reason"], texts["expires"], place)

    def _glob(self, texts: Mapping[str, str], at: Path) -> Glob:
        if not texts["rule"] or not texts["path"]:
            self._wrong(at, "names nothing", "give a fingerprint, or a rule and a path")
        if texts["rule"] not in RULES:
            near = did_you_mean(texts["rule"], sorted(RULES))
            self._wrong(
                (*at, "rule"), f"there is no rule '{texts['rule']}'{near}", f"rules: {', '.join(sorted(RULES))}"
            )
        try:
            return compile_glob(texts["path"], separator="/")
        except RenderFailed as error:
            self._wrong((*at, "path"), error.what, "write it as tests/fixtures/**")

    def _mapping(self, value: Any, at: Path, known: tuple[str, ...]) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._wrong(at, "must be a map", f"its fields are {', '.join(known)}")
        for key in value:
            if key not in known:
                hint = f"known: {', '.join(known)}"
                self._wrong((*at, key), f"unknown field '{key}'{did_you_mean(str(key), known)}", hint)
        return dict(value)

    def _text(self, fields: Mapping[str, Any], name: str, at: Path) -> str:
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            self._wrong((*at, name), "must be text", "quote it")
        return (value or "").strip()

    def _wrong(self, at: Path, what: str, hint: str) -> NoReturn:
        about = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).removeprefix(".")
        raise InvalidInput(what, about=about, place=self._document.place(at), hint=hint)
