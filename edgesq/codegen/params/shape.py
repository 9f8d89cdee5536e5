"""The parameters of CONCATENATION and RESHAPE: none, their tensors say all."""

from edgesq.codegen.params.fields import Params
from edgesq.codegen.params.move import none
from edgesq.operators import Concatenation, Reshape

PARAMS: Params = {Concatenation: none, Reshape: none}
