"""A board with a USB line of its own goes into its bootloader by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgesq.errors import BoardError
from edgesq.flash import touch as touching
from edgesq.flash.image import Image
from edgesq.flash.steps import Job, Step
from edgesq.targets import load_target

PICO = load_target("pico")


class Bench:
    """Boards on USB: ports, who answers there, and what was touched."""

    def __init__(self) -> None:
        self.ports = ["/dev/ttyACM0"]
        self.answering = {"/dev/ttyACM0"}
        self.touched: list[str] = []
        self.drives = 0
        self.is_stuck = False

    def touch(self, port: str) -> None:
        """Take a touch: the port goes, the drive comes."""
        self.touched.append(port)
        self.ports.remove(port)
        self.drives += not self.is_stuck

    def steps(self, probe: str | None = None) -> list[Step]:
        """Return the steps for a Pico."""
        job = Job(PICO, Image(0, b"", 0), Path("x.elf"), Path(), probe)
        return touching.touch_steps(job, lambda: self.drives > 0, "mount it")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    find: Callable[..., list[str]] = lambda ids, _=None: (  # noqa: E731
        list(made.ports) if ids == PICO.own_usb_ids else []
    )
    monkeypatch.setattr(touching, "find_ports", find)
    monkeypatch.setattr(touching, "touch_port", made.touch)
    monkeypatch.setattr(touching, "_is_ours", lambda port: port in made.answering)
    monkeypatch.setattr(touching, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(touching, "_POLL_S", 0.01)
    return made


def run(steps: list[Step]) -> None:
    for step in steps:
        assert step.action is not None
        step.action()


def test_a_running_board_is_touched(bench: Bench) -> None:
    steps = bench.steps()
    assert [step.command for step in steps] == [("stty", "-F", "/dev/ttyACM0", "1200")]
    assert bench.touched == []
    run(steps)
    assert bench.touched == ["/dev/ttyACM0"]


def test_a_board_in_its_bootloader_is_left_alone(bench: Bench) -> None:
    bench.drives = 1
    assert bench.steps() == []


def test_without_a_board_the_hand_is_asked_for(bench: Bench) -> None:
    bench.ports = []
    assert bench.steps() == []


def test_firmware_of_others_is_left_alone(bench: Bench) -> None:
    """The ids are those of every pico-sdk program with a serial line."""
    bench.answering = set()
    run(bench.steps())
    assert bench.touched == []


def test_of_several_boards_one_must_be_named(bench: Bench) -> None:
    bench.ports.append("/dev/ttyACM1")
    bench.answering.add("/dev/ttyACM1")
    with pytest.raises(
        BoardError, match=r"several boards: .*ACM0, .*ACM1 \(choose one with --probe"
    ):
        run(bench.steps())
    assert bench.touched == []


def test_a_drive_that_is_not_mounted_is_named(bench: Bench) -> None:
    bench.is_stuck = True
    with pytest.raises(BoardError, match=r"ttyACM0: was sent .* not seen \(mount it\)"):
        run(bench.steps())
