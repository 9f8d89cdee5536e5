"""What `verify` found, and its JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class VerifyReport:
    """Board against host, over all images streamed. The field names are the JSON's keys.

    Attributes:
        images: streamed and compared.
        bit_exact_images: of these, with every observed value equal.
        values: compared, over all images: outputs, and logits where a softmax follows them.
        differing_values: of these, not equal.
        max_abs_lsb: largest difference in quantization steps.
        top1_agreement: share of images whose largest output is at the same place, 0..1.
        accuracy: share of images that the board put into their class; None without labels.
        device_instructions: median per image; None where the board cannot count.
        device_us: median microseconds per image in the engine, by the board's counter. On an
            emulated board that is virtual time and says nothing about silicon.
        device_stack_bytes: deepest use of the board's stack; None where it cannot tell.
        link_bytes_per_s: both ways, from the first byte of an image to its last result.
        retries: how often something had to be sent again.
        expected_by: who computed the expected values.
        model_sha256: hex digest of the model that both ran.
        board: the board's own name.
        kernels: kernel family of its firmware.
        build: compiler of its firmware, version and flags.
        core: its core by the CPUID register; None where it is no Cortex-M.
        clock_hz: its clock as its firmware says.
        warnings: what would make it faster.
        port: serial device.
    """

    images: int
    bit_exact_images: int
    values: int
    differing_values: int
    max_abs_lsb: int
    top1_agreement: float
    accuracy: float | None
    device_instructions: int | None
    device_us: float
    device_stack_bytes: int | None
    link_bytes_per_s: float
    retries: int
    expected_by: str
    model_sha256: str
    board: str
    kernels: str
    build: str
    core: str | None
    clock_hz: int
    warnings: tuple[str, ...]
    port: str

    @property
    def is_exact(self) -> bool:
        """Whether every value of every image is equal."""
        return self.bit_exact_images == self.images

    def to_json(self) -> str:
        """Return the report as a JSON object."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def write_json(self, path: Path) -> None:
        """Write `to_json` to `path`."""
        path.write_text(self.to_json(), encoding="utf-8")
