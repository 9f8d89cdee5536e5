"""Two models' application sides in one program: C++ on this computer, C on a Cortex-M4."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.calibrate import Preprocessing
from edgesq.codegen import generate
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import PlanRequest, make_plan
from edgesq.project import compile_firmware, lay_out
from edgesq.reference import run_observed
from edgesq.resources import resource
from edgesq.targets import load_target
from support.cases import NETWORKS
from support.crun import SANITIZERS, compile_c, run_command
from support.emulated_cases import start_and_read
from support.networks import FINER, RECTIFIED, Network
from support.paths import SUPPORT

FIRMWARE = resource("firmware")
BGR = Preprocessing("bgr", (104.0, 117.0, 124.0), 1 / 128)
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")


def measures() -> bytes:
    net = Network((7, 4, 3), FINER, seed=5)
    net.dense(net.mean(net.conv(net.input, 6, (3, 3), quant=RECTIFIED)), 3)
    return net.build(max(net.shapes))


@dataclass(frozen=True)
class Both:
    """A classifier and a network of measures, with a picture of each and what they say of it."""

    person: Graph
    measure: Graph

    def generated(self, kernels: str) -> dict[str, str]:
        """Return the C of both; model_data.h, which neither needs, is the second's."""
        names = [str(number) for number in range(23)]
        request = PlanRequest(kernels)
        person = make_plan(self.person, request), kernels, "person", names, BGR
        measure = make_plan(self.measure, request), kernels, "measure"
        return {**generate(self.person, *person), **generate(self.measure, *measure)}

    def pictures(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        random = np.random.default_rng(13)
        shapes = [graph.tensors[graph.input].hwc for graph in (self.person, self.measure)]
        one, other = (random.integers(0, 256, shape, np.uint8) for shape in shapes)
        return one, other

    def class_of(self, pixels: NDArray[np.uint8]) -> int:
        tensor = self.person.tensors[self.person.input]
        values = BGR.to_int8(pixels[np.newaxis], tensor.scale, tensor.zero_point)
        return int(run_observed(self.person, values)[-1].argmax())

    def of_another_class(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        random = np.random.default_rng(17)
        scale = random.random((200, *pixels.shape)) * random.random((200, 1, 1, 3))
        pictures = (255 * scale).astype(np.uint8)
        this = self.class_of(pixels)
        return next(one for one in pictures if self.class_of(one) != this)

    def reals_of(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        tensor, output = (
            self.measure.tensors[index] for index in (self.measure.input, self.measure.output)
        )
        values = Preprocessing().to_int8(pixels[np.newaxis], tensor.scale, tensor.zero_point)
        steps = run_observed(self.measure, values)[0][0].astype(np.float32) - output.zero_point
        return np.asarray(steps * np.float32(output.scale), np.float32)


@pytest.fixture
def both() -> Both:
    return Both(read_graph(NETWORKS["every_operator"]()), read_graph(measures()))


def test_two_models_in_one_program_of_cplusplus(both: Both, tmp_path: Path) -> None:
    for name, text in both.generated("portable").items():
        (tmp_path / name).write_text(text)
    compile_c("-O1", "-c", *sorted((FIRMWARE / "src").rglob("*.c")), cwd=tmp_path)
    compile_c(f"-I{tmp_path}", "-c", *sorted(tmp_path.glob("*_*.c")), cwd=tmp_path)
    headers = (f"-I{FIRMWARE / 'include'}", f"-I{tmp_path}")
    source, program = SUPPORT / "cplusplus" / "two_models.cc", tmp_path / "two"
    objects = sorted(tmp_path.glob("*.o"))
    run_command(
        "g++", "-std=c++17", *STRICT, *SANITIZERS, *headers, source, *objects, "-o", program
    )
    person, measure = both.pictures()
    other = both.of_another_class(person)
    pictures = b"".join(pixels.tobytes() for pixels in (person, other, measure))
    said = run_command(program, stdin=pictures).decode().splitlines()
    number, name = said[0].split()
    assert (int(number), name) == (both.class_of(person), number)
    reals = [float.fromhex(line) for line in said[1:4]]
    assert reals == both.reals_of(measure).tolist()
    assert [int(line) for line in said[4:]] == [both.class_of(person), both.class_of(other)]


@pytest.mark.emulated
def test_two_models_in_one_firmware_of_a_cortex_m4(both: Both, tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None:
        pytest.skip("arm-none-eabi-gcc or qemu-system-arm is not installed")
    target = load_target("mps2-an386")
    folder = tmp_path / "firmware"
    files = both.generated(target.kernels)
    lay_out(folder, target, files)
    app = folder / "app"
    shutil.rmtree(app)
    app.mkdir()
    for name in ("person_app.c", "measure_app.c"):
        (folder / name).rename(app / name)
    shutil.copyfile(SUPPORT / "firmware_cases" / "two_models.c", app / "main.c")
    person, measure = both.pictures()
    lines = [
        f"static const uint8_t {name}_picture[] = {{{', '.join(map(str, pixels.reshape(-1)))}}};"
        for name, pixels in (("person", person), ("measure", measure))
    ]
    (app / "pictures.h").write_text("\n".join(lines) + "\n")
    compile_firmware(folder, target, warnings_are_errors=True)
    said = start_and_read(tmp_path, target, 1 + 3 * 4)
    assert said[0] == both.class_of(person)
    assert said[1:] == both.reals_of(measure).tobytes()
