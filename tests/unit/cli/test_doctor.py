"""`edgesq doctor`: what is missing, and how to get it on this machine."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edgesq.cli.tools import known, packages
from edgesq.extras import EXTRAS
from edgesq.flash import RUNNERS, access
from edgesq.flash.access import serial_access, udev_rules
from edgesq.resources import resource
from edgesq.targets import list_targets
from support.bare import without
from support.builds import edgesq

TOOLCHAIN = next(extra for extra in EXTRAS if extra.name == "toolchain")
NEEDED = ("arm-none-eabi-gcc", "cmake", "make", "gcc", "qemu-system-arm")
APT = "gcc-arm-none-eabi libnewlib-arm-none-eabi cmake make gcc libc6-dev qemu-system-arm"
Doctor = Callable[..., "subprocess.CompletedProcess[str]"]


def put(folder: Path, name: str, script: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return a PATH with fake installers and nothing else; they log their arguments."""
    folder = tmp_path / "bin"
    folder.mkdir()
    put(folder, "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {tmp_path}/log')
    put(folder, "sudo", 'exec "$@"')
    return folder


@pytest.fixture
def doctor(bare: Path) -> Doctor:
    """Return the command where no Python package takes a program's place."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        env = {"PATH": str(bare), **without(TOOLCHAIN.packages)}
        return edgesq("doctor", *arguments, env=env)

    return run


def test_says_what_is_missing(doctor: Doctor, tmp_path: Path) -> None:
    result = doctor()
    assert (result.returncode, result.stderr) == (2, "")
    assert result.stdout.count("missing") == len(NEEDED)
    assert f"apt-get install -y --no-install-recommends {APT}\n" in result.stdout
    assert f"{TOOLCHAIN.command}  # without root" in result.stdout
    assert not (tmp_path / "log").exists()


def test_names_only_what_is_missing(doctor: Doctor, bare: Path) -> None:
    for name in ("arm-none-eabi-gcc", "gcc", "cmake", "ninja"):
        put(bare, name)
    result = doctor()
    assert result.returncode == 2
    assert "--no-install-recommends qemu-system-arm\n" in result.stdout


def test_names_the_package_manager_that_is_there(doctor: Doctor, bare: Path) -> None:
    (bare / "apt-get").unlink()
    put(bare, "brew")
    put(bare, "xpm")
    said = doctor().stdout
    assert "brew install gcc-arm-embedded cmake make gcc qemu\n" in said
    assert "xpm install --global @xpack-dev-tools/arm-none-eabi-gcc @xpack" in said
    assert "brew: open-ocd" in said
    assert "apt" not in said
    assert "sudo" not in said


def test_names_all_where_there_is_none(doctor: Doctor, bare: Path) -> None:
    (bare / "apt-get").unlink()
    said = doctor().stdout
    for manager in known().managers.values():
        assert f"{manager.install} " in said


def test_what_pip_brings_takes_a_programs_place(bare: Path) -> None:
    result = edgesq("doctor", env={"PATH": str(bare)})
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("takes its place") == len(NEEDED) + 1  # Zig, for RISC-V too


def test_shows_versions(doctor: Doctor, bare: Path) -> None:
    put(bare, "qemu-system-arm", "echo 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)'")
    put(bare, "gcc", "echo 'gcc (Debian 12.2.0-14) 12.2.0'")
    put(bare, "openocd", "echo 'Open On-Chip Debugger 0.12.0' >&2")
    put(bare, "cmake", "exit 1")
    lines = [line.split() for line in doctor().stdout.splitlines() if line.strip()]
    rows = {line[0]: line for line in reversed(lines)}  # a long path goes on in a line of its own
    found = [rows[name][-2] for name in ("qemu-system-arm", "gcc", "openocd")]
    assert found == ["7.2.22", "12.2.0", "0.12.0"]
    assert rows["cmake"][:3] == ["cmake", "building", "firmware"]
    assert rows["cmake"][3].startswith("/")  # it is there, and says no version


@pytest.mark.parametrize(("version", "is_old"), [("7.2.22", True), ("9.1.0", False), ("?", False)])
def test_says_which_board_wants_a_newer_qemu(
    version: str, is_old: bool, doctor: Doctor, bare: Path
) -> None:
    put(bare, "qemu-system-arm", f"echo 'QEMU emulator version {version}'")
    said = " ".join(doctor().stdout.split())
    advice = f"b-l475e-iot01a needs qemu-system-arm 9.1: here is {version}; Debian 12 has it in"
    assert (advice in said) == is_old
    assert ("needs qemu-system-arm" in said) == is_old


def test_shows_extras(bare: Path) -> None:
    result = edgesq("doctor", env={"PATH": str(bare), **without({"onnx"})})
    assert "pip install 'edgesq[convert]'" in result.stdout
    assert "edgesq[train]" not in result.stdout


def test_installs(doctor: Doctor, tmp_path: Path) -> None:
    assert doctor("--install").returncode == 0
    assert (tmp_path / "log").read_text().splitlines() == [
        "noninteractive update",
        f"noninteractive install -y --no-install-recommends {APT}",
    ]


def test_installs_also_what_pip_stands_in_for(bare: Path, tmp_path: Path) -> None:
    """`make tools` asks for the boards' own compiler and for QEMU."""
    assert edgesq("doctor", "--install", env={"PATH": str(bare)}).returncode == 0
    assert APT in (tmp_path / "log").read_text()


def test_says_that_installing_failed(doctor: Doctor, bare: Path) -> None:
    put(bare, "apt-get", "exit 100")
    result = doctor("--install")
    assert result.returncode == 2
    assert re.fullmatch(
        r"error: (sudo )?apt-get update: failed \(install the packages by hand\)\n", result.stderr
    )


def test_says_that_there_is_nothing_to_install_with(doctor: Doctor, bare: Path) -> None:
    (bare / "apt-get").unlink()
    result = doctor("--install")
    assert result.returncode == 2
    assert result.stderr == f"error: no package manager is found ({TOOLCHAIN.command})\n"


def test_is_content_where_nothing_is_missing(doctor: Doctor, bare: Path) -> None:
    for name in NEEDED:
        put(bare, name)
    result = doctor()
    assert (result.returncode, result.stderr) == (0, "")
    assert "Nothing is missing." in result.stdout


def test_every_runner_has_a_row() -> None:
    table = known()
    tools = (*table.tools, *table.riscv_tools, *table.flash_tools)
    rows = {name for tool in tools for name in tool.programs}
    programs = {runner.program for runner in RUNNERS.values() if isinstance(runner.program, str)}
    emulators = {target.emulator for target in list_targets()}
    assert len(emulators) > 1
    assert programs | emulators <= rows


def test_every_manager_brings_all_that_is_needed() -> None:
    table = known()
    for tool in table.tools:
        assert set(tool.packages) == set(table.managers), tool.programs
        assert set(tool.instead) <= set(TOOLCHAIN.packages)
    assert all(tool.packages or tool.elsewhere for tool in table.flash_tools)
    assert packages(table.tools, "apt") == APT.split()


def test_make_test_installs_what_doctor_names_for_riscv() -> None:
    makefile = (resource("targets").parent / "Makefile").read_text()
    wanted = re.search(r"^RISCV := (.*)$", makefile, re.M)
    assert wanted
    assert packages(known().riscv_tools, "apt") == wanted[1].split()


def test_riscv_tools_are_no_fault_where_they_are_missing(doctor: Doctor, bare: Path) -> None:
    for name in NEEDED:
        put(bare, name)
    said = doctor().stdout
    assert "apt: gcc-riscv64-unknown-elf" in said
    assert "apt: qemu-system-misc" in said
    assert "Nothing is missing." in said


# Who may use boards


def test_udev_rules_name_every_usb_id_once() -> None:
    rules = udev_rules(list_targets())
    pairs = re.findall(r'SUBSYSTEM=="tty".*?Vendor\}=="(\w+)".*?Product\}=="(\w+)"', rules)
    ids = [":".join(pair) for pair in pairs]
    known_ids = {
        usb_id for target in list_targets() for usb_id in (*target.usb_ids, *target.own_usb_ids)
    }
    assert known_ids < set(ids)  # probes and bootloaders too
    assert {"2e8a:0003", "0483:374b"} <= set(ids)
    assert sorted(set(ids)) == ids
    rule = r'SUBSYSTEM=="\w+"(, (ATTRS|ENV)\{\w+\}==?"\w+"|, \w+\+?="\w+")+'
    lines = [line for line in rules.splitlines() if line and not line.startswith("#")]
    assert len(lines) == 3 * len(ids)
    assert [line for line in lines if not re.fullmatch(rule, line)] == []
    assert edgesq("doctor", "--udev").stdout == rules


def test_says_how_to_get_at_boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tmp_path / "60-edgesq.rules"
    monkeypatch.setattr(access, "RULES", rules)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", lambda: [1000])
    monkeypatch.setattr(access, "_runs", lambda _: True)
    ports, probes, modems = serial_access()
    assert not ports.is_good
    assert "sudo usermod --append --groups dialout" in ports.detail
    assert probes.detail == f"edgesq doctor --udev | sudo tee {rules}"
    assert "ModemManager" in modems.detail
    rules.touch()
    _, probes = serial_access()
    assert probes.is_good


def test_processes_are_found_by_name() -> None:
    mine = Path("/proc/self/comm").read_text().strip()
    assert access._runs(mine)
    assert not access._runs("no such process")
