"""Say which layer it is whose weights a board finds damaged: a board knows only a number."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgesq.builds import read_model, read_operators, read_report
from edgesq.errors import DamagedError, EdgesqError
from edgesq.formats.tflite import read_graph


@contextmanager
def layer_named(build: Path) -> Iterator[None]:
    """Name the layer in a DamagedError that is raised within, where `build` is the board's model.

    Raises:
        DamagedError: as within.
    """
    try:
        yield
    except DamagedError as error:
        name = _layer(build, error)
        if name is None:
            raise
        raise DamagedError(
            f"{name} (operator {error.operator})",
            where=error.where,
            operator=error.operator,
            model_sha256=error.model_sha256,
        ) from error


def _layer(build: Path, error: DamagedError) -> str | None:
    """Return the name of the layer, None where the build does not say."""
    try:
        graph = read_graph(read_model(build))
        operators = read_operators(read_report(build), graph)
    except EdgesqError:
        return None
    index = error.operator
    if index is None or index >= len(operators) or graph.sha256 != error.model_sha256:
        return None
    return operators[index].name
