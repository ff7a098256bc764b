"""The forges by the name they have in a generator. A new one is one file and one line here.

Which calls are made, and what of the answers becomes a parameter, is as Argo CD does it; the calls are each forge's public API.
"""

from collections.abc import Mapping

from kilde.core.sets.forges import azure_devops, bitbucket, bitbucket_server, codecommit, gitea, github, gitlab
from kilde.core.sets.forges.forge import Forge

IN_SCM_PROVIDER: Mapping[str, type[Forge]] = {
    "github": github.GitHub,
    "gitlab": gitlab.GitLab,
    "gitea": gitea.Gitea,
    "bitbucketServer": bitbucket_server.BitbucketServer,
    "azureDevOps": azure_devops.AzureDevOps,
    "bitbucket": bitbucket.Bitbucket,
    "awsCodeCommit": codecommit.CodeCommit,
}
IN_PULL_REQUEST: Mapping[str, type[Forge]] = {
    "github": github.GitHub,
    "gitlab": gitlab.GitLab,
    "gitea": gitea.Gitea,
    "bitbucketServer": bitbucket_server.BitbucketServer,
    "bitbucket": bitbucket.Bitbucket,
    "azuredevops": azure_devops.AzureDevOps,
}
