"""What `labels.py` measured, as tables."""

from collections.abc import Mapping
from typing import Any

import machine
import numpy as np

JUDGES = ("esn", "knn", "svm")
"""The decoders of the consensus."""


def summarise(result: Mapping[str, Any] | None, *keys: str) -> str:
    """Mean over seeds, and from least to most where there are several."""
    if result is None:
        return ""
    values = []
    for seed in result["seeds"]:
        value: Any = seed
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            values.append(value)
    if not values:
        return "-"
    spread = f" ({min(values):.3f} to {max(values):.3f})" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def text(name: str, result: Mapping[str, Any], old: Mapping[str, Any] | None) -> str:
    """The tables as Markdown."""
    first = result["seeds"][0]
    counts, judges = first["counts"], [*first["x"]["unseen"]]
    side = ["0.2.0, consensus"] if old else []

    def table(title: str, key: str, columns: list[str]) -> list[str]:
        head = ["", f"| {title} | N | {' | '.join([*columns, *side])} |"]
        head.append("| --- | ---: |" + " ---: |" * (len(columns) + len(side)))
        for row in first[key]:
            cells = [summarise(result, key, row, column) for column in columns]
            cells += [summarise(old, key, row, "consensus")] if old else []
            head.append(f"| {row} | {counts[row]} | {' | '.join(cells)} |")
        return head

    lines = [
        f"# {name}: do labels hold?",
        "",
        f"Means over {len(result['seeds'])} seeds, least and most in brackets. "
        f"Each seed holds out a fifth of the clips. The consensus is of {', '.join(JUDGES)}.",
    ]
    lines += ["Under 0.2.0 stands what that version gives, by one seed."] if old else []
    lines += table("share called X", "x", judges)
    lines += table("share right, X counts as wrong", "right", [*judges, "classifier"])
    if old:
        shares = (f"{row} {summarise(old, 'right', row, 'classifier')}" for row in old["seeds"][0]["right"])
        lines += ["", f"Right by 0.2.0's classifier: {'; '.join(shares)}."]
    if "area" in first:
        area = f"Area under the curve of P(syllable), unseen clips against another bird: {summarise(result, 'area')}"
        lines += ["", area + (f"; 0.2.0, by posteriors, {summarise(old, 'area')}." if old else ".")]
    if "agreement" in first:
        columns = ["share", f"0.2.0, epoch {old['seeds'][0]['epoch']}"] if old else ["share"]
        lines += ["", f"| trained generator, epoch {first['epoch']} | {' | '.join(columns)} |"]
        lines.append(f"| --- |{' ---: |' * len(columns)}")
        for row in first["agreement"]:
            cells = [summarise(one, "agreement", row) for one in ((result, old) if old else (result,))]
            lines.append(f"| {row} | {' | '.join(cells)} |")
    lines += ["", f"Training of the decoders took {summarise(result, 'training_s')} s of processor time."]
    return "\n".join([*lines, "", machine.line(result["machine"]), ""])
