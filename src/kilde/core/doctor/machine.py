"""What the kernel says about this machine: stolen CPU, file descriptors, entropy, and a clock that is not the cluster's."""

from collections.abc import Sequence

from kilde.core.doctor.durations import told
from kilde.core.doctor.finding import Finding, Verdict


def cpu_times(stat: str) -> tuple[int, int]:
    """(all ticks, stolen ticks) of the first line of /proc/stat (proc(5)); guest time is part of user time already."""
    ticks = [int(part) for part in stat.split("\n", 1)[0].split()[1:9]]
    return sum(ticks), ticks[7] if len(ticks) > 7 else 0


def judge_steal(before: tuple[int, int], after: tuple[int, int]) -> Finding:
    """The share of CPU time that the hypervisor gave to others between two readings of `cpu_times`."""
    passed = after[0] - before[0]
    share = (after[1] - before[1]) / passed if passed > 0 else 0.0
    verdict = Verdict.GOOD if share < 0.02 else Verdict.WATCH if share < 0.10 else Verdict.BAD
    hint = "" if verdict is Verdict.GOOD else "the host is oversold: etcd's timers fire late; ask for dedicated CPUs"
    return Finding(
        area="machine",
        check="cpu-steal",
        verdict=verdict,
        says=f"{share:.1%} of CPU time stolen by the host",
        hint=hint,
        numbers={"share": share},
    )


def judge_descriptors(soft: int, hard: int, used: int) -> Finding:
    """The verdict on the limit of open files (RLIMIT_NOFILE); negative: unlimited."""
    enough = soft < 0 or soft >= 4096
    says = f"{used:,} open files of {'unlimited' if soft < 0 else f'{soft:,}'} (hard limit {'unlimited' if hard < 0 else f'{hard:,}'})"
    hint = (
        ""
        if enough
        else "each watch, connection and Git child needs some: ulimit -n 65536, or LimitNOFILE= in the unit"
    )
    return Finding(
        area="machine",
        check="descriptors",
        verdict=Verdict.GOOD if enough else Verdict.WATCH,
        says=says,
        hint=hint,
        numbers={"soft": soft, "hard": hard, "used": used},
    )


def judge_entropy(bits: int) -> Finding:
    """The verdict on the kernel's estimate; kernels from 5.18 on always say 256 once they are ready (random(4))."""
    good = bits >= 200
    hint = "" if good else "keys made now may have to wait: rng-tools or virtio-rng help"
    return Finding(
        area="machine",
        check="entropy",
        verdict=Verdict.GOOD if good else Verdict.WATCH,
        says=f"{bits} bits of entropy",
        hint=hint,
        numbers={"bits": bits},
    )


def judge_skew(offsets: Sequence[float]) -> Finding:
    """The verdict on how far the API server's clock is ahead of ours, in seconds, each known to half a second at best (HTTP dates)."""
    skew = min(offsets, key=abs)
    size = abs(skew)
    verdict = Verdict.GOOD if size < 2 else Verdict.WATCH if size < 30 else Verdict.BAD
    hint = (
        ""
        if verdict is Verdict.GOOD
        else "tokens, certificates, leases and sync windows go by the clock: chronyc tracking"
    )
    says = (
        "the API server's clock agrees with ours"
        if verdict is Verdict.GOOD
        else f"the API server's clock is {told(size)} {'ahead of' if skew > 0 else 'behind'} ours"
    )
    return Finding(area="machine", check="clock", verdict=verdict, says=says, hint=hint, numbers={"seconds": skew})
