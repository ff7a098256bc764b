"""Cluster Secrets → Access: how the clusters that Argo CD's Secrets name are entered."""

import base64
from collections.abc import Collection
from dataclasses import replace

from kilde.adapters.cluster.access import Access, Credential, CredentialSource, Fixed
from kilde.adapters.cluster.aws_token import AwsToken
from kilde.adapters.cluster.exec_plugin import VERSIONS, ExecPlugin, ExecSettings
from kilde.core.apps.cluster_secrets import ClusterConfig, Program
from kilde.core.apps.clusters import IN_CLUSTER
from kilde.core.basics.errors import InvalidInput
from kilde.ports.aws import Aws
from kilde.ports.clock import Clock

ANY = "*"


def access_of(config: ClusterConfig, home: Access, clock: Clock, *, aws: Aws, programs: Collection[str] = ()) -> Access:
    """`home`: of the cluster that the Secret is in; a Secret about that one changes who we are there, and nothing else.

    `programs`: credential plugins that may be run (ANY: whichever a Secret names). InvalidInput for one that may not. `aws` vouches for us
    at clusters that ask AWS who we are.
    """
    if config.server == IN_CLUSTER:
        return replace(home, credentials=_credentials(config, clock, aws, programs), headers=())
    return Access(
        server=config.server,
        ca=config.ca,
        insecure=config.insecure,
        tls_server_name=config.tls_server_name,
        proxy_url=config.proxy_url,
        credentials=_credentials(config, clock, aws, programs),
    )


def _credentials(config: ClusterConfig, clock: Clock, aws: Aws, programs: Collection[str]) -> CredentialSource:
    if config.aws is not None:
        return AwsToken(config.aws, aws, clock)
    if config.program is not None:
        return ExecPlugin(_permitted(config.program, programs), clock)
    authorization = f"Bearer {config.token}" if config.token else ""
    if not config.token and config.username:
        pair = f"{config.username}:{config.password}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Fixed(Credential(authorization, config.certificate, config.key))


def _permitted(program: Program, programs: Collection[str]) -> ExecSettings:
    """Whoever may write Secrets would else run programs as us."""
    if program.command not in programs and ANY not in programs:
        hint = f"start the controller with --cluster-exec {program.command}"
        raise InvalidInput(f"its credential plugin {program.command} is not one that may be run", hint=hint)
    version = program.api_version or VERSIONS[1]
    if version not in VERSIONS:
        raise InvalidInput(f"exec apiVersion '{version}' is not one of {', '.join(VERSIONS)}")
    return ExecSettings(
        command=program.command,
        args=program.args,
        env=program.env,
        api_version=version,
        install_hint=program.install_hint,
        foreign=True,
    )
