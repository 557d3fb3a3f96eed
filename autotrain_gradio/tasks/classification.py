"""Metrics that the classification tasks share."""

from __future__ import annotations

from autotrain_gradio.tasks.base import Metric


def classification_metrics(noun: str) -> tuple[Metric, ...]:
    """Declare the metrics other than accuracy and loss, named as `training.metrics.classification` does.

    noun: name of the rows in the plural.
    """
    return (
        Metric("f1", "F1", help="Harmonic mean of precision and recall of the second class (binary)."),
        Metric(
            "auc",
            "AUC",
            help=f"Area under the ROC curve: how well the scores rank the {noun}. 0.5 is chance, 1 perfect.",
        ),
        Metric("precision", "Precision", help="Share of the predictions of the second class that are right (binary)."),
        Metric("recall", "Recall", help="Share of the second class that is predicted as such (binary)."),
        Metric("f1_macro", "F1 (macro)", help="Unweighted mean of F1 over the classes."),
        Metric("f1_micro", "F1 (micro)", help=f"F1 of the counts over all {noun}."),
        Metric(
            "f1_weighted", "F1 (weighted)", help=f"Mean of F1 over the classes, weighted by their number of {noun}."
        ),
        Metric("precision_macro", "Precision (macro)"),
        Metric("precision_micro", "Precision (micro)"),
        Metric("precision_weighted", "Precision (weighted)"),
        Metric("recall_macro", "Recall (macro)"),
        Metric("recall_micro", "Recall (micro)"),
        Metric("recall_weighted", "Recall (weighted)"),
    )
