"""The kubeconfig of the embedded cluster: its administrator, for kubectl and for our own controller."""

import base64

from kilde.core.basics.values import Object
from kilde.core.objects.yaml_writer import write_document

NAME = "kilde"


def kubeconfig(server: str, ca: bytes, token: str) -> bytes:
    """The file's bytes. `ca` is PEM, "" over plain HTTP."""
    cluster: Object = {"server": server}
    if ca:
        cluster["certificate-authority-data"] = base64.b64encode(ca).decode()
    return write_document(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": NAME, "cluster": cluster}],
            "users": [{"name": NAME, "user": {"token": token}}],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
            "current-context": NAME,
            "preferences": {},
        }
    ).encode()
