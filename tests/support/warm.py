"""Interpreters that have imported torch already: a start costs a tenth of a second, not three.

A server imports torch, and nothing of ours, and forks itself for every process it is asked for.
The child is as a fresh interpreter is: it imports our package and its host itself, and it ends as
interpreters end. `start` and `run` are those of subprocess, for what stands behind `python`.
"""

from __future__ import annotations

import gc
import json
import os
import random
import runpy
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import types
from collections.abc import Mapping, Sequence
from typing import Any

from support import ROOT

_SIZE = struct.Struct("!I")


class WarmProcess:
    """A process that the server has started; what it says is read until all its children end."""

    def __init__(self, pid: int, args: Sequence[str], pipes: Sequence[int]) -> None:
        self.pid, self.args, self.returncode = pid, list(args), None
        self._said: list[bytes] = [b"" for _ in pipes]
        self._readers = [threading.Thread(target=self._read, args=x) for x in enumerate(pipes)]
        for reader in self._readers:
            reader.start()

    def _read(self, place: int, pipe: int) -> None:
        with open(pipe, "rb") as file:
            self._said[place] = file.read()

    def poll(self) -> int | None:
        """Returns the exit status of a process that has ended, or None."""
        if self.returncode is None:
            self.returncode = _SERVER.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float = 300) -> int:
        """Returns the exit status when the process has ended."""
        until = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(self.args, timeout)
            time.sleep(0.01)
        return self.returncode

    def communicate(self, timeout: float = 300) -> tuple[str, str]:
        """Returns what was written to stdout and stderr, when nobody can write there any more."""
        self.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout)
        out, err = (said.decode(errors="surrogateescape") for said in self._said)
        return out, err


class _Server:
    """The process that forks; started when it is first needed."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None

    def ask(self, order: Mapping[str, Any], descriptors: Sequence[int] = ()) -> Any:
        if self.process is None or self.process.poll() is not None:
            self._start()
        words = json.dumps(order).encode()
        socket.send_fds(self.control, [_SIZE.pack(len(words))], descriptors)
        self.control.sendall(words)
        return json.loads(_message(self.control)[0])

    def _start(self) -> None:
        self.control, theirs = socket.socketpair()
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.warm", str(theirs.fileno())],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            pass_fds=[theirs.fileno()], start_new_session=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()


_SERVER = _Server()


def start(
    args: Sequence[Any],
    cwd: Any = ROOT,
    env: Mapping[str, str] | None = None,
    start_new_session: bool = False,
    stdin: int | None = None,
) -> WarmProcess:
    """Starts `python *args`."""
    args = [*map(str, args)]
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()
    given = os.open(os.devnull, os.O_RDONLY) if stdin is None else stdin
    order = {"args": args, "cwd": str(cwd), "env": dict(os.environ if env is None else env),
             "session": start_new_session}  # fmt: skip
    pid = _SERVER.ask(order, [given, to_out, to_err])
    for descriptor in (to_out, to_err, *([given] if stdin is None else [])):
        os.close(descriptor)
    return WarmProcess(pid, args, [out, err])


def run(args: Sequence[Any], timeout: float = 300, **how: Any) -> subprocess.CompletedProcess[str]:
    """Runs `python *args` and returns how it ended and what it said."""
    process = start(args, **how)
    out, err = process.communicate(timeout)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


# -- the server ------------------------------------------------------------------------------------


def _message(control: socket.socket, descriptors: int = 0) -> tuple[bytes, list[int]]:
    size, found, _, _ = socket.recv_fds(control, _SIZE.size, descriptors)
    if not size:
        sys.exit(0)  # the tests have ended
    (left,) = _SIZE.unpack(size)
    words = b""
    while len(words) < left:
        words += control.recv(left - len(words))
    return words, found


def _serve(control: socket.socket) -> None:
    """Forks for every order; returns, in the child, when it is to become another program."""
    while True:
        words, descriptors = _message(control, 3)
        order = json.loads(words)
        if "poll" in order:
            pid, status = os.waitpid(order["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if not answer:
                control.close()
                return _become(order, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        said = json.dumps(answer).encode()
        control.sendall(_SIZE.pack(len(said)) + said)


def _become(order: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  as long as the process
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    if order["session"]:
        os.setsid()
    os.chdir(order["cwd"])
    ours = {str(ROOT), str(ROOT / "tests"), os.getcwd(), ""}
    os.environ.clear()
    os.environ.update(order["env"])
    asked = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = ["", *asked, *(path for path in sys.path if path not in ours)]
    for name in [name for name in sys.modules if name.partition(".")[0] == "support"]:
        del sys.modules[name]
    random.seed()
    _execute(order["args"])


def _execute(args: list[str]) -> None:
    first, *rest = args
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), module.__dict__)
    else:
        sys.argv, sys.path[0] = args, os.path.dirname(first)
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    import torch
    import torch._dynamo  # the first optimizer step does

    torch.set_num_threads(1)
    gc.freeze()  # else each child, as it ends, looks at all of torch's objects: a second
    _serve(socket.socket(fileno=int(sys.argv[1])))
