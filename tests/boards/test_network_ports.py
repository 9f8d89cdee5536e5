"""Boards behind a serial server: ser2net on this computer, by RFC 2217 and as a plain socket."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgesq.errors import BoardError
from edgesq.link.client import Client
from edgesq.link.transport import DEFAULT_BAUD, open_port
from support.boards import STUB_BYTES, compile_stub, running, stub_values
from support.builds import refused
from support.cases import NETWORKS
from support.libraries import verify_build

CONFIGURATION = """%YAML 1.1
---
connection: &board
  accepter: {accepter},127.0.0.1,{port}
  connector: serialdev,{device},115200n81,local
  options:
    kickolduser: true
"""
ACCEPTERS = {"rfc2217": "telnet(rfc2217),tcp", "socket": "tcp"}
START_S = 10.0
NOISE = np.random.default_rng(5).integers(0, 256, STUB_BYTES, np.uint8).tobytes()
"""Has every byte, 0xFF too, which telnet escapes."""


@dataclass(frozen=True)
class Served:
    """A board behind a serial server."""

    url: str
    server: "subprocess.Popen[bytes]"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Say whether somebody listens on this computer, without a connection that a server counts."""
    table = Path("/proc/net/tcp").read_text()
    return f" 0100007F:{port:04X} 00000000:0000 0A " in table


@pytest.fixture(params=ACCEPTERS)
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    if shutil.which("ser2net") is None:
        pytest.skip("ser2net is not installed")
    program = compile_stub("host", tmp_path / "board")
    port = free_port()
    with running([str(program)], tmp_path / "log") as (_, device):
        text = CONFIGURATION.format(accepter=ACCEPTERS[request.param], port=port, device=device)
        (tmp_path / "ser2net.yaml").write_text(text)
        command = ("ser2net", "-n", "-c", tmp_path / "ser2net.yaml")
        with (tmp_path / "server log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_S
            while not listens(port):
                assert server.poll() is None, (tmp_path / "server log").read_text()
                assert time.monotonic() < deadline, "the server does not listen"
                time.sleep(0.02)
            yield Served(f"{request.param}://127.0.0.1:{port}", server)
        finally:
            server.kill()
            server.wait()


def test_a_board_elsewhere_is_as_one_here(served: Served) -> None:
    for _ in range(2):  # the second one finds the line as the first one left it
        with open_port(served.url) as transport:
            results = list(Client(transport).stream([NOISE, bytes(STUB_BYTES), NOISE]))
        for image, result in zip((NOISE, bytes(STUB_BYTES), NOISE), results, strict=True):
            assert all(map(np.array_equal, result.outputs, stub_values(image)))
        assert [result.retries for result in results] == [0, 0, 0]


def test_a_rate_is_set_where_the_far_end_can_be_told(served: Served) -> None:
    with open_port(served.url) as transport:
        assert transport.set_baud(230_400) == served.url.startswith("rfc2217")
        assert transport.set_baud(DEFAULT_BAUD)
        assert transport.baud == DEFAULT_BAUD


def test_silence_is_bounded(served: Served) -> None:
    with open_port(served.url) as transport:
        started = time.monotonic()
        assert transport.read(0.3) == b""
        assert 0.3 <= time.monotonic() - started < 1.0


def test_a_server_that_ends(served: Served) -> None:
    with open_port(served.url) as transport:
        client = Client(transport, timeout=1.0)
        client.hello()
        served.server.kill()
        served.server.wait()
        with pytest.raises(BoardError, match=r"rfc2217|socket"):
            list(client.stream([NOISE]))


@pytest.mark.parametrize("scheme", ["rfc2217", "socket"])
def test_nobody_listens(scheme: str, tmp_path: Path) -> None:
    content = NETWORKS["fire"]()
    build = verify_build(tmp_path / "build", content, "host")
    url = f"{scheme}://127.0.0.1:{free_port()}"
    refused(3, f"{url}: .*Connection refused", "verify", "--build", build, "--port", url)


def test_no_such_scheme(tmp_path: Path) -> None:
    build = verify_build(tmp_path / "build", NETWORKS["fire"](), "host")
    refused(3, "protocol .*carrier", "verify", "--build", build, "--port", "carrier://pigeon:1")
