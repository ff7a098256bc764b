"""The generators of an ApplicationSet: lists, clusters, files, repositories, pull requests, and their products."""

from kilde.crds.schema import (
    Schema,
    any_object,
    anything,
    fields,
    flag,
    label_selector,
    many,
    text,
    text_map,
    texts,
    whole,
)

_SECRET_KEY = ("key", "secretName")


def generators() -> Schema:
    """One entry of `spec.generators`: exactly one generator, and a selector over what it gives."""
    nested = any_object("Any generator but matrix and merge inside it.")
    return fields(
        {
            **_plain(),
            "matrix": _generator({"generators": many(nested)}, ("generators",)),
            "merge": _generator({"generators": many(nested), "mergeKeys": texts()}, ("generators", "mergeKeys")),
            "selector": label_selector("Only results with these values are used."),
        }
    )


def _plain() -> dict[str, Schema]:
    return {
        "clusterDecisionResource": _generator(
            {
                "configMapRef": text(),
                "labelSelector": label_selector(),
                "name": text(),
                "requeueAfterSeconds": whole(),
                "values": text_map(),
            },
            ("configMapRef",),
        ),
        "clusters": _generator({"flatList": flag(), "selector": label_selector(), "values": text_map()}),
        "git": _git(),
        "list": _generator({"elements": many(anything()), "elementsYaml": text()}),
        "plugin": _plugin(),
        "pullRequest": _pull_request(),
        "scmProvider": _scm_provider(),
    }


def _generator(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    template = any_object("Laid over spec.template for what this generator gives.")
    return fields({**properties, "template": template}, required=required)


def _git() -> Schema:
    path = fields({"exclude": flag(), "path": text()}, required=("path",))
    return _generator(
        {
            "directories": many(path),
            "files": many(path),
            "pathParamPrefix": text(),
            "repoURL": text(),
            "requeueAfterSeconds": whole(),
            "revision": text(),
            "values": text_map(),
        },
        ("repoURL", "revision"),
    )


def _plugin() -> Schema:
    parameters: Schema = {"type": "object", "additionalProperties": anything()}
    return _generator(
        {
            "configMapRef": fields({"name": text()}, required=("name",)),
            "input": fields({"parameters": parameters}),
            "requeueAfterSeconds": whole(),
            "values": text_map(),
        },
        ("configMapRef",),
    )


def _secret() -> Schema:
    return fields({name: text() for name in _SECRET_KEY}, required=_SECRET_KEY)


def _authority() -> Schema:
    return fields({"configMapName": text(), "key": text()}, required=("configMapName", "key"))


def _forge(words: tuple[str, ...], required: tuple[str, ...], **more: Schema) -> Schema:
    return fields({**{word: text() for word in words}, **more}, required=required)


def _basic_or_token() -> dict[str, Schema]:
    basic = fields({"passwordRef": _secret(), "username": text()}, required=("passwordRef", "username"))
    return {"basicAuth": basic, "bearerToken": fields({"tokenRef": _secret()}, required=("tokenRef",))}


def _pull_request() -> Schema:
    names = ("branchMatch", "targetBranchMatch", "titleMatch")
    insecure, labels, token = flag(), texts(), _secret()
    return _generator(
        {
            "azuredevops": _forge(
                ("api", "organization", "project", "repo"),
                ("organization", "project", "repo"),
                labels=labels,
                tokenRef=token,
            ),
            "bitbucket": _forge(("api", "owner", "repo"), ("owner", "repo"), **_basic_or_token()),
            "bitbucketServer": _forge(
                ("api", "project", "repo"),
                ("api", "project", "repo"),
                caRef=_authority(),
                insecure=insecure,
                **_basic_or_token(),
            ),
            "continueOnRepoNotFoundError": flag(),
            "filters": many(fields({name: text() for name in names})),
            "gitea": _forge(
                ("api", "owner", "repo"), ("api", "owner", "repo"), insecure=insecure, labels=labels, tokenRef=token
            ),
            "github": _forge(
                ("api", "appSecretName", "owner", "repo"), ("owner", "repo"), labels=labels, tokenRef=token
            ),
            "gitlab": _forge(
                ("api", "project", "pullRequestState"),
                ("project",),
                caRef=_authority(),
                insecure=insecure,
                labels=labels,
                tokenRef=token,
            ),
            "requeueAfterSeconds": whole(),
            "values": text_map(),
        }
    )


def _scm_provider() -> Schema:
    every, insecure, token = flag(), flag(), _secret()
    filters = fields(
        {
            "branchMatch": text(),
            "labelMatch": text(),
            "pathsDoNotExist": texts(),
            "pathsExist": texts(),
            "repositoryMatch": text(),
        }
    )
    tag = fields({"key": text(), "value": text()}, required=("key",))
    return _generator(
        {
            "awsCodeCommit": _forge(("region", "role"), (), allBranches=every, tagFilters=many(tag)),
            "azureDevOps": _forge(
                ("api", "organization", "teamProject"),
                ("accessTokenRef", "organization", "teamProject"),
                accessTokenRef=token,
                allBranches=every,
            ),
            "bitbucket": _forge(
                ("owner", "user"), ("appPasswordRef", "owner", "user"), allBranches=every, appPasswordRef=token
            ),
            "bitbucketServer": _forge(
                ("api", "project"),
                ("api", "project"),
                allBranches=every,
                caRef=_authority(),
                insecure=insecure,
                **_basic_or_token(),
            ),
            "cloneProtocol": text(),
            "filters": many(filters),
            "gitea": _forge(("api", "owner"), ("api", "owner"), allBranches=every, insecure=insecure, tokenRef=token),
            "github": _forge(
                ("api", "appSecretName", "organization"), ("organization",), allBranches=every, tokenRef=token
            ),
            "gitlab": _forge(
                ("api", "group", "topic"),
                ("group",),
                allBranches=every,
                caRef=_authority(),
                includeSharedProjects=flag(),
                includeSubgroups=flag(),
                insecure=insecure,
                tokenRef=token,
            ),
            "requeueAfterSeconds": whole(),
            "values": text_map(),
        }
    )
