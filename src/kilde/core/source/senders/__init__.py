"""Who sends webhooks, one module each. A new one is a file and a line; the first that recognises the headers reads the body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kilde.core.source.push import Push
from kilde.core.source.senders import azure_devops, bitbucket, bitbucket_server, gitea, github, gitlab

Headers = Mapping[str, str]  # names in lower case


@dataclass(frozen=True, slots=True)
class Sender:
    """`event` gives the event's name, "" when the webhook is not of this sender; `verify` raises SignatureMismatch;
    `read` gives the pushes in it, none for other events, and raises msgspec's errors for a body that is not of its shape.
    """

    event: Callable[[Headers], str]
    verify: Callable[[Headers, bytes, Mapping[str, str]], bool]
    read: Callable[[str, bytes], tuple[Push, ...]]


# In this order: Gitea and its kin also send GitHub's headers, and Bitbucket's two products share one.
SENDERS = {
    "gitea": Sender(gitea.event, gitea.verify, gitea.read),
    "github": Sender(github.event, github.verify, github.read),
    "gitlab": Sender(gitlab.event, gitlab.verify, gitlab.read),
    "bitbucket": Sender(bitbucket.event, bitbucket.verify, bitbucket.read),
    "bitbucket-server": Sender(bitbucket_server.event, bitbucket_server.verify, bitbucket_server.read),
    "azure-devops": Sender(azure_devops.event, azure_devops.verify, azure_devops.read),
}
