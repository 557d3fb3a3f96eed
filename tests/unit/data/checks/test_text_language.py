"""In which language texts are, where most models have read English alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from autotrain_gradio import data
from autotrain_gradio.data.checks.text_language import describe_language
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
        (GERMAN, "German"),
        (["Le colis est en retard et je ne suis pas content du service que vous avez."], "French"),
        (
            ["El paquete llegó muy tarde y no estoy contento con el servicio, pero es lo que hay."],
            "Spanish",
        ),
        (["A rendelés nem érkezett meg, és az már nagyon sok, hogy ez van, mint volt, de csak ha el."], "Hungarian"),
        (["मेरे पास एक बहुत अच्छा विचार है और यह काम करेगा"], "Devanagari"),
        (["包裹到得很晚我对服务不满意"], "Chinese"),
        (["Посылка пришла поздно, и я недоволен"], "Cyrillic"),
        (ENGLISH, ""),
        (["win a prize now, call free, txt claim urgent mobile cash"], ""),
        (["iPhone 12 black 64GB refurbished case", "Galaxy S21 blue 128GB new"], ""),
        (["die Batterie 9000", "der Adapter 3.1"], ""),
        (["12 34", ""], ""),
        (["Order 66 shipped to Berlin", "Nike Air Max 90 EU 42 rosa", "Lego Star Wars Falcon set"], ""),
        (["gr8 m8 lol u r so funny omg", "tbh idk wtf r u on about"], ""),
        (["SELECT a FROM b", "x = y + 1", "return None"], ""),
        (["De kamer was schoon maar het ontbijt was koud en de trein was te laat."], "Dutch"),
        (["Rummet var rent men frukosten var kall och tåget var försenat igen."], "Swedish"),
        (["Phòng sạch sẽ nhưng bữa sáng nguội và tàu lại đến muộn một lần nữa."], "Vietnamese"),
        (["Chumba kilikuwa safi lakini kifungua kinywa kilikuwa baridi na treni ilichelewa."], "Swahili"),
        (["Kamarnya bersih tetapi sarapannya dingin dan kereta terlambat lagi."], "Indonesian"),
        (["Oda temizdi ama kahvaltı soğuktu ve tren yine geç kaldı."], "Turkish"),
        (["Pokój był czysty, ale śniadanie było zimne, a pociąg znowu się spóźnił."], "Polish"),
        (["Camera era curată, dar micul dejun era rece și trenul a întârziat din nou."], "Romanian"),
        (["Huone oli puhdas mutta aamiainen oli kylmä ja juna oli taas myöhässä."], "Finnish"),
        (["O quarto estava limpo, mas o café da manhã estava frio e o trem atrasou de novo."], "Portuguese"),
        (["La camera era pulita ma la colazione era fredda e il treno era di nuovo in ritardo."], "Italian"),
        (["Pokoj byl čistý, ale snídaně byla studená a vlak měl zase zpoždění."], "Czech"),
    ],
)
def test_language_is_reported_with_high_confidence(texts: list[str], said: str) -> None:
    found = describe_language(texts * 20)
    assert (said in found) if said else not found, found


def test_no_language_is_detected_in_few_words() -> None:
    assert describe_language(GERMAN[:1]) == ""


def test_check_reports_the_language_of_texts(tmp_path: Path, draft: Path) -> None:
    task = registry().get("text-classification")
    assert "text-language" in {c.name for c in task.checks}
    for texts, told in ((GERMAN, True), (ENGLISH, False)):
        rows = [f"{t} {i},{'ab'[i % 2]}" for i in range(30) for t in [texts[i % 3].replace(",", "")]]
        (tmp_path / "t.csv").write_text("text,label\n" + "\n".join(rows), encoding="utf-8")
        asked = roles.request(roles.TEXTS, source="path", path=str(tmp_path / "t.csv"))
        result = data.check(draft, dataclasses.replace(asked, checks=task.checks))
        found = [f for f in result["findings"] if f["code"] == "text-not-english"]
        assert bool(found) is told
        assert not found or (found[0]["level"] == "warning" and "multilingual" in found[0]["hint"])
