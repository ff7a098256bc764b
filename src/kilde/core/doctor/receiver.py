"""Our own receiver of webhooks: which senders have to prove who they are, and when somebody last told us of a push."""

from collections.abc import Sequence

from kilde.core.doctor.durations import told
from kilde.core.doctor.exposition import Sample, total
from kilde.core.doctor.finding import Finding, Verdict

DELIVERIES, LAST = "kilde_webhook_deliveries_total", "kilde_webhook_last_delivery_timestamp_seconds"
METRICS = (DELIVERIES, LAST)
_DAY = 86400.0


def judge_secrets(keys: Sequence[str]) -> Finding:
    """`keys`: the names `webhook.*` that the Secret argocd-secret has a value for."""
    senders = sorted({key.split(".")[1] for key in keys if key.count(".") >= 2})
    if senders:
        says = f"webhooks must be signed by: {', '.join(senders)}"
        return Finding(area="webhooks", check="secrets", verdict=Verdict.GOOD, says=says)
    return Finding(
        area="webhooks",
        check="secrets",
        verdict=Verdict.WATCH,
        says="webhooks are taken from anybody: argocd-secret has no webhook.*.secret",
        hint="a forged one only causes a look at Git; give the forge a secret, and argocd-secret the same (webhook.github.secret, …)",
    )


def judge_deliveries(page: Sequence[Sample], *, now: float) -> list[Finding]:
    """What a running controller's page says of them; none from a controller that does not count them."""
    counts = {each.labels.get("verdict", ""): each.value for each in page if each.name == DELIVERIES}
    if not counts:
        return []
    last = total(page, LAST) or 0.0
    listed = ", ".join(f"{verdict} {count:,.0f}" for verdict, count in sorted(counts.items()) if count)
    refused = counts.get("refused", 0.0)
    numbers = dict(counts)
    verdict, hint = Verdict.GOOD, ""
    if not listed:
        says, verdict = "no webhook came since the controller's start", Verdict.WATCH
        hint = "pushes are seen at the next poll; point the forge's webhook at /api/webhook"
    else:
        says = f"since the controller's start: {listed}; the last one {_ago(now - last)} ago"
        numbers["lastSeconds"] = now - last
    if refused:
        verdict, hint = Verdict.WATCH, "somebody signs with another secret than argocd-secret has: compare the two"
    return [Finding(area="webhooks", check="deliveries", verdict=verdict, says=says, hint=hint, numbers=numbers)]


def _ago(seconds: float) -> str:
    return (
        told(max(0.0, seconds))
        if seconds < 600
        else f"{seconds / 60:,.0f} min"
        if seconds < _DAY
        else f"{seconds / _DAY:,.0f} days"
    )
