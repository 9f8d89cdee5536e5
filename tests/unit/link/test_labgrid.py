"""What labgrid-client says, pretended: places that cannot be used, and what we say of them."""

import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edgesq.errors import BoardError, EdgesqError, ToolError
from edgesq.link import labgrid
from edgesq.link.labgrid import Place, held
from edgesq.link.transport import open_port
from support.builds import COMMAND, popen
from support.cases import NETWORKS
from support.fake_tools import Bench, Says
from support.libraries import verify_build

PLACE = """Place 'farm':
  aliases: f
  matches:
    lab/*/*
  acquired: {holder}
  acquired resources:
    lab/board/NetworkSerialPort/{names}
{more}  created: 2026-11-26 14:09:10.078696
  changed: 2026-11-26 14:09:12.745204
"""
RESOURCE = """Acquired resource '{name}' (lab/board/{cls}/{name}):
  {{'acquired': 'farm',
   'avail': True,
   'cls': '{cls}',
   'params': {params}}}
"""
US = "desk/ann"


def line(name: str = "line", cls: str = "NetworkSerialPort", **params: Any) -> str:
    """Return a resource as labgrid-client shows it."""
    extra = {"proxy": "lab", "proxy_required": False}
    shown = {"extra": extra, "host": "lab.example", "port": 4001, "speed": 115200, **params}
    return RESOURCE.format(name=name, cls=cls, params=shown)


def place(*resources: str, holder: str = US, more: str = "") -> Says:
    """Return what `show` says of a place."""
    head = PLACE.format(holder=holder, names="line", more=more)
    return Says("show", head + "".join(resources))


def error(words: str, when: str = "show") -> Says:
    return Says(when, f"labgrid-client: Error: {words}", 1)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("LG_HOSTNAME", "desk")
    monkeypatch.setenv("LG_USERNAME", "ann")
    monkeypatch.delenv("LG_PROXY", raising=False)
    monkeypatch.setattr(labgrid, "_LINE_S", 0.0)
    return Bench(tmp_path, monkeypatch)


def words_of(bench: Bench, *sayings: Says, port: str = "labgrid://farm") -> str:
    """Return the error for what labgrid-client says; it has a hint, and is one line."""
    bench.put("labgrid-client", sayings)
    with pytest.raises(BoardError) as caught:
        Place(port).line()
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("port", "params", "url"),
    [
        ("labgrid://farm", {}, "rfc2217://lab.example:4001"),
        ("labgrid://farm/line", {"protocol": "raw"}, "socket://lab.example:4001"),
        ("labgrid://f", {"host": "fe80::1", "protocol": "rfc2217"}, "rfc2217://[fe80::1]:4001"),
    ],
)
def test_where_the_line_is(bench: Bench, port: str, params: dict[str, Any], url: str) -> None:
    others = line("usb", cls="NetworkUSBDebugger", busnum=3), line(**params)
    bench.put("labgrid-client", [place(*others)])
    assert Place(port).line() == url


def test_what_labgrid_client_is_told(bench: Bench) -> None:
    bench.put("labgrid-client", [place(line(), holder="None"), Says("acquire"), Says("release")])
    with held(["/dev/ttyACM0", "labgrid://my%20farm?coordinator=lab:99"]):
        pass
    common = ["labgrid-client", "--coordinator", "lab:99", "-p"]
    assert bench.calls() == [
        [*common, "my farm", "show"],
        [*common, "farm", "acquire"],
        [*common, "farm", "release-from", US],
    ]


def test_no_environment_file_is_passed_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one, labgrid-client acquires every place that it names, and says more than asked."""
    for name in ("LG_ENV", "LG_STATE", "STATE", "LG_INITIAL_STATE"):
        monkeypatch.setenv(name, "x")
    program = bench.flash.parent / "bin" / "labgrid-client"
    program.write_text(f"#!{sys.executable}\nimport os, sys\nsys.exit(' '.join(os.environ))\n")
    program.chmod(0o755)
    with pytest.raises(BoardError) as caught:
        Place("labgrid://farm")
    assert "LG_USERNAME" in str(caught.value)
    assert not {"LG_ENV", "LG_STATE", "STATE", "LG_INITIAL_STATE"} & {*str(caught.value).split()}


def test_whose_it_is(bench: Bench) -> None:
    assert "is held by desk/bob (wait" in words_of(bench, place(line(), holder="desk/bob"))
    said = words_of(bench, place(line(), holder="far/ann"))
    assert "is held by far/ann" in said
    assert f"labgrid-client -p farm allow {US}" in said
    allowed = place(line(), holder="desk/bob", more=f"  allowed: x/eve, {US}\n")
    bench.put("labgrid-client", [allowed])
    assert Place("labgrid://farm").line()


def test_a_place_that_cannot_be_acquired(bench: Bench) -> None:
    free = place(line(), holder="None")
    reserved = Says("acquire", "Server error: Error: Place farm was not reserved for desk/ann", 1)
    assert "Place farm was not reserved for desk/ann" in words_of(bench, free, reserved)
    lost = error("Match lab/board/*/* has no matching remote resource", "acquire")
    assert "start its labgrid-exporter" in words_of(bench, free, lost)
    silent = Says("acquire", "", 1)
    assert "labgrid says: nothing" in words_of(bench, free, silent)
    assert not [call for call in bench.calls() if "release-from" in call]


def test_lines_that_cannot_be_used(bench: Bench) -> None:
    assert "no serial line (its exporter must" in words_of(bench, place())
    assert "no serial line" in words_of(bench, place(line(cls="NetworkUSBDebugger")))
    assert "several serial lines: a, b" in words_of(bench, place(line("b"), line("a")))
    said = words_of(bench, place(line("b"), line("a")), port="labgrid://farm/c")
    assert "has no 'c' (its serial lines: a, b)" in said
    assert "unknown protocol telnet" in words_of(bench, place(line(protocol="telnet")))
    assert "does not serve the serial line" in words_of(bench, place(line(port=None)))
    orphan = "Orphaned resource 'x' (lab/board/NetworkSerialPort/x)\n"
    assert "no serial line" in words_of(bench, place(orphan))


def test_a_line_behind_a_proxy(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"proxy": "gate", "proxy_required": True}
    said = words_of(bench, place(line(extra=extra)))
    assert "ssh -N -L 7000:lab.example:4001 gate" in said
    assert "--port rfc2217://localhost:7000" in said
    monkeypatch.setenv("LG_PROXY", "jump")
    assert "behind the SSH host jump" in words_of(bench, place(line()))


@pytest.mark.parametrize("said", ["", "Place 'farm':\n", "Acquired resource 'x' (y):\n  {1\n"])
def test_words_that_nobody_knows(bench: Bench, said: str) -> None:
    assert "in words we do not know" in words_of(bench, Says("show", said))


def test_not_installed(bench: Bench) -> None:
    assert bench.calls() == []
    with pytest.raises(ToolError, match=r"labgrid-client is not installed \(pipx install labgrid"):
        open_port("labgrid://farm")


@pytest.mark.parametrize("port", ["labgrid://", "labgrid:///line", "labgrid://farm?user=bob"])
def test_no_such_url(bench: Bench, port: str) -> None:
    with pytest.raises(EdgesqError, match=r"is no labgrid place \(labgrid://PLACE"):
        Place(port)
    assert bench.calls() == []


def test_a_client_that_hangs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labgrid, "_TIMEOUT_S", 0.2)
    monkeypatch.setattr(
        "support.fake_tools._SCRIPT", "#!{python} -S\nimport time\ntime.sleep(60)\n"
    )
    started = time.monotonic()
    assert "does not end in 0.2 s" in words_of(bench)
    assert time.monotonic() - started < 10


def test_a_place_whose_line_cannot_be_had_is_given_back(bench: Bench) -> None:
    free = place(line(), holder="None")  # after it was acquired, too
    bench.put("labgrid-client", [free, Says("acquire"), Says("release")])
    with pytest.raises(BoardError, match="was released while it was in use"):
        open_port("labgrid://farm")
    assert bench.calls()[-1][-2:] == ["release-from", US]


SLOW = f"""#!{sys.executable}
import sys, time, pathlib
log = pathlib.Path(__file__).with_name("said")
words = sys.argv[3:]
with log.open("a") as file:
    file.write(words[0] + "\\n")
if words[0] == "show":
    print({PLACE.format(holder="None", names="line", more="")!r})
if words[0] == "acquire":
    time.sleep(2)
    with log.open("a") as file:
        file.write("acquired\\n")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_while_it_acquires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    build = verify_build(tmp_path / "build", NETWORKS["fire"](), "host")
    program = tmp_path / "labgrid-client"
    program.write_text(SLOW)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = tmp_path / "said"
    command = [*COMMAND, "verify", "--build", str(build), "--port", "labgrid://farm"]
    process = popen(command)
    deadline = time.monotonic() + 60
    while not said.exists() or "acquire" not in said.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 128 + number, complaint
    assert said.read_text().split() == ["show", "acquire", "acquired", "release-from"]
