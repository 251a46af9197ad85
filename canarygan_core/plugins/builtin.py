"""What the kernel itself offers, through the same hooks as any plugin."""

from canarygan_core.components import Dataset, Task
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.hookspecs import hookimpl


@hookimpl
def register_datasets() -> list[type[Dataset]]:
    return [Folder, Synthetic]


@hookimpl
def register_tasks() -> list[Task]:
    summaries = {
        "train_gan": "Train a generative model on clips.",
        "sample": "Draw latent vectors and write them to a file.",
        "generate": "Make sounds with a trained model.",
        "decode": "Tell which syllable each sound is.",
        "score": "Score generated sounds against real ones by every installed metric.",
        "project": "Lay clips and other sounds out in few dimensions.",
        "check_data": "Tell what is wrong with a folder of clips.",
        "write_dataset": "Write a dataset as a folder of WAV files.",
        "verify": "Tell whether files are what was written, back to the clips.",
        "runs": "Tell what trainings and other outputs lie in a folder.",
        "rerun": "Repeat what a manifest describes, and tell what differs.",
        "clean": "Remove what killed processes left, and the cache.",
    }
    return [
        Task(name.replace("_", "-"), f"canarygan_core.tasks.{name}:{name}", summary)
        for name, summary in summaries.items()
    ]
