"""What looks at Git servers, webhooks, orphans, stored versions, certificates and backups mean."""

import base64
import datetime
import hashlib
import hmac
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from kilde.core.doctor import etcd, own, receiver
from kilde.core.doctor.admission import METRICS, judge_admission, judge_webhook_calls
from kilde.core.doctor.backups import Backup, Kind, judge_backups
from kilde.core.doctor.certificates import Held, judge_certificates
from kilde.core.doctor.definitions import judge_stored_versions
from kilde.core.doctor.exposition import samples
from kilde.core.doctor.finding import Finding
from kilde.core.doctor.git_servers import Contact, judge_contacts
from kilde.core.doctor.known_hosts import key_types
from kilde.core.doctor.orphans import judge_orphans

DAY = 86400.0


def told(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(str(each.verdict), each.check, each.says) for each in findings]


def test_git_servers_are_told_with_what_opens_them_and_when_they_were_fetched() -> None:
    contacts = [
        Contact(url="https://a.example/x", seconds=0.12, opened_by=("one", "all"), fetched=60.0),
        Contact(url="ssh://git@b.example/x", seconds=3.0, opened_by=("key",), known_hosts=("ssh-ed25519",)),
        Contact(url="https://c.example/x", seconds=0.2, fetched=7200.0),
        Contact(
            url="ssh://git@d.example/x",
            seconds=None,
            failure="the host key of d.example is not known",
            hint="add it",
            known_hosts=(),
        ),
    ]
    assert told(judge_contacts(contacts, left_out=2)) == [
        ("good", "server/https://a.example/x", "answers in 120 ms (opened by one and all; fetched 60 s ago)"),
        ("watch", "server/ssh://git@b.example/x", "answers in 3 s (opened by key; known host: ssh-ed25519)"),
        ("watch", "server/https://c.example/x", "answers in 200 ms (without credentials; fetched 120 min ago)"),
        (
            "bad",
            "server/ssh://git@d.example/x",
            "the host key of d.example is not known (without credentials; known host: none)",
        ),
        ("unknown", "servers", "2 more repositories were not asked"),
    ]


def test_known_hosts_are_found_by_name_port_pattern_and_hash() -> None:
    salt = b"0123456789abcdefghij"
    digest = hmac.digest(salt, b"hidden.example", hashlib.sha1)
    hidden = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
    text = "\n".join(
        (
            "# a comment",
            "git.example,10.0.0.1 ssh-ed25519 AAAA",
            "git.example ssh-rsa AAAA",
            "[git.example]:2222 ecdsa-sha2-nistp256 AAAA",
            "*.wild.example,!not.wild.example ssh-ed25519 AAAA",
            "@revoked git.example ssh-dss AAAA",
            f"{hidden} ssh-ed25519 AAAA",
            "|1|no|base64 ssh-rsa AAAA",
            "git.example",
        )
    )
    assert key_types(text, "GIT.example") == ("ssh-ed25519", "ssh-rsa")
    assert key_types(text, "git.example", 2222) == ("ecdsa-sha2-nistp256",)
    assert key_types(text, "a.wild.example") == ("ssh-ed25519",)
    assert key_types(text, "not.wild.example") == ()
    assert key_types(text, "hidden.example") == ("ssh-ed25519",)


def test_the_receiver_of_webhooks_is_judged_by_its_secrets_and_what_came() -> None:
    assert told([receiver.judge_secrets(["webhook.github.secret", "webhook.bitbucketserver.secret"])])[0][2] == (
        "webhooks must be signed by: bitbucketserver, github"
    )
    assert receiver.judge_secrets([]).verdict == "watch"
    page = (
        'kilde_webhook_deliveries_total{verdict="accepted"} 4\nkilde_webhook_deliveries_total{verdict="refused"} 1\n'
        "kilde_webhook_last_delivery_timestamp_seconds 1000\n"
    )
    assert told(receiver.judge_deliveries(samples(page, receiver.METRICS), now=1060.0)) == [
        ("watch", "deliveries", "since the controller's start: accepted 4, refused 1; the last one 60 s ago")
    ]
    none = 'kilde_webhook_deliveries_total{verdict="accepted"} 0\n'
    assert told(receiver.judge_deliveries(samples(none, receiver.METRICS), now=1.0)) == [
        ("watch", "deliveries", "no webhook came since the controller's start")
    ]
    assert receiver.judge_deliveries([], now=1.0) == []


def configuration(name: str, *, kind: str = "Validating", **hook: Any) -> dict[str, Any]:
    rules = [{"apiGroups": ["apps"], "operations": ["CREATE"], "resources": ["deployments", "deployments/scale"]}]
    client = {"service": {"namespace": "system", "name": "here"}}
    webhook = {"name": f"{name}.example", "clientConfig": client, "rules": rules, **hook}
    return {"kind": f"{kind}WebhookConfiguration", "metadata": {"name": name}, "webhooks": [webhook]}


ALL = [{"apiGroups": ["*"], "operations": ["*"], "resources": ["*/*"]}]
GONE = {"service": {"namespace": "system", "name": "gone"}}
SICK = {"service": {"namespace": "system", "name": "sick"}}
BACKENDS = {("system", "here"): True, ("system", "sick"): False}


@pytest.mark.parametrize(
    ("hook", "verdict", "says"),
    [
        ({"clientConfig": GONE}, "bad", "every write of deployments is refused: there is no Service system/gone"),
        (
            {"clientConfig": SICK},
            "bad",
            "every write of deployments is refused: Service system/sick has no ready address",
        ),
        (
            {"clientConfig": SICK, "failurePolicy": "Ignore", "timeoutSeconds": 3},
            "watch",
            "each write of deployments may wait 3 s, and is not looked at: Service system/sick has no ready address",
        ),
        (
            {"clientConfig": SICK, "rules": ALL},
            "bad",
            "every write of everything is refused: Service system/sick has no ready address",
        ),
        (
            {"rules": ALL},
            "watch",
            "sees every write and refuses it when it does not answer, those that would mend it, too",
        ),
        ({"timeoutSeconds": 30}, "watch", "a write of deployments may wait 30 s for it"),
    ],
)
def test_a_webhook_that_would_hold_up_a_sync(hook: dict[str, Any], verdict: str, says: str) -> None:
    assert told(judge_admission([configuration("one", **hook)], [], BACKENDS)) == [
        (verdict, "validating/one/one.example", says)
    ]


@pytest.mark.parametrize(
    "hook",
    [
        {},
        {"rules": ALL, "failurePolicy": "Ignore"},
        {"rules": ALL, "namespaceSelector": {"matchLabels": {"watched": "yes"}}},
        {"rules": ALL, "matchConditions": [{"name": "some", "expression": "true"}]},
        {"clientConfig": {"url": "https://elsewhere.example"}},
    ],
)
def test_a_webhook_that_does_no_harm(hook: dict[str, Any]) -> None:
    found = judge_admission([configuration("one", kind="Mutating", **hook)], [], BACKENDS)
    assert told(found) == [("good", "cluster", "1 webhooks of the cluster, none of which would hold up a sync")]


def test_a_conversion_that_nobody_does_and_more_findings_than_anybody_reads() -> None:
    served = [{"name": "v1", "served": True}, {"name": "v2", "served": True}]
    crd = {
        "metadata": {"name": "things.example"},
        "spec": {"versions": served, "conversion": {"webhook": {"clientConfig": GONE}}},
    }
    assert told(judge_admission([], [crd], BACKENDS)) == [
        (
            "bad",
            "conversion/things.example",
            "its objects cannot be read in every version: there is no Service system/gone",
        )
    ]
    many = [configuration(f"w{number}", timeoutSeconds=30) for number in range(30)]
    found = judge_admission([*many, configuration("dead", clientConfig=GONE)], [], BACKENDS)
    assert (len(found), found[0].verdict, found[-1].says) == (21, "bad", "11 more findings on webhooks are left out")


def test_the_api_server_tells_which_webhook_is_slow() -> None:
    name = "apiserver_admission_webhook_admission_duration_seconds_bucket"
    page = "".join(
        f'{name}{{name="{hook}",le="{bound}"}} {count}\n'
        for hook, counts in (("quick", (90, 90, 90)), ("slow", (0, 90, 90)))
        for bound, count in zip(("0.5", "2.5", "+Inf"), counts, strict=True)
    )
    assert told(judge_webhook_calls(samples(page, METRICS))) == [("watch", "calls", "the slowest, slow: p99 2.48 s")]
    page += "apiserver_admission_webhook_fail_open_count 3\n"
    assert judge_webhook_calls(samples(page, METRICS))[0].says.endswith("; 3 writes passed unseen by one")
    assert judge_webhook_calls([]) == []


def test_objects_whose_application_is_gone() -> None:
    tracked = [
        ("shop", "ConfigMap shop/a"),
        *(("old", f"ConfigMap shop/{number}") for number in range(5)),
        ("older", "Service shop/x"),
    ]
    assert told(judge_orphans(tracked, frozenset(("shop",)), unread=1)) == [
        (
            "watch", "orphans/old",
            "there is no application old, but 5 objects of it: ConfigMap shop/0, ConfigMap shop/1, ConfigMap shop/2 and 2 more",
        ),
        ("watch", "orphans/older", "there is no application older, but 1 object of it: Service shop/x"),
        ("unknown", "orphans", "1 kinds could not be listed: this user may not, or there are too many objects"),
    ]  # fmt: skip
    assert told(judge_orphans(tracked[:1], frozenset(("shop",)))) == [
        ("good", "orphans", "1 objects of applications, each of one that is there")
    ]
    many = [(f"gone{number:02}", "ConfigMap a/b") for number in range(25)]
    assert told(judge_orphans(many, frozenset()))[-1][2] == "5 more applications that are gone have left objects"


def definition(name: str, stored: list[str], **versions: Any) -> dict[str, Any]:
    listed = [{"name": version, **says} for version, says in versions.items()]
    return {"metadata": {"name": name}, "spec": {"versions": listed}, "status": {"storedVersions": stored}}


def test_what_is_stored_in_a_version_that_is_not_served() -> None:
    good = definition("a.example", ["v1"], v1={"served": True})
    assert told(judge_stored_versions([good])) == [
        ("good", "versions", "every stored version of a custom kind is served")
    ]
    lost = definition("b.example", ["v1alpha1", "v1"], v1={"served": True}, v1alpha1={"served": False})
    old = definition("c.example", ["v1beta1"], v1beta1={"served": True, "deprecated": True}, v1={"served": True})
    assert told(judge_stored_versions([good, lost, old])) == [
        ("watch", "versions/b.example", "b.example: objects may be stored as v1alpha1, which is not served"),
        ("watch", "versions/c.example", "c.example: objects may be stored as v1beta1, which is deprecated"),
    ]


def certificate(until: float) -> bytes:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    end = datetime.datetime.fromtimestamp(until, datetime.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    )
    made = builder.not_valid_before(end - datetime.timedelta(days=100)).not_valid_after(end).sign(key, SHA256())
    from cryptography.hazmat.primitives.serialization import Encoding

    return made.public_bytes(Encoding.PEM)


def test_certificates_that_end_soon_or_have_ended() -> None:
    now = 1_800_000_000.0
    far, near, ended = (certificate(now + days * DAY) for days in (90, 5, -2))
    assert told(judge_certificates([Held("a", far), Held("b", b""), Held("c", b"no PEM")], now=now)) == [
        ("good", "all", "1 certificates, the first of which ends in 90 days")
    ]
    assert told(judge_certificates([Held("a", far), Held("b", near + far), Held("c", ended)], now=now)) == [
        ("bad", "c", "ended 2 days ago"),
        ("bad", "b", "ends in 5 days"),
    ]
    assert judge_certificates([], now=now) == []


def test_backups_are_judged_by_the_newest_of_each_kind() -> None:
    now = 100 * DAY
    found = [
        Backup(Kind.CLUSTER, "old.kilde", now - 9 * DAY),
        Backup(Kind.CLUSTER, "new.kilde", now - 3600),
        Backup(Kind.KEYS, "keys", now - 40 * DAY),
    ]
    assert told(judge_backups(found, now=now, has_ledger=True, newest_key=now - 50 * DAY, folder="/b")) == [
        ("good", "cluster", "the newest of the cluster, new.kilde, is 1 h old"),
        ("bad", "ledger", "none of the ledger in /b"),
        ("good", "keys", "the newest of the keys, keys, is 40 days old"),
    ]
    assert told(judge_backups(found[:1] + found[2:], now=now, has_ledger=False, newest_key=now, folder="/b")) == [
        ("bad", "cluster", "the newest of the cluster, old.kilde, is 9 days old"),
        ("bad", "keys", "the newest of the keys, keys, is 40 days old"),
    ]
    assert told(judge_backups([], now=now, has_ledger=False, newest_key=None, folder="/b")) == [
        ("bad", "cluster", "none of the cluster in /b")
    ]


def test_each_peer_of_etcd_has_its_own_verdict() -> None:
    page = "etcd_server_has_leader 1\n" + "".join(
        f'{etcd.ROUND_TRIP}_bucket{{To="{peer}",le="{bound}"}} {count}\n'
        for peer, counts in (("91bc3c398fb3c146", (100, 100, 100)), ("fd422379fda50e48", (0, 0, 100)))
        for bound, count in zip(("0.0016", "0.0512", "0.2048"), counts, strict=True)
    )
    found = {each.check: str(each.verdict) for each in etcd.judge_etcd(samples(page, etcd.METRICS))}
    assert found == {
        "peer-round-trip/91bc3c398fb3c146": "good",
        "peer-round-trip/fd422379fda50e48": "bad",
        "leader": "good",
    }


def test_our_share_of_the_git_servers_load() -> None:
    def page(done: int, failed: int) -> str:
        counts = {"done": done, "failed": failed}
        lines = [f'kilde_fetches_total{{outcome="{outcome}"}} {count}' for outcome, count in counts.items()]
        return "\n".join((*lines, "kilde_fetch_seconds_total 6", ""))

    found = own.judge_own(samples(page(10, 2), own.METRICS), samples(page(8, 2), own.METRICS), 30.0)
    assert told(found)[-1] == ("good", "git", "4 fetches a minute; since its start 12, of which 2 failed, 500 ms each")
    assert own.judge_own(samples(page(2, 10), own.METRICS), [], 30.0)[-1].verdict == "watch"
