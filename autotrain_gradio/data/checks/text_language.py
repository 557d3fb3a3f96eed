"""Texts in another language than English, which most small models of the Hub have read alone."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import pick

LOOKED_AT = 500
"""Texts that are looked at, evenly over all of them, and of each the first characters."""
CHARACTERS = 400
ENOUGH = 200
"""Fewest letters, and a fourth as many words, that say something about a language."""
CLEAR = 0.08
"""Share of the words that are small words of a language, from which on texts are in it. In prose it is 0.15 to 0.4."""
DIFFERENT = 5
"""Fewest different small words of a language: one alone may be a name or a code."""
ADVICE = (
    "Choose a model that was trained on many languages, or on this one: a model that says 'English' has hardly read it."
)

SMALL_WORDS = {
    "English": "the and of to is in that for it with are this you not have my but they from your has were there",
    "German": "der die das und ist nicht ich ein eine den mit für auf es zu sie war auch von dem im wir des",
    "French": "le la les et des est pas une que pour dans je un du en il vous nous sur avec ce plus qui",
    "Spanish": "el la los de que en es un una por con para no las del se muy lo me pero su como",
    "Portuguese": "que de não um uma para com os do da em as muito no na por mais foi você se meu",
    "Italian": "il di che la non un una per con sono del della le gli mi ma ho più questo anche molto",
    "Dutch": "de het een en van ik niet dat is te op voor met zijn aan er maar ook mijn heb naar bij die",
    "Swedish": "och att det som en på är av för med inte jag den till har ett om var men vi från så kan",
    "Danish or Norwegian": "og det at en på er til for som med ikke jeg den har de av af et men vi så kan meget",
    "Finnish": "ja on ei että se oli en mutta hän kun niin myös ovat tämä mitä sen olen kuin joka minä ole",
    "Polish": "nie na się jest to do że jak ale co po tak od za czy mnie już tylko bardzo",
    "Czech or Slovak": "se na je že to do pro ale jsem jsou jako by za od jak si byl tak velmi",
    "Hungarian": "az és hogy nem is egy van ez volt de meg csak már nagyon mint még el ha vagy mert azt",
    "Romanian": "și de la în cu nu un pe este să care mai din că am pentru foarte dar sunt ca fost",
    "Turkish": "ve bir bu da de için çok ile ne daha gibi ben var ama değil olarak kadar en sonra her mi",
    "Indonesian or Malay": "yang dan di ini itu tidak dengan untuk dari saya ada ke pada adalah bisa sudah juga akan",
    "Vietnamese": "và là của không có cho tôi một được này với các những người rất trong đã khi để như thì",
    "Swahili": "na ya wa kwa ni la za katika kuwa hii yake si lakini sana pia huu hiyo wangu yangu mimi",
}
"""Language → some of its most frequent words of two letters and more: articles, pronouns, conjunctions."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Tell of texts that are clearly in another script than the Latin one, or in another language than English."""
    findings = []
    used = rows.indices()
    for role, cells in rows.cells.items():
        if role not in rows.columns or not rows.columns[role].kind.texts or not len(used):
            continue
        shown = pick(cells.values, used[:: max(1, len(used) // LOOKED_AT)]).to_pylist()
        if said := spoken((t or "")[:CHARACTERS] for t in shown):
            findings.append(Finding("warning", "text-not-english", said, ADVICE, f"data.columns.{role}"))
    return findings


def spoken(texts: Iterable[str]) -> str:
    """Say in which script or language texts are; nothing where they are English, or where it is not clear."""
    words = [word for text in texts for word in re.findall(r"[^\W\d_]+", text.lower())]
    letters = sum(map(len, words))
    if letters < ENOUGH:
        return ""
    scripts = Counter[str]()
    for letter, count in Counter("".join(words)).items():
        scripts[_script(letter)] += count
    script, most = scripts.most_common(1)[0]
    if script != "LATIN":
        name = "Chinese" if script == "CJK" else script.capitalize()
        return f"The texts are not in Latin letters: {most / letters:.0%} of the letters are {name}."
    if len(words) < ENOUGH // 4:
        return ""
    counts = Counter(words)
    shares = {name: sum(counts[w] for w in small.split()) / len(words) for name, small in SMALL_WORDS.items()}
    best = max(shares, key=lambda name: shares[name])
    different = sum(w in counts for w in SMALL_WORDS[best].split())
    if shares[best] < CLEAR or shares[best] < 2 * shares["English"] or different < DIFFERENT:
        return ""
    return (
        f"The texts look {best}: {shares[best]:.0%} of the words are small words of that language, "
        f"{shares['English']:.0%} those of English."
    )


def _script(letter: str) -> str:
    """Return the script of a letter by the first word of its Unicode name: LATIN, DEVANAGARI, CJK."""
    return unicodedata.name(letter, "unknown").split(" ", 1)[0]
