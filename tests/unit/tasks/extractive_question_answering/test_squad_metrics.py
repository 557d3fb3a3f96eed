"""Exact match and F1 of SQuAD, against hand-computed cases and the published scripts."""

from __future__ import annotations

import collections
import random
import re
import string

import numpy as np
import pytest

from autotrain_gradio.tasks.extractive_question_answering.squad_metrics import best_threshold, exact_match, f1


@pytest.mark.parametrize(
    ("answer", "gold", "exact", "overlap"),
    [
        ("The Eiffel Tower.", ["eiffel tower"], 1, 1),
        ("in Paris, France", ["Paris"], 0, 0.5),  # precision 1/3, recall 1
        ("the cat cat", ["cat"], 0, 2 / 3),  # precision 1/2, recall 1
        ("1890", ["1889", "around 1890", "1890"], 1, 1),
        ("around 1890", ["1889", "1890"], 0, 2 / 3),  # the best gold answer counts
        ("Paris", ["London"], 0, 0),
        ("U.S.", ["US"], 1, 1),
        ("", [], 1, 1),  # no answer, rightly
        ("Paris", [], 0, 0),  # an answer where there is none
        ("", ["Paris"], 0, 0),  # none where there is one
        ("the", [], 1, 1),  # nothing is left of it, as in the script
        ("another theme", ["other me"], 0, 0),  # articles inside words stay
        ("北京大学。", ["北京大学"], 1, 1),
        ("北京", ["北京大学"], 0, 2 / 3),  # characters are the tokens
    ],
)
def test_hand_computed_cases(answer: str, gold: list[str], exact: float, overlap: float) -> None:
    assert exact_match(answer, gold) == exact
    assert f1(answer, gold) == pytest.approx(overlap)


def normalize_answer(s: str) -> str:
    """As in the official evaluation script of SQuAD 2.0."""

    def remove_articles(text: str) -> str:
        return re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", text)

    def remove_punc(text: str) -> str:
        return "".join(ch for ch in text if ch not in set(string.punctuation))

    return " ".join(remove_articles(remove_punc(s.lower())).split())


def compute_f1(a_gold: str, a_pred: str) -> float:
    """As in the official evaluation script of SQuAD 2.0."""
    gold_toks = normalize_answer(a_gold).split() if a_gold else []
    pred_toks = normalize_answer(a_pred).split() if a_pred else []
    num_same = sum((collections.Counter(gold_toks) & collections.Counter(pred_toks)).values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision, recall = num_same / len(pred_toks), num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


def test_random_answers_have_the_scores_of_the_official_script() -> None:
    rng = random.Random(1)
    words = ["the", "A", "cat", "Cat's", "dog,", "über", "1,000", "-", "an", "“quoted”", "naïve", "US", "U.S."]
    for _ in range(3000):
        gold = [" ".join(rng.choices(words, k=rng.randint(0, 4))) for _ in range(rng.randint(0, 3))]
        answer = " ".join(rng.choices(words, k=rng.randint(0, 4)))
        kept = [g for g in gold if normalize_answer(g)] or [""]
        assert f1(answer, gold) == pytest.approx(max(compute_f1(g, answer) for g in kept))
        assert exact_match(answer, gold) == max(int(normalize_answer(g) == normalize_answer(answer)) for g in kept)


def test_the_threshold_has_the_best_mean_of_all_thresholds() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 2, 3, 20):
        for _ in range(50):
            difference = np.round(rng.normal(size=size), 1)
            refused = rng.integers(0, 2, size).astype(float)
            answered = rng.random(size) * (1 - refused)

            def mean(threshold: float, d=difference, r=refused, a=answered) -> float:
                return float(np.where(d > threshold, r, a).mean())

            best = max(mean(t) for t in [-9, *(difference - 0.01), *(difference + 0.01), 9])
            assert mean(best_threshold(difference, answered, refused)) == pytest.approx(best)


def test_a_threshold_of_zero_is_kept_where_it_is_among_the_best() -> None:
    assert best_threshold(np.array([-3.0, 2.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 0
    assert best_threshold(np.array([1.0, 3.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 2
