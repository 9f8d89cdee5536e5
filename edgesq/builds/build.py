"""Make the build folder: the story of an export, as lists of steps."""

import contextlib
import platform
from dataclasses import replace
from functools import partial
from importlib import metadata

from edgesq.builds.byproducts import ByProducts
from edgesq.builds.compression import compression_steps
from edgesq.builds.draft import Compared, Draft, ExportOptions, Planned
from edgesq.builds.facts import (
    CalibrationFacts,
    ExportReport,
    ModelFacts,
    ParityFacts,
    RequestFacts,
)
from edgesq.builds.folder import appearing, check_out, file_hashes
from edgesq.builds.loading import loading_steps, source_request
from edgesq.builds.model import Kind
from edgesq.builds.optimize import Improved, accuracy_steps, fitting_steps
from edgesq.builds.page_files import SHEET, draw_page
from edgesq.builds.parity import compared_images, forms_of
from edgesq.builds.report import write_report
from edgesq.builds.runtime import asked_kernels, check_tree, make_firmware
from edgesq.builds.source import CalibrationOptions, Source
from edgesq.builds.steps import Driver, OnStage, Step
from edgesq.builds.target import needs_library
from edgesq.builds.write import (
    compare,
    compile_it,
    draw,
    run_references,
    write_code,
    write_models,
)
from edgesq.choices import Layout
from edgesq.codegen import check_name
from edgesq.errors import EdgesqError
from edgesq.extras import LITERT, require
from edgesq.int8_only import need_int8
from edgesq.targets import TFLM_KERNELS

_VERSIONED = (
    "edgesq",
    "tensorflow",
    "keras",
    "onnx",
    "onnxruntime",
    "tf2onnx",
    "numpy",
    "ai-edge-litert",
)


def export(options: ExportOptions, on_stage: OnStage) -> ExportReport:
    """Write the build folder and return its report.

    Args:
        options: what to export.
        on_stage: is told what begins, for a progress display.

    Raises:
        EdgesqError: the model, its images or the target cannot be used, or a tool failed; nothing
            is left behind then and an earlier build stays as it was.
    """
    _check(options)
    taken = CalibrationOptions(options.classes, options.fit, options.strict, options.activations)
    request = source_request(options.model, options.calibration, taken)
    driver = Driver(on_stage)
    loading = loading_steps(request.kind)
    improving = improving_steps(options, request.kind, driver)
    building = building_steps(options, request.kind)
    driver.announce(loading, improving, building)
    source: Source = driver.run(loading, request)
    planned: Planned = driver.run(improving, Improved(source, options.firmware(source)))
    with appearing(options.out) as folder:
        report: ExportReport = driver.run(building, Draft(options, planned, ByProducts(folder)))
        write_report(folder, report)
    return report


def _check(options: ExportOptions) -> None:
    """Refuse what can be refused before the model is loaded.

    Raises:
        EdgesqError: the folder, the target's layout, a name or TensorFlow Lite Micro's tree.
        MissingExtraError: what is asked for needs packages that are not installed.
    """
    check_out(options.out)
    require(LITERT)
    if options.compress is not None:
        require("tensorflow", "onnx", "onnxruntime")
    if options.target.is_library and options.layout is Layout.CMAKE:
        raise needs_library(options.target)
    check_tree(options.target, options.tflm_dir)
    if options.name is not None:
        check_name(options.name)
    if options.target.kernels == TFLM_KERNELS and options.layout is not Layout.CMAKE:
        raise EdgesqError(
            f"a {options.layout.value} library holds edgesq's own runtime",
            hint="leave out --format or --runtime",
        )


def improving_steps(options: ExportOptions, kind: Kind, driver: Driver) -> list[Step]:
    """Return the steps from an Improved to a Planned."""
    steps = []
    rounds = options.optimize_accuracy is not None or options.compress is not None
    if kind.is_float and not rounds:
        steps += fitting_steps()
    if options.optimize_accuracy is not None:
        steps += accuracy_steps(options.optimize_accuracy, driver.tell)
    if options.compress is not None:
        steps += compression_steps(options.target, options.compress)
    return [*steps, Step("plan the memory and generate C", partial(_plan, options.layout))]


def building_steps(options: ExportOptions, kind: Kind) -> list[Step]:
    """Return the steps from a Draft, whose folder they fill, to its ExportReport."""
    return [
        Step("write ONNX", write_models),
        Step("write the firmware project", write_code),
        Step("draw RAM against speed", draw),
        Step(f"compile for {options.target.name}", compile_it),
        Step("run TensorFlow Lite's reference kernels", run_references),
        *(Step(f"compare {form.name}", partial(compare, form=form)) for form in forms_of(kind)),
        Step("write the page", _shown),
    ]


def _plan(layout: Layout, improved: Improved) -> Planned:
    source = improved.source
    if layout is not Layout.CMAKE:
        need_int8(source.graph, f"a library for {layout.value}", source.name)
    firmware = make_firmware(source.graph, source.tflite, improved.firmware, improved.chosen)
    return Planned(improved, firmware)


def _shown(state: Compared) -> ExportReport:
    """Write the page of a build, and return what `report.json` says of it."""
    report, draft = _report(state), state.draft
    chosen, candidates = draft.firmware.chosen, draft.candidates
    warnings = report.warnings
    if not draw_page(draft.extras, report, draft.source.graph, chosen, candidates):
        warnings = (*warnings, draft.extras.left_out[-1])
    return replace(report, warnings=warnings, files=file_hashes(draft.folder))


def _report(state: Compared) -> ExportReport:
    """Return what `report.json` says of a build, but for its files."""
    draft, improved = state.draft, state.draft.planned.improved
    options, source = draft.options, draft.source
    tflm_dir = None if options.tflm_dir is None else str(options.tflm_dir)
    return ExportReport(
        model=_model_facts(source, improved.firmware.name),
        firmware=draft.firmware.facts,
        sizes=draft.sizes,
        request=RequestFacts(
            options.layout, options.goal, options.ram_limit, tflm_dir, asked_kernels(options.target)
        ),
        calibration=CalibrationFacts(
            source.preprocessing,
            source.declared,
            source.classes if source.classes.names else None,
            source.audit,
            source.sheet.cells if source.sheet and (draft.folder / SHEET).exists() else (),
        ),
        verify_images=source.verify_images_are,
        parity=ParityFacts(compared_images(source), state.rows),
        notes=source.notes,
        warnings=(*_warnings(source), *draft.warnings, *draft.extras.left_out),
        accuracy=improved.accuracy,
        compression=improved.compression,
        files={},
        versions=_versions(),
    )


def _model_facts(source: Source, c_name: str) -> ModelFacts:
    graph = source.graph
    return ModelFacts(
        source.name,
        c_name,
        graph.sha256,
        graph.tensors[graph.input].hwc,
        graph.total_macs,
        graph.weights_bytes,
    )


def _warnings(source: Source) -> list[str]:
    wrong = [row.message for row in source.audit if not row.is_good]
    return [f"calibration: {note}" for note in (*source.image_notes, *wrong)]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _VERSIONED:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
