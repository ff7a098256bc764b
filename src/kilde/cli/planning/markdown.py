"""A plan as Markdown for a pull request's comment: folded, within a forge's limit, and nothing of an object's content is obeyed.

Whatever comes from Git or a cluster stands in a code span or a fence that is longer than any run of backticks in it: there, a forge reads
neither links nor mentions nor HTML. What does not fit is left out by application, the least grave first, and said.
"""

import re
from html import escape

from kilde.cli.planning.words import HEADINGS, MARKS, facts, headline, ordered, row, summary, untouched
from kilde.cli.printable import printable
from kilde.core.preview.model import AppPlan, Finding, Preview, Step

LIMIT = 65_536  # characters, of a comment on GitHub
_TAIL = 1_500  # of them for what is said at the end
_MOST_ROWS = 200  # applications in the table above
_MOST_STEPS = 300  # objects in one table
_RUNS = re.compile("`+")


def markdown(preview: Preview, *, limit: int = LIMIT) -> str:
    """The whole comment, at most `limit` characters of it."""
    apps = ordered(preview.applications)
    out = [_head(preview, apps)]
    used, shortened, left_out = len(out[0]), 0, 0
    for app in apps:
        if not app.changes and not app.error and not app.findings:
            continue
        for whole in (True, False):
            text = _application(app, whole=whole)
            if used + len(text) <= limit - _TAIL:
                shortened += not whole
                break
        else:
            left_out += 1
            continue
        out.append(text)
        used += len(text)
    return "".join([*out, _tail(preview, shortened, left_out)])[:limit]


def _head(preview: Preview, apps: list[AppPlan]) -> str:
    about = f"{code(preview.asked)} on {code(preview.cluster)}, {preview.made_at}"
    lines = ["## Plan", "", f"**{headline(preview)}**", "", about, ""]
    rows = [app for app in apps if app.changes or app.error][:_MOST_ROWS]
    if rows:
        lines += ["| application | what | before |", "| --- | --- | --- |"]
        lines += [f"| {code(app.name, table=True)} | {_grave(app)}{summary(app)} | {_before(app)} |" for app in rows]
        lines.append("")
    return "\n".join(lines) + "\n"


def _before(app: AppPlan) -> str:
    return code(", ".join(part for part in (app.sync, app.health) if part) or "not known", table=True)


def _grave(app: AppPlan) -> str:
    return "⚠️ " if app.error or any(one.grave for one in app.findings) else ""


def _application(app: AppPlan, *, whole: bool) -> str:
    """One folded block. `whole` False: without fields and diffs."""
    lines = [
        f"<details><summary>{_grave(app)}<code>{escape(printable(app.name))}</code>: {escape(summary(app))}</summary>",
        "",
    ]
    if app.error:
        lines += [fence(app.error), ""]
    lines += [f"- {name}: {code(text)}" for name, text in facts(app)] if not app.error else []
    lines += [_finding(finding) for finding in app.findings]
    lines.append("")
    if app.steps:
        lines += [f"| {' | '.join(name.lower() for name in HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
        lines += [f"| {' | '.join(code(cell, table=True) for cell in row(step))} |" for step in app.steps[:_MOST_STEPS]]
        if len(app.steps) > _MOST_STEPS:
            lines += ["", f"and {len(app.steps) - _MOST_STEPS} more objects"]
        lines.append("")
    if whole:
        lines += [line for step in app.steps for line in _step(step)]
    return "\n".join([*lines, "</details>", ""]) + "\n"


def _finding(finding: Finding) -> str:
    about = f"{code(finding.object)}: " if finding.object else ""
    return f"- {'⚠️ ' if finding.grave else ''}**{finding.kind}** {about}{code(finding.text)}"


def _step(step: Step) -> list[str]:
    if step.action == "hook" or (not step.fields and not step.diff):
        return []
    origin = f", {code(step.origin)}" if step.origin else ""
    return [f"{code(f'{MARKS[step.action]} {step.ref}')}: {code(step.why)}{origin}", "", fence(step.diff, "diff"), ""]


def _tail(preview: Preview, shortened: int, left_out: int) -> str:
    lines = [untouched(preview)] if preview.untouched else []
    if shortened:
        lines.append(f"**Cut to fit**: of {shortened} application(s) the table is shown, and no diff.")
    if left_out:
        lines.append(f"**Cut to fit**: {left_out} application(s) are only in the table above, or not even there.")
    if shortened or left_out:
        lines.append("`kilde plan` with `-o html` or `-o json` shows all of it.")
    lines += [f"Not judged: {text}." for text in preview.not_judged]
    return "\n\n".join(lines) + "\n"


def code(text: str, *, table: bool = False) -> str:
    """A code span that holds the text whatever is in it; one line. In a table a bar would end the cell, and with it the span.

    A backslash before it is no help where the text brings backslashes of its own: a broken bar stands for it.
    """
    flat = printable(" ".join(text.split())) or " "
    marks = "`" * (_longest(flat) + 1)
    blank = " " if flat[0] == "`" or flat[-1] == "`" else ""
    return f"{marks}{blank}{flat.replace('|', '¦') if table else flat}{blank}{marks}"


def fence(text: str, language: str = "") -> str:
    """A fenced block that nothing in the text can end."""
    marks = "`" * max(3, _longest(text) + 1)
    return f"{marks}{language}\n{printable(text.rstrip(chr(10)))}\n{marks}"


def _longest(text: str) -> int:
    return max((len(run) for run in _RUNS.findall(text)), default=0)
