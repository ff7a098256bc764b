"""What the doctor looks at on disk: the ledger of a data directory, and a folder of backups."""

import os
import time
from pathlib import Path

from kilde.adapters.backups import backups_in
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.core.basics.errors import LedgerError
from kilde.core.doctor.backups import judge_backups, not_named
from kilde.core.doctor.finding import Finding, Verdict
from kilde.wiring.ledgers import SHARED


def look_at_data(folder: Path) -> list[Finding]:
    """The ledger of a data directory: whole, or where it is not."""
    file = folder / "ledger.sqlite"
    if not file.exists():
        return []
    try:
        with SqliteLedger.open_to_read(file) as ledger:
            found = ledger.verify()
    except LedgerError as error:
        return [Finding(area="ledger", check="chain", verdict=Verdict.BAD, says=str(error), hint=error.hint)]
    if not found.intact:
        says = f"not intact: {found.findings[0].what}"
        return [
            Finding(
                area="ledger",
                check="chain",
                verdict=Verdict.BAD,
                says=says,
                hint="kilde ledger verify names each record",
            )
        ]
    says, numbers = f"{found.records:,} records, intact", {"records": float(found.records)}
    return [Finding(area="ledger", check="chain", verdict=Verdict.GOOD, says=says, numbers=numbers)]


def look_at_backups(folder: Path | None, data_dir: Path, *, newest_key: float | None) -> list[Finding]:
    """The age of the newest backup of each kind in a folder; `newest_key`: when the newest sealing key was made. KildeError."""
    if folder is None:
        return [not_named()]
    has_ledger = bool(os.environ.get(SHARED)) or (data_dir / "ledger.sqlite").exists()
    return judge_backups(
        backups_in(folder), now=time.time(), has_ledger=has_ledger, newest_key=newest_key, folder=str(folder)
    )
