"""Search networks for a board: plan first, train only what fits, keep what no other beats.

    space --suggest--> metaparameters --graph--> plan on the target --> too large: told, dropped
       ^                                              |
       |                                              v
    Optuna <--tell-- accuracy, RAM, flash <-- int8 <-- train (a worker process, or a Ray task)

One process asks Optuna and tells it; workers know neither. What is finished is in the storage, and
its network in the folder, before anything else begins.
"""

from edgesq.search.exporting import Exported, export_trial
from edgesq.search.held import values_given
from edgesq.search.options import Asked, Workers, search
from edgesq.search.records import Limits, Needed, Outcome, Row, StudyDocument
from edgesq.search.run import Until

__all__ = [
    "Asked",
    "Exported",
    "Limits",
    "Needed",
    "Outcome",
    "Row",
    "StudyDocument",
    "Until",
    "Workers",
    "export_trial",
    "search",
    "values_given",
]
