"""Start and stop the processes of one installation; each is known by its id and start time, never by its name."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from updraft.errors import Permanent

GRACE = 15.0  # seconds a process has to end by itself


class Processes:
    """Background processes, remembered in a file so that another command can stop them.

    :param home: Folder of the installation.
    """

    def __init__(self, home: Path) -> None:
        self._known = home / "processes.json"
        self._logs = home / "logs"

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start a command in the background, its output going to `logs/<name>.log`."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command lines
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=dict(env), start_new_session=True
            )
        born = psutil.Process(process.pid).create_time()
        self._write([*self._read(), {"name": name, "pid": process.pid, "born": born}])

    def running(self) -> list[str]:
        """Names of those that are alive."""
        return [str(entry["name"]) for entry in self._read() if _alive(entry)]

    def check(self) -> None:
        """Raise if one has ended.

        :raises Permanent: Naming it and its log.
        """
        for entry in self._read():
            if not _alive(entry):
                log = self._logs / f"{entry['name']}.log"
                raise Permanent(
                    f"{entry['name']} has ended:\n{tail(log)}", next_step=f"read {log}, then `make demo` again."
                )

    def stop(self) -> list[str]:
        """End all of them and their children; return the names of those that were running."""
        running = [(entry, _tree(entry)) for entry in self._read() if _alive(entry)]
        for _, tree in running:
            for process in tree[:1]:
                _signal(process, signal.SIGTERM)
        everyone = [process for _, tree in running for process in tree]
        _, left = psutil.wait_procs(everyone, timeout=GRACE)
        for process in left:
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(left, timeout=GRACE)
        self._known.unlink(missing_ok=True)
        return [str(entry["name"]) for entry, _ in running]

    def _read(self) -> list[dict[str, object]]:
        try:
            known: list[dict[str, object]] = json.loads(self._known.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return known

    def _write(self, entries: list[dict[str, object]]) -> None:
        self._known.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._known.with_suffix(".part")
        unfinished.write_text(json.dumps(entries), encoding="utf-8")
        os.replace(unfinished, self._known)


def _alive(entry: Mapping[str, object]) -> bool:
    # Another program may have got the number since.
    try:
        process = psutil.Process(int(str(entry["pid"])))
        return process.create_time() == entry["born"] and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _tree(entry: Mapping[str, object]) -> list[psutil.Process]:
    parent = psutil.Process(int(str(entry["pid"])))
    return [parent, *parent.children(recursive=True)]


def _signal(process: psutil.Process, what: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(what)


def tail(log: Path, lines: int = 15) -> str:
    """Last lines of a log."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


def free_port(wanted: int) -> int:
    """`wanted` when nobody listens there on loopback, else any free port; 0 asks for any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Permanent("No port is free on 127.0.0.1.", next_step="stop what listens there.")


def program(name: str) -> str:
    """Path of a program installed beside this Python."""
    return str(Path(sys.executable).with_name(name))


def wait_until(ready: object, *, seconds: float, what: str, processes: Processes | None = None) -> None:
    """Call `ready` until it says yes.

    :raises Permanent: If it does not within `seconds`, or a process has ended meanwhile.
    """
    deadline = time.monotonic() + seconds
    while not ready():  # type: ignore[operator]
        if processes is not None:
            processes.check()
        if time.monotonic() > deadline:
            raise Permanent(f"{what} took longer than {seconds:.0f} s.", next_step="read the logs below .updraft/logs.")
        time.sleep(0.1)
