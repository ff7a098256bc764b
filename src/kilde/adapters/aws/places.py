"""Where AWS's services are."""

import re
from collections.abc import Mapping

from kilde.ports.aws import AwsError

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z0-9]{1,12}){1,4}")
_DOMAINS = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
_SERVICES = {"tagging": "RESOURCE_GROUPS_TAGGING_API"}  # as the environment spells them where that differs


def endpoint(service: str, region: str, environment: Mapping[str, str]) -> str:
    """A service's address in a region, or the one that the environment names instead (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_…`)."""
    if not _REGION.fullmatch(region):
        raise AwsError(
            "no region is named" if not region else "this is no region", about=region[:60], hint="set AWS_REGION"
        )
    named = environment.get(f"AWS_ENDPOINT_URL_{_SERVICES.get(service, service.upper())}")
    named = named or environment.get("AWS_ENDPOINT_URL")
    if named:
        return named.rstrip("/")
    domain = next((domain for begin, domain in _DOMAINS.items() if region.startswith(begin)), "amazonaws.com")
    return f"https://{service}.{region}.{domain}"
