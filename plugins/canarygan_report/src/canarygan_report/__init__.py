"""The report: a run gathered into one HTML file. Nothing here computes a score; it shows what other tasks have left."""

from canarygan_core import Task, hookimpl


@hookimpl
def register_tasks() -> list[Task]:
    return [Task("report", "canarygan_report.task:report", "Gather a run into one HTML file: scores, maps, sounds.")]
