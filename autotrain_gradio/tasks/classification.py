"""What the tasks of classification declare alike."""

from __future__ import annotations

from autotrain_gradio.tasks.base import Metric


def figures(noun: str) -> tuple[Metric, ...]:
    """Return the figures of classes beside accuracy and loss, as `training.metrics.classification` names them.

    noun: what is classified, in the plural.
    """
    return (
        Metric("f1", "F1", help="Balance of precision and recall of the second class (two classes)."),
        Metric("auc", "AUC", help=f"How well the scores order the {noun}: 0.5 is chance, 1 perfect."),
        Metric("precision", "Precision", help="Of those called the second class, the share that is (two classes)."),
        Metric("recall", "Recall", help="Of the second class, the share that was found (two classes)."),
        Metric("f1_macro", "F1 (macro)", help="Mean over the classes, each counting the same."),
        Metric("f1_micro", "F1 (micro)", help=f"Over all {noun}, each counting the same."),
        Metric("f1_weighted", "F1 (weighted)", help=f"Mean over the classes, by their number of {noun}."),
        Metric("precision_macro", "Precision (macro)"),
        Metric("precision_micro", "Precision (micro)"),
        Metric("precision_weighted", "Precision (weighted)"),
        Metric("recall_macro", "Recall (macro)"),
        Metric("recall_micro", "Recall (micro)"),
        Metric("recall_weighted", "Recall (weighted)"),
    )
