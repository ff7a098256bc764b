"""judge: every rule that is on looks at the context; what they say becomes findings, each once, sorted by file and line."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from kilde.core.check.config import Config
from kilde.core.check.context import Context
from kilde.core.check.finding import Finding, Problem, Severity
from kilde.core.check.rule import Rule
from kilde.core.check.unsaid import harmless

_MOST = 10_000  # findings of one rule: beyond that nobody reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found. `rules` are those that looked, `judged` how many of the `applications`, `cut` rules that said too much.

    `guessed` are URLs that were taken for the repository's own.
    """

    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    judged: int = 0
    applications: int = 0
    cut: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        return sum(each.severity is severity for each in self.findings)

    def fails(self, worst: Severity) -> bool:
        """Whether something is as bad as this, or worse."""
        return any(each.severity.rank <= worst.rank for each in self.findings)


def judge(
    context: Context, rules: Sequence[Rule], config: Config, *, begin: Callable[[Rule], None] = lambda rule: None
) -> Report:
    """`begin` is told of each rule before it looks. KildeError where something cannot be judged at all."""
    found: dict[tuple[str, str, int, int, str, str], Finding] = {}
    looked, cut = [], []
    for rule in rules:
        if config.is_off(rule.id):
            continue
        begin(rule)
        looked.append(rule)
        before = len(found)
        for problem in rule.judge(context):
            _add(found, rule, problem, config)
            if len(found) - before >= _MOST:
                cut.append(rule.id)
                break
    return Report(findings=tuple(sorted(found.values(), key=_order)), rules=tuple(looked), cut=tuple(cut))


def merged(reports: Iterable[Report]) -> Report:
    """Several as one: what is found in two of them is told once."""
    every = list(reports)
    findings = {(each.fingerprint, each.place): each for report in every for each in report.findings}
    rules = {rule.id: rule for report in every for rule in report.rules}
    return Report(
        findings=tuple(sorted(findings.values(), key=_order)),
        rules=tuple(rules.values()),
        judged=sum(report.judged for report in every),
        applications=max((report.applications for report in every), default=0),
        cut=tuple(dict.fromkeys(rule for report in every for rule in report.cut)),
        guessed=tuple(dict.fromkeys(url for report in every for url in report.guessed)),
    )


def _add(
    found: dict[tuple[str, str, int, int, str, str], Finding], rule: Rule, problem: Problem, config: Config
) -> None:
    severity = config.severity(rule.id, problem.path, rule.severity)
    if severity is None:
        return
    key = (
        rule.id,
        problem.path,
        problem.line,
        problem.column,
        problem.object if not problem.path else "",
        problem.message,
    )
    known = found.get(key)
    applications = known.applications if known else ()
    if problem.application and problem.application not in applications:
        applications = (*applications, problem.application)
    if known is not None:
        found[key] = replace(known, applications=applications)
        return
    found[key] = Finding(
        rule=rule.id,
        severity=severity,
        message=harmless(problem.message),
        path=problem.path,
        line=problem.line,
        column=problem.column,
        hint=harmless(problem.hint),
        applications=applications,
        object=problem.object,
    )


def _order(finding: Finding) -> tuple[str, int, int, int, str, str]:
    return (
        finding.path or "\uffff",
        finding.line,
        finding.column,
        finding.severity.rank,
        finding.rule,
        finding.message,
    )


def known_ids(rules: Iterable[Rule]) -> frozenset[str]:
    """The ids that `.kilde.yaml` may name."""
    return frozenset(rule.id for rule in rules)
