"""The service API of the page, the command line and Python, which call nothing below it.

Arguments and results are plain data. The caller is an `owner`: `local` for the user of this machine, a
random visitor id on a shared page. Anyone who knows the id of a run can view it; changing a run or
downloading its files requires its owner. All permissions are checked in this package.
"""

from autotrain_gradio.core.owners import LOCAL
from autotrain_gradio.runs.states import ACTIVE, ENDED, RESUMABLE
from autotrain_gradio.service.service import Service, wait

__all__ = ["ACTIVE", "ENDED", "LOCAL", "RESUMABLE", "Service", "wait"]
