"""Outside: what a render may ask of the world beyond its tree. Nothing, unless who calls hands in something that gives it.

Like a Tree's, the calls are synchronous; an implementation does I/O, its caller runs the render where that does no harm.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from kilde.core.basics.errors import SourceUnavailable
from kilde.core.render.kustomize.remote import RemoteRepository, told
from kilde.core.source.chart_place import ChartPlace
from kilde.core.source.tree import Tree


class NotServed(SourceUnavailable):
    """An http(s) address answered, but not with the file."""


class Fetched(Protocol):
    """A repository at one commit, its submodules in their places where they were wanted."""

    @property
    def tree(self) -> Tree: ...

    @property
    def commit(self) -> str:
        """The whole commit id."""
        ...

    def export(self) -> tuple[str, Tree]:
        """Writes the files out, for programs that want them: the folder's absolute path, and a Tree over it."""
        ...


class Remotes(Protocol):
    """Gives repositories and files from elsewhere. What it gives during one build does not change."""

    def repository(self, wanted: RemoteRepository) -> Fetched:
        """Raises SourceError, telling the address without credentials."""
        ...

    def file(self, url: str) -> bytes:
        """What a GET of the http(s) address answers. Raises NotServed for a status that is no success; SourceUnavailable."""
        ...


class ChartSettings(NamedTuple):
    """What the flags say of every chart that does not say it itself."""

    api_versions: tuple[str, ...] = ()
    kube_version: str = ""
    debug: bool = False


class Charts(Protocol):
    """The helm program, and the folders on disk that it works in."""

    @property
    def settings(self) -> ChartSettings: ...

    def run(self, arguments: Sequence[str], config_home: str) -> bytes:
        """What `helm …` prints. Raises RenderFailed with helm's own words, or when there is no helm."""
        ...

    def is_folder(self, path: str) -> bool: ...

    def scratch(self) -> str:
        """The absolute path of a new folder that lasts until the build ends."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """Writes a file into a scratch folder."""
        ...


class Helm(Protocol):
    """`helm template` for an application: no network, no cluster, nothing of who runs it."""

    def template(self, files: Mapping[str, bytes], folder: str, arguments: Sequence[str], values: bytes) -> bytes:
        """What it prints for the chart in `folder` of these files. `values` come as standard input, where an argument is `-`.

        An argument that begins with `/` is a path among the files. Raises RenderFailed with helm's own words, or when there
        is no helm.
        """
        ...


class Packages(Protocol):
    """Charts from chart repositories."""

    def repository_named(self, alias: str) -> str:
        """The address of the repository that is called so; "" where none is."""
        ...

    def chart(self, place: ChartPlace, version: str) -> tuple[Tree, str]:
        """The files of a chart, and the version that a version or range came to. What it gives during one render does not change.

        Raises RenderFailed for a repository that is not allowed; SourceError.
        """
        ...


class JsonnetVariables(NamedTuple):
    """External variables and top-level arguments, as texts or as code."""

    ext_vars: Mapping[str, str]
    ext_codes: Mapping[str, str]
    tla_vars: Mapping[str, str]
    tla_codes: Mapping[str, str]


Importer = Callable[[str, str], tuple[str, bytes]]  # folder of who asks ("." for the file itself), name → path, content


class Jsonnet(Protocol):
    """Evaluates Jsonnet."""

    def evaluate(self, files: Sequence[str], variables: JsonnetVariables, importer: Importer) -> list[str]:
        """JSON of each file, all of which come from `importer`; its errors are told where the import stands. Raises RenderFailed."""
        ...


class PluginSpec(NamedTuple):
    """A config management plugin. Commands are programs with their arguments, () where there is none; patterns are of paths."""

    name: str
    generate: tuple[str, ...]
    init: tuple[str, ...] = ()
    file_name: str = ""
    glob: str = ""
    find: tuple[str, ...] = ()
    keep_mode: bool = False  # whether files that Git knows as executable are

    @property
    def discovers(self) -> bool:
        """Whether it says itself what it is for."""
        return bool(self.file_name or self.glob or self.find)


class PluginFile(NamedTuple):
    """A file of the repository; with a `link` it is a symlink to that."""

    content: bytes
    executable: bool = False
    link: str = ""


class PluginRun(NamedTuple):
    """A plugin, all files of the repository by path, the folder to work in, and the variables that it gets."""

    plugin: PluginSpec
    files: Mapping[str, PluginFile]
    folder: str
    environment: Mapping[str, str]


class Plugins(Protocol):
    """Runs config management plugins: programs that whoever runs Kilde has chosen."""

    def known(self) -> tuple[PluginSpec, ...]:
        """By name."""
        ...

    def find(self, wanted: PluginRun) -> bool:
        """Whether its find command prints anything. Raises RenderFailed where it fails."""
        ...

    def generate(self, wanted: PluginRun) -> bytes:
        """What its generate command prints after its init command. Raises RenderFailed with its words."""
        ...


class ValuesFiles(Protocol):
    """Files of values at addresses."""

    def file(self, url: str) -> bytes:
        """What is there. Raises RenderFailed for an address that is not allowed; SourceError."""
        ...


class Program(NamedTuple):
    """A program to run: `path` (absolute, or relative to `folder`, or a name to look for), arguments, and variables
    beside those that are there. `folder` is the absolute path of the folder it runs in.
    """

    path: str
    arguments: Sequence[str]
    folder: str
    variables: Sequence[str] = ()


class FunctionSettings(NamedTuple):
    """The flags that functions run under. `user`: "nobody", or "uid:gid" of whoever calls."""

    executables: bool = False
    network: bool = False
    mounts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    user: str = "nobody"


class Functions(Protocol):
    """Runs KRM functions and plugins: programs of the user's choice."""

    @property
    def settings(self) -> FunctionSettings: ...

    def run(self, program: Program, stdin: bytes, *, shown: bool) -> tuple[int, bytes, str]:
        """Exit code, standard output, and standard error unless it is `shown` to the user as it comes.

        Raises RenderFailed where the program cannot be started, takes too long or prints too much.
        """
        ...

    def plugin(self, group: str, version: str, kind: str) -> str:
        """The absolute path of an executable plugin. Raises RenderFailed if there is none."""
        ...

    def configured(self, text: str) -> str:
        """The path of a file with the text, that lies there until the build ends."""
        ...


class NotedRemotes:
    """Remotes that keep in `seen` what they gave, by its address: a commit id, or the SHA-256 of a file."""

    def __init__(self, remotes: Remotes) -> None:
        self._remotes = remotes
        self.seen: dict[str, str] = {}

    def repository(self, wanted: RemoteRepository) -> Fetched:
        found = self._remotes.repository(wanted)
        self.seen[told(wanted.raw)] = found.commit
        return found

    def file(self, url: str) -> bytes:
        import hashlib

        content = self._remotes.file(url)
        self.seen[told(url)] = hashlib.sha256(content).hexdigest()
        return content


class Outside(NamedTuple):
    """None: refused, with words that say how to allow it. `rooted`: the tree begins at the root of this machine's files."""

    remotes: Remotes | None = None
    charts: Charts | None = None
    functions: Functions | None = None
    helm: Helm | None = None
    packages: Packages | None = None
    values: ValuesFiles | None = None
    jsonnet: Jsonnet | None = None
    plugins: Plugins | None = None
    rooted: bool = False


NOTHING_OUTSIDE = Outside()
