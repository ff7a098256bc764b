"""The manual page on clusters: its Secret is one that is read as the page says."""

import base64
import re
from pathlib import Path

from kilde.core.apps.cluster_secrets import read_cluster, read_config
from kilde.core.objects.yaml_reader import read_documents

PAGE = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text()


def test_the_secret_of_the_page_on_clusters_opens_the_cluster_that_it_names() -> None:
    [text] = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    body = read_documents(text.encode(), file="clusters.md", duplicates="refuse")[0].value
    data = {key: base64.b64encode(value.encode()).decode() for key, value in body.pop("stringData").items()}
    secret = {**body, "data": data}
    known, config = read_cluster(secret), read_config(secret)
    assert (known.name, known.server, config.server, config.token, config.ca) == (
        "east",
        "https://east.example:6443",
        "https://east.example:6443",
        "…",
        b"certificate",
    )
