"""What measurements mean: the field guide's table, and what etcd, API servers, kernels and kubeconfigs tell."""

import pytest

from kilde.core.doctor import apiserver, contexts, etcd, machine, own
from kilde.core.doctor.definitions import judge_definitions
from kilde.core.doctor.disk import judge_disk
from kilde.core.doctor.durations import Spread, spread
from kilde.core.doctor.exposition import samples
from kilde.core.doctor.finding import Finding, Verdict, worst
from kilde.core.doctor.repositories import judge_credentials
from kilde.core.doctor.sealing import judge_keys


@pytest.mark.parametrize(
    ("p99", "verdict", "name"),
    [
        (0.0004, Verdict.GOOD, "NVMe-class"),
        (0.0019, Verdict.GOOD, "NVMe-class"),
        (0.002, Verdict.GOOD, "fit"),
        (0.0099, Verdict.GOOD, "fit"),
        (0.010, Verdict.BAD, "SSD-class or busy"),
        (0.019, Verdict.BAD, "SSD-class or busy"),
        (0.030, Verdict.BAD, "slow"),
        (0.040, Verdict.BAD, "HDD-class"),
        (0.099, Verdict.BAD, "HDD-class"),
        (0.5, Verdict.BAD, "slower than a hard disk"),
    ],
)
def test_the_table_of_the_field_guide(p99: float, verdict: Verdict, name: str) -> None:
    found = judge_disk(Spread(2000, p99 / 2, p99, p99, p99, p99), where="/var/lib/etcd", filesystem="ext4")
    assert found.verdict is verdict
    assert f", {name}: " in found.says
    assert bool(found.hint) is (verdict is Verdict.BAD)


def test_memory_is_no_disk() -> None:
    found = judge_disk(spread([1e-6] * 100), where="/dev/shm", filesystem="tmpfs")
    assert (found.verdict, "tmpfs is memory" in found.says) == (Verdict.WATCH, True)


def histogram(name: str, counts: dict[str, int], labels: str = "") -> str:
    return "".join(f'{name}_bucket{{{labels}le="{bound}"}} {count}\n' for bound, count in counts.items())


def etcd_page(**changed: str) -> str:
    lines = {
        "fsync": histogram(etcd.FSYNC, {"0.001": 900, "0.002": 995, "0.004": 1000, "+Inf": 1000}),
        "commit": histogram(etcd.COMMIT, {"0.008": 99, "0.016": 100, "+Inf": 100}),
        "leader": "etcd_server_has_leader 1\n",
        "changes": "etcd_server_leader_changes_seen_total 1\n",
        "slow": "etcd_server_slow_apply_total 0\n",
        "pending": "etcd_server_proposals_pending 2\n",
        "failed": "etcd_server_proposals_failed_total 0\n",
        "room": "etcd_mvcc_db_total_size_in_bytes 1.048576e+08\netcd_mvcc_db_total_size_in_use_in_bytes 5.24288e+07\n"
        "etcd_server_quota_backend_bytes 2.147483648e+09\n",
    }
    return "".join({**lines, **changed}.values())


def judged(page: str, before: str = "") -> dict[str, Finding]:
    found = etcd.judge_etcd(samples(page, etcd.METRICS), samples(before, etcd.METRICS))
    return {each.check: each for each in found}


def test_an_etcd_that_is_well() -> None:
    found = judged(etcd_page())
    assert {check: str(each.verdict) for check, each in found.items()} == dict.fromkeys(
        ("wal-fsync", "backend-commit", "leader", "leader-changes", "slow-applies", "failed-proposals", "pending-proposals", "database"),
        "good",
    )  # fmt: skip
    assert found["wal-fsync"].says == "writes of its log to disk: p50 556 µs, p99 1.95 ms (should stay below 10 ms)"
    assert found["database"].says == "database 100 MiB of 2,048 MiB, 50 MiB of it in use"


def test_an_etcd_that_is_not() -> None:
    found = judged(
        etcd_page(
            fsync=histogram(etcd.FSYNC, {"0.008": 900, "0.016": 990, "0.032": 1000, "+Inf": 1000}),
            commit=histogram(etcd.COMMIT, {"0.016": 98, "0.032": 100, "+Inf": 100}),
            leader="etcd_server_has_leader 0\n",
            changes="etcd_server_leader_changes_seen_total 7\n",
            pending="etcd_server_proposals_pending 500\n",
            room="etcd_mvcc_db_total_size_in_bytes 2e9\netcd_server_quota_backend_bytes 2.147483648e+09\n",
        )
    )
    assert {check: str(each.verdict) for check, each in found.items()} == {
        "wal-fsync": "bad",
        "backend-commit": "watch",
        "leader": "bad",
        "leader-changes": "watch",
        "slow-applies": "good",
        "failed-proposals": "good",
        "pending-proposals": "bad",
        "database": "bad",
    }
    assert all(each.hint for each in found.values() if each.verdict is not Verdict.GOOD)


def test_an_etcd_is_judged_by_what_happened_between_two_readings() -> None:
    before = etcd_page(
        fsync=histogram(etcd.FSYNC, {"0.001": 0, "0.016": 0, "+Inf": 0}),
        changes="etcd_server_leader_changes_seen_total 90\n",
    )
    after = etcd_page(
        fsync=histogram(etcd.FSYNC, {"0.001": 0, "0.016": 10, "+Inf": 10}),
        changes="etcd_server_leader_changes_seen_total 91\n",
    )
    found = judged(after, before)
    assert (found["wal-fsync"].verdict, found["leader-changes"].says) == (
        Verdict.BAD,
        "leader changes since the last reading: 1",
    )


def test_another_page_is_none_of_etcd() -> None:
    assert [(each.check, each.verdict) for each in etcd.judge_etcd([])] == [("metrics", Verdict.UNKNOWN)]


def test_an_api_server_is_judged_by_its_writes_and_by_whom_it_turns_away() -> None:
    page = histogram("etcd_request_duration_seconds", {"0.025": 10, "0.1": 100, "+Inf": 100}, 'operation="create",')
    page += histogram("etcd_request_duration_seconds", {"0.025": 500, "0.1": 500, "+Inf": 500}, 'operation="list",')
    page += histogram("apiserver_request_duration_seconds", {"0.1": 100, "1": 100, "+Inf": 100}, 'verb="GET",')
    page += histogram("apiserver_request_duration_seconds", {"0.1": 0, "1": 0, "+Inf": 50}, 'verb="WATCH",')
    page += 'apiserver_flowcontrol_rejected_requests_total{reason="queue-full"} 3\n'
    found = {each.check: each for each in apiserver.judge_apiserver(samples(page, apiserver.METRICS))}
    assert {check: str(each.verdict) for check, each in found.items()} == {
        "etcd-writes": "bad",
        "requests": "good",
        "rejected": "watch",
    }
    assert apiserver.judge_round_trips(spread([0.3] * 10)).verdict is Verdict.WATCH


def test_the_kernel_is_understood() -> None:
    before = machine.cpu_times("cpu  100 0 100 800 0 0 0 0 50 0\ncpu0 1 2 3\n")
    after = machine.cpu_times("cpu  150 0 150 1050 0 0 0 50 50 0\n")
    assert (before, after) == ((1000, 0), (1400, 50))
    assert machine.judge_steal(before, after).verdict is Verdict.BAD
    assert machine.judge_steal(before, before).verdict is Verdict.GOOD
    assert [machine.judge_descriptors(*each).verdict for each in ((1024, 4096, 9), (65536, 65536, 9), (-1, -1, 9))] == [
        Verdict.WATCH, Verdict.GOOD, Verdict.GOOD,
    ]  # fmt: skip
    assert [machine.judge_entropy(bits).verdict for bits in (256, 40)] == [Verdict.GOOD, Verdict.WATCH]
    assert [machine.judge_skew(each).verdict for each in ([0.4, -0.6], [-9, -8.2], [300.0])] == [
        Verdict.GOOD,
        Verdict.WATCH,
        Verdict.BAD,
    ]
    assert machine.judge_skew([-9, -8.2]).says == "the API server's clock is 8.2 s behind ours"


def test_production_within_reach_of_a_slip() -> None:
    def told(name: str, **more: object) -> tuple[str, str]:
        context = contexts.Context(name=name, server="https://10.0.0.1", **{"current": False, "deletes": True, **more})  # type: ignore[arg-type]
        found = contexts.judge_context(context, production=contexts.is_production(context))
        return str(found.verdict), found.says

    assert told("eu-prod-1") == ("watch", "may delete namespaces (production)")
    assert told("PROD", current=True) == (
        "bad",
        "may delete namespaces, and is what a plain kubectl means (production, current)",
    )
    assert told("product-catalog", current=True) == ("good", "may delete namespaces (not production, current)")
    assert told("live", deletes=False, current=True)[0] == "good"
    assert told("live", deletes=None, failure="no answer") == (
        "unknown",
        "what it may do is not known: no answer (production)",
    )
    assert told("staging", insecure=True)[0] == "watch"
    assert contexts.judge_file("/srv/kube/config", 0o100600) is None
    found = contexts.judge_file("/srv/kube/config", 0o100644)
    assert found is not None
    assert found.hint == "chmod 600 /srv/kube/config"


def test_the_custom_kinds_have_to_be_there() -> None:
    wanted = [
        {"metadata": {"name": name}, "spec": {"versions": [{"name": "v1", "served": True}]}} for name in ("a", "b", "c")
    ]
    old = {"metadata": {"name": "b"}, "spec": {"versions": [{"name": "v1", "served": False}]}}
    assert judge_definitions(wanted, {"a": wanted[0], "b": old})[0].says == "missing: c; not served: b (v1)"
    assert judge_definitions(wanted, dict.fromkeys("abc", wanted[0]))[0].verdict is Verdict.GOOD


def test_careless_credentials_are_named_without_their_values() -> None:
    def secret(name: str, **data: str) -> dict[str, object]:
        import base64

        return {
            "metadata": {"name": name},
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
        }

    found = judge_credentials(
        [
            secret("fine", url="https://git.example/a", password="canary"),
            secret("open", url="http://git.example/b", password="canary"),
            secret("blind", url="https://git.example/c", insecure="true", password="canary"),
            secret("unknown", url="git@git.example:d", sshPrivateKey="canary"),
        ],
        known_hosts=None,
    )
    assert [each.check for each in found] == ["credentials/open", "credentials/blind", "credentials/unknown"]
    assert "canary" not in repr(found)
    assert judge_credentials([], known_hosts=None)[0].verdict is Verdict.GOOD


def test_keys_that_nobody_renews() -> None:
    keys = [
        {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}},
        {"metadata": {"creationTimestamp": "2026-02-01T00:00:00Z"}},
    ]
    assert judge_keys(keys, now=1_770_000_000)[0].says == "2 sealing keys, the newest 1 and the oldest 32 days old"
    assert judge_keys(keys, now=1_790_000_000)[0].verdict is Verdict.WATCH
    assert judge_keys([], now=0) == []


def test_our_own_share_is_told_by_the_minute() -> None:
    before = samples(
        'kilde_api_requests_total{verb="list"} 10\nkilde_api_requests_total{verb="patch"} 5\n', own.METRICS
    )
    now = samples(
        'kilde_api_requests_total{verb="list"} 10\nkilde_api_requests_total{verb="patch"} 15\nkilde_watches 7\n',
        own.METRICS,
    )
    assert [each.says for each in own.judge_own(now, before, 30.0)] == [
        "requests a minute: patch 20",
        "20 writes a minute",
        "7 watches",
    ]


def test_the_worst_counts() -> None:
    def finding(verdict: Verdict) -> Finding:
        return Finding(area="a", check="b", verdict=verdict, says="")

    assert worst([]) is Verdict.GOOD
    assert worst([finding(Verdict.GOOD), finding(Verdict.BAD), finding(Verdict.WATCH)]) is Verdict.BAD
    assert worst([finding(Verdict.GOOD), finding(Verdict.UNKNOWN)]) is Verdict.UNKNOWN
