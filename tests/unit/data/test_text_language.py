"""In which language texts are, where most models have read English alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from autotrain_gradio import data
from autotrain_gradio.data.checks.text_language import SMALL_WORDS, spoken
from autotrain_gradio.tasks.registry import registry
from tests.unit.data import roles

GERMAN = [
    "Die Hausaufgaben waren zu schwer und es ging viel zu schnell für mich.",
    "Ich habe das nicht verstanden, können wir es noch einmal wiederholen?",
    "Der Unterricht war auch von den Übungen her sehr gut.",
]
ENGLISH = [
    "The homework was too hard for me and it went much too fast.",
    "Could you please explain that again, they have not understood it?",
    "My parcel has not arrived from your shop, but there were two of them.",
]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (GERMAN, "look German"),
        (["Le colis est en retard et je ne suis pas content du service que vous avez."], "look French"),
        (["El paquete llegó muy tarde y no estoy contento con el servicio de la tienda, pero es lo que hay."], "Span"),
        (["A rendelés nem érkezett meg, és az már nagyon sok, hogy ez van, mint volt, de csak ha el."], "Hungarian"),
        (["मेरे पास एक बहुत अच्छा विचार है और यह काम करेगा"], "Devanagari"),
        (["包裹到得很晚我对服务不满意"], "Chinese"),
        (["Посылка пришла поздно, и я недоволен"], "Cyrillic"),
        (ENGLISH, ""),
        (["win a prize now, call free, txt claim urgent mobile cash"], ""),
        (["iPhone 12 black 64GB refurbished case", "Galaxy S21 blue 128GB new"], ""),
        (["die Batterie 9000", "der Adapter 3.1"], ""),
        (["12 34", ""], ""),
    ],
)
def test_a_language_is_named_where_it_is_clear(texts: list[str], said: str) -> None:
    found = spoken(texts * 20)
    assert (said in found) if said else not found, found


def test_too_few_words_say_nothing() -> None:
    assert spoken(GERMAN[:1]) == ""


def test_the_words_of_no_language_are_doubled() -> None:
    for name, words in SMALL_WORDS.items():
        assert len(words.split()) == len(set(words.split())) >= 14, name


def test_the_check_of_texts_tells_it(tmp_path: Path, draft: Path) -> None:
    task = registry().get("text-classification")
    assert "text-language" in {c.name for c in task.checks}
    for texts, told in ((GERMAN, True), (ENGLISH, False)):
        rows = [f"{t} {i},{'ab'[i % 2]}" for i in range(30) for t in [texts[i % 3].replace(",", "")]]
        (tmp_path / "t.csv").write_text("text,label\n" + "\n".join(rows), encoding="utf-8")
        asked = roles.request(roles.TEXTS, source="path", path=str(tmp_path / "t.csv"))
        result = data.check(draft, dataclasses.replace(asked, checks=task.checks))
        found = [f for f in result["findings"] if f["code"] == "text-not-english"]
        assert bool(found) is told
        assert not found or (found[0]["level"] == "warning" and "many languages" in found[0]["hint"])
