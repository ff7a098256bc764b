"""The warm process: has Kilde loaded, and for each client forks a process that runs its command line as `kilde` would.

python server.py SOCKET

It has no threads and does nothing itself, so a fork of it is as good as a start; what runs is a process of its own, with the client's
variables, folder, standard input and outputs. It ends when its standard input does.
"""

import array
import atexit
import contextlib
import ctypes
import gc
import importlib
import marshal
import os
import pkgutil
import selectors
import signal
import socket
import sys
import threading

import kilde

_INT = 4
_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def load() -> None:
    """Loads all of Kilde, but for what is not installed here."""
    for module in pkgutil.walk_packages(kilde.__path__, "kilde."):
        if not module.name.startswith("kilde.testing") and not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)
    gc.collect()
    gc.freeze()  # so that the garbage collector of a fork does not copy it all


class Server:
    """Whom it works for: each client by the process that runs for it."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._running: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._awake, wake = os.pipe()
        for end in (self._awake, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for source in (listener, self._awake, 0):
            self._selector.register(source, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until nobody holds the other end of standard input any more."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._begin(self._listener.accept()[0])
                elif key.fileobj == self._awake:
                    os.read(self._awake, 65536)
                elif key.fileobj == 0:
                    return
                else:  # a client says nothing more: it has been killed
                    self._selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)
            self._reap()

    def _begin(self, link: socket.socket) -> None:
        with contextlib.suppress(ConnectionError, EOFError):
            length, control, _, _ = link.recvmsg(_INT, socket.CMSG_SPACE(3 * _INT))
            if not length:
                return
            fds = array.array("i")
            fds.frombytes(control[0][2])
            with link.makefile("rb") as text:
                arguments, variables, folder = marshal.loads(text.read(int.from_bytes(length, "big")))
            pid = os.fork()
            if pid == 0:
                _become(list(fds), arguments, variables, folder)
            for number in fds:
                os.close(number)
            self._running[pid] = link
            self._selector.register(link, selectors.EVENT_READ, pid)
            link.sendall(pid.to_bytes(_INT, "big"))

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._running.pop(pid) as link:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(link)
                with contextlib.suppress(ConnectionError):
                    link.sendall(os.waitstatus_to_exitcode(status).to_bytes(_INT, "big", signed=True))


def _become(fds: list[int], arguments: list[str], variables: dict[bytes, bytes], folder: str) -> None:
    """Runs the command line in this process, and ends it."""
    _LIBC.prctl(_PDEATHSIG, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    os.closerange(3, 256)
    os.chdir(folder)
    os.environb.clear()
    os.environb.update(variables)
    sys.argv = ["kilde", *arguments]
    code = 1
    try:
        from kilde.cli.entry import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for output in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                output.flush()
        os._exit(code)


if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(sys.argv[1])
        listening.listen(64)
        print("listening", flush=True)
        load()
        Server(listening).serve()
