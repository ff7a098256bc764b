"""Manifests that an operation hands over are synced instead of Git's; the comparison stays with Git."""

import pytest

from engine.world import config_map, play

pytestmark = pytest.mark.anyio
UNREAD = "ComparisonError: Failed to load local manifests: "


async def test_they_are_applied_and_the_application_is_out_of_step_with_git() -> None:
    async with play() as p:
        sha = await p.commit(a=config_map("a", k="git"))
        await p.application()
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.patch_application({"operation": {"sync": {"manifests": [config_map("a", k="local")]}}})
        await p.until(lambda: p.phase() == "Succeeded")
        assert p.data("a") == {"k": "local"}
        await p.until(lambda: (p.sync(), p.status()["sync"]["revision"]) == ("OutOfSync", sha))
        state = p.status()["operationState"]
        assert (state["message"], state["syncResult"]["revision"]) == ("successfully synced (all tasks run)", "")
        [entry] = p.status()["history"]
        assert "revision" not in entry
        opened = [record.body for record in p.records.records if record.body.get("cause") == "operation"]
        assert [body["source"] for body in opened] == [{"path": "local manifests"}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("apiVersion: v1", f"{UNREAD}local manifest 1:1: Object 'Kind' is missing"),
        ("[", f"{UNREAD}local manifest 1"),
        ("{not json", f"{UNREAD}invalid character 'n' looking for beginning of object key string"),
        ('{"apiVersion":"v1"', f"{UNREAD}unexpected end of JSON input"),
        (
            '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "hunter2"}}',
            "Secret s: its values would be kept in the Application (seal it, or let it come from Git)",
        ),
    ],
)
async def test_what_is_no_manifest_or_a_secret_is_refused(text: str, told: str) -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application()
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.patch_application({"operation": {"sync": {"manifests": [text]}}})
        await p.until(lambda: p.phase() == "Error")
        assert p.status()["operationState"]["message"].startswith(told)
        assert p.data("a") is None


async def test_an_application_that_syncs_by_itself_takes_none() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(syncPolicy={"automated": {}})
        await p.until(lambda: p.phase() == "Succeeded")
        await p.patch_application({"operation": {"sync": {"manifests": [config_map("a", k="local")]}}})
        await p.until(lambda: p.phase() == "Error")
        text = "Cannot use local sync when Automatic Sync Policy is enabled unless for dry run"
        assert p.status()["operationState"]["message"] == text
