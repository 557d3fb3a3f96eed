"""Names and codes of languages."""

from __future__ import annotations

import pytest

from autotrain_gradio.tasks.seq2seq.language_codes import iso_code, language_name, language_of_name, model_code
from autotrain_gradio.tasks.seq2seq.language_detection import detect_language, language_of_text


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("de", "de"), ("en-GB", "en"), ("deu_Latn", "de"), ("German", "de"), ("translation.de", "de")),
        *(("zh_CN", "zh"), ("title", None), ("text", None), ("to", None), ("text_en", None), ("summary", None)),
    ],
)
def test_columns_that_are_named_after_languages(name: str, code: str | None) -> None:
    assert language_of_name(name) == code


NLLB = ["eng_Latn", "deu_Latn", "zho_Hans", "zho_Hant", "nob_Latn", "est_Latn", "pes_Arab"]
MBART = ["en_XX", "de_DE", "zh_CN", "et_EE", "fa_IR"]
M2M = ["en", "de", "zh", "no", "et", "fa"]


@pytest.mark.parametrize(
    ("asked", "codes", "code"),
    [
        *(("German", NLLB, "deu_Latn"), ("German", MBART, "de_DE"), ("German", M2M, "de"), ("ger", M2M, "de")),
        *(("de_DE", NLLB, "deu_Latn"), ("deu_Latn", MBART, "de_DE"), ("__de__", M2M, "de"), ("DE", M2M, "de")),
        *(("zh", NLLB, "zho_Hans"), ("zho_Hant", NLLB, "zho_Hant"), ("no", NLLB, "nob_Latn"), ("nb", M2M, None)),
        *(("fa", MBART, "fa_IR"), ("Klingon", NLLB, None), ("xx", M2M, None), ("est", NLLB, "est_Latn")),
    ],
)
def test_codes_of_models(asked: str, codes: list[str], code: str | None) -> None:
    assert model_code(asked, codes) == code


def test_names() -> None:
    assert language_name("deu_Latn") == "German" and language_name("tlh") == "tlh" and iso_code("Klingon") is None


def test_detection_needs_enough_text() -> None:
    german = "Die Kinder spielen mit ihrem neuen Ball im Garten, und die Sonne scheint."
    assert detect_language([german] * 5) == "de" and detect_language(["ja", None, "nein"]) is None
    assert language_of_text(german) == "de" and language_of_text("Hallo") is None
    assert language_of_text("今天天气很好，我们去公园散步吧。") == "zh"
