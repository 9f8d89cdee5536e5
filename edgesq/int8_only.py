"""Refuse models of int16 activations where only int8 is known."""

from edgesq.errors import ModelError
from edgesq.graph import Graph


def need_int8(graph: Graph, what: str, where: str = "model") -> None:
    """Refuse a model whose activations are int16.

    Args:
        graph: the model.
        what: needs int8; the subject of a sentence.
        where: what an error message calls the model.

    Raises:
        ModelError: they are.
    """
    if graph.is_int16:
        raise ModelError(
            f"{what} needs int8 activations, this model's are int16",
            where=where,
            hint="convert the model to int8, or do without",
        )
