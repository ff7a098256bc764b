"""What was acknowledged is there after a kill and a torn file; a full disk refuses writes, undoes them whole, and harms nothing else."""

import asyncio
import contextlib
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from kilde.kubeapi.settings import Controllers, Settings
from kilde.kubeapi.storage import file, sqlite_journal
from kilde.kubeapi.storage.journal import Entry, StorageBroken, StorageUnreadable
from kilde.kubeapi.storage.records import Change, Key
from kilde.kubeapi.storage.sqlite_journal import SqliteJournal
from kilde.kubeapi.storage.store import Store
from kubeapi.client import CONFIG_MAPS, config_map, running
from kubeapi.test_store import contents, key, thing

_WRITER = """
import sys
from pathlib import Path
from kilde.kubeapi.storage.journal import Durability
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.storage import sqlite_journal
from kilde.kubeapi.storage.store import Store

sqlite_journal.FOLD_FROM, sqlite_journal.FOLD_AT_ONCE = 300, 100
store = Store(sqlite_journal.SqliteJournal(Path(sys.argv[1]), Durability(sys.argv[2])))
number = int(sys.argv[3])
print("ready", flush=True)
while True:
    written = []
    for _ in range(7):
        number += 1
        name = f"c{number % 50}"
        store.put(Key("configmaps", "n", name), {"metadata": {"name": name}, "data": {"number": str(number)}})
        written.append(number)
    gone = f"c{number % 50}"
    store.delete(Key("configmaps", "n", gone), {"metadata": {"name": gone}})
    store.flush()
    print(number, flush=True)
"""


class _Grouped(SqliteJournal):
    """Remembers in which groups it was given writes."""

    def append(self, entries: Sequence[Entry]) -> None:
        self.groups = [*getattr(self, "groups", ()), [entry.version for entry in entries]]
        super().append(entries)


@pytest.mark.anyio
async def test_what_one_turn_of_the_loop_writes_goes_to_the_disk_in_groups(tmp_path: Path) -> None:
    journal = _Grouped(tmp_path / "cluster.db")
    store = Store(journal)
    store.attach(asyncio.get_running_loop())

    for number in range(10):
        store.put(key(f"c{number}"), thing(f"c{number}"))
    await store.settled()
    store.put(key("later"), thing("later"))
    store.close()

    assert journal.groups == [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10], [11]]
    assert len(contents(Store(SqliteJournal(tmp_path / "cluster.db")))) == 11


def _killed_after(path: Path, durability: str, start: int, delay: float) -> int:
    """Runs a writer, kills it, answers the last number it acknowledged (each 7th is deleted again)."""
    command = [sys.executable, "-c", _WRITER, str(path), durability, str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(delay)
        child.kill()
        told = child.stdout.read().split("\n")[:-1]
    return int(told[-1]) if told else start


def _numbers(store: Store) -> set[int]:
    return {int(found.object()["data"]["number"]) for found in store.all("configmaps")}


def _expected(last: int) -> set[int]:
    """The numbers that the writer has left after `last`: the newest of each of 50 names, without each 7th."""
    newest = {number % 50: number for number in range(max(1, last - 49), last + 1)}
    return {number for number in newest.values() if number % 7}


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path, durability: str) -> None:
    path, dice, last = tmp_path / "cluster.db", random.Random(5), 0
    for _ in range(4):
        acknowledged = _killed_after(path, durability, last, dice.uniform(0.05, 0.4))
        store = Store(SqliteJournal(path))
        reached = max(_numbers(store) | {acknowledged})
        group = range(acknowledged + 1, acknowledged + 8)
        assert (
            reached == acknowledged or reached in group
        )  # the one group that was on its way may be there, or half of it
        assert _expected(acknowledged) - _numbers(store) <= {number - 50 for number in group}
        assert not store.recovery.clean
        assert not store.recovery.problems
        store.close()
        last = -(-reached // 7) * 7
    assert last > 100, "the writer got nowhere"


def test_a_log_torn_anywhere_gives_the_state_of_some_moment_and_all_that_was_synced_before_it(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    store = Store(SqliteJournal(path))
    wal = path.with_name("cluster.db-wal")
    states: dict[bytes, int] = {}  # each state in the order of the writes
    sizes: list[int] = []  # how long the file was when it was committed
    for number in range(60):
        store.put(key(f"c{number % 9}"), thing(f"c{number % 9}", str(number) * 50))
        store.flush()
        states[repr(sorted(contents(store).items())).encode()] = number
        sizes.append(wal.stat().st_size)
    whole = {one: one.read_bytes() for one in (path, wal)}
    store.close()
    dice = random.Random(11)
    for _ in range(40):
        cut = dice.randrange(len(whole[wal]))
        torn = tmp_path / "torn" / "cluster.db"
        shutil.rmtree(torn.parent, ignore_errors=True)
        torn.parent.mkdir()
        torn.write_bytes(whole[path])
        torn.with_name("cluster.db-wal").write_bytes(whole[wal][:cut] + os.urandom(dice.choice([0, 700])))
        committed = sum(size <= cut for size in sizes)
        if not committed:
            continue
        found = Store(SqliteJournal(torn))
        state = repr(sorted(contents(found).items())).encode()
        found.close()
        assert states[state] >= committed - 1


def test_a_damaged_file_is_salvaged_and_what_is_lost_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_journal, "FOLD_FROM", 100)
    path = tmp_path / "cluster.db"
    store = Store(SqliteJournal(path))
    for number in range(400):
        store.put(key(f"c{number:03}"), thing(f"c{number:03}", "x" * 500))
        if number % 20 == 0:
            store.flush()
    everything = contents(store)
    store.close()
    whole = path.read_bytes()
    dice = random.Random(3)
    salvaged = 0
    for damage in range(12):
        at = dice.randrange(8192, len(whole))
        torn = whole[:at] if damage % 2 else whole[:at] + os.urandom(3000) + whole[at + 3000 :]
        folder = tmp_path / str(damage)
        folder.mkdir()
        (folder / "cluster.db").write_bytes(torn)
        try:
            found = Store(SqliteJournal(folder / "cluster.db"))
        except StorageUnreadable:
            assert (folder / "cluster.db").read_bytes() == torn
            continue
        kept = contents(found)
        problems = found.recovery.problems
        found.put(key("new"), thing("new"))
        found.close()
        assert kept.items() <= everything.items()
        assert problems or kept == everything
        if problems:
            salvaged += 1
            assert len(list(folder.glob("cluster.db.damaged-1"))) == any("is now" in one for one in problems)
    assert salvaged >= 5


def test_a_store_of_format_1_is_upgraded_and_a_newer_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.executescript(_FORMAT_1)
        for version, name, value in ((1, "a", "1"), (2, "b", "1")):
            old.execute("INSERT INTO objects VALUES (?, ?, ?)", (str(key(name)), version, _value(name, value, version)))
        for version, name, value in ((4, "a", "2"), (5, "c", "1"), (6, "b", None)):
            stored = None if value is None else _value(name, value, version)
            old.execute("INSERT INTO log VALUES (?, ?, ?)", (version, str(key(name)), stored))
        old.execute("INSERT INTO facts VALUES ('version', 3)")
        old.commit()
    store = Store(SqliteJournal(path))
    assert {found.key.name: found.object()["data"]["a"] for found in store.all("configmaps")} == {"a": "2", "c": "1"}
    assert (store.recovery.upgraded_from, store.recovery.problems) == (1, ())
    assert store.version > 6
    store.close()
    again = Store(SqliteJournal(path))
    assert (again.recovery.upgraded_from, again.recovery.clean, again.count("configmaps")) == (0, True, 2)
    again.close()
    with contextlib.closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version={file.FORMAT + 1}")
    before = path.read_bytes()
    with pytest.raises(StorageUnreadable, match=r"cluster\.db: written by a newer version \(format 3"):
        SqliteJournal(path)
    assert path.read_bytes() == before


_FORMAT_1 = """
CREATE TABLE log (version INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB);
CREATE TABLE objects (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


def _value(name: str, value: str, version: int) -> bytes:
    obj = thing(name, value)
    obj["metadata"] = {"name": name, "resourceVersion": str(version)}
    return json.dumps(obj, separators=(",", ":")).encode()


def test_what_the_disk_refuses_is_undone_with_all_that_came_after(tmp_path: Path) -> None:
    store = Store(SqliteJournal(tmp_path / "cluster.db"))
    store.put(key("kept"), thing("kept", "1"))
    store.put(key("gone"), thing("gone", "1"))
    store.flush()
    before, told, followed = contents(store), [], []
    store.listen("configmaps", told.append)
    store.follow("configmaps", followed.append)
    with _no_file_grows():
        store.put(key("kept"), thing("kept", "x" * 100_000))
        store.delete(key("gone"), thing("gone"))
        store.put(key("new"), thing("new"))
        store.put(key("kept"), thing("kept", "3"))
        store.flush()
    assert contents(store) == before
    assert followed == []
    assert [change.undone for change in told] == [False] * 4 + [True] * 4
    assert _replayed(told) == {key("kept"): before[key("kept")], key("gone"): before[key("gone")]}
    with pytest.raises(
        StorageBroken, match=r"cluster\.db cannot be written .*the change was not made; reading still works"
    ):
        store.put(key("new"), thing("new"))
    time.sleep(1.1)
    store.put(key("new"), thing("new"))
    store.flush()
    after = contents(store)
    assert after.keys() == {*before, key("new")}
    assert [change.key.name for change in followed] == ["new"]
    store.close()
    again = Store(SqliteJournal(tmp_path / "cluster.db"))
    assert contents(again) == after
    again.close()


def _replayed(changes: list[Change]) -> dict[Key, bytes]:
    """What somebody believes who follows these changes."""
    found: dict[Key, bytes] = {}
    for change in changes:
        if change.after is None:
            found.pop(change.key, None)
        else:
            found[change.key] = change.after.data
    return found


@contextlib.contextmanager
def _no_file_grows() -> Iterator[None]:
    """The system's own limit on a file's size, as a full disk would have it (SIGXFSZ is ignored by Python)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB; skips where none may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount program")
    if done.returncode:
        pytest.skip(f"no tmpfs may be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.anyio
async def test_on_a_full_disk_writes_fail_with_500_and_reads_go_on(small_disk: Path, tmp_path: Path) -> None:
    settings = Settings(small_disk / "data", kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)
    kept: dict[str, str] = {}
    async with running(settings) as client:
        refused: dict[str, Any] = {}
        for number in range(100):
            name = f"c{number}"
            status, answer = await client.ask("POST", CONFIG_MAPS, config_map(name, "x" * 100_000))
            if status == 201:
                kept[name] = answer["metadata"]["resourceVersion"]
            else:
                assert status == 500, answer
                refused = answer
                break
        assert refused["message"].startswith("Internal error occurred: cluster.db cannot be written (")
        assert refused["reason"] == "InternalError"
        assert "disk is full" in refused["message"]
        for name, version in kept.items():
            status, answer = await client.ask("GET", f"{CONFIG_MAPS}/{name}")
            assert (status, answer["metadata"]["resourceVersion"]) == (200, version)
        status, listed = await client.ask("GET", CONFIG_MAPS)
        assert [item["metadata"]["name"] for item in listed["items"]] == sorted(kept)
    subprocess.run(["mount", "-o", "remount,size=9m", str(small_disk)], check=True)  # somebody makes room
    async with running(settings) as client:
        _, listed = await client.ask("GET", CONFIG_MAPS)
        assert {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in listed["items"]} == kept
        assert (await client.ask("POST", CONFIG_MAPS, config_map("again")))[0] == 201


@pytest.mark.anyio
async def test_a_watch_never_shows_what_the_disk_refused(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "data", kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)
    async with running(settings) as client, client.watch(f"{CONFIG_MAPS}?watch=1&timeoutSeconds=60") as events:
        await client.ask("POST", CONFIG_MAPS, config_map("a"))
        with _no_file_grows():
            status, _ = await client.ask("POST", CONFIG_MAPS, config_map("never", "x" * 100_000))
            assert status == 500
            assert (await client.ask("GET", f"{CONFIG_MAPS}/never"))[0] == 404
        await asyncio.sleep(1.1)
        assert (await client.ask("POST", CONFIG_MAPS, config_map("b")))[0] == 201
        seen = [(await anext(events))["object"]["metadata"]["name"] for _ in range(2)]
    assert seen == ["a", "b"]


@pytest.mark.anyio
async def test_a_killed_server_has_every_answer_it_gave(tmp_path: Path) -> None:
    dice = random.Random(7)
    acknowledged: dict[str, str] = {}
    for life in range(3):
        process = await _server(tmp_path / "data")
        before = len(acknowledged)
        writing = asyncio.ensure_future(_write_until_gone(tmp_path / "data", life, acknowledged))
        while len(acknowledged) < before + 10:
            await asyncio.sleep(0.01)
        await asyncio.sleep(dice.uniform(0, 0.4))
        process.kill()
        await process.wait()
        await writing
    process = await _server(tmp_path / "data")
    async with _session(tmp_path / "data") as (session, url):
        answer = await session.get(f"{url}{CONFIG_MAPS}")
        listed = await answer.json()
    process.terminate()
    told = (await process.communicate())[1].decode()
    found = {item["metadata"]["name"]: item["data"]["a"] for item in listed["items"]}
    assert len(acknowledged) > 20
    assert {name: found.get(name) for name in acknowledged} == acknowledged
    assert "recovered after a run that did not end by itself" in told


async def _server(folder: Path) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "kilde", "cluster", "--data-dir", str(folder), "--controllers", "off"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


@contextlib.asynccontextmanager
async def _session(folder: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    config = yaml.safe_load((folder / "kubeconfig").read_text())
    url = config["clusters"][0]["cluster"]["server"]
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        yield session, url


async def _write_until_gone(folder: Path, life: int, acknowledged: dict[str, str]) -> None:
    """Eight clients that write until the server is gone, and note what was answered."""
    async with _session(folder) as (session, url):

        async def write(client: int) -> None:
            for number in range(100_000):
                name = f"c{life}-{client}-{number}"
                try:
                    answer = await session.post(f"{url}{CONFIG_MAPS}", json=config_map(name, str(number)))
                    if answer.status == 201:
                        acknowledged[name] = str(number)
                    await answer.read()
                except (aiohttp.ClientError, OSError):
                    return

        await asyncio.gather(*(write(client) for client in range(8)))


def test_entries_are_folded_without_a_pause_and_read_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    with contextlib.closing(file.connect(path)) as connection:
        file.prepare(connection, "cluster.db")
        for start in range(0, 2_000, 40):
            group = [
                Entry(start + n + 1, f"r/n/o{(start + n) % 300}", None if n == 3 else b"%d" % n) for n in range(40)
            ]
            file.append(connection, group)
        before = _state(connection)
        folded = [file.fold(connection, 500) for _ in range(3)]
        assert folded == [520, 520, 520]
        assert _state(connection) == before
        assert file.last(connection) == 2_000


def _state(connection: sqlite3.Connection) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    problems: list[str] = []
    for entry in (
        *file.read_snapshot(connection.execute(file.SNAPSHOT), problems),
        *file.read_writes(connection.execute(file.WRITES), problems),
    ):
        if entry.value is None:
            found.pop(entry.key, None)
        else:
            found[entry.key] = entry.value
    assert not problems
    return found
