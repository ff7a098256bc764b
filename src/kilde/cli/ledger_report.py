"""The report that a person reads: one HTML file with a timeline, without scripts and without anything from elsewhere."""

from collections.abc import Callable, Iterable, Sequence
from html import escape

from kilde.core.basics.moment import parse
from kilde.core.ledger.answers import Event, by_hand, deletions

_WIDTH, _LANE, _LEFT = 1080, 26, 220  # pixels
_MOST_LANES = 40
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c2430;background:#fff;margin:2rem auto;max-width:1120px;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{margin:.4rem 0}
table{border-collapse:collapse;width:100%;font-size:13px}
th{text-align:left;border-bottom:2px solid #1c2430;padding:.3rem .6rem .3rem 0;white-space:nowrap}
td{border-bottom:1px solid #dde2ea;padding:.3rem .6rem .3rem 0;vertical-align:top;overflow-wrap:anywhere}
td.t{white-space:nowrap;font-variant-numeric:tabular-nums}
code{font:12px ui-monospace,monospace}.dim{color:#5b6675}
.facts{display:flex;gap:2.2rem;margin:1.2rem 0;flex-wrap:wrap}.facts b{display:block;font-size:1.5rem}
.key span{margin-right:1.4rem}.key i{display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:.4rem}
svg{width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:#1c2430}
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}
"""
_COLOURS = {"change": "#2a7d4f", "hand": "#c77700", "deletion": "#b3261e", "failed": "#6b4fa0"}
_NAMES = {"change": "changed by a commit", "hand": "done by hand, put back", "deletion": "deleted", "failed": "failed"}


def report(events: Sequence[Event]) -> str:
    """The whole document."""
    begin, end = (events[0].at, events[-1].at) if events else ("", "")
    body = [
        "<h1>What was changed</h1>",
        f"<p class=dim>From {_e(begin)} to {_e(end)}, as Kilde’s ledger tells it. Verify the ledger before you believe this page.</p>"
        if events
        else "<p>Nothing was changed in this time.</p>",
        _numbers(events),
        *([_timeline(events)] if events else []),
        _section("Done by hand, and put back", by_hand(events), _hand_row, ("Time (UTC)", "Object", "Field", "By")),
        _section("Deleted", deletions(events), _row, _HEADINGS),
        _section("Everything", events, _row, _HEADINGS),
    ]
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>Ledger</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang=en>{head}<body>{''.join(body)}</body></html>\n"


def kind_of(event: Event) -> str:
    """Which colour an event has."""
    if event.outcome not in ("Synced", "Pruned", "PruneSkipped", ""):
        return "failed"
    if deletions([event]):
        return "deletion"
    return "hand" if by_hand([event]) else "change"


def _numbers(events: Sequence[Event]) -> str:
    facts = (
        (len(events), "changes"),
        (len({event.object for event in events}), "objects"),
        (len({event.commit for event in events if event.commit}), "commits"),
        (len({event.author for event in events if event.author}), "authors"),
        (len(by_hand(events)), "by hand"),
        (len(deletions(events)), "deletions"),
    )
    return f"<div class=facts>{''.join(f'<div><b>{number}</b>{name}</div>' for number, name in facts)}</div>"


def _timeline(events: Sequence[Event]) -> str:
    lanes = list(dict.fromkeys(event.application or "(secrets)" for event in events))
    shown = lanes[:_MOST_LANES]
    moments = [parse(event.at) or 0.0 for event in events]
    begin, span = min(moments), (max(moments) - min(moments)) or 1.0
    height = len(shown) * _LANE + 34
    parts = [f"<svg viewBox='0 0 {_WIDTH} {height}' role=img aria-label='Timeline of changes'>"]
    for place, lane in enumerate(shown):
        y = place * _LANE + 16
        name = lane if len(lane) <= 30 else f"{lane[:29]}…"
        parts.append(f"<text x=0 y={y + 4}>{_e(name)}</text>")
        parts.append(f"<line x1={_LEFT} x2={_WIDTH - 12} y1={y} y2={y} stroke='#dde2ea'/>")
    for event, moment in zip(events, moments, strict=True):
        lane = event.application or "(secrets)"
        if lane in shown:
            x = _LEFT + 6 + (moment - begin) / span * (_WIDTH - _LEFT - 24)
            y = shown.index(lane) * _LANE + 16
            title = f"{event.at}  {event.object}: {event.verb}"
            colour = _COLOURS[kind_of(event)]
            parts.append(
                f"<circle cx={x:.1f} cy={y} r=5 fill='{colour}' fill-opacity=.75><title>{_e(title)}</title></circle>"
            )
    base = len(shown) * _LANE + 26
    parts.append(f"<text x={_LEFT} y={base}>{_e(events[0].at)}</text>")
    parts.append(f"<text x={_WIDTH - 12} y={base} text-anchor=end>{_e(events[-1].at)}</text></svg>")
    key = "".join(f"<span><i style='background:{_COLOURS[kind]}'></i>{name}</span>" for kind, name in _NAMES.items())
    more = (
        f"<p class=dim>{len(lanes) - len(shown)} more applications are in the table below.</p>"
        if lanes[_MOST_LANES:]
        else ""
    )
    return f"<h2>Timeline</h2>{''.join(parts)}<p class=key>{key}</p>{more}"


_HEADINGS = ("Time (UTC)", "Object", "What", "Application", "Commit", "Author", "Reviewed by")


def _section(title: str, events: Iterable[Event], row: Callable[[Event], str], headings: Sequence[str]) -> str:
    rows = [row(event) for event in events]
    if not rows:
        return f"<h2>{_e(title)}</h2><p class=dim>None.</p>"
    head = "".join(f"<th>{_e(one)}</th>" for one in headings)
    return f"<h2>{_e(title)} ({len(rows)})</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


def _row(event: Event) -> str:
    signed = {"G": "signed", "N": "not signed", "E": "signature not checked"}.get(event.signature, event.signature)
    commit = f"<code>{_e(event.commit[:10])}</code> {_e(event.subject)}" if event.commit else _e(event.cause)
    mark = f"<br><span class=dim>{_e(signed)} {_e(event.signer)}</span>" if event.commit and signed else ""
    colour = _COLOURS[kind_of(event)]
    return (
        f"<tr><td class=t>{_e(event.at)}<td>{_e(event.object)}<td style='color:{colour}'>{_e(event.verb)}"
        f"<td>{_e(event.application)}<td>{commit}{mark}<td>{_e(event.author)}<td>{_e(', '.join(event.reviewers))}"
    )


def _hand_row(event: Event) -> str:
    return (
        f"<tr><td class=t>{_e(event.at)}<td>{_e(event.object)}<td>{_e(', '.join(event.fields))}"
        f"<td>{_e(', '.join(event.by_hand) or 'somebody')}"
    )


def _e(text: str) -> str:
    return escape(text, quote=True)
