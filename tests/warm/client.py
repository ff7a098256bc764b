"""A `kilde` that does not load itself: what it was called with goes to the warm process (server.py), and it ends as what ran there.

python -IS client.py SOCKET ARGUMENT...

It loads nothing but what is built into Python, or it would be as slow as what it stands for. Signals are passed on; if it is killed, so is
what runs for it.
"""

import _signal
import _socket
import marshal
import os
import sys

_PASSED_ON = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGUSR1, _signal.SIGUSR2)
_INT = 4


def main() -> None:
    """Asks, waits, ends."""
    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    link.connect(sys.argv[1])
    waiting: list[int] = []  # signals that came before it was known whom they are for
    for number in _PASSED_ON:
        _signal.signal(number, lambda got, _: waiting.append(got))
    asked = marshal.dumps((sys.argv[2:], dict(os.environb), os.getcwd()))
    fds = b"".join(number.to_bytes(_INT, sys.byteorder) for number in (0, 1, 2))
    link.sendmsg([len(asked).to_bytes(_INT, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, fds)])
    link.sendall(asked)
    pid = int.from_bytes(link.recv(_INT), "big")
    for number in _PASSED_ON:
        _signal.signal(number, lambda got, _: os.kill(pid, got))
    for number in waiting:
        os.kill(pid, number)
    for number in (0, 1, 2):  # whoever reads them waits for the end of what runs, not for ours
        os.close(number)
    ended = link.recv(_INT)
    code = int.from_bytes(ended, "big", signed=True) if ended else -_signal.SIGKILL
    if code < 0:
        if -code != _signal.SIGKILL:
            _signal.signal(-code, _signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


main()
