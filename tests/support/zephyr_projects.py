"""Build folders as Zephyr 3.3 leaves them, for tests: no Zephyr is there."""

import shlex
from pathlib import Path

RUNNERS = """\
# Available runners configured by board.cmake.
runners:
- openocd
- jlink

# Default flash runner if --runner is not given.
flash-runner: openocd

# Default debug runner if --runner is not given.
debug-runner: openocd

# Common runner configuration values.
config:
  board_dir: /zephyr/boards/arm/nucleo_f446re
  # Build outputs:
  elf_file: zephyr.elf
args:
  openocd:
    - --cmd-load
"""
QEMU = (
    "-cpu cortex-m33 -machine mps2-an521 -nographic -m 16 -vga none -pidfile qemu.pid "
    "-chardev stdio,id=con,mux=on -serial chardev:con -mon chardev=con,mode=readline "
    "-icount shift=7,align=off,sleep=off -chardev pty,id=hostS0 -serial chardev:hostS0"
)
"""Of the board mps2_an521."""


def project(
    folder: Path,
    board: str,
    source: Path,
    *,
    runners: str = "",
    qemu: str = "",
    arguments: str = QEMU,
) -> Path:
    """Write a build folder, and return it.

    Args:
        folder: to make.
        board: as Zephyr calls it.
        source: the application's folder.
        runners: what runners.yaml says; it is not there where this is empty.
        qemu: program that its rule run_qemu starts; none where this is empty.
        arguments: of that program.
    """
    image = folder / "zephyr" / "zephyr.elf"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"\x7fELF")
    (folder / "zephyr" / ".config").write_text("CONFIG_ARM=y\n")
    cache = (f"CACHED_BOARD:STRING={board}", f"APPLICATION_SOURCE_DIR:PATH={source}")
    lines = ("# This is the CMakeCache file.", *cache, "ZEPHYR_BASE:PATH=/zephyr")
    (folder / "CMakeCache.txt").write_text("\n".join(lines) + "\n")
    (folder / "zephyr_modules.txt").write_text('"hal":"/modules/hal":"/modules/hal"\n')
    if runners:
        (folder / "zephyr" / "runners.yaml").write_text(runners)
    command = f"cd {_ninja(folder)} && {_ninja(qemu)} {arguments} -kernel {_ninja(image)}"
    built = "build zephyr/CMakeFiles/run_qemu: CUSTOM_COMMAND zephyr/zephyr.elf"
    rule = f"{built}\n  COMMAND = {command}\n"
    other = "build run_qemu: phony zephyr/run_qemu\n\n"
    (folder / "build.ninja").write_text(other + rule if qemu else other)
    return folder


def _ninja(path: Path | str) -> str:
    """Return a path quoted for a shell, and for the file of rules."""
    return shlex.quote(str(path)).replace("$", "$$").replace(" ", "$ ").replace(":", "$:")
