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
    here = "canarygan_decoders"
    return [
        Task(
            "build-decoder-dataset",
            f"{here}.build:build_decoder_dataset",
            "Turn clips into features to train decoders on.",
        ),
        Task("train-decoders", f"{here}.train:train_decoders", "Train decoders, which tell which syllable a sound is."),
    ]
