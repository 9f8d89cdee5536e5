"""Pictures of models, plans and figures, and what pages share: data in, SVG or HTML out.

Graph, Plan, figures --> Picture --> in a page, a file or a notebook
records, pictures --> template --> one HTML page that needs nothing but itself
"""

from edgesq.pages.charts import LossPoint, PlanPoint, histogram, losses, plans
from edgesq.pages.memory import arena_map, at_peak, peak_map, peak_words
from edgesq.pages.network import network
from edgesq.pages.picture import Picture

__all__ = [
    "LossPoint",
    "Picture",
    "PlanPoint",
    "arena_map",
    "at_peak",
    "histogram",
    "losses",
    "network",
    "peak_map",
    "peak_words",
    "plans",
]
