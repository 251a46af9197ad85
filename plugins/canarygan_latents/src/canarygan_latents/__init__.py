"""The latent space of a model, seen, walked and inverted. Heavy imports come later."""

from canarygan_core import Task, hookimpl

SUMMARIES: dict[str, str] = {
    "agreement": "Say how listeners agree with the key of stimuli, and with each other.",
    "atlas": "Show a model's latent space as one HTML page: classes, sounds, acoustics, paths to hear.",
    "explore": "Show the latent space in a browser of this machine, with the model behind it.",
    "export": "Give a generator to other programs, as an ONNX graph.",
    "grid": "Make stimuli on a regular grid of latents, or along one coordinate.",
    "invert": "Find the latents of sounds that are there already, and tell how near the model comes to them.",
    "morph": "Make stimuli on a bridge from one sound to another.",
    "select": "Make stimuli that are renditions of a label.",
}
"""By task, what it does, in one line. A task is a function of its name in a module of `tasks`."""


READS = {"invert": "canarygan_latents.inversion.archive:load"}
"""By task, what reads back what it left."""


@hookimpl
def register_tasks() -> list[Task]:
    return [
        Task(name, f"canarygan_latents.tasks.{name}:{name}", summary, READS.get(name, ""))
        for name, summary in SUMMARIES.items()
    ]
