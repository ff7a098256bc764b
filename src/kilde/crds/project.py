"""AppProject: what the applications of a team may do."""

from kilde.crds.schema import Schema, fields, flag, many, text, texts, whole


def schema() -> dict[str, Schema]:
    """The fields beside apiVersion, kind and metadata."""
    tokens = fields({"items": many(_token())})
    by_role: Schema = {"type": "object", "additionalProperties": tokens}
    return {"spec": _spec(), "status": fields({"jwtTokensByRole": by_role})}


def _spec() -> Schema:
    kind = fields({"group": text(), "kind": text()}, required=("group", "kind"))
    named = fields({"group": text(), "kind": text(), "name": text()}, required=("group", "kind"))
    account = fields(
        {"defaultServiceAccount": text(), "namespace": text(), "server": text()},
        required=("defaultServiceAccount", "server"),
    )
    orphan = fields({"group": text(), "kind": text(), "name": text()})
    return fields(
        {
            "clusterResourceBlacklist": many(named),
            "clusterResourceWhitelist": many(named, "Cluster-scoped kinds that may be deployed; none if empty."),
            "description": text(maxLength=255),
            "destinationServiceAccounts": many(account),
            "destinations": many(
                fields({"name": text(), "namespace": text(), "server": text()}), "Where they may deploy to."
            ),
            "namespaceResourceBlacklist": many(kind),
            "namespaceResourceWhitelist": many(kind, "Namespaced kinds that may be deployed; all if unset."),
            "orphanedResources": fields({"ignore": many(orphan), "warn": flag()}),
            "permitOnlyProjectScopedClusters": flag(),
            "roles": many(_role()),
            "signatureKeys": many(fields({"keyID": text()}, required=("keyID",))),
            "sourceIntegrity": _integrity(),
            "sourceNamespaces": texts("Namespaces whose Applications may belong to it."),
            "sourceRepos": texts("Repositories they may deploy from."),
            "syncWindows": many(_window()),
        },
        description="What is allowed.",
    )


def _token() -> Schema:
    return fields({"exp": whole(), "iat": whole(), "id": text()}, required=("iat",))


def _role() -> Schema:
    return fields(
        {
            "description": text(),
            "groups": texts(),
            "jwtTokens": many(_token()),
            "name": text(),
            "policies": texts(),
        },
        required=("name",),
    )


def _window() -> Schema:
    flags = ("andOperator", "manualSync", "syncOverrun")
    words = ("description", "duration", "kind", "schedule", "timeZone")
    lists = ("applications", "clusters", "namespaces")
    return fields(
        {**{name: flag() for name in flags}, **{name: text() for name in words}, **{name: texts() for name in lists}}
    )


def _integrity() -> Schema:
    policy = fields(
        {
            "gpg": fields({"keys": texts(), "mode": text(enum=["none", "head", "strict"])}),
            "repos": many(fields({"url": text()}, required=("url",))),
        }
    )
    return fields({"git": fields({"policies": many(policy)})})
