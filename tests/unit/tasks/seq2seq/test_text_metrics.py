"""chrF, BLEU and ROUGE, against the libraries' own functions and by hand."""

from __future__ import annotations

import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from autotrain_gradio.tasks.seq2seq.text_metrics import (
    ScriptTokenizer,
    TextMetrics,
    bleu_tokenizer,
    repeats,
    sentences,
)

TEXTS = ["The cat sat on the mat. It slept.", "He goes to school every day", "nothing in common here", ""]
REFERENCES = ["The cat lay on a mat. It slept well.", "He goes to school each day", "quite another sentence", "Empty."]


def test_english_scores_are_those_of_the_libraries() -> None:
    metrics = TextMetrics("en")
    found = metrics.compute(TEXTS, REFERENCES)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(TEXTS, [REFERENCES]).score)
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(TEXTS, [REFERENCES]).score)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
    for name in ("rouge1", "rouge2", "rougeL", "rougeLsum"):
        pairs = zip(TEXTS, REFERENCES, strict=True)
        own = [scorer.score(sentences(r), sentences(t))[name].fmeasure for t, r in pairs]
        assert found[name] == pytest.approx(100 * sum(own) / len(own))
    assert "nrefs:1" in metrics.signatures[0] and "tok:13a" in metrics.signatures[1]


@pytest.mark.parametrize(
    ("text", "reference", "rouge1", "rouge2"),
    [
        ("मैं घर जा रहा हूँ", "मैं घर जाता हूँ", 2 * 3 / 9, 2 * 1 / 7),  # 3 of 5 and 4 words; 1 of 4 and 3 pairs
        ("我喜欢猫", "我喜欢狗", 3 / 4, 2 / 3),
        ("Я люблю кошек", "Я люблю собак", 2 / 3, 1 / 2),
        ("ฉันรักแมว", "ฉันรักแมว", 1.0, 1.0),
        ("un café très noir", "un café noir", 2 * 3 / 7, 2 * 1 / 5),
    ],
)
def test_rouge_counts_words_of_all_scripts(text: str, reference: str, rouge1: float, rouge2: float) -> None:
    found = TextMetrics().compute([text], [reference])
    assert found["rouge1"] == pytest.approx(100 * rouge1) and found["rouge2"] == pytest.approx(100 * rouge2)


def test_words_of_the_tokenizer() -> None:
    words = ScriptTokenizer().tokenize
    assert words("Don't STOP, it's 3.5 km!") == ["don", "t", "stop", "it", "s", "3", "5", "km"]
    assert words("Cafe\u0301 naïve") == ["café", "naïve"]
    assert words("हिन्दी में") == ["हिन्दी", "में"]
    assert words("我在Berlin") == ["我", "在", "berlin"]
    assert words("") == [] == words("…!")


@pytest.mark.parametrize(
    ("language", "tokenizer"),
    [
        ("en", "13a"),
        (None, "13a"),
        ("deu_Latn", "13a"),
        ("zho_Hans", "zh"),
        ("zh_CN", "zh"),
        ("th", "char"),
        ("Lao", "char"),
    ],
)
def test_the_tokenizer_of_bleu_follows_the_target_language(language: str | None, tokenizer: str) -> None:
    assert bleu_tokenizer(language) == tokenizer


@pytest.mark.parametrize(("language", "module"), [("ja", "MeCab"), ("kor_Hang", "mecab_ko")])
def test_without_mecab_characters_count(monkeypatch: pytest.MonkeyPatch, language: str, module: str) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert bleu_tokenizer(language) == "char"
    found = TextMetrics(language).compute(["私は猫が好きです"], ["私は犬が好きです"])
    assert 0 < found["bleu"] < 100
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name == module else None)
    assert bleu_tokenizer(language).endswith("-mecab")


def test_a_perfect_and_an_empty_answer() -> None:
    metrics = TextMetrics("en")
    long = ["A sentence of more than four words."]
    assert list(metrics.compute(long, long).values()) == pytest.approx([100.0] * 6)
    assert all(value == 0 for value in metrics.compute([""], long).values())
    assert metrics.compute([], []) == {}
    assert metrics.row_scores(["a b", ""], ["a b", "c"]) == pytest.approx([100.0, 0.0])


def test_repetitions_are_found() -> None:
    assert repeats("the cat the cat the cat the cat the cat") and repeats("no no no no no")
    assert not repeats("the cat sat on the mat, and the cat slept") and not repeats("") and not repeats("ha ha ha")


def test_sentences_end_in_all_scripts() -> None:
    assert sentences("One. Two! Three?").splitlines() == ["One.", "Two!", "Three?"]
    assert sentences("第一句。第二句！").splitlines() == ["第一句。", "第二句！"]
    assert sentences("वाक्य एक। वाक्य दो।").splitlines() == ["वाक्य एक।", "वाक्य दो।"]
    assert sentences("v3.5 is out") == "v3.5 is out"
