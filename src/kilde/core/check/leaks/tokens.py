"""Tokens whose shape tells whose they are: one row each, a literal that must be there and the pattern around it.

The shapes are facts from their issuers' documentation. Every pattern begins at a literal and is bounded, so a search costs the
length of the text, whatever is in it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from kilde.core.check.leaks.leak import Sighting, length_of

_EXAMPLE = re.compile(
    r"EXAMPLE|(?i:x{6}|dummy|placeholder|redacted|sample|your[-_]?(?:token|key|api))|0{12}|1234567890(?![0-9])|(\w)\1{7}"
)


class Shape(NamedTuple):
    """`kind` is what a person calls it; any of `literals` must be in the text before `pattern` is tried."""

    kind: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    shown: str  # the constant part of it


def _shape(kind: str, literals: str, pattern: str, shown: str = "", *, before: str = r"(?<![A-Za-z0-9_])") -> Shape:
    words = tuple(literals.split())
    whole = re.compile(before + pattern + r"(?![A-Za-z0-9_])")
    return Shape(kind, words, whole, shown or words[0])


_SHAPES = (
    # clouds
    _shape("AWS access key", "AKIA ASIA ABIA ACCA", r"A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}", "AKIA"),
    _shape("Google API key", "AIza", r"AIza[0-9A-Za-z_\-]{35}"),
    _shape("Google OAuth client secret", "GOCSPX-", r"GOCSPX-[0-9A-Za-z_\-]{28}"),
    _shape("Google OAuth token", "ya29.", r"ya29\.[0-9A-Za-z_\-]{30,400}"),
    _shape("Azure storage key", "AccountKey=", r"AccountKey=[0-9A-Za-z+/]{86}==", before=""),
    _shape("Azure shared access key", "SharedAccessKey=", r"SharedAccessKey=[0-9A-Za-z+/]{42,43}={1,2}", before=""),
    _shape("Azure client secret", "Q~", r"[0-9A-Za-z_~.\-]{3}[0-9]Q~[0-9A-Za-z_~.\-]{31,34}"),
    _shape("Azure SAS signature", "sig=", r"sig=[0-9A-Za-z%]{43,63}%3D", before=r"(?<=[?&])"),
    _shape("Alibaba Cloud access key", "LTAI", r"LTAI[0-9A-Za-z]{17,21}"),
    _shape("Tencent Cloud secret id", "AKID", r"AKID[0-9A-Za-z]{32}"),
    _shape("DigitalOcean token", "_v1_", r"do[opr]_v1_[0-9a-f]{64}", "dop_v1_"),
    _shape("Scaleway access key", "SCW", r"SCW[0-9A-Z]{17}"),
    _shape("Heroku API key", "HRKU-", r"HRKU-[0-9A-Za-z_\-]{36,80}"),
    _shape("Fly.io token", "fm1r_ fm2_ fo1_", r"(?:fm1r_|fm2_|fo1_)[0-9A-Za-z+/=_\-]{40,600}", "fm2_"),
    _shape("Cloudflare origin CA key", "v1.0-", r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}"),
    _shape("PlanetScale credential", "pscale_", r"pscale_(?:pw|tkn|oauth)_[0-9A-Za-z_.\-]{32,64}"),
    _shape("Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-[0-9])?"),
    _shape("Tailscale key", "tskey-", r"tskey-(?:auth|api|client|webhook|scim)-[0-9A-Za-z]{8,24}-[0-9A-Za-z]{16,40}"),
    # forges and builds
    _shape("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[0-9A-Za-z]{36,251}", "ghp_"),
    _shape("GitHub fine-grained token", "github_pat_", r"github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}"),
    _shape(
        "GitLab token",
        "glpat- gldt- glft- glsoat- glrt- glrtr- glcbt- glptt- glimt- glagent- gloas- glffct-",
        r"gl(?:pat|dt|ft|soat|rt|rtr|cbt|ptt|imt|agent|oas|ffct)-[0-9A-Za-z_\-.]{20,300}",
        "glpat-",
    ),
    _shape("GitLab runner registration token", "GR1348941", r"GR1348941[0-9A-Za-z_\-]{20,50}"),
    _shape("Bitbucket app password", "ATBB", r"ATBB[0-9A-Za-z]{32}"),
    _shape("Atlassian token", "ATATT3 ATCTT3", r"AT[AC]TT3[0-9A-Za-z_\-=]{60,260}", "ATATT3"),
    _shape("CircleCI token", "CCIPAT_ CCIPRJ_", r"CCI(?:PAT|PRJ)_[0-9A-Za-z]{20,24}_[0-9a-f]{40}", "CCIPAT_"),
    _shape("Buildkite token", "bkua_", r"bkua_[0-9a-f]{40}"),
    _shape("Sourcegraph token", "sgp_", r"sgp_(?:[0-9a-f]{16}_)?[0-9a-f]{40}"),
    _shape("npm token", "npm_", r"npm_[0-9A-Za-z]{36}"),
    _shape("PyPI token", "pypi-Ag", r"pypi-Ag(?:EIcHlwaS5vcmc|ENdGVzdC5weXBpLm9yZw)[0-9A-Za-z_\-]{40,300}"),
    _shape("RubyGems key", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _shape("crates.io token", "cio", r"cio[0-9A-Za-z]{32}"),
    _shape("NuGet key", "oy2", r"oy2[0-9a-z]{43}"),
    _shape("Docker Hub token", "dckr_pat_ dckr_oat_", r"dckr_[po]at_[0-9A-Za-z_\-]{27,40}", "dckr_pat_"),
    # chat and mail
    _shape("Slack token", "xox", r"xox[abeoprs](?:\.xox[bp])?-[0-9A-Za-z\-]{20,250}", "xox.-"),
    _shape("Slack app token", "xapp-", r"xapp-[0-9]-[0-9A-Z]{9,13}-[0-9]{10,14}-[0-9a-f]{64}"),
    _shape("Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows|triggers)/[0-9A-Za-z+/]{30,120}", before=""),
    _shape("Discord webhook", "/api/webhooks/", r"/api/webhooks/[0-9]{15,20}/[0-9A-Za-z_\-]{60,72}", before=""),
    _shape("Discord bot token", ".", r"[MNO][0-9A-Za-z_\-]{23,25}\.[0-9A-Za-z_\-]{6}\.[0-9A-Za-z_\-]{27,38}", "a bot token"),
    _shape("Teams webhook", "/IncomingWebhook/", r"/webhookb2/[0-9a-f@\-]{36,80}/IncomingWebhook/[0-9a-f]{32}", "/webhookb2/", before=""),
    _shape("Telegram bot token", ":AA", r"[0-9]{8,10}:AA[0-9A-Za-z_\-]{33}"),
    _shape("SendGrid key", "SG.", r"SG\.[0-9A-Za-z_\-]{22}\.[0-9A-Za-z_\-]{43}"),
    _shape("Mailgun key", "key-", r"key-[0-9a-f]{32}"),
    _shape("Mailchimp key", "-us", r"[0-9a-f]{32}-us[0-9]{1,2}"),
    _shape("Brevo key", "xkeysib-", r"xkeysib-[0-9a-f]{64}-[0-9A-Za-z]{16}"),
    _shape("Twilio key", "SK", r"SK[0-9a-f]{32}"),
    # payment and shops
    _shape("Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_ sk_org_", r"[sr]k_(?:live|test|org)_[0-9A-Za-z]{16,247}", "sk_live_"),
    _shape("Stripe webhook secret", "whsec_", r"whsec_[0-9A-Za-z+/=]{32,64}"),
    _shape("Square token", "sq0csp- sq0atp-", r"sq0(?:csp-[0-9A-Za-z_\-]{43}|atp-[0-9A-Za-z_\-]{22})", "sq0csp-"),
    _shape("Square access token", "EAAA", r"EAAA[0-9A-Za-z_\-]{60}"),
    _shape("Braintree token", "access_token$", r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}", "access_token$…"),
    _shape("Shopify token", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", "shpat_"),
    _shape("Adyen key", "AQE", r"AQE[0-9A-Za-z+/=]{10,30}-[0-9A-Za-z+/=]{40,60}-[^\s\"']{8,20}"),
    # programs and services
    _shape("Vault token", "hvs. hvb. hvr.", r"hv[sbr]\.[0-9A-Za-z_\-]{24,300}", "hvs."),
    _shape("Terraform Cloud token", ".atlasv1.", r"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_\-]{60,80}"),
    _shape("Pulumi token", "pul-", r"pul-[0-9a-f]{40}"),
    _shape("Doppler token", "dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[0-9a-z_\-]{2,40}\.)?[0-9A-Za-z]{40,44}"),
    _shape("1Password service token", "ops_ey", r"ops_ey[0-9A-Za-z_\-=]{100,2000}"),
    _shape("Grafana token", "glsa_ glc_", r"gl(?:sa_[0-9A-Za-z]{32}_[0-9a-f]{8}|c_[0-9A-Za-z+/=]{32,400})", "glsa_"),
    _shape("New Relic key", "NRAK- NRII- NRJS- NRRA-", r"NR(?:AK-[0-9A-Z]{27}|II-[0-9A-Za-z\-]{32}|RA-[0-9a-f]{42})", "NRAK-"),
    _shape("Sentry token", "sntrys_ sntryu_", r"sntry(?:u_[0-9a-f]{64}|s_[0-9A-Za-z+/=_]{60,400})", "sntrys_"),
    _shape("Dynatrace token", "dt0", r"dt0[a-z][0-9]{2}\.[0-9A-Z]{24}\.[0-9A-Z]{64}", "dt0c01."),
    _shape("Postman key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _shape("Linear key", "lin_api_ lin_oauth_", r"lin_(?:api|oauth)_[0-9A-Za-z]{40,64}", "lin_api_"),
    _shape("Notion token", "ntn_", r"ntn_[0-9]{11}[0-9A-Za-z]{35}"),
    _shape("Figma token", "figd_", r"figd_[0-9A-Za-z_\-]{40,44}"),
    _shape("Airtable token", "pat", r"pat[0-9A-Za-z]{14}\.[0-9a-f]{64}"),
    _shape("Artifactory key", "AKCp", r"AKCp[0-9A-Za-z]{60,73}"),
    _shape("OpenAI key", "T3BlbkFJ", r"sk-[0-9A-Za-z_\-]{0,90}[0-9A-Za-z_\-]{20}T3BlbkFJ[0-9A-Za-z_\-]{20,80}", "sk-"),
    _shape("Anthropic key", "sk-ant-", r"sk-ant-(?:api|admin|oat|sid)[0-9]{2}-[0-9A-Za-z_\-]{80,120}"),
    _shape("Hugging Face token", "hf_", r"hf_[0-9A-Za-z]{34}"),
    _shape("Groq key", "gsk_", r"gsk_[0-9A-Za-z]{52}"),
    _shape("Replicate token", "r8_", r"r8_[0-9A-Za-z]{37}"),
    # keys
    _shape("age identity", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}"),
    _shape("age identity (post-quantum)", "AGE-SECRET-KEY-PQ-", r"AGE-SECRET-KEY-PQ-1[02-9AC-HJ-NP-Z]{58,120}"),
)  # fmt: skip
_JWT = re.compile(
    r"(?<![A-Za-z0-9_\-])eyJ[0-9A-Za-z_\-]{10,4000}\.eyJ[0-9A-Za-z_\-]{10,8000}\.[0-9A-Za-z_\-]{16,1400}(?![A-Za-z0-9_])"
)
_RANK = 5


def find_tokens(text: str, line: int = 1) -> Iterator[Sighting]:
    """Every token of the text, whose first line is that one."""
    found: list[tuple[int, str, str, str]] = []
    for shape in _SHAPES:
        if any(literal in text for literal in shape.literals):
            found += [(one.start(), one.group(), shape.kind, shape.shown) for one in shape.pattern.finditer(text)]
    if "eyJ" in text:
        found += [(at, value, "JSON web token", "eyJ") for at, value in _web_tokens(text)]
    if not found:
        return
    starts = LineStarts(text)
    for at, value, kind, shown in found:
        if not _EXAMPLE.search(value):
            row, column = starts.of(at)
            hint = f"{shown}… ({length_of(value)})"
            yield Sighting(line + row, column + 1, "token", kind, hint, value, _RANK)


def _web_tokens(text: str) -> Iterator[tuple[int, str]]:
    """A pattern that begins everywhere would cost its length each time: a look begins where no earlier one has been."""
    at = text.find("eyJ")
    while at >= 0:
        one = _JWT.match(text, at)
        if one:
            yield at, one.group()
        end = one.end() if one else at + 3
        while one is None and end < len(text) and (text[end].isalnum() or text[end] in "_-"):
            end += 1
        at = text.find("eyJ", end)


class LineStarts:
    """Where the lines of a text begin."""

    def __init__(self, text: str) -> None:
        from bisect import bisect_right

        self._bisect = bisect_right
        self._starts = [0, *(one.end() for one in re.finditer("\n", text))]

    def of(self, at: int) -> tuple[int, int]:
        """Line and column of an offset, from 0."""
        row = self._bisect(self._starts, at) - 1
        return row, at - self._starts[row]
