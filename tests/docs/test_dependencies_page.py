"""The manual page on dependencies: its list of items is one that is read, each as the page says."""

import re
from pathlib import Path

from kilde.core.apps.dependencies.reading import ANNOTATION, depends_on
from kilde.core.objects.yaml_reader import read_documents

PAGE = (Path(__file__).parents[2] / "docs" / "dependencies.md").read_text()


def test_the_items_that_the_page_begins_with_are_understood() -> None:
    text = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
    body = read_documents(text.encode(), file="dependencies.md", duplicates="refuse")[0].value
    read = depends_on({ANNOTATION: body["metadata"]["annotations"][ANNOTATION]})
    assert read.problems == ()
    assert [(str(one), one.until, one.ready) for one in read.items] == [
        ("application database", "", ""),
        ("application certificates", "synced", ""),
        ("apps/Deployment ingress/gateway", "", ""),
        ("postgresql.cnpg.io/Cluster shop/main", "", "object.status.readyInstances >= 2"),
        ("apps/Deployment billing/ledger on west", "", ""),
        ("ConfigMap billing/gate on west", "", "object.data.open == 'yes'"),
    ]
