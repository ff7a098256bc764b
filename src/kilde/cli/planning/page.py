"""A plan as a page: one HTML file without scripts and without anything from elsewhere."""

from html import escape

from kilde.cli.planning.words import HEADINGS, MARKS, facts, headline, ordered, row, summary, untouched
from kilde.cli.printable import printable
from kilde.core.preview.model import AppPlan, Finding, Preview, Step, totals

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c2430;background:#fff;margin:2rem auto;max-width:1120px;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:0;display:inline}p{margin:.4rem 0}
table{border-collapse:collapse;width:100%;font-size:13px;margin:.8rem 0}
th{text-align:left;border-bottom:2px solid #1c2430;padding:.3rem .6rem .3rem 0;white-space:nowrap}
td{border-bottom:1px solid #dde2ea;padding:.3rem .6rem .3rem 0;vertical-align:top;overflow-wrap:anywhere}
code,pre{font:12px/1.5 ui-monospace,monospace}.dim{color:#5b6675}.no{color:#b3261e}
.facts{display:flex;gap:2.2rem;margin:1.2rem 0;flex-wrap:wrap}.facts b{display:block;font-size:1.5rem}
details.app{border:1px solid #dde2ea;border-radius:6px;margin:.8rem 0;padding:.6rem 1rem}details.grave{border-left:5px solid #b3261e}
summary{cursor:pointer}summary .dim{margin-left:.6rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;font-size:13px}
dt{color:#5b6675}dd{margin:0;overflow-wrap:anywhere}ul.found{padding-left:1.2rem;font-size:14px}
pre{background:#f5f7fa;border-radius:4px;padding:.5rem .7rem;overflow-x:auto;margin:.4rem 0}
pre span{display:block;min-height:1.5em}.add{background:#e3f4ea}.del{background:#fbe6e4}.at{color:#5b6675}
.create{color:#2a7d4f}.update{color:#8a5a00}.replace,.prune{color:#b3261e}.hold,.hook{color:#5b6675}
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(preview: Preview) -> str:
    """The whole document."""
    body = [
        "<h1>Plan</h1>",
        f"<p><b>{_e(headline(preview))}</b></p>",
        f"<p class=dim>{_e(preview.asked)} on {_e(preview.cluster)}, {_e(preview.made_at)}. Nothing has been written.</p>",
        _numbers(preview),
        *(_application(app) for app in ordered(preview.applications) if app.changes or app.error or app.findings),
        f"<p class=dim>{_e(untouched(preview))}</p>" if preview.untouched else "",
        *(f"<p class=dim>Not judged: {_e(text)}.</p>" for text in preview.not_judged),
    ]
    head = (
        f"<meta charset=utf-8><meta name=viewport content='width=device-width'><meta http-equiv=Content-Security-Policy "
        f'content="{_POLICY}"><title>Plan</title><style>{_STYLE}</style>'
    )
    return f"<!doctype html><html lang=en>{head}<body>{''.join(body)}</body></html>\n"


def _numbers(preview: Preview) -> str:
    names = {
        "create": "created",
        "update": "changed",
        "replace": "made anew",
        "prune": "deleted",
        "hold": "kept",
        "hook": "hooks",
    }
    counts = [
        (len(preview.changed), "applications"),
        *((number, names[name]) for name, number in totals(preview).items()),
    ]
    return f"<div class=facts>{''.join(f'<div><b>{number}</b>{name}</div>' for number, name in counts)}</div>"


def _application(app: AppPlan) -> str:
    grave = bool(app.error) or any(one.grave for one in app.findings)
    told = f"<summary><h2>{_e(app.name)}</h2><span class=dim>{_e(summary(app))}</span></summary>"
    parts = [f"<details class='app{' grave' if grave else ''}' open>{told}"]
    if app.error:
        parts.append(f"<p class=no>{_e(app.error)}</p>")
    else:
        parts.append(f"<dl>{''.join(f'<dt>{_e(name)}<dd>{_e(text)}' for name, text in facts(app))}</dl>")
    if app.findings:
        parts.append(f"<ul class=found>{''.join(map(_finding, app.findings))}</ul>")
    if app.steps:
        head = "".join(f"<th>{name.capitalize()}" for name in HEADINGS)
        parts.append(f"<table><tr>{head}{''.join(map(_row, app.steps))}</table>")
        parts += map(_step, app.steps)
    return "".join([*parts, "</details>"])


def _finding(finding: Finding) -> str:
    about = f"<code>{_e(finding.object)}</code>: " if finding.object else ""
    return f"<li{' class=no' if finding.grave else ''}><b>{_e(finding.kind)}</b> {about}{_e(finding.text)}"


def _row(step: Step) -> str:
    cells = row(step)
    return f"<tr>{''.join(f'<td>{_e(cell)}' for cell in cells[:-1])}<td class={_e(step.action)}>{_e(cells[-1])}"


def _step(step: Step) -> str:
    if step.action == "hook" or (not step.fields and not step.diff):
        return ""
    origin = f" <span class=dim>{_e(step.origin)}</span>" if step.origin else ""
    told = f"<code class={_e(step.action)}>{MARKS[step.action]} {_e(str(step.ref))}</code> {_e(step.why)}{origin}"
    owners = "".join(
        f"<li><code>{_e(field.path)}</code> was last written by {_e(field.owner)}"
        for field in step.fields
        if field.owner
    )
    more = f"<ul class=found>{owners}</ul>" if owners else ""
    return f"<details><summary>{told}</summary>{more}<pre>{''.join(map(_line, step.diff.splitlines()))}</pre></details>"


def _line(text: str) -> str:
    kind = {"+": "add", "-": "del", "@": "at"}.get(text[:1], "") if not text.startswith(("+++", "---")) else "at"
    return f"<span{f' class={kind}' if kind else ''}>{_e(text)}</span>"


def _e(text: str) -> str:
    return escape(printable(text))
