"""Transcripts as symbols: normalisation, graphemes, vocabularies of any script, and error rates."""

from __future__ import annotations

import time
import unicodedata

import pytest

from autotrain_gradio.training import vocabulary
from autotrain_gradio.training.metrics.speech import confusions, error_rate, speech
from autotrain_gradio.training.vocabulary import Coverage, Encoder


def test_transcripts_are_normalized_to_nfc_on_one_line() -> None:
    assert vocabulary.clean("cafe\u0301\n  noir\t!") == "café noir !"
    assert vocabulary.clean("a\u200bb\ufeff") == "ab"
    assert vocabulary.clean("می\u200cخواهم") == "می\u200cخواهم", "a joiner is spelling"


def test_punctuation_is_removed_and_spelling_kept() -> None:
    assert vocabulary.without_punctuation("Don't «say» 'yes', well-known…") == "Don't say yes well known"
    assert vocabulary.without_punctuation("वह घर गया। क्यों?") == "वह घर गया क्यों"
    assert vocabulary.without_punctuation("tʰaː ǃama ˈkʼa") == "tʰaː ǃama ˈkʼa"


def test_graphemes_keep_combining_marks() -> None:
    assert vocabulary.graphemes("क्षि") == ["क्", "षि"]
    assert vocabulary.graphemes("t͡sã e") == ["t͡s", unicodedata.normalize("NFC", "ã"), " ", "e"]
    assert vocabulary.graphemes("d͡ʒ̥ab") == ["d͡ʒ̥", "a", "b"], "a tie binds two symbols and not a third"
    assert vocabulary.split("कि", "characters") == ["क", "ि"]


def test_scores_ignore_case_and_punctuation() -> None:
    assert vocabulary.for_scoring("ＡＢ, Straße!") == "ab straße"
    assert vocabulary.for_scoring("pʰa") != vocabulary.for_scoring("pha"), "aspiration is heard"
    assert vocabulary.for_scoring("की") != vocabulary.for_scoring("क")
    assert vocabulary.for_scoring("don’t | can") == "don't can", "written otherwise, said the same"


def test_a_vocabulary_is_built_and_encodes_what_it_was_built_from() -> None:
    counts = vocabulary.count(["कि का", "का"], "graphemes")
    tokens = vocabulary.build(counts)
    assert tokens == ["[PAD]", "[UNK]", "|", "का", "कि"]
    encode = Encoder({s: i for i, s in enumerate(tokens)}, unknown=1)
    assert encode("कि का") == [4, 2, 3]
    assert encode("का|खा का") == [3, 2, 1, 1, 2, 3], "the delimiter's own sign counts as a space"
    assert vocabulary.build(counts, least=2) == ["[PAD]", "[UNK]", "|", "का"]


def test_coverage_lists_missing_symbols() -> None:
    found = Coverage.of(vocabulary.count(["abc", "ab"]), "ab")
    assert found.share == pytest.approx(1 / 5) and found.missing == {"c": 1}
    assert Coverage.of({}, "ab").share == 0


def test_ctc_length_includes_blanks_between_repeated_symbols() -> None:
    assert vocabulary.frames_needed([1, 2, 2, 3]) == 5
    assert vocabulary.frames_needed([]) == 0


def test_error_rates_follow_their_definition() -> None:
    found = speech(["the cat sad on mat", "hello"], ["The cat sat on the mat.", "hello"])
    assert (found["substitutions"], found["deletions"], found["insertions"], found["words"]) == (1, 1, 0, 7)
    assert found["wer"] == pytest.approx(2 / 7)
    assert found["wer_raw"] == pytest.approx(4 / 7), "as written: The and mat. count too"
    assert found["cer"] == pytest.approx((1 + 4) / 27)


def test_words_for_an_empty_reference_are_insertions() -> None:
    found = speech(["two words", "a"], ["…", "a"])
    assert found["insertions"] == 2 and found["wer"] == 2.0
    assert speech([""], [""])["wer"] == 0.0
    assert error_rate([""], ["one two"]) == 1.0
    assert error_rate(["one", "b"], ["one two", "a"]) == pytest.approx(2 / 3)


def test_error_rates_of_many_utterances_are_fast() -> None:
    begin = time.process_time()
    for _ in range(300):
        error_rate(["one two three"], ["one too three"], "characters")
    assert time.process_time() - begin < 2.0, "through the module of `evaluate` it is 6 seconds"


def test_confusions_have_reference_and_prediction() -> None:
    assert confusions(["mat", "ab"], ["bat", "a"]) == {("b", "m"): 1, ("", "b"): 1}
