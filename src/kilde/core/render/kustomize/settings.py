"""`kustomize.buildOptions` of argocd-cm: the flags that the owner of an installation gives to every `kustomize build`.

`kustomize.buildOptions.VERSION` takes their place for sources that ask for that version, where `kustomize.path.VERSION` names one; the path
itself means nothing, as kustomizations are built here. Flags that let kustomize run programs are passed over: a kustomization that names
none builds to the same with and without them, and one that does is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.errors import RenderFailed

RESTRICTORS = ("LoadRestrictionsRootOnly", "LoadRestrictionsNone")
ORDERS = ("legacy", "none")
_DEFAULT, _PATHS = "kustomize.buildOptions", ("kustomize.path.", "kustomize.version.")
_MANAGED_BY = "--enable-managedby-label"
_SWITCHES = frozenset({
    _MANAGED_BY, "--enable-helm", "--enable-alpha-plugins", "--enable-exec", "--helm-debug", "--network", "--as-current-user",
    "--stack-trace",
})  # fmt: skip
_VALUED = frozenset({
    "--load-restrictor", "--reorder", "--helm-command", "--helm-kube-version", "--helm-api-versions", "--network-name", "--mount",
    "--env", "-e",
})  # fmt: skip
_BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFlags:
    """What the flags come to."""

    restricted: bool = True
    reorder: str = ""
    managed_by: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KustomizeSettings:
    """The flags as they are written, and those of versions that have their own."""

    options: str = ""
    of_versions: tuple[tuple[str, str], ...] = ()

    def text(self, version: str) -> tuple[str, str]:
        """The flags for a version of kustomize ("" where a source asks for none), and the key they are under."""
        own = dict(self.of_versions)
        return (own[version], f"{_DEFAULT}.{version}") if version in own else (self.options, _DEFAULT)

    def flags(self, version: str) -> BuildFlags:
        """Raises RenderFailed for what is no flag of `kustomize build`, or one that means nothing here."""
        written, key = self.text(version)
        return _read(written, key) if written else _NO_FLAGS


_NO_FLAGS = BuildFlags()
DEFAULT_KUSTOMIZE = KustomizeSettings()


def read_kustomize_settings(data: Mapping[str, Any]) -> KustomizeSettings:
    """From the data of argocd-cm. Never raises: what is wrong with a flag, `flags` says to who needs it."""
    known = {key.removeprefix(prefix) for key in data for prefix in _PATHS if key.startswith(prefix)}
    own = {version: data.get(f"{_DEFAULT}.{version}") for version in known}
    return KustomizeSettings(
        options=" ".join(str(data.get(_DEFAULT) or "").split()),
        of_versions=tuple(sorted((version, " ".join(str(text).split())) for version, text in own.items() if text)),
    )


def _read(written: str, key: str) -> BuildFlags:
    restrictor, reorder, managed_by = RESTRICTORS[0], "", False
    for name, value in _flags(written, key):
        if name == "--load-restrictor":
            restrictor = _one_of(value, RESTRICTORS, name, key)
        elif name == "--reorder":
            reorder = _one_of(value, ORDERS, name, key)
        elif name in _SWITCHES:
            on = _BOOLEANS.get(value.lower())
            if on is None:
                raise _wrong(key, f"'{value}' is neither true nor false for {name}")
            managed_by = on if name == _MANAGED_BY else managed_by
    return BuildFlags(restricted=restrictor != RESTRICTORS[1], reorder=reorder, managed_by=managed_by)


def _flags(written: str, key: str) -> Iterator[tuple[str, str]]:
    """Each flag with its value ("true" for a switch), read as kustomize reads its command line."""
    words = iter(written.split())
    for word in words:
        name, equals, value = word.partition("=")
        if name in _SWITCHES:
            yield name, value if equals else "true"
        elif name in _VALUED:
            found = value if equals else next(words, None)
            if found is None:
                raise _wrong(key, f"{name} has no value")
            yield name, found
        else:
            raise _wrong(key, f"'{word}' means nothing here")


def _one_of(value: str, legal: tuple[str, ...], name: str, key: str) -> str:
    if value not in legal:
        raise _wrong(key, f"illegal flag value {name} {value}; legal values: {list(legal)}")
    return value


def _wrong(key: str, what: str) -> RenderFailed:
    hint = f"obeyed are --load-restrictor, --reorder and {_MANAGED_BY}; what lets kustomize run programs is passed over"
    return RenderFailed(f"{key}: {what}", about="argocd-cm", hint=hint)
