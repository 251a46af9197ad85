"""Syllable decoders for CanaryGAN: features, an echo state network, nearest neighbours, a support vector machine."""

from canarygan_core import Decoder, Task, hookimpl
from canarygan_decoders.esn import ESN
from canarygan_decoders.knn import KNN
from canarygan_decoders.svm import SVM


@hookimpl
def register_decoders() -> list[type[Decoder]]:
    return [ESN, KNN, SVM]


@hookimpl
def register_tasks() -> list[Task]:
    tasks = "canarygan_decoders.tasks"
    return [
        Task(
            "build-decoder-dataset",
            f"{tasks}.build_decoder_dataset:build_decoder_dataset",
            "Turn clips into features to train decoders on.",
        ),
        Task(
            "train-decoders",
            f"{tasks}.train_decoders:train_decoders",
            "Train decoders, which tell the syllable class of a sound.",
        ),
    ]
