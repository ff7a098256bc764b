"""What every test may ask for, and what none may leave behind: tasks, threads, processes."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from real.control_plane import ControlPlane, control_plane, missing
from warm.program import pids

ROOT = Path(__file__).resolve().parent.parent
_GRACE = 3.0

# A loaded machine draws and runs slowly; that says nothing about the code.
settings.register_profile("kilde", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kilde")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives each worker of xdist its share of the slow files first, so that none ends with a test of minutes while others rest.

    Workers begin with an equal stretch of the list each, and take from the end of another's when they are through.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [path for path, found in files.items() if any(one.get_closest_marker("slow") for one in found)]
    quick = [item for item in items if item.path not in slow]
    ordered: list[pytest.Item] = []
    for number in range(workers):
        share = [item for path in slow[number::workers] for item in files[path]]
        room = max(0, (len(items) - len(ordered)) // (workers - number) - len(share))
        ordered += [*share, *quick[:room]]
        del quick[:room]
    items[:] = ordered + quick


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture(scope="session")
def real_programs() -> None:
    """Skips where `make real` was not run; where KILDE_REQUIRE_REAL=1 (as in .ci/run) fails instead."""
    lacking = missing()
    if not lacking:
        return
    reason = f"not built: {', '.join(lacking)} (make real)"
    if os.environ.get("KILDE_REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def live_cluster(real_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A real control plane, one for the session: use a namespace of your own for each test."""
    with control_plane(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane


@pytest.fixture
def shared() -> Path:
    """The team's folder of recorded cases beside the repository; skips where there is none."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside this checkout")
    return folder


@pytest.fixture(autouse=True)
def _nothing_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a task, a thread that is no daemon, or a child process."""
    if request.node.get_closest_marker("anyio") is not None:
        request.getfixturevalue("_no_task_stays")
    if request.node.get_closest_marker("live") is not None:
        request.getfixturevalue("live_cluster")  # the session's own, not left by the test that asks first
    threads, children = _threads(), _children()
    yield
    deadline = time.monotonic() + _GRACE
    while (_threads() - threads or _children() - children) and time.monotonic() < deadline:
        time.sleep(0.02)
    left = sorted(thread.name for thread in _threads() - threads) + sorted(map(_name, _children() - children))
    assert not left, f"left behind: {', '.join(left)}"


@pytest.fixture
async def _no_task_stays() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    mine = asyncio.current_task()
    left = [
        task
        for task in asyncio.all_tasks() - before
        if not task.done() and task is not mine and "TestRunner" not in repr(task.get_coro())  # anyio's own turn
    ]
    if left:
        _, stuck = await asyncio.wait(left, timeout=_GRACE)
        assert not stuck, f"left behind: {', '.join(task.get_name() for task in stuck)}"


def _threads() -> set[threading.Thread]:
    found = threading.enumerate()
    return {
        thread for thread in found if not thread.daemon and not thread.name.startswith("asyncio_")
    }  # the loop's pool


def _children() -> set[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found.update(map(int, (task / "children").read_text().split()))
        except OSError:
            continue
    return found - pids()


def _name(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return (
            " ".join(word.decode(errors="replace") for word in words[:3]).strip() or f"process {pid} (not waited for)"
        )
    except OSError:
        return f"process {pid}"
