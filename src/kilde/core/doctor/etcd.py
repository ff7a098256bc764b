"""What etcd's own metrics say about its disk, its peers and its room.

Names and advice: https://etcd.io/docs/v3.6/metrics/ and https://etcd.io/docs/v3.6/faq/ (fsync below 10 ms, commit below 25 ms at p99).
"""

from collections.abc import Mapping, Sequence

from kilde.core.doctor.exposition import Sample, total
from kilde.core.doctor.finding import Finding, Verdict
from kilde.core.doctor.latency import judge_latency

FSYNC, COMMIT = "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"
ROUND_TRIP = "etcd_network_peer_round_trip_time_seconds"
_SIZE, _IN_USE, _QUOTA = (
    "etcd_mvcc_db_total_size_in_bytes",
    "etcd_mvcc_db_total_size_in_use_in_bytes",
    "etcd_server_quota_backend_bytes",
)
_LEADER, _CHANGES, _SLOW = (
    "etcd_server_has_leader",
    "etcd_server_leader_changes_seen_total",
    "etcd_server_slow_apply_total",
)
_PENDING, _FAILED = "etcd_server_proposals_pending", "etcd_server_proposals_failed_total"
METRICS = (FSYNC, COMMIT, ROUND_TRIP, _SIZE, _IN_USE, _QUOTA, _LEADER, _CHANGES, _SLOW, _PENDING, _FAILED)
_MIB = 1 << 20
_DISK, _PEERS = "kilde doctor disk on etcd's data directory tells disk from load", "members belong into one region"


def judge_etcd(now: Sequence[Sample], before: Sequence[Sample] = ()) -> list[Finding]:
    """What a page of etcd's metrics says; with an earlier page, about the time between the two, else since etcd's start."""
    if not any(each.name in (f"{FSYNC}_bucket", _LEADER) for each in now):
        says = "the page has no metrics of etcd"
        return [
            Finding(
                area="etcd",
                check="metrics",
                verdict=Verdict.UNKNOWN,
                says=says,
                hint="etcd serves them at /metrics of its client or metrics address",
            )
        ]
    pages = now, before
    span = "since the last reading" if before else "since its start"
    findings = [
        judge_latency("etcd", "wal-fsync", "writes of its log to disk", FSYNC, 0.010, pages, hint=_DISK),
        judge_latency("etcd", "backend-commit", "commits of its database", COMMIT, 0.025, pages, hint=_DISK),
        *_peers(pages),
        _leader(now),
        _counted("leader-changes", "leader changes", _CHANGES, 3, now, before, span),
        _counted("slow-applies", "slow applies", _SLOW, 100, now, before, span),
        _counted("failed-proposals", "failed proposals", _FAILED, 10, now, before, span),
        _pending(now),
        _room(now),
    ]
    return [each for each in findings if each is not None]


def _peers(pages: tuple[Sequence[Sample], Sequence[Sample]]) -> list[Finding | None]:
    """The network between this member and each other one; etcd calls a member by its ID."""
    peers = sorted({each.labels.get("To", "") for each in pages[0] if each.name == f"{ROUND_TRIP}_bucket"})
    found: list[Finding | None] = []
    for peer in peers:

        def chosen(labels: Mapping[str, str], peer: str = peer) -> bool:
            return labels.get("To", "") == peer

        check, what = (
            (f"peer-round-trip/{peer}", f"round trips to member {peer}")
            if peer
            else ("peer-round-trip", "round trips to its peers")
        )
        found.append(judge_latency("etcd", check, what, ROUND_TRIP, 0.050, pages, hint=_PEERS, chosen=chosen))
    return found


def _leader(now: Sequence[Sample]) -> Finding | None:
    found = total(now, _LEADER)
    if found is None:
        return None
    if found:
        return Finding(
            area="etcd", check="leader", verdict=Verdict.GOOD, says="it has a leader", numbers={"leader": found}
        )
    return Finding(
        area="etcd", check="leader", verdict=Verdict.BAD, says="it has no leader: nothing can be written",
        hint="look at its members: etcdctl endpoint status --cluster", numbers={"leader": found},
    )  # fmt: skip


def _counted(
    check: str, what: str, name: str, many: int, now: Sequence[Sample], before: Sequence[Sample], span: str
) -> Finding | None:
    later = total(now, name)
    if later is None:
        return None
    earlier = total(before, name) or 0.0
    count = later - earlier if later >= earlier else later
    verdict = Verdict.GOOD if count < many else Verdict.WATCH
    hint = "" if verdict is Verdict.GOOD else "a slow disk or a starved CPU is the usual cause"
    return Finding(
        area="etcd",
        check=check,
        verdict=verdict,
        says=f"{what} {span}: {count:,.0f}",
        hint=hint,
        numbers={"count": count},
    )


def _pending(now: Sequence[Sample]) -> Finding | None:
    count = total(now, _PENDING)
    if count is None:
        return None
    verdict = Verdict.GOOD if count < 100 else Verdict.BAD
    hint = "" if verdict is Verdict.GOOD else "it gets more writes than it can store: fewer clients, or a faster disk"
    return Finding(
        area="etcd",
        check="pending-proposals",
        verdict=verdict,
        says=f"{count:,.0f} proposals wait",
        hint=hint,
        numbers={"count": count},
    )


def _room(now: Sequence[Sample]) -> Finding | None:
    size, quota = total(now, _SIZE), total(now, _QUOTA)
    if size is None or not quota:
        return None
    in_use = total(now, _IN_USE)
    share = size / quota
    verdict = Verdict.GOOD if share < 0.7 else Verdict.WATCH if share < 0.9 else Verdict.BAD
    says = f"database {size / _MIB:,.0f} MiB of {quota / _MIB:,.0f} MiB"
    says += f", {in_use / _MIB:,.0f} MiB of it in use" if in_use is not None else ""
    hint = ""
    if verdict is not Verdict.GOOD:
        hint = "etcdctl defrag gives back what is not in use; else delete or raise --quota-backend-bytes. Full, it takes no writes"
    return Finding(
        area="etcd",
        check="database",
        verdict=verdict,
        says=says,
        hint=hint,
        numbers={"bytes": size, "quota": quota, "share": share},
    )
