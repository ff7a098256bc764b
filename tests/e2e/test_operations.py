"""Operations that people ask for, on both clusters: another revision, single objects, a dry run, pruning, manifests of their disk."""

import json
from pathlib import Path

import pytest

from e2e.shop import manifest
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def config_map(name: str, value: str) -> str:
    return manifest("ConfigMap", name, data={"value": value})


def test_a_person_asks_for_what_is_to_be_done(stage: Stage, tmp_path: Path) -> None:
    place = f"{stage.space}-x"[-60:].lstrip("-")

    def there() -> dict[str, str]:
        found = json.loads(stage.kubectl("get", "configmaps", "-n", place, "-o", "json"))["items"]
        return {one["metadata"]["name"]: one["data"]["value"] for one in found if "value" in one.get("data", {})}

    def sync(*words: str) -> None:
        stage.kilde("app", "sync", "shop", *words)

    def synced() -> tuple[str, int]:
        status = stage.status("shop")
        return status["sync"]["status"], len(status.get("history") or ())

    old = stage.create_repository({f"app/{name}.json": config_map(name, "1") for name in "abc"})
    stage.start()
    stage.application("shop", "app", place, syncPolicy={"syncOptions": ["CreateNamespace=true"]})
    sync()
    assert there() == {"a": "1", "b": "1", "c": "1"}
    assert synced() == ("Synced", 1)

    stage.commit({"app/a.json": config_map("a", "2"), "app/b.json": config_map("b", "2"), "app/c.json": None})
    sync("--dry-run", "--prune")
    assert there() == {"a": "1", "b": "1", "c": "1"}
    sync("--resource", ":ConfigMap:a")
    assert there() == {"a": "2", "b": "1", "c": "1"}
    assert synced() == ("OutOfSync", 1), "a sync of single objects is no deployment"
    sync()
    assert there() == {"a": "2", "b": "2", "c": "1"}
    sync("--prune")
    assert there() == {"a": "2", "b": "2"}
    assert synced() == ("Synced", 3)

    sync("--revision", old)
    assert there() == {"a": "1", "b": "1", "c": "1"}
    stage.until(lambda: synced() == ("OutOfSync", 4), "the branch wants something else")

    (tmp_path / "local").mkdir()
    (tmp_path / "local/a.json").write_text(config_map("a", "from the disk"))
    sync("--local", str(tmp_path / "local"))
    assert there() == {"a": "from the disk", "b": "1", "c": "1"}
