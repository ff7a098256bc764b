"""Config: what `.kilde.yaml` says of `kilde check`: rules switched, each with a reason; versions; names of this repository."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from kilde.core.basics.errors import InvalidInput, LimitExceeded, Place, RenderFailed
from kilde.core.basics.reading import did_you_mean
from kilde.core.check.finding import Severity
from kilde.core.objects.yaml_reader import Document, Path, YamlLimits, read_documents
from kilde.core.render.globs import Glob, compile_glob

FILE = ".kilde.yaml"
_LIMITS = YamlLimits(size=1 << 20, depth=20, aliased=1_000)
_MOST_ENTRIES = 500  # of a list: rules, paths of one, repositories
_SHORTEST_REASON = 10  # characters: "ok" is no reason
_OFF = "off"


@dataclass(frozen=True, slots=True)
class Switch:
    """One entry of `check.rules`. `severity` None: off. `globs` are the files it is about (none: all)."""

    rule: str
    severity: Severity | None
    reason: str
    globs: tuple[Glob, ...] = ()

    def covers(self, path: str) -> bool:
        return not self.globs or any(glob.fullmatch(path) for glob in self.globs)


@dataclass(frozen=True, slots=True)
class Home:
    """One entry of `check.clusters`: what the cluster is called that the files of these globs are for."""

    name: str
    globs: tuple[Glob, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """`repositories` are URLs by which Applications call this repository; the last switch that covers a file decides.

    `homes` tell clusters apart that all call themselves https://kubernetes.default.svc.
    """

    homes: tuple[Home, ...] = ()
    switches: tuple[Switch, ...] = ()
    kubernetes_version: str = ""
    repositories: tuple[str, ...] = ()

    def home(self, file: str) -> str:
        """The cluster that a file is for; "" where nothing is said."""
        return next((home.name for home in self.homes if any(glob.fullmatch(file) for glob in home.globs)), "")

    def is_off(self, rule: str) -> bool:
        """Whether a rule is off for every file."""
        whole = [switch for switch in self.switches if switch.rule == rule]
        return bool(whole) and whole[-1].severity is None and not whole[-1].globs

    def severity(self, rule: str, path: str, default: Severity) -> Severity | None:
        """How bad it is in this file; None: it is off there."""
        found: Severity | None = default
        for switch in self.switches:
            if switch.rule == rule and switch.covers(path):
                found = switch.severity
        return found


NO_CONFIG = Config()


def read_config(data: bytes, rules: Collection[str], *, file: str = FILE) -> Config:
    """Raises InvalidInput for the first thing that is wrong, with its line; `rules` are the ids that there are."""
    documents = read_documents(data, file=file, limits=_LIMITS)
    if not documents:
        return NO_CONFIG
    if len(documents) > 1:
        raise InvalidInput("has more than one document", place=documents[1].place())
    return _Entries(documents[0], frozenset(rules)).read()


class _Entries:
    """Reads the one document; every refusal names the field's line."""

    def __init__(self, document: Document, rules: frozenset[str]) -> None:
        self._document, self._rules = document, rules

    def read(self) -> Config:
        top = self._mapping(self._document.value, (), ("check",))
        check = self._mapping(top.get("check"), ("check",), ("kubernetesVersion", "repositories", "clusters", "rules"))
        entries = self._list(check.get("rules"), ("check", "rules"))
        version = check.get("kubernetesVersion")
        if version is not None and not isinstance(version, str):
            self._wrong(("check", "kubernetesVersion"), "must be text", "quote it: '1.33'")
        return Config(
            switches=tuple(self._switch(entry, ("check", "rules", number)) for number, entry in enumerate(entries)),
            homes=tuple(
                self._home(entry, ("check", "clusters", number))
                for number, entry in enumerate(self._list(check.get("clusters"), ("check", "clusters")))
            ),
            kubernetes_version=version or "",
            repositories=tuple(self._texts(check.get("repositories"), ("check", "repositories"))),
        )

    def _switch(self, entry: Any, at: Path) -> Switch:
        fields = self._mapping(entry, at, ("rule", "severity", "reason", "paths"))
        rule = fields.get("rule")
        if not isinstance(rule, str) or rule not in self._rules:
            near = did_you_mean(str(rule), sorted(self._rules))
            self._wrong((*at, "rule"), f"there is no rule '{rule}'{near}", "kilde check --rules lists them")
        reason = fields.get("reason")
        if not isinstance(reason, str) or len(reason.strip()) < _SHORTEST_REASON:
            self._wrong(
                (*at, "reason"), f"rule '{rule}' is switched without a reason", "add reason: a sentence that says why"
            )
        severity = self._severity(fields, at)
        globs = tuple(
            self._glob(text, (*at, "paths", number))
            for number, text in enumerate(self._texts(fields.get("paths"), (*at, "paths")))
        )
        return Switch(str(rule), severity, str(reason).strip(), globs)

    def _home(self, entry: Any, at: Path) -> Home:
        fields = self._mapping(entry, at, ("name", "paths"))
        name = fields.get("name")
        if not isinstance(name, str) or not name:
            self._wrong((*at, "name"), "a cluster without a name", "call it as you do")
        texts = self._texts(fields.get("paths"), (*at, "paths"))
        if not texts:
            self._wrong((*at, "paths"), f"cluster '{name}' has no paths", "name its files: clusters/staging/**")
        return Home(str(name), tuple(self._glob(text, (*at, "paths", number)) for number, text in enumerate(texts)))

    def _severity(self, fields: Mapping[str, Any], at: Path) -> Severity | None:
        said = fields.get("severity")
        if said is False or said == _OFF:  # YAML 1.1 reads off as false
            return None
        if said not in tuple(Severity):
            self._wrong((*at, "severity"), f"'{said}' is no severity", "write error, warning, note or off")
        return Severity(str(said))

    def _glob(self, text: str, at: Path) -> Glob:
        try:
            return compile_glob(text, separator="/")
        except RenderFailed as error:
            self._wrong(at, error.what, "write it as apps/legacy/**")

    def _mapping(self, value: Any, at: Path, known: tuple[str, ...]) -> Mapping[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._wrong(at, "must be a map", f"its fields are {', '.join(known)}")
        for key in value:
            if key not in known:
                self._wrong(
                    (*at, key), f"unknown field '{key}'{did_you_mean(str(key), known)}", f"known: {', '.join(known)}"
                )
        return dict(value)

    def _list(self, value: Any, at: Path) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            self._wrong(at, "must be a list", "begin each entry with '- '")
        if len(value) > _MOST_ENTRIES:
            raise LimitExceeded(f"has more than {_MOST_ENTRIES} entries", about=_written(at), place=self._place(at))
        return list(value)

    def _texts(self, value: Any, at: Path) -> list[str]:
        found = self._list(value, at)
        for number, text in enumerate(found):
            if not isinstance(text, str) or not text:
                self._wrong((*at, number), "must be text", "quote it")
        return found

    def _place(self, at: Path) -> Place:
        return self._document.place(at)

    def _wrong(self, at: Path, what: str, hint: str) -> NoReturn:
        raise InvalidInput(what, about=_written(at), place=self._place(at), hint=hint)


def _written(at: Path) -> str:
    """`("check", "rules", 0)` as check.rules[0]."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).removeprefix(".")
