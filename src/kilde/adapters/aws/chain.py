"""The chain that leads to keys: environment, web identity, shared files, container, machine; in the order of AWS's SDKs.

Rule: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from kilde.adapters.aws.asking import Held, ask, of_json, of_xml
from kilde.adapters.aws.places import endpoint
from kilde.adapters.aws.shared_files import DEFAULT, Profile, read_profiles
from kilde.core.basics.aws_signature import Keys, Signer
from kilde.ports.aws import AwsError

_SESSION = "kilde"
_SHORT = 5.0  # seconds for what answers on this machine
_LARGEST = 1 << 16  # bytes of a token
_CONTAINER, _MACHINE = "http://169.254.170.2", "http://169.254.169.254"
_AGENTS = ("169.254.170.2", "169.254.170.23", "fd00:ec2::23")  # of ECS and EKS, which answer over http
_UNKNOWN = {
    "credential_process": "a program that gives keys is not run",
    "sso_session": "single sign-on has nobody to sign on",
    "sso_start_url": "single sign-on has nobody to sign on",
    "mfa_serial": "nobody is there to type a code",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One look for keys. `region`: of the security token service, where the environment names none."""

    environment: Mapping[str, str]
    now: float
    region: str = ""

    async def find(self, profile: str = "") -> Held:
        """`profile` as somebody names it; the environment's own keys stand back for it, as in AWS's SDKs. AwsError."""
        env = self.environment
        access, secret = env.get("AWS_ACCESS_KEY_ID", ""), env.get("AWS_SECRET_ACCESS_KEY", "")
        if not profile and access and secret:
            return Keys(access=access, secret=secret, token=env.get("AWS_SESSION_TOKEN", "")), None
        token_file = env.get("AWS_WEB_IDENTITY_TOKEN_FILE", "")
        if not profile and token_file:
            role, session = env.get("AWS_ROLE_ARN", ""), env.get("AWS_ROLE_SESSION_NAME", "")
            return await self._by_web_identity(token_file, role, session)
        found = await self._by_profile(profile or self.profile, (), named=bool(profile))
        return found or await self._by_surroundings()

    @property
    def profile(self) -> str:
        return self.environment.get("AWS_PROFILE") or self.environment.get("AWS_DEFAULT_PROFILE") or DEFAULT

    def region_of(self, profile: str = "") -> str:
        """The region that the environment or a profile names; "" where none does."""
        env = self.environment
        own = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
        return own or read_profiles(env).get(profile or self.profile, {}).get("region", "")

    async def assume(self, held: Held, role: str, profile: Profile | None = None) -> Held:
        """The keys of a role, for whoever has `held`."""
        settings = profile or {}
        asked = {"RoleSessionName": settings.get("role_session_name") or _SESSION}
        named = {"ExternalId": "external_id", "DurationSeconds": "duration_seconds"}
        asked.update({name: settings[key] for name, key in named.items() if settings.get(key)})
        return await self._ask_sts("AssumeRole", role, asked, held[0])

    async def _by_profile(self, name: str, passed: tuple[str, ...], *, named: bool) -> Held | None:
        profile = read_profiles(self.environment).get(name)
        about = f"AWS profile {name}"
        if profile is None:
            if named or name != DEFAULT:
                raise AwsError("is in neither of the shared files", about=about)
            return None
        for key, why in _UNKNOWN.items():
            if profile.get(key):
                raise AwsError(f"{key} is not supported: {why}", about=about)
        role, source = profile.get("role_arn", ""), profile.get("source_profile", "")
        if role and source and source != name:
            if source in passed:
                raise AwsError("the profiles name each other as their source", about=about)
            base = await self._by_profile(source, (*passed, name), named=True)
            return await self.assume(base or await self._by_surroundings(), role, profile)
        if profile.get("aws_access_key_id") and profile.get("aws_secret_access_key") and (not role or source):
            keys = Keys(
                access=profile["aws_access_key_id"],
                secret=profile["aws_secret_access_key"],
                token=profile.get("aws_session_token", ""),
            )
            return await self.assume((keys, None), role, profile) if role else (keys, None)
        if role and profile.get("web_identity_token_file"):
            return await self._by_web_identity(
                profile["web_identity_token_file"], role, profile.get("role_session_name", "")
            )
        if role:
            return await self.assume(await self._by_source(profile.get("credential_source", ""), about), role, profile)
        return None

    async def _by_source(self, source: str, about: str) -> Held:
        match source:
            case "Environment":
                env = self.environment
                access, secret = env.get("AWS_ACCESS_KEY_ID", ""), env.get("AWS_SECRET_ACCESS_KEY", "")
                if not access or not secret:
                    raise AwsError("the environment has no keys", about=about)
                return Keys(access=access, secret=secret, token=env.get("AWS_SESSION_TOKEN", "")), None
            case "EcsContainer":
                return await self._by_container()
            case "Ec2InstanceMetadata":
                return await self._by_machine()
        raise AwsError("its role has neither a source_profile nor a credential_source", about=about)

    async def _by_surroundings(self) -> Held:
        env = self.environment
        named = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
        return await (self._by_container() if any(env.get(key) for key in named) else self._by_machine())

    async def _by_container(self) -> Held:
        env, about = self.environment, "the container's credentials"
        relative = env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")
        url = _CONTAINER + relative if relative else env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
        if not relative and not _may_be_asked(url):
            raise AwsError("are at no address that may be asked: https, this machine or AWS's agents", about=about)
        token = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        path = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")
        token = _token(path) if path else token
        headers = {"Authorization": token} if token else {}
        return of_json(await ask(url, about=about, headers=headers, patience=_SHORT), about)

    async def _by_machine(self) -> Held:
        about = "the machine's metadata"
        if self.environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            raise AwsError("there are no credentials of AWS", hint="name some as for AWS's own programs")
        root = (self.environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _MACHINE).rstrip("/") + "/latest"
        life = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
        try:
            token = await ask(f"{root}/api/token", about=about, method="PUT", headers=life, patience=_SHORT)
        except AwsError as error:
            hint = "there are no credentials of AWS: name some as for AWS's own programs"
            raise AwsError(error.what, about=about, hint=hint) from None
        proof, where = {"X-aws-ec2-metadata-token": token.strip()}, f"{root}/meta-data/iam/security-credentials/"
        role = (await ask(where, about=about, headers=proof, patience=_SHORT)).partition("\n")[0].strip()
        if not role or "/" in role:
            raise AwsError("the machine has no role", about=about)
        return of_json(await ask(where + role, about=about, headers=proof, patience=_SHORT), about)

    async def _by_web_identity(self, path: str, role: str, session: str) -> Held:
        if not role:
            raise AwsError("there is a web identity and no role", about=path, hint="set AWS_ROLE_ARN")
        asked = {"RoleSessionName": session or _SESSION, "WebIdentityToken": _token(path)}
        return await self._ask_sts("AssumeRoleWithWebIdentity", role, asked, None)

    async def _ask_sts(self, action: str, role: str, asked: Mapping[str, str], keys: Keys | None) -> Held:
        region = self.region_of() or self.region
        url = f"{endpoint('sts', region, self.environment)}/"
        body = urlencode({"Action": action, "Version": "2011-06-15", "RoleArn": role, **asked}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if keys is not None:
            signer = Signer(keys=keys, region=region, service="sts")
            headers = signer.headers(self.now, method="POST", url=url, headers=headers, body=body)
        about = f"{action} of {role[:200]}"
        return of_xml(await ask(url, about=about, method="POST", headers=headers, body=body, proxies=True), about)


def _may_be_asked(url: str) -> bool:
    """As AWS's SDKs: what gives out keys over http is on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme != "http" or not host:
        return parts.scheme == "https" and bool(host)
    try:
        return host in _AGENTS or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            text = file.read(_LARGEST).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise AwsError(f"the token file cannot be read: {reason}", about=path) from None
    if not text.isprintable():
        raise AwsError("the token file holds more than one line", about=path)
    return text
