"""The rules: a file each, or one for a family; one line each here. The order is that of `kilde check --rules`."""

from kilde.core.check.rule import Rule
from kilde.core.check.rules import (
    api_versions,
    applications,
    dependencies,
    images,
    missing,
    plaintext,
    projects,
    rendering,
    schemas,
    selecting,
    twice,
)
from kilde.core.check.rules.conflict_markers import CONFLICT_MARKERS
from kilde.core.check.rules.invalid_yaml import INVALID_YAML
from kilde.core.check.rules.misread import MISREAD_OBJECT

RULES: tuple[Rule, ...] = (
    CONFLICT_MARKERS,
    plaintext.PLAINTEXT_SECRETS,
    plaintext.PLAINTEXT_IN_HISTORY,
    plaintext.PLAINTEXT_RENDERED,
    plaintext.ALLOW_FILE,
    rendering.RENDER,
    INVALID_YAML,
    MISREAD_OBJECT,
    applications.APPLICATION,
    applications.APPLICATION_SOURCE,
    dependencies.APPLICATION_DEPENDENCIES,
    projects.APPLICATION_PROJECT,
    schemas.SCHEMA,
    schemas.SERVER_WARNING,
    schemas.UNKNOWN_KIND,
    api_versions.API_REMOVED,
    api_versions.API_DEPRECATED,
    twice.DUPLICATE_OBJECT,
    twice.NAME_CLASH,
    images.IMAGE_WITHOUT_TAG,
    images.IMAGE_LATEST,
    missing.MISSING_CONFIG_MAP,
    missing.MISSING_SECRET,
    missing.MISSING_SERVICE_ACCOUNT,
    missing.MISSING_CLAIM,
    selecting.SERVICE_SELECTOR,
    selecting.SERVICE_PORT,
    selecting.INGRESS_BACKEND,
    selecting.AUTOSCALER_TARGET,
    selecting.BUDGET_SELECTOR,
    rendering.NOT_JUDGED,
)
