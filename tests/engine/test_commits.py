"""What a commit costs those whom it does not concern: one small write that names it, and nothing else."""

import asyncio

import pytest

from engine.world import URL, Play, config_map, play
from kilde.core.objects.ref import ObjectRef

pytestmark = pytest.mark.anyio
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
NAMES = ("x", "y", "z")


def files(**levels: str) -> dict[str, bytes]:
    return {f"{name}/cm.yaml": config_map(name, k=levels.get(name, "one")).encode() for name in NAMES}


async def three(p: Play, **spec: object) -> str:
    """Three applications in step, each with a folder of its own; gives the commit."""
    sha = p.sources.commit(URL, files())
    for name in NAMES:
        await p.application(name, source={"repoURL": URL, "path": name, "targetRevision": "HEAD"}, **(spec or AUTO))
        await p.until(lambda name=name: p.sync(name))
    return sha


def revisions(p: Play) -> list[str]:
    return [p.status(name)["sync"]["revision"] for name in NAMES]


async def test_those_a_commit_does_not_concern_are_told_of_it_by_one_write_each() -> None:
    async with play() as p:
        await three(p)
        await p.until(lambda: all((p.sync(n), p.phase(n)) == ("Synced", "Succeeded") for n in NAMES))
        await p.quiet()
        before, ctx = dict(p.cluster.counts()), p.controller.context
        statuses, comparisons = {n: p.status(n) for n in NAMES}, ctx.surveyor.comparisons
        sha = p.sources.commit(URL, {**files(), "README.md": b"for people"})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: revisions(p) == [sha] * 3)
        await p.quiet()
        spent = {verb: n - before.get(verb, 0) for verb, n in p.cluster.counts().items() if n != before.get(verb, 0)}
        assert spent == {"patch": 3}
        assert ctx.surveyor.comparisons == comparisons
        for name in NAMES:
            told = statuses[name]
            expected = {
                **told,
                "sync": {**told["sync"], "revision": sha},
                "reconciledAt": p.status(name)["reconciledAt"],
            }
            assert p.status(name) == expected


async def test_of_many_commits_in_a_row_all_end_at_the_last() -> None:
    async with play() as p:
        await three(p)
        for number in range(12):
            sha = p.sources.commit(URL, files(y=f"level-{number}"))
            await p.controller.push(frozenset([URL]))
        await p.until(lambda: revisions(p) == [sha] * 3)
        await p.until(lambda: p.data("y") == {"k": "level-11"})
        await p.until(lambda: all(p.sync(n) == "Synced" for n in NAMES))


async def test_an_application_out_of_step_is_looked_at_and_stays_so() -> None:
    async with play() as p:
        await three(p, syncPolicy={})
        sha = p.sources.commit(URL, files(y="two"))
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: revisions(p) == [sha] * 3)
        assert [p.sync(n) for n in NAMES] == ["OutOfSync"] * 3
        assert p.data("x") is None


async def test_a_hand_that_strikes_while_the_others_are_told_is_undone() -> None:
    async with play() as p:
        await three(p)
        await p.until(lambda: all((p.sync(n), p.phase(n)) == ("Synced", "Succeeded") for n in NAMES))
        sha = p.sources.commit(URL, files(y="two"))
        await p.controller.push(frozenset([URL]))
        await p.by_hand("x", k="by hand")
        await p.until(lambda: p.data("x") == {"k": "one"})
        await p.until(lambda: revisions(p) == [sha] * 3 and p.data("y") == {"k": "two"})


async def test_after_a_commit_that_does_not_concern_it_an_application_heals_as_fast_as_before() -> None:
    """By one apply, not by a sync of its own: a commit to somebody else's files may come at any time."""
    async with play() as p:
        await three(p)
        await p.until(lambda: all((p.sync(n), p.phase(n)) == ("Synced", "Succeeded") for n in NAMES))
        for level in ("two", "three"):
            sha = p.sources.commit(URL, files(y=level))
            await p.controller.push(frozenset([URL]))
            await p.until(lambda sha=sha: revisions(p) == [sha] * 3)
        await p.quiet()
        await p.by_hand("x", k="by hand")
        await p.until(lambda: p.data("x") == {"k": "one"})
        await p.until(lambda: p.controller.context.runtime("x").heal_count == 1)


async def test_a_commit_that_came_meanwhile_is_not_told_away_by_an_older_one() -> None:
    async with play() as p:
        await three(p)
        await p.until(lambda: all((p.sync(n), p.phase(n)) == ("Synced", "Succeeded") for n in NAMES))
        p.sources.commit(URL, {**files(), "README.md": b"for people"})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: "after the fetch of" in str(p.tasks()))
        sha = p.sources.commit(URL, files(x="two"))
        refresh = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
        await p.patch_application(refresh, "x")  # which fetches, too, and tells none of the others
        await p.until(lambda: p.data("x") == {"k": "two"} and p.status("x")["sync"]["revision"] == sha)
        await p.quiet(0.8)
        assert p.status("x")["sync"]["revision"] == sha


async def test_a_commit_whose_telling_is_overtaken_by_a_newer_one_is_not_told_after_it() -> None:
    async with play() as p:
        await three(p)
        await p.until(lambda: all((p.sync(n), p.phase(n)) == ("Synced", "Succeeded") for n in NAMES))
        await p.quiet()
        go = asyncio.Event()
        held: list[str] = []

        def hold(verb: str, ref: ObjectRef) -> asyncio.Event | None:
            if (verb, ref.name) != ("patch", "x") or held:
                return None
            held.append(ref.name)
            return go

        p.cluster.hold = hold
        p.sources.commit(URL, {**files(), "README.md": b"for people"})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: held)
        sha = p.sources.commit(URL, files(x="two"))
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.data("x") == {"k": "two"} and p.status("x")["sync"]["revision"] == sha)
        await p.quiet()
        go.set()
        await p.quiet()
        assert revisions(p) == [sha] * 3
