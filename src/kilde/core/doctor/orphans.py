"""Objects that carry the mark of an application that is no more: nobody looks after them, and nobody will prune them."""

from collections.abc import Iterable

from kilde.core.doctor.finding import Finding, Verdict

_NAMED, _APPLICATIONS = 3, 20


def judge_orphans(
    tracked: Iterable[tuple[str, str]], applications: frozenset[str], *, unread: int = 0
) -> list[Finding]:
    """`tracked`: (application, object) pairs; `unread`: kinds that could not be listed."""
    left: dict[str, list[str]] = {}
    count = 0
    for application, ref in tracked:
        count += 1
        if application not in applications:
            left.setdefault(application, []).append(ref)
    findings = [_orphaned(name, sorted(refs)) for name, refs in sorted(left.items())[:_APPLICATIONS]]
    if len(left) > _APPLICATIONS:
        says = f"{len(left) - _APPLICATIONS} more applications that are gone have left objects"
        findings.append(Finding(area="cluster", check="orphans", verdict=Verdict.WATCH, says=says))
    if unread:
        says = f"{unread} kinds could not be listed: this user may not, or there are too many objects"
        findings.append(Finding(area="cluster", check="orphans", verdict=Verdict.UNKNOWN, says=says))
    if findings:
        return findings
    says = f"{count:,} objects of applications, each of one that is there"
    return [
        Finding(area="cluster", check="orphans", verdict=Verdict.GOOD, says=says, numbers={"tracked": float(count)})
    ]


def _orphaned(name: str, refs: list[str]) -> Finding:
    shown = ", ".join(refs[:_NAMED]) + (f" and {len(refs) - _NAMED:,} more" if len(refs) > _NAMED else "")
    return Finding(
        area="cluster",
        check=f"orphans/{name}",
        verdict=Verdict.WATCH,
        says=f"there is no application {name}, but {len(refs):,} {'object' if len(refs) == 1 else 'objects'} of it: {shown}",
        hint="delete them, make the application again, or take the annotation argocd.argoproj.io/tracking-id away",
        numbers={"objects": float(len(refs))},
    )
