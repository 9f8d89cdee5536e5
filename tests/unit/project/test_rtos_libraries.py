"""The Zephyr modules and ESP-IDF components, built by their CMake files against stand-ins.

The stand-ins are headers and CMake functions with only what the libraries use; the UART is standard
input and output, so that the examples run here. No board, and no line of the two systems, is there.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import kconfiglib
import pytest
import yaml

from edgesq.project import Layout
from support.builds import edgesq
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import (
    STRICT,
    Library,
    check_verifies,
    classified,
    cmake,
    library,
    pattern_class,
    texts_of,
    verify_build,
)
from support.paths import STANDINS

pytestmark = pytest.mark.slow

NETWORK = "every_operator"


@dataclass(frozen=True)
class System:
    """An ecosystem and where its examples stand."""

    format: Layout
    variable: str
    board: str

    @property
    def standin(self) -> Path:
        return STANDINS / self.format.value


SYSTEMS = {
    system.format: system
    for system in (
        System(Layout.ZEPHYR, "ZEPHYR_BASE", "standin"),
        System(Layout.ESP_IDF, "IDF_PATH", "esp32s3"),
    )
}


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> System:
    chosen = SYSTEMS[request.param]
    monkeypatch.setenv(chosen.variable, str(chosen.standin))
    return chosen


def configuration(out: Path, made: Library, example: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write .config as Zephyr makes it of all Kconfig files and prj.conf, without a warning."""
    monkeypatch.setenv("MODULES", str(made.folder))
    kconfig = kconfiglib.Kconfig(str(STANDINS / "zephyr" / "Kconfig"), warn_to_stderr=False)
    kconfig.load_config(str(made.folder / "examples" / example / "prj.conf"))
    assert kconfig.warnings == []
    kconfig.write_config(str(out))
    return out


def build_example(
    folder: Path, system: System, made: Library, example: str, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Build an example by its own CMake file; return the command that runs it."""
    options = [f"-DCMAKE_C_FLAGS={STRICT.replace(' -Wpedantic', '')}"]
    if system.format is Layout.ZEPHYR:
        config = configuration(folder / ".config", made, example, monkeypatch)
        options.append(f"-DSTANDIN_CONFIG={config}")
    cmake(made.folder / "examples" / example, folder / example, *options)
    return [str(folder / example / "app")]


def test_the_verifying_example(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = library(tmp_path, system.format, NETWORKS[NETWORK](), "person")
    command = build_example(tmp_path, system, made, "verify", monkeypatch)
    folder = verify_build(tmp_path / "edgesq", NETWORKS[NETWORK](), "host")
    device = check_verifies(folder, command, tmp_path / "log")
    assert device["board"] == system.board
    assert re.fullmatch(r"gcc [\d.]+ -O2", device["build"])


def test_the_classifying_example(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = library(tmp_path, system.format, NETWORKS[NETWORK](), "person")
    command = build_example(tmp_path, system, made, "classify", monkeypatch)
    said = classified(command, tmp_path / "log")
    unit = rb"cycles" if system.format is Layout.ZEPHYR else rb"us"
    assert re.fullmatch(rb"class %d in %s: \d+" % (pattern_class(made), unit), said)


def test_zephyr_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(tmp_path, Layout.ZEPHYR, NETWORKS["fire"](), "person")
    for name in ("edgesq", "person_model"):
        module = yaml.safe_load((made.folder / name / "zephyr" / "module.yml").read_text())
        assert module == {"name": name, "build": {"cmake": ".", "kconfig": "Kconfig"}}
    text = configuration(tmp_path / ".config", made, "verify", monkeypatch).read_text()
    assert {"CONFIG_PERSON_MODEL=y", "CONFIG_EDGESQ=y"} <= set(text.splitlines())


@pytest.mark.parametrize("has_helium", [True, False])
def test_zephyr_uses_the_fpu_of_a_core_with_helium(
    has_helium: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves the FPU off by default, and then the compiler has no vectors."""
    made = library(tmp_path, Layout.ZEPHYR, NETWORKS["fire"](), "person")
    monkeypatch.setenv("MODULES", str(made.folder))
    kconfig = kconfiglib.Kconfig(str(STANDINS / "zephyr" / "Kconfig"), warn_to_stderr=False)
    core = ("CPU_HAS_FPU", *(("ARMV8_1_M_MVEI",) if has_helium else ()))
    for name in (*core, "PERSON_MODEL"):
        kconfig.syms[name].set_value("y")
    found = {kconfig.syms[name].str_value for name in ("FPU", "FPU_SHARING")}
    assert found == {"y" if has_helium else "n"}


def test_data_for_helium_on_a_core_without_float_abi(tmp_path: Path) -> None:
    made = library(tmp_path, Layout.ZEPHYR, NETWORKS["fire"](), "person", "mve")
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    command = ("arm-none-eabi-gcc", "-mcpu=cortex-m55", "-mthumb", "-fsyntax-only")
    folders = (f"-I{made.folder / 'edgesq' / 'include'}", f"-I{made.folder / 'person_model'}")
    source = made.folder / "person_model" / "person_model.c"
    run_command(*command, "-mfloat-abi=softfp", *folders, source)
    with pytest.raises(AssertionError, match=r"lacks the mve kernels.*CONFIG_FPU=y"):
        run_command(*command, "-mfloat-abi=soft", *folders, source)


def test_esp_idf_components(tmp_path: Path) -> None:
    made = library(tmp_path, Layout.ESP_IDF, NETWORKS["fire"](), "person")
    for name in ("edgesq", "person_model"):
        manifest = yaml.safe_load(
            (made.folder / "components" / name / "idf_component.yml").read_text()
        )
        assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
        assert manifest["version"] != "0.0.0"
        assert manifest["dependencies"] == {"idf": ">=5.0"}


@pytest.mark.parametrize("layout", list(Layout))
def test_two_exports_of_a_library_share_the_runtime(layout: Layout, tmp_path: Path) -> None:
    """What does not carry the model's name is the same in both, so either may be taken."""
    texts = []
    for name in ("person", "digit"):
        made = library(tmp_path / name, layout, NETWORKS["fire"](), name)
        places = texts_of(made)
        texts.append({place: text for place, text in places.items() if "edgesq/" in place})
        assert not [place for place in places if "sample" in place]
        assert all(os.linesep == "\n" and "sample_" not in text for text in places.values())
    assert texts[0] == texts[1]
    assert bool(texts[0]) == (layout is not Layout.CMAKE)


def test_a_board_without_a_port_has_a_library_alone(tmp_path: Path) -> None:
    (tmp_path / "fire.tflite").write_bytes(NETWORKS["fire"]())
    arguments = ("fire.tflite", "--target", "esp32s3", "--format", "esp-idf", "--out", "out")
    result = edgesq("export", *arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    example = "out/esp-idf/examples/verify"
    steps = f"idf.py -C {example} set-target CHIP build\nthen: edgesq flash --build {example}\n"
    assert result.stdout.endswith(f"Next: {steps}")
    assert (tmp_path / "out" / "esp-idf" / "components" / "fire_model" / "fire_model.c").is_file()
    assert not (tmp_path / "out" / "firmware").exists()
