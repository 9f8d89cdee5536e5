"""A labgrid place as a port: whose it is, where its serial line is, acquired and released.

labgrid-client is run as a program and never imported: labgrid needs a fork of pyserial that
installs over pyserial itself. It is asked with `show`, whose resources are Python literals.
Source: labgrid 26.0, docs/man/client.rst.
"""

import ast
import contextlib
import getpass
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from edgesq.errors import BoardError, EdgesqError, ToolError

SCHEME = "labgrid://"
PROGRAM = "labgrid-client"

_GET = "pipx install labgrid; not beside edgesq, where its pyserial would replace ours"
_FORM = "labgrid://PLACE, or labgrid://PLACE/RESOURCE?coordinator=HOST:PORT"
_LINE_CLASS = "NetworkSerialPort"
_SCHEMES = {"rfc2217": "rfc2217", "raw": "socket"}
"""pyserial's URL scheme for each of labgrid's protocols."""
_TIMEOUT_S = 30
_LINE_S = 5.0
"""Seconds that an exporter may take to serve a line after it was acquired."""
_POLL_S = 0.2
_NOT_FOR_US = ("LG_ENV", "LG_STATE", "STATE", "LG_INITIAL_STATE")
"""Environment variables not passed on: with an environment file, labgrid-client would acquire all
places named there."""

_FAILURES = (
    (
        r"Could not connect to coordinator",
        "no labgrid coordinator answers",
        "set LG_COORDINATOR to its HOST:PORT, or add ?coordinator=HOST:PORT to the port",
    ),
    (r"matches nothing", "there is no such place", "`labgrid-client places` lists them"),
    (r"matches multiple places", "is several places", "write the whole name"),
    (
        r"has no matching remote resource",
        "what the place is made of is not there",
        "start its labgrid-exporter",
    ),
)
"""Phrases in the output of labgrid-client, what they mean, and what to try."""


@dataclass(frozen=True)
class _Shown:
    """A place as labgrid-client shows it.

    Attributes:
        name: in full.
        holder: HOST/USER who acquired it, None where it is free.
        allowed: others, HOST/USER each, whom the holder lets use it.
        lines: parameters of its serial lines by their names.
    """

    name: str
    holder: str | None
    allowed: tuple[str, ...]
    lines: dict[str, dict[str, Any]]


class Place:
    """A place that we may use, until `release`.

    Args:
        port: its URL.

    Raises:
        EdgesqError: the URL is not of that form.
        ToolError: labgrid-client is not installed.
        BoardError: no coordinator or place, or it is another's.
    """

    def __init__(self, port: str) -> None:
        self._port = port
        try:
            parts = urlsplit(port)
        except ValueError as error:  # of brackets around no address
            raise EdgesqError("is no labgrid place", where=port, hint=_FORM) from error
        query = parse_qs(parts.query)
        self._pattern, self._wanted = unquote(parts.netloc), unquote(parts.path).strip("/")
        if not self._pattern or query.keys() - {"coordinator"}:
            raise EdgesqError("is no labgrid place", where=port, hint=_FORM)
        where = query.get("coordinator")
        self._coordinator = () if where is None else ("--coordinator", where[-1])
        self._holder: str | None = None  # whom to release it from; None where it was held before
        self._shown: _Shown | None = None  # of just now, and true still
        shown = self._show()
        self._pattern = shown.name
        if shown.holder is None:
            self._acquire()
        else:
            self._check_ours(shown)
            self._shown = shown

    def line(self) -> str:
        """Return the URL of the place's serial line as it is now.

        Raises:
            BoardError: the place is no longer ours, or has no line, several, or one out of reach.
        """
        deadline = time.monotonic() + _LINE_S
        while True:
            shown, self._shown = self._shown or self._show(), None
            self._check_ours(shown)
            line = self._choose(shown.lines)
            if line.get("port") is not None:
                return self._url(line)
            if time.monotonic() > deadline:
                raise BoardError(
                    "its exporter does not serve the serial line",
                    where=self._port,
                    hint="is the board plugged in there, and ser2net installed?",
                )
            time.sleep(_POLL_S)

    def release(self) -> None:
        """Give the place back if we acquired it and still hold it; errors no longer matter."""
        holder, self._holder = self._holder, None
        if holder is not None:
            with contextlib.suppress(EdgesqError):
                self._run("release-from", holder)

    def _acquire(self) -> None:
        """Acquire the place; where that is interrupted it is released again."""
        process = self._start("acquire")
        try:
            self._finish(process)
        except BaseException:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TIMEOUT_S)
            if process.returncode == 0:
                self._holder = _ourselves()
                self.release()
            raise
        self._holder = _ourselves()

    def _check_ours(self, shown: _Shown) -> None:
        ourselves = _ourselves()
        if ourselves == shown.holder or ourselves in shown.allowed:
            return
        if shown.holder is None:
            message, hint = "the place was released while it was in use", "try again"
        else:
            message = f"the place is held by {shown.holder}"
            hint = f"wait, or have them run: {PROGRAM} -p {shown.name} allow {ourselves}"
        raise BoardError(message, where=self._port, hint=hint)

    def _choose(self, lines: dict[str, dict[str, Any]]) -> dict[str, Any]:
        names = ", ".join(sorted(lines))
        if self._wanted:
            if self._wanted not in lines:
                hint = f"its serial lines: {names or 'none'}"
                raise BoardError(f"has no '{self._wanted}'", where=self._port, hint=hint)
            return lines[self._wanted]
        if not lines:
            hint = f"its exporter must give it a {_LINE_CLASS}, USBSerialPort or RawSerialPort"
            raise BoardError("the place has no serial line", where=self._port, hint=hint)
        if len(lines) > 1:
            hint = f"name one, as labgrid://{self._pattern}/NAME"
            raise BoardError(f"several serial lines: {names}", where=self._port, hint=hint)
        return next(iter(lines.values()))

    def _url(self, line: dict[str, Any]) -> str:
        protocol = line.get("protocol", "rfc2217")
        if protocol not in _SCHEMES:
            hint = f"known: {', '.join(_SCHEMES)}"
            raise BoardError(f"unknown protocol {protocol}", where=self._port, hint=hint)
        host = str(line["host"])
        host = f"[{host}]" if ":" in host else host
        url = f"{_SCHEMES[protocol]}://{host}:{line['port']}"
        extra = line.get("extra") or {}
        proxy = extra.get("proxy") if extra.get("proxy_required") else os.environ.get("LG_PROXY")
        if proxy:
            tunnel = f"ssh -N -L 7000:{host}:{line['port']} {proxy}"
            raise BoardError(
                f"the line is behind the SSH host {proxy}",
                where=self._port,
                hint=f"hold the place, run: {tunnel}; --port {_SCHEMES[protocol]}://localhost:7000",
            )
        return url

    def _show(self) -> _Shown:
        said = self._run("show")
        try:
            return _read(said)
        except (ValueError, SyntaxError, KeyError, TypeError) as error:
            raise BoardError(
                f"{PROGRAM} shows the place in words we do not know",
                where=self._port,
                hint="labgrid 25 and 26 are known",
            ) from error

    def _run(self, *command: str) -> str:
        return self._finish(self._start(*command))

    def _start(self, *command: str) -> "subprocess.Popen[str]":
        """Start labgrid-client in a session of its own: Ctrl-C must not stop it half-way."""
        program = shutil.which(PROGRAM)
        if program is None:
            raise ToolError(f"{PROGRAM} is not installed", where=self._port, hint=_GET)
        return subprocess.Popen(
            [program, *self._coordinator, "-p", self._pattern, *command],
            env={key: value for key, value in os.environ.items() if key not in _NOT_FOR_US},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def _finish(self, process: "subprocess.Popen[str]") -> str:
        """Wait for labgrid-client and return what it said.

        Raises:
            BoardError: it failed, or does not end.
        """
        try:
            said, complaint = process.communicate(timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.communicate()
            hint = "is the coordinator reachable?"
            message = f"{PROGRAM} does not end in {_TIMEOUT_S} s"
            raise BoardError(message, where=self._port, hint=hint) from error
        if process.returncode == 0:
            return said
        words = f"{said}\n{complaint}".strip() or "nothing"
        for pattern, message, hint in _FAILURES:
            if re.search(pattern, words):
                raise BoardError(message, where=self._port, hint=hint)
        last = words.splitlines()[-1].strip()
        hint = f"`{PROGRAM} -p {self._pattern} show` says more"
        raise BoardError(f"labgrid says: {last}", where=self._port, hint=hint)


def is_place(port: str) -> bool:
    """Return whether a port is a labgrid place."""
    return port.startswith(SCHEME)


@contextlib.contextmanager
def held(ports: Iterable[str]) -> Iterator[None]:
    """Hold all labgrid places among `ports`, so that nobody gets them in between.

    Raises:
        EdgesqError: as `Place` does.
    """
    with contextlib.ExitStack() as stack:
        for port in filter(is_place, ports):
            stack.callback(Place(port).release)
        yield


def _ourselves() -> str:
    """Return the user and host name under which labgrid knows us."""
    host = os.environ.get("LG_HOSTNAME", socket.gethostname())
    return f"{host}/{os.environ.get('LG_USERNAME') or getpass.getuser()}"


def _read(said: str) -> _Shown:
    """Read what `labgrid-client show` prints.

    Raises:
        ValueError, SyntaxError, KeyError, TypeError: it is not of that form.
    """
    head, *parts = re.split(r"^(?:Acquired|Matching) resource '(.*)' \(.*\):$", said, flags=re.M)
    name = re.search(r"^Place '(.*)':$", head, re.M)
    holder = re.search(r"^  acquired: (\S+)$", head, re.M)
    allowed = re.search(r"^  allowed: (.*)$", head, re.M)
    if name is None or holder is None:
        raise ValueError("no place")
    lines = {}
    for resource, words in zip(parts[::2], parts[1::2], strict=True):
        fields = ast.literal_eval(words.partition("Orphaned resource")[0].strip())
        if fields["cls"] == _LINE_CLASS:
            lines[resource] = dict(fields["params"])
    return _Shown(
        name[1],
        None if holder[1] == "None" else holder[1],
        tuple(allowed[1].split(", ")) if allowed else (),
        lines,
    )
