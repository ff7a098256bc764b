"""Why a patch was not taken; the class says what an API server answers."""

from kilde.core.basics.errors import InvalidInput


class PatchError(InvalidInput):
    """The patch could not be applied. `status` is the HTTP status an API server answers."""

    code = "patch-error"
    status = 500


class BadPatch(PatchError):
    """It is no patch of its type (400)."""

    code = "bad-patch"
    status = 400


class PatchTooLarge(PatchError):
    """More operations than a server takes (413)."""

    code = "patch-too-large"
    status = 413


class PatchRejected(PatchError):
    """A well-formed patch that does not go onto this object: a test failed, a path is missing (422)."""

    code = "patch-rejected"
    status = 422


class FailedTest(PatchRejected):
    """A JSON patch tests for something else than there is (422)."""

    code = "patch-test-failed"


class PatchFailed(PatchError):
    """A strategic merge that contradicts itself or the type (500, as a real server answers)."""

    code = "patch-failed"
    status = 500
