"""What the ledger tells machines: CSV, OSCAL assessment results, and manifests as files."""

import csv
import io
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.ledger.answers import Deployed, Event

_SPACE = uuid.UUID("6f0d0a56-6f0c-5a3c-9a0e-3c1f5c1b9a10")
_OSCAL = "1.1.2"
_PROPS = "https://kilde.dev/ns/oscal"
_PLAN = "Every change is recorded as it is made; nobody planned an assessment of its own."
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(events: Iterable[Event]) -> str:
    """RFC 4180 with a header. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([field.name for field in fields(Event)])
    for event in events:
        writer.writerow([_cell(value) for value in asdict(event).values()])
    return out.getvalue()


def _cell(value: Any) -> str:
    text = "; ".join(value) if isinstance(value, (tuple, list)) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def oscal_of(events: Sequence[Event]) -> dict[str, Any]:
    """OSCAL assessment results (NIST, 1.1.2): one observation a change. Equal events give equal documents."""
    name = "\n".join(f"{event.operation} {event.object} {event.at}" for event in events)
    begin, end = (events[0].at, events[-1].at) if events else ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z")
    result = {
        "uuid": _uuid("result", name),
        "title": "Changes by Kilde",
        "description": "Every object that was written, from the ledger.",
        "start": begin,
        "end": end,
        "reviewed-controls": {"control-selections": [{"include-all": {}}]},
        **({"observations": [_observation(event, place) for place, event in enumerate(events)]} if events else {}),
    }
    metadata = {"title": "Ledger of Kilde", "last-modified": end, "version": "1", "oscal-version": _OSCAL}
    plan = {
        "uuid": _uuid("resource", _PLAN),
        "title": "Assessment plan",
        "description": _PLAN,
        "citation": {"text": _PLAN},
    }
    about = {
        "uuid": _uuid("document", name),
        "metadata": metadata,
        "import-ap": {"href": f"#{_uuid('resource', _PLAN)}"},
        "results": [result],
        "back-matter": {"resources": [plan]},
    }
    return {"assessment-results": about}


def _observation(event: Event, place: int) -> dict[str, Any]:
    said = asdict(event)
    texts = {key.replace("_", "-"): "; ".join(v) if isinstance(v, tuple) else str(v) for key, v in said.items()}
    words = {key: " ".join(text.split()) for key, text in texts.items()}  # a value is one line without blanks around it
    return {
        "uuid": _uuid("observation", f"{event.operation} {place} {event.object}"),
        "title": f"{event.object}: {event.verb}",
        "description": event.message or f"{event.verb} by {event.cause}",
        "props": [{"name": key, "ns": _PROPS, "value": value} for key, value in words.items() if value],
        "methods": ["EXAMINE"],
        "types": ["historic"],
        "collected": event.at,
    }


def _uuid(kind: str, name: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{kind}\n{name}"))


def write_manifests(folder: Path, one: Deployed, objects: Iterable[Object]) -> Path:
    """Writes an application's objects into one YAML file below `folder`; secret values are taken out."""
    from kilde.core.objects.yaml_writer import write_document

    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", f"{one.application}").strip(".") or "application"
    path = folder / f"{name}.yaml"
    path.write_text("---\n".join(write_document(body) for body in objects), encoding="utf-8")
    return path
