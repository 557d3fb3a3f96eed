"""Names and codes of languages: of columns and files, and those that multilingual models use."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LANGUAGES = """
af Afrikaans afr_Latn; am Amharic amh_Ethi; ar Arabic arb_Arab; as Assamese asm_Beng; az Azerbaijani azj_Latn;
ba Bashkir bak_Cyrl; be Belarusian bel_Cyrl; bg Bulgarian bul_Cyrl; bn Bengali ben_Beng; br Breton bre_Latn;
bs Bosnian bos_Latn; ca Catalan cat_Latn; ceb Cebuano ceb_Latn; cs Czech ces_Latn; cy Welsh cym_Latn;
da Danish dan_Latn; de German deu_Latn; dz Dzongkha dzo_Tibt; el Greek ell_Grek; en English eng_Latn;
eo Esperanto epo_Latn; es Spanish spa_Latn; et Estonian est_Latn; eu Basque eus_Latn; fa Persian pes_Arab;
ff Fula fuv_Latn; fi Finnish fin_Latn; fo Faroese fao_Latn; fr French fra_Latn; fy Frisian fry_Latn;
ga Irish gle_Latn; gd Gaelic gla_Latn; gl Galician glg_Latn; gu Gujarati guj_Gujr; ha Hausa hau_Latn;
he Hebrew heb_Hebr; hi Hindi hin_Deva; hr Croatian hrv_Latn; ht Haitian hat_Latn; hu Hungarian hun_Latn;
hy Armenian hye_Armn; id Indonesian ind_Latn; ig Igbo ibo_Latn; ilo Iloko ilo_Latn; is Icelandic isl_Latn;
it Italian ita_Latn; ja Japanese jpn_Jpan; jv Javanese jav_Latn; ka Georgian kat_Geor; kk Kazakh kaz_Cyrl;
km Khmer khm_Khmr; kn Kannada kan_Knda; ko Korean kor_Hang; ku Kurdish kmr_Latn; ky Kyrgyz kir_Cyrl; la Latin lat_Latn;
lb Luxembourgish ltz_Latn; lg Ganda lug_Latn; ln Lingala lin_Latn; lo Lao lao_Laoo; lt Lithuanian lit_Latn;
lv Latvian lvs_Latn; mg Malagasy plt_Latn; mi Maori mri_Latn; mk Macedonian mkd_Cyrl; ml Malayalam mal_Mlym;
mn Mongolian khk_Cyrl; mr Marathi mar_Deva; ms Malay zsm_Latn; mt Maltese mlt_Latn; my Burmese mya_Mymr;
ne Nepali npi_Deva; nl Dutch nld_Latn; nn Nynorsk nno_Latn; no Norwegian nob_Latn; nb Bokmål nob_Latn;
oc Occitan oci_Latn; om Oromo gaz_Latn; or Odia ory_Orya; pa Punjabi pan_Guru; pl Polish pol_Latn; ps Pashto pbt_Arab;
pt Portuguese por_Latn; qu Quechua quy_Latn; ro Romanian ron_Latn; ru Russian rus_Cyrl; rw Kinyarwanda kin_Latn;
sa Sanskrit san_Deva; sd Sindhi snd_Arab; si Sinhala sin_Sinh; sk Slovak slk_Latn; sl Slovenian slv_Latn;
sm Samoan smo_Latn; sn Shona sna_Latn; so Somali som_Latn; sq Albanian als_Latn; sr Serbian srp_Cyrl;
st Sotho sot_Latn; su Sundanese sun_Latn; sv Swedish swe_Latn; sw Swahili swh_Latn; ta Tamil tam_Taml;
te Telugu tel_Telu; tg Tajik tgk_Cyrl; th Thai tha_Thai; ti Tigrinya tir_Ethi; tk Turkmen tuk_Latn; tl Tagalog tgl_Latn;
tr Turkish tur_Latn; tt Tatar tat_Cyrl; ug Uyghur uig_Arab; uk Ukrainian ukr_Cyrl; ur Urdu urd_Arab; uz Uzbek uzn_Latn;
vi Vietnamese vie_Latn; wo Wolof wol_Latn; xh Xhosa xho_Latn; yi Yiddish ydd_Hebr; yo Yoruba yor_Latn;
yue Cantonese yue_Hant; zh Chinese zho_Hans; zu Zulu zul_Latn
"""
_ROWS = [entry.split() for entry in _LANGUAGES.replace("\n", " ").split(";")]
NAMES = {code: name for code, name, _ in _ROWS}
"""ISO 639 code → English name."""
FLORES = {code: flores for code, _, flores in _ROWS}
"""ISO 639 code → code of NLLB (FLORES-200: ISO 639-3 and script)."""
_BY_NAME = {name.lower(): code for code, name in NAMES.items()}
_BY_THREE = {flores.partition("_")[0]: code for code, flores in FLORES.items()}
_MACRO = {"est": "et", "lav": "lv", "fas": "fa", "ara": "ar", "msa": "ms", "nor": "no", "sqi": "sq", "swa": "sw"}
_MACRO |= {"mon": "mn", "nep": "ne", "ori": "or", "uzb": "uz", "aze": "az", "kur": "ku", "ger": "de", "fre": "fr"}
_MACRO |= {"zho": "zh", "chi": "zh", "cmn": "zh", "dut": "nl", "gre": "el", "ice": "is", "rum": "ro", "cze": "cs"}
"""Codes of ISO 639-2, and of macrolanguages → ISO 639-1."""


def iso_code(name: str) -> str | None:
    """Return the ISO 639 code of a language by a code (`de`, `deu`, `de_DE`, `deu_Latn`) or its English name."""
    lower = name.strip().strip("_").replace("-", "_").lower()
    if lower in _BY_NAME:
        return _BY_NAME[lower]
    base = lower.partition("_")[0]
    return base if base in NAMES else _BY_THREE.get(base) or _MACRO.get(base)


def language_of_name(name: str) -> str | None:
    """Return the language that a column or the end of a file's name is named after, or None.

    Codes count as a whole name (`de`, `en-GB`, `deu_Latn`) or after a point or slash (`translation.de`).
    """
    last = re.split(r"[./]", name.strip())[-1]
    if last.lower() in _BY_NAME or re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?", last):
        return iso_code(last)
    return None


def model_code(asked: str, codes: Iterable[str]) -> str | None:
    """Return the code of a model for a language: one of its codes, or what its name or another code means.

    codes: `deu_Latn` (NLLB), `de_DE` (mBART) or `de` (M2M100).
    """
    known = {code.lower(): code for code in codes}
    exact = known.get(asked.strip().strip("_").lower())
    if exact is not None:
        return exact
    iso = iso_code(asked)
    if iso is None:
        return None
    for likely in (FLORES[iso].lower(), iso):
        if likely in known:
            return known[likely]
    return next((code for lower, code in known.items() if iso_code(lower) == iso), None)


def language_name(code: str) -> str:
    """Return the English name of a language, or its code where that is not known."""
    iso = iso_code(code)
    return NAMES[iso] if iso else code
