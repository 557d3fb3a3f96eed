"""Parameters, column, metrics and charts that the classification tasks share."""

from __future__ import annotations

from typing import Literal

from autotrain_gradio.data.catalog import LABELS
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.base import PROGRESS_CHARTS, Chart, Metric, TrainerParams, param


class ClassifierParams(TrainerParams):
    """Parameters of classifiers with one class or several labels per row."""

    class_weights: Literal["none", "balanced"] = param("none", "training", title="Class weights")
    """Class weights of the loss. `balanced`: inversely proportional to the class frequencies, so that mistakes in rare
    classes count more."""
    label_smoothing: float = param(0.0, "training", title="Label smoothing", ge=0, lt=1)
    """Label smoothing factor. 0.1 helps where labels are uncertain."""
    metric_for_best_model: Literal["loss", "accuracy", "f1"] = param(
        "loss", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches (f1: macro average
    with more than two classes)."""
    tune_thresholds: bool = param(True, "evaluation", title="Tune thresholds")
    """Multi-label: tune the decision threshold of each label for the best F1 on the validation split."""
    threshold: float = param(0.5, "evaluation", title="Decision threshold", gt=0, lt=1)
    """Multi-label: decision threshold of all labels, where thresholds are not tuned: a label is assigned if its score
    is at least this."""


def label_column(noun: str, *names: str) -> Column:
    """Return the column of the class or the labels. noun: a row, as `clip`. names: usual ones besides the general."""
    return Column(
        "target",
        "Label",
        LABELS,
        f"The class of the {noun}, or its labels. Of several columns of 0 and 1, each is a label.",
        purpose="target",
        many=True,
        join=True,
        names=("target", "label", "labels", "class", "category", "categories", *names, "tags", "y"),
    )


def multi_label_metrics(noun: str) -> tuple[Metric, ...]:
    """Declare `classification_metrics` and those of multi-label rows. noun: name of the rows in the plural."""
    return (
        *classification_metrics(noun),
        Metric(
            "map",
            "mAP",
            help="Multi-label: mean over the labels of the average precision, which summarizes precision and recall at "
            "all thresholds.",
        ),
        Metric(
            "hamming_loss",
            "Hamming loss",
            higher_is_better=False,
            help="Multi-label: share of the decisions that are wrong.",
        ),
    )


def classifier_metrics(noun: str) -> tuple[Metric, ...]:
    """Declare the metrics of one class or several labels per row. noun: name of the rows in the plural."""
    return (
        Metric(
            "accuracy",
            "Accuracy",
            percent=True,
            help=f"Share of {noun} with the right class; multi-label: with all labels right.",
        ),
        *multi_label_metrics(noun),
        Metric("loss", "Loss", higher_is_better=False),
    )


CLASSIFIER_CHARTS = (
    Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
    Chart(
        "Validation metrics",
        {
            "eval_accuracy": "accuracy",
            "eval_f1": "F1",
            "eval_f1_macro": "F1 (macro)",
            "eval_auc": "AUC",
            "eval_map": "mAP",
        },
    ),
    *PROGRESS_CHARTS,
)


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
