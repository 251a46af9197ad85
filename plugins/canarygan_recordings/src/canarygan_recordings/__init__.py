"""Long recordings with annotations: the dataset, and the tasks before and after a decoder. Heavy imports come later."""

from canarygan_core import Dataset, Task, hookimpl
from canarygan_core.components import Annotator
from canarygan_recordings.annotator import Crowsetta
from canarygan_recordings.dataset import Recordings


@hookimpl
def register_datasets() -> list[type[Dataset]]:
    return [Recordings]


@hookimpl
def register_annotators() -> list[type[Annotator]]:
    return [Crowsetta]


@hookimpl
def register_tasks() -> list[Task]:
    summaries = {
        "compose": "String generated syllables into a song.",
        "cut": "Cut recordings into a folder of clips by their annotations.",
        "segment": "Find the syllables in recordings that nobody has annotated.",
    }
    return [Task(name, f"canarygan_recordings.tasks.{name}:{name}", summary) for name, summary in summaries.items()]
