"""The corpus that the detector is measured by: what is a leak and what is none, made anew from a seed; no credential of anybody is in it.

Bodies are random and tokens are put together when the corpus is made, so that no scanner of a forge finds any in this file. `POSITIVES` have a leak on
the line where LEAK stands for the value; the hard ones are written by hand.
"""

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM, HEX, URLSAFE = LOWER + UPPER + DIGITS, DIGITS + "abcdef", LOWER + UPPER + DIGITS + "-_"


class Case(NamedTuple):
    """`lines`: those on which a leak must be told of; empty: none must."""

    name: str
    path: str
    text: str
    lines: tuple[int, ...] = ()
    value: str = ""


def of(dice: random.Random, alphabet: str, size: int) -> str:
    return "".join(dice.choice(alphabet) for _ in range(size))


def token_makers() -> dict[str, Callable[[random.Random], str]]:
    """Name → a token of that shape with a random body."""

    def joined(*parts: str | tuple[str, int]) -> Callable[[random.Random], str]:
        return lambda dice: "".join(part if isinstance(part, str) else of(dice, *part) for part in parts)

    return {
        "aws": joined("AK", "IA", (UPPER + "234567", 16)),
        "aws-session": joined("AS", "IA", (UPPER + "234567", 16)),
        "google": joined("AI", "za", (URLSAFE, 34), (ALNUM, 1)),
        "google-oauth": joined("GOC", "SPX-", (URLSAFE, 27), (ALNUM, 1)),
        "azure-storage": joined("AccountName=store;Account", "Key=", (ALNUM + "+/", 86), "==;EndpointSuffix=core"),
        "azure-client": joined((ALNUM, 3), "8", "Q~", (ALNUM, 34)),
        "azure-bus": joined("Endpoint=sb://b.example/;Shared", "AccessKey=", (ALNUM + "+/", 43), "="),
        "digitalocean": joined("do", "p_v1_", (HEX, 64)),
        "databricks": joined("da", "pi", (HEX, 32)),
        "tailscale": joined("ts", "key-auth-", (ALNUM, 12), "CNTRL-", (ALNUM, 32)),
        "github": joined("gh", "p_", (ALNUM, 36)),
        "github-app": joined("gh", "s_", (ALNUM, 36)),
        "github-fine": joined("github", "_pat_", (ALNUM, 22), "_", (ALNUM, 59)),
        "gitlab": joined("gl", "pat-", (URLSAFE, 19), (ALNUM, 1)),
        "gitlab-runner": joined("gl", "rt-", (ALNUM, 20)),
        "gitlab-trigger": joined("gl", "ptt-", (HEX, 40)),
        "gitlab-deploy": joined("gl", "dt-", (ALNUM, 20)),
        "bitbucket": joined("AT", "BB", (ALNUM, 32)),
        "atlassian": joined("AT", "ATT3", (URLSAFE, 180), "=", (HEX, 8)),
        "npm": joined("np", "m_", (ALNUM, 36)),
        "pypi": joined("py", "pi-AgEIcHlwaS5vcmc", (URLSAFE, 120), (ALNUM, 1)),
        "rubygems": joined("ruby", "gems_", (HEX, 48)),
        "crates": joined("ci", "o", (ALNUM, 32)),
        "docker": joined("dckr", "_pat_", (URLSAFE, 26), (ALNUM, 1)),
        "slack-bot": joined("xo", "xb-", (DIGITS, 12), "-", (DIGITS, 12), "-", (ALNUM, 24)),
        "slack-user": joined("xo", "xp-", (DIGITS, 12), "-", (DIGITS, 12), "-", (DIGITS, 12), "-", (HEX, 32)),
        "slack-app": joined("xa", "pp-1-A", (UPPER + DIGITS, 10), "-", (DIGITS, 13), "-", (HEX, 64)),
        "slack-hook": joined("https://hooks.sl", "ack.com/services/T", (UPPER, 8), "/B", (UPPER, 8), "/", (ALNUM, 24)),
        "discord-hook": joined("https://disc", "ord.com/api/webhooks/", (DIGITS, 18), "/", (ALNUM, 68)),
        "discord-bot": joined("M", "T", (ALNUM, 23), ".", (ALNUM, 6), ".", (ALNUM, 38)),
        "telegram": joined("7", (DIGITS, 9), ":A", "A", (ALNUM, 33)),
        "sendgrid": joined("S", "G.", (URLSAFE, 22), ".", (URLSAFE, 42), (ALNUM, 1)),
        "mailgun": joined("ke", "y-", (HEX, 32)),
        "mailchimp": joined((HEX, 32), "-us", "14"),
        "twilio": joined("S", "K", (HEX, 32)),
        "brevo": joined("xkey", "sib-", (HEX, 64), "-", (ALNUM, 16)),
        "stripe": joined("sk", "_live_", (ALNUM, 24)),
        "stripe-restricted": joined("rk", "_live_", (ALNUM, 99)),
        "stripe-hook": joined("wh", "sec_", (ALNUM, 32)),
        "square": joined("sq0", "csp-", (ALNUM, 43)),
        "shopify": joined("shp", "at_", (HEX, 32)),
        "vault": joined("hv", "s.", (ALNUM, 90)),
        "vault-batch": joined("hv", "b.", (ALNUM, 120)),
        "terraform": joined((ALNUM, 14), ".atl", "asv1.", (ALNUM, 67)),
        "pulumi": joined("pu", "l-", (HEX, 40)),
        "doppler": joined("dp", ".pt.", (ALNUM, 43)),
        "grafana": joined("gl", "sa_", (ALNUM, 32), "_", (HEX, 8)),
        "newrelic": joined("NR", "AK-", (UPPER + DIGITS, 27)),
        "sentry": joined("sntr", "yu_", (HEX, 64)),
        "dynatrace": joined("dt0", "c01.", (UPPER + DIGITS, 24), ".", (UPPER + DIGITS, 64)),
        "postman": joined("PM", "AK-", (HEX, 24), "-", (HEX, 34)),
        "linear": joined("lin", "_api_", (ALNUM, 40)),
        "airtable": joined("pa", "t", (ALNUM, 14), ".", (HEX, 64)),
        "openai": joined("s", "k-proj-", (ALNUM, 74), "T3Blbk", "FJ", (ALNUM, 74)),
        "anthropic": joined("sk", "-ant-api03-", (URLSAFE, 93), "AA"),
        "huggingface": joined("h", "f_", (LOWER + UPPER, 34)),
        "planetscale": joined("psc", "ale_pw_", (ALNUM, 43)),
        "age": joined("AGE-SEC", "RET-KEY-1", ("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
        "jwt": _web_token,
    }


def _web_token(dice: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    head, body = (
        {"alg": "RS256", "kid": of(dice, ALNUM, 20)},
        {"sub": of(dice, LOWER, 12), "exp": dice.randrange(10**9)},
    )
    return f"{part(head)}.{part(body)}.{of(dice, URLSAFE, 86)}"


def password(dice: random.Random) -> str:
    """As people choose them, and as generators do."""
    forms = (
        lambda: of(dice, ALNUM, 16), lambda: of(dice, ALNUM + "!%^*-_", 24) + "a1", lambda: of(dice, LOWER, 7) + of(dice, DIGITS, 2),
        lambda: of(dice, LOWER, 6).capitalize() + "!" + of(dice, DIGITS, 4), lambda: of(dice, HEX, 32), lambda: of(dice, LOWER, 8),
    )  # fmt: skip
    while True:
        made = dice.choice(forms)()
        if not made.startswith(("*", "!", "%", "-", "^", "_")) and not made.isdigit():
            return made


def key(dice: random.Random) -> str:
    """What a program throws: a key, a token of no known shape."""
    forms = (lambda: of(dice, ALNUM, 32), lambda: of(dice, ALNUM, 20), lambda: of(dice, HEX, 40), lambda: of(dice, URLSAFE, 40) + "A9z",
             lambda: base64.b64encode(dice.randbytes(32)).decode(), lambda: of(dice, ALNUM, 12) + "7Qx")  # fmt: skip
    while True:
        made = dice.choice(forms)()
        if any(mark.isdigit() for mark in made) and made[0].isalnum():
            return made


def pem(dice: random.Random, kind: str, size: int = 12) -> str:
    body = "\n".join(of(dice, ALNUM + "+/", 64) for _ in range(size))
    return f"-----BEGIN {kind}-----\n{body}\n{of(dice, ALNUM, 40)}==\n-----END {kind}-----\n"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def indented(text: str, spaces: int) -> str:
    return "".join(" " * spaces + line + "\n" for line in text.rstrip("\n").split("\n"))


# {0}: the value. Each is a file in which it stands in plain text
_TOKEN_PLACES = (
    ("deploy.yaml", "kind: Deployment\napiVersion: apps/v1\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        env:\n        - name: X\n          value: {0}\n"),
    ("values.yaml", "web:\n  replicas: 2\n  upstream: '{0}'\n"),
    ("notes.md", "# How to deploy\n\nUse `{0}` until the new one comes.\n"),
    ("main.py", 'CLIENT = connect("{0}")\n'),
    ("cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  app.conf: |\n    listen 80\n    upstream {0}\n"),
    ("ci.sh", "#!/bin/sh\ncurl -s https://api.example.org/?x={0}\n"),
    ("a.json", '{{"a": {{"b": ["{0}"]}}}}\n'),
    (".env", "A=1\nB={0}\n"),
)  # fmt: skip
_PASSWORD_PLACES = (
    ("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: '{0}'\n"),
    ("env.yaml", "apiVersion: apps/v1\nkind: StatefulSet\nspec:\n  template:\n    spec:\n      containers:\n      - env:\n        - {{name: POSTGRES_PASSWORD, value: '{0}'}}\n"),
    ("values.yaml", "postgresql:\n  auth:\n    username: app\n    password: '{0}'\n"),
    ("values-production.yaml", "grafana:\n  adminUser: admin\n  adminPassword: \"{0}\"  # rotate\n"),
    ("cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  DB_PASSWORD: '{0}'\n"),
    ("cm-file.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  application.properties: |\n    server.port=8080\n    spring.datasource.password={0}\n"),
    ("kustomization.yaml", "secretGenerator:\n- name: db\n  literals:\n  - user=app\n  - password={0}\n"),
    ("kustomization.yml", "configMapGenerator:\n- name: db\n  literals: ['REDIS_PASSWORD={0}']\n"),
    (".env", "NODE_ENV=production\nDB_PASSWORD={0}\n"),
    ("prod.env", "export SMTP_PASSWORD='{0}'\n"),
    ("application.properties", "db.user=app\ndb.password={0}\n"),
    ("config.ini", "[db]\nuser = app\npassword = {0}\n"),
    ("settings.toml", "[database]\npassword = \"{0}\"\n"),
    ("terraform.tfvars", "db_password = \"{0}\"\n"),
    ("settings.py", "DATABASES = {{'default': {{'PASSWORD': '{0}'}}}}\n"),
    ("app.json", '{{"db": {{"user": "app", "password": "{0}"}}}}\n'),
    ("url.yaml", "database:\n  url: postgres://app:{0}@db.prod.svc:5432/app\n"),
    ("args.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    args: [serve, '--db-password={0}']\n"),
    ("args-pair.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    args:\n    - --redis-password\n    - '{0}'\n"),
    ("run.sh", "mysql --user=app --password={0} < dump.sql\n"),
    ("settings.xml", "<server><id>x</id><password>{0}</password></server>\n"),
    ("templates/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{{{ .Release.Name }}}}\nstringData:\n  user: {{{{ .Values.user }}}}\n  password: '{0}'\n"),
    (".netrc", "machine git.example.org login ci password {0}\n"),
)  # fmt: skip
_KEY_PLACES = (
    ("values.yaml", "app:\n  secretKey: '{0}'\n"),
    ("env.yaml", "apiVersion: batch/v1\nkind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - env:\n            - name: API_TOKEN\n              value: '{0}'\n"),
    ("cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  api-key: '{0}'\n"),
    (".env", "JWT_SECRET={0}\n"),
    ("config.py", "SECRET_KEY = '{0}'\n"),
    ("client.js", "const apiKey = \"{0}\";\n"),
    ("main.go", "\tclientSecret := \"{0}\"\n"),
    ("config.toml", "auth_token = '{0}'\n"),
    ("Dockerfile", "FROM scratch\nENV ACCESS_TOKEN={0}\n"),
    ("appsettings.json", '{{"Auth": {{"ClientSecret": "{0}"}}}}\n'),
    ("ci.yaml", "jobs:\n  deploy:\n    script:\n    - 'curl -H \"Authorization: Bearer {0}\" https://api.example.org'\n"),
    ("secrets.yaml", "secrets:\n  billing: '{0}'\n"),
    ("aws.ini", "[default]\naws_secret_access_key = {0}\n"),
    ("params.yaml", "parameters:\n- name: signingKey\n  value: '{0}'\n"),
    ("comment.yaml", "replicas: 1\n# apiToken: {0}\n"),
)  # fmt: skip


def _placed(dice: random.Random, name: str, places: tuple[tuple[str, str], ...], number: int, value: str) -> Case:
    path, template = places[number % len(places)]
    text = template.format(value)
    line = next(n for n, one in enumerate(text.split("\n"), 1) if value in one)
    lines = (line,) if "kind: Secret" not in text else tuple(range(1, text.count("\n") + 1))
    return Case(f"{name} in {path}", path, text, lines, value)


def positives(seed: int) -> Iterator[Case]:
    """At least 200, of every shape and in every place."""
    dice = random.Random(seed)
    for number, (name, make) in enumerate(token_makers().items()):
        for more in range(2):
            yield _placed(dice, name, _TOKEN_PLACES, number + 3 * more, make(dice))
    for number in range(3 * len(_PASSWORD_PLACES)):
        yield _placed(dice, "password", _PASSWORD_PLACES, number, password(dice))
    for number in range(3 * len(_KEY_PLACES)):
        yield _placed(dice, "key", _KEY_PLACES, number, key(dice))
    for kind in (
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "DSA PRIVATE KEY",
    ):
        yield Case(f"{kind} alone", "id", pem(dice, kind), (1,))
        cm = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  key.pem: |\n" + indented(
            pem(dice, kind), 4
        )
        yield Case(f"{kind} in a ConfigMap", "cm.yaml", cm, (6,))
        yield Case(f"{kind} in JSON", "a.json", json.dumps({"a": {"private_key": pem(dice, kind)}}) + "\n", (1,))
        yield Case(f"{kind} in base64", "v.yaml", f"tls:\n  k: {b64(pem(dice, kind))}\n", (2,))
    armour = pem(dice, "PGP PRIVATE KEY BLOCK").replace("-----\n", "-----\nVersion: 2\n\n", 1)
    yield Case("PGP", "key.asc", armour, (1,))
    yield from by_hand(dice)


def by_hand(dice: random.Random) -> Iterator[Case]:
    """Where a scanner of lines does not look."""
    word = password(dice)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": b64(word)}}
    yield Case("Secret in JSON", "s.json", json.dumps(secret, indent=1), tuple(range(1, 14)), word)
    yield Case("Secret on one line", "s.json", json.dumps(secret), (1,), word)
    as_list = f"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  data: {{a: b}}\n- apiVersion: v1\n  kind: Secret\n  data:\n    k: {b64(word)}\n"
    yield Case("Secret in a List", "list.yaml", as_list, (7, 8, 9, 10), word)
    second = f"apiVersion: v1\nkind: ConfigMap\ndata: {{a: b}}\n---\napiVersion: v1\nkind: Secret\nstringData:\n  k: {word}\n"
    yield Case("second document", "all.yaml", second, (5, 6, 7, 8), word)
    broken = f"a: [unclosed\n---\napiVersion: v1\nkind: Secret\nstringData:\n  k: {word}\n"
    yield Case("behind a broken document", "all.yaml", broken, (3, 4, 5, 6), word)
    applied = json.dumps(secret)
    annotation = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {applied}\n"
    yield Case("last-applied annotation", "live.yaml", annotation, (6, 7), word)
    yield Case(
        "basic auth header",
        "curl.sh",
        f'curl -H "Authorization: Basic {b64("ci:" + word)}" https://x.example.org\n',
        (1,),
        word,
    )
    yield Case("curl user", "curl.sh", f"curl -u ci:{word} https://x.example.org\n", (1,), word)
    docker = json.dumps({"auths": {"r.example.org": {"auth": b64("ci:" + word)}}})
    yield Case("docker config", "config.json", docker, (1,), word)
    yield Case(
        "docker config in a ConfigMap",
        "cm.yaml",
        f"apiVersion: v1\nkind: ConfigMap\ndata:\n  c.json: |\n    {docker}\n",
        (5,),
        word,
    )
    config = f"apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: {key(dice)}\n"
    yield Case("kubeconfig with a token", "admin.conf.yaml", config, (6,))
    config = f"apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    client-key-data: {b64(pem(dice, 'RSA PRIVATE KEY'))}\n"
    yield Case("kubeconfig with a key", "kubeconfig", config, (6,))
    config = f"apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user: {{username: a, password: '{word}'}}\n"
    yield Case("kubeconfig with a password", "k.yaml", config, (5,), word)
    yield Case(
        "generator of files", "kustomization.yaml", "secretGenerator:\n- name: db\n  files: [password.txt]\n", (3,)
    )
    yield Case(
        "generator of an env file", "kustomization.yaml", "secretGenerator:\n- name: db\n  envs: [db.env]\n", (3,)
    )
    yield Case(
        "Argo CD repository",
        "repo.yaml",
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  labels: {{argocd.argoproj.io/secret-type: repository}}\nstringData:\n  url: https://g.example.org\n  password: {word}\n",
        (1, 2, 3, 4, 5, 6, 7),
        word,
    )
    yield Case(
        "half sealed",
        "s.yaml",
        f"apiVersion: v1\nkind: Secret\nstringData:\n  a: ENC[AES256_GCM,data:{of(dice, ALNUM, 20)},iv:x,tag:y,type:str]\n  b: {word}\nsops: {{mac: 'ENC[x]'}}\n",
        (1, 2, 3, 4, 5),
        word,
    )
    token = token_makers()["github"](dice)
    yield Case("token in base64", "v.yaml", f"a: {b64('x=' + token + ' and more')}\n", (1,), token)
    yield Case(
        "Helm default",
        "templates/d.yaml",
        f'kind: Deployment\napiVersion: apps/v1\nspec:\n{{{{- if .Values.x }}}}\n  password: {{{{ .Values.password | default "{word}" }}}}\n{{{{- end }}}}\n',
        (5,),
        word,
    )
    yield Case("flow and quotes", "v.yaml", f"db: {{host: db, 'root_password': \"{word}\", port: 5432}}\n", (1,), word)
    yield Case("anchor", "v.yaml", f"password: &p '{word}'\nother: {{adminPassword: *p}}\n", (1,), word)
    patch = f"- op: replace\n  path: /spec/template/spec/dbPassword\n  value: {word}\n"
    yield Case("JSON patch", "patch.yaml", patch, (3,), word)
    inline = f"patches:\n- target: {{kind: Secret, name: db}}\n  patch: |-\n    kind: Secret\n    metadata: {{name: db}}\n    stringData:\n      k: {word}\n"
    yield Case("patch without a version", "kustomization.yaml", inline, (4, 5, 6, 7), word)
    argo = f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    helm:\n      parameters:\n      - {{name: auth.password, value: '{word}'}}\n      values: |\n        auth:\n          rootPassword: {word}\n"
    yield Case("parameters of an Application", "app.yaml", argo, (7,), word)
    yield Case("values of an Application", "app.yaml", argo, (10,), word)
    yield Case(
        "bootstrap token",
        "kubeadm.yaml",
        f"token: {of(dice, LOWER + DIGITS, 6)}.{of(dice, LOWER + DIGITS, 15)}7\n",
        (1,),
    )
    exported = {
        "format": "kilde-sealing" + "-keys/v1",
        "cost": 131072,
        "salt": key(dice),
        "nonce": key(dice),
        "ciphertext": of(dice, ALNUM, 400),
    }
    yield Case("exported sealing keys", "keys.json", json.dumps(exported, indent=1), (2,))
    yield Case("URL in code", "db.py", f'engine = create_engine("mysql+pymysql://app:{word}@db/app")\n', (1,), word)
    yield Case("amqp URL in env", "d.yaml", f"env:\n- name: BROKER\n  value: amqp://app:{word}@mq:5672/\n", (3,), word)
    yield Case(
        "script in args", "d.yaml", f"args:\n- sh\n- -c\n- |\n  export PGPASSWORD={word}\n  psql -h db\n", (5,), word
    )
    yield Case(
        "escaped JSON",
        "cm.yaml",
        f"apiVersion: v1\nkind: ConfigMap\ndata:\n  c: '{json.dumps({'db': {'password': word}})}'\n",
        (4,),
        word,
    )
    yield Case("pgpass", ".pgpass", f"db:5432:*:app:{word}\n", (1,), word)
    yield Case("password with spaces", "values.yaml", "db:\n  password: 'four random words here'\n", (2,))
    yield Case("digits only", "values.yaml", f"db:\n  password: '{of(dice, DIGITS, 12)}'\n", (2,))
    yield Case("odd name", "values.yaml", f"db:\n  pw: '{word}'\n", (2,), word)
    yield Case("unnamed", "values.yaml", f"db:\n  magic: '{key(dice)}'\n", (2,))
    yield Case(
        "connection string",
        "app.json",
        f'{{"ConnectionStrings": {{"Main": "Server=db;User Id=app;Password={word};"}}}}\n',
        (1,),
        word,
    )
    yield Case(
        "hashed beside plain",
        "users.yaml",
        f"users:\n- name: a\n  passwordHash: $2b$12${of(dice, ALNUM, 53)}\n  password: {word}\n",
        (4,),
        word,
    )
