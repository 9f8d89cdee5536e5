"""Boards of a labgrid farm: its own coordinator, exporter and client, on this computer."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgesq.errors import BoardError
from edgesq.flash import recorded
from edgesq.link.client import Client
from edgesq.link.transport import open_port
from support.boards import STUB_BYTES, compile_stub, running, stub_values
from support.builds import COMMAND, done, edgesq, popen, refused, words
from support.cases import NETWORKS
from support.labgrid_farm import Farm, farm, free_port, need_labgrid
from support.libraries import verify_build

NOISE = np.random.default_rng(6).integers(0, 256, STUB_BYTES, np.uint8).tobytes()
US = "desk/ann"


@dataclass(frozen=True)
class Lab:
    """A farm with a board that runs `build`'s model, and one with the pretended engine."""

    farm: Farm
    build: Path
    env: dict[str, str]

    def verify(self, *options: str, user: str = "ann") -> "subprocess.CompletedProcess[str]":
        env = {**self.env, "LG_USERNAME": user}
        return edgesq("verify", "--build", self.build, *options, env=env)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    need_labgrid()
    folder = tmp_path_factory.mktemp("farm")
    build = verify_build(folder / "build", NETWORKS["fire"](), "host")
    done("flash", "--build", build)
    try:
        board = recorded(build)
        assert board
        stub = compile_stub("host", folder / "stub")
        with running([str(stub)], folder / "log") as (_, device):
            lines = {"board": board.port, "stub": device}
            with farm(folder, lines) as made:
                for place, *groups in (["one", "board"], ["two", "stub"], ["both", *lines]):
                    made.does("-p", place, "create")
                    for group in groups:
                        pattern = f"lab/{group}/NetworkSerialPort/RawSerialPort"
                        made.does("-p", place, "add-named-match", pattern, group)
                yield Lab(made, build, made.env)
    finally:
        done("flash", "--build", build, "--stop")


@pytest.fixture(autouse=True)
def places(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Farm]:
    """Yield the farm, ourselves a user of it; all places are free before and after."""
    for name, value in {**lab.env, "LG_USERNAME": "ann"}.items():
        monkeypatch.setenv(name, value)
    yield lab.farm
    for line in lab.farm.does("who").splitlines()[1:]:
        lab.farm.does("-p", line.split()[2], "release", "--kick")


def test_a_place_is_verified_and_given_back(lab: Lab, places: Farm) -> None:
    said = lab.verify("--port", "labgrid://one", "--layers")
    assert (said.returncode, words(said.stderr)) == (0, "")
    report = json.loads((lab.build / "verify.json").read_text())
    assert report["link"]["port"] == "labgrid://one"
    assert report["result"]["differing_values"] == 0
    assert report["layers"]["difference"] is None
    assert places.holder("one") == "None"


def test_a_place_that_we_hold_stays_ours(places: Farm) -> None:
    places.does("-p", "two", "acquire")
    with open_port("labgrid://two") as transport:
        (result,) = Client(transport).stream([NOISE])
        assert transport.set_baud(230_400)
        assert transport.set_baud(115_200)
    assert all(map(np.array_equal, result.outputs, stub_values(NOISE)))
    assert places.holder("two") == US


def test_a_place_of_another_is_left_alone(lab: Lab, places: Farm) -> None:
    places.does("-p", "two", "acquire", user="bob")
    with pytest.raises(BoardError, match=r"labgrid://two: the place is held by desk/bob \(wait"):
        open_port("labgrid://two")
    assert places.holder("two") == "desk/bob"
    places.does("-p", "two", "allow", US, user="bob")
    with open_port("labgrid://two") as transport:
        Client(transport).hello()
    assert places.holder("two") == "desk/bob"
    env = {**lab.env, "LG_USERNAME": "eve"}
    arguments = ("verify", "--build", lab.build, "--port", "labgrid://two")
    refused(3, "held by desk/bob .*allow desk/eve", *arguments, env=env)


def test_a_line_is_named_where_there_are_several(places: Farm) -> None:
    with pytest.raises(BoardError, match=r"several serial lines: board, stub \(.*both/NAME"):
        open_port("labgrid://both")
    assert places.holder("both") == "None"
    with open_port(f"labgrid://both/stub?coordinator={places.address}") as transport:
        Client(transport).hello()
        assert places.holder("both") == US
    assert places.holder("both") == "None"


@pytest.mark.parametrize("port", ["labgrid://three", "labgrid://o"])
def test_no_such_place(port: str) -> None:
    words = {"three": "there is no such place", "o": "is several places"}[port[10:]]
    with pytest.raises(BoardError, match=words):
        open_port(port)


def test_no_coordinator() -> None:
    with pytest.raises(BoardError, match="no labgrid coordinator answers"):
        open_port(f"labgrid://one?coordinator=127.0.0.1:{free_port()}")


def test_a_place_that_is_taken_away(places: Farm) -> None:
    with open_port("labgrid://two") as transport:
        client = Client(transport, timeout=1.0)
        client.hello()
        places.does("-p", "two", "release", "--kick", user="bob")
        places.does("-p", "two", "acquire", user="bob")
        with pytest.raises(BoardError, match="went away"):
            list(client.stream([NOISE]))
    assert places.holder("two") == "desk/bob"


def test_a_line_that_comes_back_elsewhere(places: Farm) -> None:
    """Released and acquired anew, the exporter serves it on another TCP port."""
    with open_port("labgrid://two") as transport:
        client = Client(transport, timeout=5.0)
        client.hello()
        places.does("-p", "two", "release")
        places.does("-p", "two", "acquire")
        (result,) = client.stream([NOISE])
    assert all(map(np.array_equal, result.outputs, stub_values(NOISE)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_ended_run_gives_the_place_back(lab: Lab, places: Farm, number: signal.Signals) -> None:
    images = lab.build / "many.npz"
    with np.load(lab.build / "verify_images.npz") as archive:
        np.savez(images, input=np.repeat(archive["input"], 4000, axis=0))
    report = lab.build / "ended.json"
    arguments = ("--build", lab.build, "--images", images, "--json", report)
    command = (*COMMAND, "verify", *arguments, "--port", "labgrid://one")
    env = {**os.environ, **lab.env, "LG_USERNAME": "ann"}
    process = popen(command, env)
    deadline = time.monotonic() + 60
    while places.holder("one") != US:
        assert time.monotonic() < deadline
        assert process.poll() is None
    time.sleep(1.0)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 128 + number, complaint
    assert "Traceback" not in complaint
    assert places.holder("one") == "None"
