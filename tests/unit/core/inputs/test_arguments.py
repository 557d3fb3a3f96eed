"""From what is typed to the inputs of a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import (
    Input,
    Widget,
    WidgetContext,
    parse_arguments,
    parse_literals,
    parse_named,
    parse_value,
)
from autotrain_gradio.core.inputs.files import looks_like_path
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui.input_widgets import InputGroup, create_inputs

TEXT = [Input("text", "A text", "text")]
PAIR = [Input("first", "A text", "text"), Input("second", "Another text", "text")]
TABLE = registry().get("tabular").inputs


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.tsv").write_text("text\nfine\n")
    (tmp_path / "notes.pdf").write_text("x")
    (tmp_path / "README").write_text("x")
    (tmp_path / "my data").mkdir()
    return tmp_path


def test_texts_and_files_of_texts_are_distinguished(folder: Path) -> None:
    assert parse_value(TEXT, "a sunny day") == {"text": "a sunny day"}
    assert parse_value(TEXT, "reviews.tsv") == parse_value(TEXT, folder / "reviews.tsv")
    assert parse_value(TEXT, "reviews.tsv") == {"rows_of": str(folder / "reviews.tsv")}
    assert parse_value(TEXT, "x" * 100_000)["text"].startswith("xxx"), "too long for the name of a file"


@pytest.mark.parametrize("name", ["nowhere.tsv", "data/reviews", "NO.CSV", "my data/x", "./x y", "~/texts here"])
def test_a_missing_path_is_not_treated_as_a_text(name: str) -> None:
    with pytest.raises(UserError, match="does not exist") as caught:
        parse_value(TEXT, name)
    assert name in caught.value.message and "--text" in caught.value.hint


@pytest.mark.parametrize("name", ["notes.pdf", "README"])
def test_a_file_that_is_not_a_table_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="not a table of texts") as caught:
        parse_value(TEXT, name)
    assert ".csv" in caught.value.hint and "--text" in caught.value.hint


@pytest.mark.parametrize("text", ["it was good and/or bad", "24/7 support, loved it", "ends with a dot.", "a.csv b"])
def test_a_sentence_with_a_slash_is_a_text(text: str) -> None:
    assert not looks_like_path(text) and parse_value(TEXT, text) == {"text": text}


def test_a_text_can_be_given_literally() -> None:
    assert parse_literals(TEXT, ["reviews.tsv"]) == [("reviews.tsv", {"text": "reviews.tsv"})]
    assert parse_value(TEXT, {"text": "data/reviews"}) == {"text": "data/reviews"}
    with pytest.raises(UserError, match="no text"):
        parse_literals([Input("image", "An image", "image")], ["x"])


def test_several_inputs_are_given_by_name_or_by_a_file_of_rows(folder: Path) -> None:
    assert parse_arguments(PAIR, ["first=a=b", "second=c"]) == [("first=a=b second=c", {"first": "a=b", "second": "c"})]
    assert parse_arguments(PAIR, ["reviews.tsv"]) == [("reviews.tsv", {"rows_of": str(folder / "reviews.tsv")})]
    for second in ([], ["third=b"], ["second=no.tsv"], ["second=reviews.tsv"]):
        with pytest.raises(UserError):
            parse_arguments(PAIR, ["first=a", *second])
    with pytest.raises(UserError, match="several inputs: first, second"):
        parse_value(PAIR, "a")


def test_an_optional_input_can_be_left_out() -> None:
    inputs = [PAIR[0], replace(PAIR[1], optional=True)]
    assert parse_arguments(inputs, ["first=a"]) == [("first=a", {"first": "a"})]
    assert parse_value(inputs, {"first": "a", "second": None}) == {"first": "a"}
    with pytest.raises(UserError, match="'first' is missing"):
        parse_value(inputs, {"second": "b"})
    group = InputGroup(inputs, [Widget([None], lambda text: text or None) for _ in inputs])
    assert group.values(["a", ""]) == {"first": "a"} and group.values(["a", "b"]) == {"first": "a", "second": "b"}
    with pytest.raises(UserError, match="missing: a text"):
        group.values(["", "b"])


SET = [Input("image", "An image", "image"), Input("threshold", "Threshold", "number", setting=True)]


def test_a_setting_is_given_by_name_beside_values_of_the_only_required_input(folder: Path) -> None:
    image, other = str(folder / "notes.pdf"), str(folder / "README")
    expected = [("notes.pdf", {"image": image, "threshold": 0.3}), ("README", {"image": other, "threshold": 0.3})]
    assert parse_arguments(SET, ["notes.pdf", "threshold=0.3", "README"]) == expected
    assert parse_arguments(SET, ["notes.pdf"]) == [("notes.pdf", {"image": image})]
    named = parse_arguments(SET, ["image=notes.pdf", "threshold=0.3"])
    assert named == [("image=notes.pdf threshold=0.3", {"image": image, "threshold": 0.3})]
    assert parse_value(SET, "notes.pdf") == {"image": image}
    assert parse_value(SET, {"image": "notes.pdf", "threshold": 1}) == {"image": image, "threshold": 1.0}
    (folder / "a=1.png").write_text("x")
    assert parse_arguments(SET, ["a=1.png"]) == [("a=1.png", {"image": str(folder / "a=1.png")})]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["notes.pdf", "thresold=0.3"], "'thresold=0.3' is not an input"),
        (["notes.pdf", "image=README"], "'image' is given twice"),
        (["notes.pdf", "threshold=high"], "'high' is not a number"),
        (["notes.pdf", "threshold=nan"], "'nan' is not a number"),
        (["threshold=0.3"], "'image' is missing"),
    ],
)
def test_wrong_settings_are_named(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_arguments(SET, arguments)


def test_rows_of_a_file_and_texts_are_accepted_beside_a_setting(folder: Path) -> None:
    inputs = [TEXT[0], SET[1]]
    assert parse_arguments(inputs, ["reviews.tsv"]) == [("reviews.tsv", {"rows_of": str(folder / "reviews.tsv")})]
    assert parse_literals(inputs, ["reviews.tsv"]) == [("reviews.tsv", {"text": "reviews.tsv"})]
    with pytest.raises(UserError, match="file of rows"):
        parse_arguments(inputs, ["reviews.tsv", "threshold=0.3"])


def test_the_page_has_no_widget_for_a_setting() -> None:
    with gr.Blocks():
        group = create_inputs(SET, "x", WidgetContext(lambda name: {}), button="Predict")[0]
    assert [item.name for item in group.declared] == ["image"] and len(group.triggers()) == 2


def test_cells_become_a_row_and_paths_become_tables(folder: Path) -> None:
    assert parse_value(TABLE, {"table": "oak", "row": 3}) == {"row": {"table": "oak", "row": 3}}
    assert parse_value(TABLE, folder / "reviews.tsv") == {"table": str(folder / "reviews.tsv")}
    assert parse_arguments(TABLE, ["a=1", "reviews.tsv", "b=", "c=x=y"]) == [
        ("a=1 b= c=x=y", {"row": {"a": "1", "b": None, "c": "x=y"}}),
        ("reviews.tsv", {"table": str(folder / "reviews.tsv")}),
    ]
    (folder / "a=1.csv").write_text("a\n1\n")
    assert parse_value(TABLE, "a=1.csv") == {"table": str(folder / "a=1.csv")}, "a file whose name has an equals sign"
    with pytest.raises(UserError, match="does not exist"):
        parse_value(TABLE, "nowhere.csv")


def test_files_must_exist(folder: Path) -> None:
    image = [Input("image", "An image", "image")]
    assert parse_value(image, "notes.pdf") == {"image": str(folder / "notes.pdf")}
    for value in ("no.png", {"image": "no.png"}, {}):
        with pytest.raises(UserError):
            parse_value(image, value)


def test_the_inputs_of_a_verb_are_given_by_name_and_never_as_a_file_of_rows() -> None:
    assert parse_named(TEXT, ["reviews.tsv"]) == parse_named(TEXT, ["text=reviews.tsv"]) == {"text": "reviews.tsv"}
    assert parse_named(TEXT, ["a=b"]) == {"text": "a=b"}
    assert parse_named(PAIR, ["first=a=b", "second=c"]) == {"first": "a=b", "second": "c"}
    for inputs, arguments in ((PAIR, ["a"]), (PAIR, ["first=a"]), (TEXT, ["a", "b"]), ([], ["a"])):
        with pytest.raises(UserError):
            parse_named(inputs, arguments)
