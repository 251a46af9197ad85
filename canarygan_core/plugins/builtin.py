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
    here = "canarygan_core.tasks"
    return [
        Task("train-gan", f"{here}.train_gan:train_gan", "Train a generative model on clips."),
        Task("sample", f"{here}.sample:sample", "Draw latent vectors and write them to a file."),
        Task("generate", f"{here}.generate:generate", "Make sounds with a trained model."),
        Task("decode", f"{here}.decode:decode", "Tell which syllable each sound is."),
        Task("score", f"{here}.score:score", "Score generated sounds against real ones by every installed metric."),
        Task("project", f"{here}.project:project", "Lay clips and other sounds out in few dimensions."),
        Task("check-data", f"{here}.check_data:check_data", "Tell what is wrong with a folder of clips."),
        Task("write-dataset", f"{here}.write_dataset:write_dataset", "Write a dataset as a folder of WAV files."),
    ]
