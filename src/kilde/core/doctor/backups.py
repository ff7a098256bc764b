"""Backups: what there is to lose, and how old the newest copy of each is.

A backup is a file in a folder that somebody names, known by its content: a snapshot of the cluster (of `kilde cluster snapshot` or
of etcd), an export of the ledger, a locked file of sealing keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kilde.core.doctor.finding import Finding, Verdict

_DAY = 86400.0
_FRESH, _OLD = 2 * _DAY, 8 * _DAY


class Kind(StrEnum):
    """What a backup is of."""

    CLUSTER = "cluster"
    LEDGER = "ledger"
    KEYS = "keys"


@dataclass(frozen=True, slots=True)
class Backup:
    """One file: what it is of, its name, and when it was made (seconds since the epoch)."""

    kind: Kind
    name: str
    made: float


_HOW: Mapping[Kind, str] = {
    Kind.CLUSTER: "kilde cluster snapshot FILE, or etcdctl snapshot save FILE",
    Kind.LEDGER: "kilde ledger export --out FILE",
    Kind.KEYS: "kilde secrets keys export FILE",
}


def judge_backups(
    found: Sequence[Backup], *, now: float, has_ledger: bool, newest_key: float | None, folder: str
) -> list[Finding]:
    """One finding a kind that there is something to lose of; `newest_key`: when the newest sealing key was made (None: there is none).

    Keys change seldom: their backup is good as long as no key is newer.
    """
    newest = {
        kind: max((each for each in found if each.kind is kind), key=lambda each: each.made, default=None)
        for kind in Kind
    }
    there = {Kind.CLUSTER: True, Kind.LEDGER: has_ledger, Kind.KEYS: newest_key is not None}
    findings = []
    for kind, backup in newest.items():
        if backup is None and not there[kind]:
            continue
        if backup is None:
            says = f"none of the {kind} in {folder}"
            findings.append(Finding(area="backups", check=kind, verdict=Verdict.BAD, says=says, hint=_HOW[kind]))
            continue
        findings.append(_keys(backup, now, newest_key) if kind is Kind.KEYS else _aged(backup, now))
    return findings


def not_named() -> Finding:
    """Where nobody said where backups are."""
    says = "where they are was not said"
    return Finding(
        area="backups",
        check="folder",
        verdict=Verdict.UNKNOWN,
        says=says,
        hint="kilde doctor --backups DIR judges their age",
    )


def _aged(backup: Backup, now: float) -> Finding:
    age = max(0.0, now - backup.made)
    verdict = Verdict.GOOD if age < _FRESH else Verdict.WATCH if age < _OLD else Verdict.BAD
    return _finding(
        backup, age, verdict, "" if verdict is Verdict.GOOD else f"have it made every night: {_HOW[backup.kind]}"
    )


def _keys(backup: Backup, now: float, newest_key: float | None) -> Finding:
    age = max(0.0, now - backup.made)
    if newest_key is not None and newest_key > backup.made:
        return _finding(
            backup, age, Verdict.BAD, f"a sealing key is newer than that, and in no backup: {_HOW[Kind.KEYS]}"
        )
    return _finding(backup, age, Verdict.GOOD, "")


def _finding(backup: Backup, age: float, verdict: Verdict, hint: str) -> Finding:
    shown = f"{age / 3600:.0f} h" if age < 2 * _DAY else f"{age / _DAY:.0f} days"
    says = f"the newest of the {backup.kind}, {backup.name}, is {shown} old"
    return Finding(area="backups", check=backup.kind, verdict=verdict, says=says, hint=hint, numbers={"seconds": age})
