"""The flags of `kilde seal`: kubeseal's, and the few of ours."""

from kilde.cli.sealing.flags import Flag

_SEALING = (
    Flag("allow-empty-data", "Seal a Secret that holds nothing.", "flag"),
    Flag(
        "cert",
        "Certificate to seal to: a file, or an https or file URL. Without it the controller is asked. "
        "Given several times, any of them opens what is sealed (kilde's own format).",
    ),
    Flag("controller-name", "The controller's Service.", default="sealed-secrets-controller"),
    Flag("controller-namespace", "The controller's namespace.", default="kube-system"),
    Flag("fetch-cert", "Print the controller's newest certificate.", "flag"),
    Flag("format", "What to print: json or yaml.", short="o", default="json"),
    Flag("from-file", "With --raw: the file that holds the value, [name=]path.", "list"),
    Flag("help", "Print this.", "flag", short="h"),
    Flag("insecure-cert-url", "Take a certificate over plain http from another machine.", "flag"),
    Flag("merge-into", "Seal the items into this file, which holds a SealedSecret; nothing is printed."),
    Flag("name", "The Secret's name; with --raw and scope strict it is needed."),
    Flag("raw", "Seal one value, from stdin or --from-file, and print it alone.", "flag"),
    Flag("re-encrypt", "Have the controller seal to its newest key what is sealed to an older one.", "flag"),
    Flag("recovery-private-key", "With --recovery-unseal: files of private keys, in PEM or as key Secrets.", "list"),
    Flag("recovery-unseal", "Open a SealedSecret here, with --recovery-private-key, and print the Secret.", "flag"),
    Flag("rotate", "The old name of --re-encrypt.", "flag", hidden=True),
    Flag(
        "scope",
        "Where the values open: strict (this name only), namespace-wide, or cluster-wide.",
        choices=("strict", "namespace-wide", "cluster-wide"),
    ),
    Flag("sealed-secret-file", "Write to this file, whole or not at all; .yaml and .yml mean YAML.", short="w"),
    Flag("secret-file", "Read this file instead of stdin.", short="f"),
    Flag("validate", "Ask the controller whether it can open the SealedSecret.", "flag"),
    Flag("version", "Print the version.", "flag"),
)
_CLIENT = (
    Flag("as", "Act as this user."),
    Flag("as-group", "Act as a member of this group; may be repeated.", "texts"),
    Flag("as-uid", "Act as the user with this UID."),
    Flag("certificate-authority", "File of the API server's authority."),
    Flag("client-certificate", "File of the client certificate."),
    Flag("client-key", "File of the client key."),
    Flag("cluster", "The kubeconfig's cluster to use."),
    Flag("context", "The kubeconfig's context to use."),
    Flag("disable-compression", "No compression (we use none).", "flag"),
    Flag("insecure-skip-tls-verify", "Do not check the API server's certificate.", "flag"),
    Flag("kubeconfig", "The kubeconfig file."),
    Flag("namespace", "The namespace, where the input names none.", short="n"),
    Flag("password", "Password for basic authentication."),
    Flag("proxy-url", "Proxy to the API server."),
    Flag("request-timeout", "How long one request may take.", default="0"),
    Flag("server", "The API server's address.", short="s"),
    Flag("tls-server-name", "The name on the API server's certificate."),
    Flag("token", "Bearer token."),
    Flag("user", "The kubeconfig's user to use."),
    Flag("username", "Name for basic authentication."),
)
_LOGGING = (  # taken and without effect: nothing is logged
    Flag("add_dir_header", "No effect.", "flag", hidden=True),
    Flag("alsologtostderr", "No effect.", "flag", hidden=True),
    Flag("log_backtrace_at", "No effect.", hidden=True),
    Flag("log_dir", "No effect.", hidden=True),
    Flag("log_file", "No effect.", hidden=True),
    Flag("log_file_max_size", "No effect.", "number", hidden=True),
    Flag("logtostderr", "No effect.", "flag", hidden=True),
    Flag("one_output", "No effect.", "flag", hidden=True),
    Flag("skip_headers", "No effect.", "flag", hidden=True),
    Flag("skip_log_headers", "No effect.", "flag", hidden=True),
    Flag("stderrthreshold", "No effect.", hidden=True),
    Flag("v", "No effect.", short="v", hidden=True),
    Flag("vmodule", "No effect.", hidden=True),
)
TABLE = (*_SEALING, *_CLIENT, *_LOGGING)
