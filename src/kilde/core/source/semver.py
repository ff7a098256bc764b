"""Semantic versions and ranges, judged as Masterminds/semver v3 does, with which Argo CD resolves a targetRevision.

A range: alternatives split by `||`; in each, comparisons split by blanks or commas, all of which must hold; `1.2 - 2.0` means
`>=1.2 <=2.0`. Operators: = != > < >= => <= =< ~ ~> ^ and none (=). `x`, `X`, `*` and missing parts are wildcards.
A pre-release is in a range only where some comparison of the same alternative names a pre-release itself.
"""

import re
from dataclasses import dataclass
from functools import total_ordering

_TAIL = r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION = re.compile(rf"v?(?P<major>\d+)(?:\.(?P<minor>\d+))?(?:\.(?P<patch>\d+))?{_TAIL}\Z", re.ASCII)

_PART = r"(?:[0-9]+|[xX*])"
_WILD = rf"v?(?P<major>{_PART})(?:\.(?P<minor>{_PART}))?(?:\.(?P<patch>{_PART}))?{_TAIL}"
_PLAIN = re.sub(r"\?P<\w+>", "?:", _WILD)
_OPERATOR = r"(?P<operator>!=|>=|=>|<=|=<|~>|=|>|<|~|\^|)"
_COMPARISON = re.compile(rf"\s*{_OPERATOR}\s*{_WILD}", re.ASCII)
_BETWEEN = re.compile(r"\s*,\s*|\s+|\Z")
_HYPHEN = re.compile(rf"\s*({_PLAIN})\s+-\s+({_PLAIN})\s*", re.ASCII)
_LONGEST = 256  # characters of a version or range
_MOST = 2**64 - 1  # Go's uint64

_ALIASES = {"=>": ">=", "=<": "<=", "~>": "~", "": "="}


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version; missing parts are 0. Build metadata does not count."""

    major: int
    minor: int = 0
    patch: int = 0
    pre: tuple[str, ...] = ()

    @property
    def _order(self) -> tuple[object, ...]:
        # a release follows its pre-releases; numbers come before words (semver.org §11)
        pre = tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in self.pre)
        return self.major, self.minor, self.patch, not self.pre, pre

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._order == other._order

    def __lt__(self, other: "Version") -> bool:
        return self._order < other._order

    def __hash__(self) -> int:
        return hash(self._order)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison. `any_minor`, `any_patch`: a wildcard stands there (and after it); `any_major`: it was `*` alone."""

    operator: str
    version: Version
    any_major: bool = False
    any_minor: bool = False
    any_patch: bool = False

    @property
    def _wild(self) -> bool:
        return self.any_major or self.any_minor or self.any_patch

    def holds(self, version: Version) -> bool:
        """Whether the version satisfies this comparison alone; pre-releases are the Range's business."""
        match self.operator:
            case "=":
                return self._tilde(version) if self._wild else version == self.version
            case "!=":
                return self._differs(version)
            case ">":
                return self._above(version)
            case "<":
                return version < self.version
            case ">=":
                return version >= self.version
            case "<=":
                return self._at_most(version)
            case "~":
                return self._tilde(version)
            case _:
                return self._caret(version)

    def _differs(self, version: Version) -> bool:
        if not self._wild:
            return version != self.version
        if version.major != self.version.major:
            return True
        if version.minor != self.version.minor and not self.any_minor:
            return True
        if self.any_minor:
            return False
        if self.any_patch:
            return version.pre != self.version.pre  # `!=1.2-rc` leaves 1.2.3 in
        return version != self.version

    def _above(self, version: Version) -> bool:
        if not self._wild:
            return version > self.version
        if version.major != self.version.major:
            return version.major > self.version.major
        if self.any_minor:
            return False  # >1.x is >=2
        if self.any_patch:
            return version.minor > self.version.minor
        return version > self.version

    def _at_most(self, version: Version) -> bool:
        if not self._wild:
            return version <= self.version
        if version.major > self.version.major:
            return False
        return not (version.major == self.version.major and version.minor > self.version.minor and not self.any_minor)

    def _tilde(self, version: Version) -> bool:
        if version < self.version:
            return False
        mine = self.version
        if (mine.major, mine.minor, mine.patch) == (0, 0, 0) and not self.any_minor and not self.any_patch:
            return True  # `*`, and by upstream's reading `~0.0.0` too
        return version.major == mine.major and (self.any_minor or version.minor == mine.minor)

    def _caret(self, version: Version) -> bool:
        mine = self.version
        if version < mine:
            return False
        if mine.major > 0 or self.any_minor:
            return version.major == mine.major
        if version.major > 0:
            return False
        if mine.minor > 0 or self.any_patch:
            return version.minor == mine.minor
        return version.minor == 0 and version.patch == mine.patch


@dataclass(frozen=True, slots=True)
class Range:
    """Alternatives, each a conjunction."""

    alternatives: tuple[tuple[Comparison, ...], ...]

    def __contains__(self, version: Version) -> bool:
        return any(self._meets(every, version) for every in self.alternatives)

    @staticmethod
    def _meets(every: tuple[Comparison, ...], version: Version) -> bool:
        if version.pre and not any(one.version.pre for one in every):
            return False
        return all(one.holds(version) for one in every)


def parse_version(text: str) -> Version | None:
    """Reads a version, `v1.2.3-rc.1+build` or part of one (`v1`, `1.2`); None if it is none."""
    match = _VERSION.match(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    pre = tuple(match["pre"].split(".")) if match["pre"] else ()
    if any(one.isdigit() and len(one) > 1 and one.startswith("0") for one in pre):
        return None
    major, minor, patch = (int(match[part] or 0) for part in ("major", "minor", "patch"))
    return Version(major, minor, patch, pre) if max(major, minor, patch) <= _MOST else None


def parse_range(text: str) -> Range | None:
    """Reads a range; None if it is none."""
    if len(text) > _LONGEST:
        return None
    spelled = _HYPHEN.sub(r" >=\1 <=\2 ", text)
    alternatives = [_alternative(part) for part in spelled.split("||")]
    read = tuple(one for one in alternatives if one is not None)
    return Range(read) if len(read) == len(alternatives) else None


def _alternative(text: str) -> tuple[Comparison, ...] | None:
    found: list[Comparison] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _COMPARISON.match(text, position)
        comparison = _comparison(match) if match else None
        if match is None or comparison is None:
            return None
        found.append(comparison)
        between = _BETWEEN.match(text, match.end())
        if between is None:
            return None
        position = between.end()
    return tuple(found) if found and not text.rstrip().endswith(",") else None


def _comparison(match: re.Match[str]) -> Comparison | None:
    major, minor, patch = (match[part] or "" for part in ("major", "minor", "patch"))
    operator = _ALIASES.get(match["operator"], match["operator"])
    tail = f"-{match['pre']}" if match["pre"] else ""
    if not major.isdigit():
        version, wild = parse_version(f"0.0.0{tail}"), (True, False, False)
    elif not minor.isdigit():
        version, wild = parse_version(f"{major}.0.0{tail}"), (False, True, False)
    elif not patch.isdigit():
        version, wild = parse_version(f"{major}.{minor}.0{tail}"), (False, False, True)
    else:
        version, wild = parse_version(f"{major}.{minor}.{patch}{tail}"), (False, False, False)
    return Comparison(operator, version, *wild) if version is not None else None
