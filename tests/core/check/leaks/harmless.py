"""The other half of the corpus: files that look like leaks and are none, with random bodies; and the hard ones, by hand."""

import random
from collections.abc import Iterator

from core.check.leaks.corpus import ALNUM, DIGITS, HEX, LOWER, URLSAFE, Case, b64, indented, of, pem

_PLACEHOLDERS = (
    "changeme", "CHANGEME", "change-me", "changeit", "<password>", "<your-token-here>", "${DB_PASSWORD}", "$(DB_PASSWORD)", "$DB_PASSWORD", "{{ .Values.password }}", "%PASSWORD%",
    "__PASSWORD__", "********", "xxxxxxxx", "password", "secret", "REPLACE_ME", "replace-with-real-token", "your-api-key", "your_secret_here", "example", "example-token", "dummy", "test",
    "placeholder", "redacted", "[REDACTED]", "TODO", "null", "none", "true", "''", "vault:secret/data/db#password", "ref+vault://secret/db#/password", "op://vault/item/field",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db", "/run/secrets/db-password", "file:/etc/secret", "env:DB_PASSWORD", "ENC[AES256_GCM,data:aGVsbG8=,iv:aaaa,tag:bbbb,type:str]",
    "my-secret", "mysecret", "some-token", "INSERT-TOKEN", "to-be-set", "@@TOKEN@@", "${secrets.token}", "${{ secrets.TOKEN }}", "AKIAIOSFODNN7EXAMPLE",
)  # fmt: skip
_ABOUT = (
    ("secretName", "db-credentials"), ("existingSecret", "postgres-auth-v2"), ("imagePullSecret", "registry-creds"), ("passwordKey", "admin-password"), ("tokenTTL", "3600s"),
    ("tokenExpirationSeconds", "86400"), ("passwordPolicy", "min8-upper1-digit1"), ("secretRef", "db-7f9c4d"), ("secretKeyRef", "db"), ("passwordFile", "/etc/db/pw2024"),
    ("tokenPath", "/var/run/secrets/token"), ("credentialsId", "jenkins-deploy-01"), ("authType", "oauth2-pkce"), ("tokenUrl", "https://id.example.org/oauth2/v1/token"),
    ("secretStoreRef", "vault-backend-2"), ("clientId", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"), ("keyVaultName", "kv-prod-weu-01"), ("passwordLength", "32"), ("maxTokens", "4096"),
    ("tokenIssuer", "https://issuer.example.org"), ("primaryKey", "order_id2"), ("partitionKey", "tenant01"), ("sortKey", "createdAt2"), ("publicKey", "A1b2C3d4E5f6G7h8"),
    ("secretNamespace", "team-a1"), ("automountServiceAccountToken", "false"), ("passwordHash", "5f4dcc3b5aa765d61d8327deb882cf99"), ("keyAlgorithm", "ECDSA-P256"), ("authMode", "scram-sha-256"),
    ("tokenReviewer", "kube-system"), ("apiKeyHeader", "X-Api-Key-V2"), ("secretVersion", "v3.2.1"), ("rotateToken", "30d"), ("passwordMinLength", "12"), ("tokenizer", "cl100k_base"),
    ("secretProviderClass", "azure-kv-01"), ("existingPasswordSecret", "pw-store1"), ("tlsSecret", "wildcard-tls-2024"), ("oauthScopes", "read:user,repo2"), ("bearerTokenFile", "/var/run/token1"),
)  # fmt: skip
_NAMES = ("password", "db_password", "ADMIN_PASSWORD", "apiKey", "api_token", "clientSecret", "secret_key", "authToken")
_FORMS = (("values.yaml", "app:\n  {0}: {1}\n"), (".env", "{0}={1}\n"), ("app.properties", "app.{0}={1}\n"), ("config.toml", '{0} = "{1}"\n'),
          ("env.yaml", "env:\n- name: {0}\n  value: '{1}'\n"), ("main.py", '{0} = "{1}"\n'), ("cm.yaml", "apiVersion: v1\nkind: ConfigMap\ndata:\n  {0}: '{1}'\n"))  # fmt: skip
_LINES = (
    "password = getpass.getpass()", 'token = os.environ["API_TOKEN"]', "secret := os.Getenv(\"DB_SECRET\")", "const token = process.env.GITHUB_TOKEN;", "if password == expected_password:",
    "def login(user: str, password: str, token: str | None = None) -> Session:", "self.password = password", "api_key = config.get('api_key')", "return hmac.new(secret_key, body, sha256)",
    'raise ValueError("password: must be at least 12 characters")', "private String password;", 'flags.StringVar(&token, "token", "", "token to authenticate with")', "password: str = Field(min_length=8)",
    "token, err := client.Token(ctx)", "auth_token = auth_client.fetch_token2(scope)", "Authorization: Bearer $TOKEN", 'headers = {"Authorization": f"Bearer {token}"}', "echo \"password: $PASSWORD\"",
    "curl -u \"$USER:$PASSWORD\" https://example.org", "--from-literal=password=$(openssl rand -hex 16)", "kubectl create secret generic db --from-file=password=./pw.txt", "docker login -u ci --password-stdin",
    "The token is sent in a header; the password never is.", "password: the password of the database user, at least twelve characters", "See [tokens](docs/tokens.md#secret-key) for more.",
    "git clone https://git.example.org/team/repo.git", "git@git.example.org:team/repo.git", "postgres://app:${DB_PASSWORD}@db:5432/app", "redis://localhost:6379/0", "https://user@git.example.org/x.git",
    "amqp://guest:guest@localhost:5672/", "postgresql://user:password@host/db", "http://proxy.example.org:3128", "mongodb+srv://<user>:<password>@cluster.example.org", "import secrets, tokenize",
    "from secrets import token_hex", "class TokenBucket(Limiter): key = 'per_second'", "- apiGroups: ['']\n  resources: [secrets]\n  verbs: [get, list]", "keyUsage: [digitalSignature, keyEncipherment]",
    "private_key_path = \"~/.ssh/id_ed25519\"", "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----", "grep -r 'BEGIN PRIVATE KEY' .", "tokens_per_second: 1500.5", "pass: false", "passed: 12, failed: 0",
    "secret: {{ .Values.existingSecret | default (printf \"%s-auth\" .Release.Name) }}", "password: {{ required \"a password is needed\" .Values.auth.password | quote }}", "token: !vault |", "author: Jan Hansen <jan@example.org>",
    "authority: https://login.example.org/v2.0", "monkey: banana42xyz", "keyboard_layout: nb_NO", "compass: N42W13", "bypass: rule-0042", "signing_alg: RS256", "jwt_alg = 'HS512'", "passphrase = input()",
)  # fmt: skip


def negatives(seed: int) -> Iterator[Case]:
    """At least 1,000."""
    dice = random.Random(seed)
    for name in _NAMES:
        for number, value in enumerate(_PLACEHOLDERS):
            path, form = _FORMS[(number + len(name)) % len(_FORMS)]
            yield Case(
                f"{name}={value}",
                path,
                form.format(
                    name, value if "{{" not in value or ".yaml" not in path else f'"{value}"'.replace("'\"", "'")
                ),
            )
    for number, (name, value) in enumerate(_ABOUT):
        for more in range(4):
            path, form = _FORMS[(number + more) % len(_FORMS)]
            yield Case(f"{name}={value}", path, form.format(name, value))
    for number, line in enumerate(_LINES):
        for path in ("main.py", "README.md", "run.txt")[: 2 + number % 2]:
            yield Case(line[:40], path, f"# about\n{line}\nend\n")
    for number in range(12):
        yield from _generated(dice, number)
    yield from _by_hand(dice)


def _generated(dice: random.Random, number: int) -> Iterator[Case]:
    sealed = b64("".join(of(dice, ALNUM, 400)))
    meta = f"metadata: {{name: s{number}, namespace: a}}\n"
    yield Case(
        "SealedSecret",
        "s.yaml",
        f"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n{meta}spec:\n  encryptedData:\n    password: Ag{sealed}\n    token: Ag{sealed[:300]}\n  template: {{type: Opaque}}\n",
    )
    enc = f"ENC[AES256_GCM,data:{of(dice, ALNUM, 24)}=,iv:{of(dice, ALNUM, 43)}=,tag:{of(dice, ALNUM, 22)}==,type:str]"
    sops = f"sops:\n  age:\n  - recipient: age1{of(dice, LOWER + DIGITS, 58)}\n    enc: |\n      -----BEGIN AGE ENCRYPTED FILE-----\n{indented(of(dice, ALNUM, 64), 6)}      -----END AGE ENCRYPTED FILE-----\n  mac: {enc}\n"
    yield Case(
        "SOPS Secret",
        "s.yaml",
        f"apiVersion: v1\nkind: Secret\n{meta}stringData:\n  password: {enc}\n  key: {enc}\n{sops}",
    )
    yield Case("SOPS values", "values.yaml", f"db:\n  password: {enc}\n{sops}")
    yield Case("SOPS dotenv", "a.env", f"DB_PASSWORD={enc}\nsops_mac={enc}\n")
    yield Case(
        "ExternalSecret",
        "e.yaml",
        f"apiVersion: external-secrets.io/v1\nkind: ExternalSecret\n{meta}spec:\n  secretStoreRef: {{name: vault-{number}}}\n  data:\n  - secretKey: password\n    remoteRef: {{key: prod/db{number}x7, property: pw9-{of(dice, LOWER, 4)}}}\n",
    )
    yield Case(
        "VaultStaticSecret",
        "v.yaml",
        f"apiVersion: secrets.hashicorp.com/v1beta1\nkind: VaultStaticSecret\n{meta}spec: {{path: kv{number}/db, mount: kv, destination: {{name: db, create: true}}}}\n",
    )
    yield Case(
        "SecretProviderClass",
        "p.yaml",
        f"apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\n{meta}spec:\n  provider: azure\n  parameters:\n    keyvaultName: kv-{of(dice, LOWER, 6)}\n    tenantId: {_uuid(dice)}\n",
    )
    yield Case(
        "token Secret", "t.yaml", f"apiVersion: v1\nkind: Secret\n{meta}type: kubernetes.io/service-account-token\n"
    )
    yield Case(
        "Secret of nothing", "n.yaml", f"apiVersion: v1\nkind: Secret\n{meta}data: {{}}\nstringData: {{password: ''}}\n"
    )
    yield Case(
        "Secret of placeholders",
        "p.yaml",
        f"apiVersion: v1\nkind: Secret\n{meta}stringData:\n  password: ${{PASSWORD}}\n  user: <user>\n  token: changeme\ndata:\n  k: {b64('changeme')}\n",
    )
    yield Case(
        "Secret of a chart",
        "templates/s.yaml",
        f'apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{{{ include "a.name" . }}}}\ndata:\n  password: {{{{ .Values.password{number} | b64enc | quote }}}}\n  {{{{- range $k, $v := .Values.more }}}}\n  {{{{ $k }}}}: {{{{ $v | b64enc }}}}\n  {{{{- end }}}}\n',
    )
    yield Case(
        "certificate Secret",
        "c.yaml",
        f"apiVersion: v1\nkind: Secret\n{meta}data:\n  ca.crt: {b64(pem(dice, 'CERTIFICATE'))}\n",
    )
    yield Case("certificate", "ca.pem", pem(dice, "CERTIFICATE", 20))
    yield Case("public key", "k.pub", pem(dice, "PUBLIC KEY", 6))
    yield Case(
        "certificate in a ConfigMap",
        "cm.yaml",
        f"apiVersion: v1\nkind: ConfigMap\n{meta}data:\n  ca.crt: |\n{indented(pem(dice, 'CERTIFICATE'), 4)}",
    )
    yield Case("caBundle", "w.yaml", f"webhooks:\n- clientConfig:\n    caBundle: {b64(pem(dice, 'CERTIFICATE'))}\n")
    yield Case(
        "kubeconfig without",
        "kubeconfig",
        f"apiVersion: v1\nkind: Config\nclusters:\n- cluster: {{certificate-authority-data: {b64(pem(dice, 'CERTIFICATE'))}, server: 'https://x.example.org'}}\nusers:\n- name: a\n  user:\n    exec: {{command: aws, args: [eks, get-token, --cluster-name, c{number}]}}\n",
    )
    yield Case("ssh public key", "authorized_keys", f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{of(dice, ALNUM, 43)} a@b\n")
    yield Case(
        "known hosts",
        "known_hosts.yaml",
        f"data:\n  ssh_known_hosts: |\n    git.example.org ssh-rsa AAAAB3NzaC1yc2E{of(dice, ALNUM, 340)}\n",
    )
    yield Case(
        "age recipient",
        ".sops.yaml",
        f"creation_rules:\n- path_regex: secrets/.*\n  encrypted_regex: ^(data|stringData)$\n  age: age1{of(dice, LOWER + DIGITS, 58)}\n",
    )
    yield Case(
        "image digest", "d.yaml", f"image: registry.example.org/team/app:1.2.{number}@sha256:{of(dice, HEX, 64)}\n"
    )
    yield Case(
        "checksums",
        "d.yaml",
        f"metadata:\n  annotations:\n    checksum/secret: {of(dice, HEX, 64)}\n    checksum/config: {of(dice, HEX, 64)}\n    deployment.kubernetes.io/revision: '3'\n",
    )
    yield Case(
        "lock file",
        "package-lock.json",
        f'{{"node_modules/tokenize": {{"version": "1.{number}.0", "integrity": "sha512-{of(dice, ALNUM + "+/", 86)}=="}}}}\n',
    )
    yield Case("go.sum", "go.sum", f"example.org/secret-sync v1.2.{number} h1:{of(dice, ALNUM + '+/', 43)}=\n")
    yield Case(
        "revision",
        "a.yaml",
        f"spec:\n  source: {{targetRevision: {of(dice, HEX, 40)}, repoURL: 'https://git.example.org/x'}}\n",
    )
    yield Case("UUIDs", "a.yaml", f"tenantId: {_uuid(dice)}\nsubscription: {_uuid(dice)}\nclient_id: {_uuid(dice)}\n")
    yield Case(
        "image",
        "cm.yaml",
        f"apiVersion: v1\nkind: ConfigMap\n{meta}binaryData:\n  logo.png: iVBORw0KGgo{of(dice, ALNUM + '+/', 400)}=\n",
    )
    yield Case(
        "data URL",
        "index.html",
        f'<img alt="token" src="data:image/png;base64,iVBORw0KGgo{of(dice, ALNUM, 300)}=="/>\n',
    )
    yield Case(
        "random beside nothing",
        "a.yaml",
        f"etag: {of(dice, ALNUM, 32)}\nrequestId: {of(dice, URLSAFE, 20)}x\nnonceHash: {of(dice, HEX, 40)}\n",
    )
    yield Case(
        "references",
        "d.yaml",
        f"env:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: {{name: db-{of(dice, LOWER + DIGITS, 10)}, key: password}}\nenvFrom:\n- secretRef: {{name: app-{of(dice, LOWER + DIGITS, 5)}}}\n",
    )
    yield Case(
        "hashes of passwords",
        "users.yaml",
        f"users:\n- name: a\n  password: $2y$10${of(dice, ALNUM, 53)}\n- name: b\n  password: '{{SSHA}}{of(dice, ALNUM, 32)}'\n",
    )
    yield Case("htpasswd", ".htpasswd", f"admin:$apr1${of(dice, ALNUM, 8)}${of(dice, ALNUM, 22)}\n")
    yield Case(
        "pod names",
        "p.yaml",
        f"secretPod: db-{of(dice, HEX, 10)}-{of(dice, LOWER + DIGITS, 5)}\nhost: ip-10-0-{number}-7.internal\n",
    )
    yield Case(
        "workflow",
        ".github/workflows/a.yml",
        f"env:\n  TOKEN: ${{{{ secrets.T{number} }}}}\nsteps:\n- uses: actions/checkout@{of(dice, HEX, 40)}\n  with: {{token: '${{{{ github.token }}}}'}}\n",
    )
    yield Case(
        "generator of templates",
        "kustomization.yaml",
        f"secretGenerator:\n- name: s{number}\n  literals: ['password=${{PASSWORD}}', token=changeme]\nconfigMapGenerator:\n- name: c\n  literals: [mode=prod{number}, tokenTTL=300s]\n",
    )


def _by_hand(dice: random.Random) -> Iterator[Case]:
    crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  versions:\n  - schema:\n      openAPIV3Schema:\n        properties:\n          password: {type: string, default: x7Kq9}\n          token: {type: string, description: 'a token, see RFC 6750'}\n"
    yield Case("CRD", "crd.yaml", crd)
    yield Case(
        "RBAC",
        "r.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nrules:\n- {apiGroups: [''], resources: [secrets, serviceaccounts/token], verbs: [create]}\n",
    )
    yield Case(
        "projected token",
        "d.yaml",
        "volumes:\n- name: token\n  projected:\n    sources:\n    - serviceAccountToken: {audience: vault, expirationSeconds: 7200, path: token}\n",
    )
    yield Case(
        "cert-manager",
        "c.yaml",
        "apiVersion: cert-manager.io/v1\nkind: Certificate\nspec:\n  secretName: web-tls-2024\n  privateKey: {algorithm: RSA, size: 4096, rotationPolicy: Always}\n  issuerRef: {name: letsencrypt-prod01}\n",
    )
    yield Case(
        "ingress auth",
        "i.yaml",
        "metadata:\n  annotations:\n    nginx.ingress.kubernetes.io/auth-secret: basic-auth-v2\n    nginx.ingress.kubernetes.io/auth-type: basic\n    nginx.ingress.kubernetes.io/auth-realm: 'Authentication Required - Team7'\n",
    )
    yield Case(
        "prometheus",
        "p.yaml",
        "authorization:\n  type: Bearer\n  credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token\n",
    )
    yield Case(
        "Argo CD repository without",
        "r.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {labels: {argocd.argoproj.io/secret-type: repository}}\nstringData: {url: '', type: ''}\n",
    )
    yield Case("public key of a payment", "v.yaml", f"stripe:\n  publishableKey: pk_live_{of(dice, ALNUM, 24)}\n")
    yield Case("sealed raw", "cert.pem", pem(dice, "CERTIFICATE"))
    yield Case(
        "description",
        "values.schema.json",
        '{"properties": {"password": {"type": "string", "description": "Password of the admin (8 to 64 characters)", "default": ""}}}\n',
    )
    yield Case(
        "dashboards",
        "d.json",
        '{"panels": [{"title": "Token rate", "expr": "sum(rate(tokens_total[5m])) by (key)", "uid": "a8f3kz9q"}]}\n',
    )
    yield Case(
        "minified",
        "app.min.js",
        "var e=function(t){return t.token=t.key||n.password,t}"
        + "".join(f"a{n}=function(){{return b{n}.c}};" for n in range(200)),
    )
    yield Case("binary-like", "a.txt", "token\x00" + of(dice, ALNUM, 400))
    yield Case(
        "documentation",
        "README.md",
        'Set `DB_PASSWORD` to the password. The key `api-key` of the Secret `web-auth-2` holds it:\n\n    password: <password>\n    token: "..."\n',
    )
    yield Case("empty", "a.yaml", "")


def _uuid(dice: random.Random) -> str:
    return "-".join(of(dice, HEX, size) for size in (8, 4, 4, 4, 12))
