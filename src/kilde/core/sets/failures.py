"""What can go wrong in an ApplicationSet: a generator that gives nothing usable, a template that cannot be filled."""

from collections.abc import Iterator
from contextlib import contextmanager

from kilde.core.basics.errors import InvalidInput, KildeError


class GeneratorFailed(KildeError):
    """A generator could not give its parameters: nothing of the set is written or deleted."""

    code = "generator-failed"


@contextmanager
def within(words: str) -> Iterator[None]:
    """What goes wrong inside is told with these words before it, as Argo CD does at each level."""
    try:
        yield
    except KildeError as error:
        raise GeneratorFailed(f"{words}: {error}") from error


class RepositoryNotThere(GeneratorFailed):
    """The forge does not know the repository: an empty answer where `continueOnRepoNotFoundError` says so."""


class TemplateFailed(InvalidInput):
    """A template cannot be read, or not be filled with these parameters."""

    code = "template-failed"


class MissingParameter(TemplateFailed):
    """A Go template names a parameter that is not there, and was told to mind."""
