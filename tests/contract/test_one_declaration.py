"""A task in a package of its own appears everywhere, and works, with no edit of the app."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contract.conftest import Shell

DATA = "".join(f"glad: sunny day {n}\nsad: rainy evening {n}\n" for n in range(10))
CLI = ("-m", "autotrain_gradio")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder with rows in the example's own layout, two of which cannot be used."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "notes.mood").write_text(DATA + "glad:\nnobody knows the mood of this\n", encoding="utf-8")
    return folder


def test_the_task_is_in_the_registry_and_the_help(shell: Shell) -> None:
    listed = shell(*CLI, "tasks", "--json")
    assert [t["name"] for t in json.loads(listed.stdout)][-1] == "mood-reading", listed.stderr
    assert "mood-reading" in shell(*CLI, "--help").stdout
    text = shell(*CLI, "mood", "--help").stdout
    assert text.index("Main settings") < text.index("Counting words") < text.index("--smoothing")
    assert text.index("--smoothing") < text.index("Optimization")
    assert "How much a word counts" in text and "--mood-column" in text


def test_the_task_is_in_the_generated_docs(shell: Shell, tmp_path: Path) -> None:
    done = shell("-m", "autotrain_gradio.cli.docs", "--to", str(tmp_path / "docs"))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "docs" / "tasks" / "mood-reading.md").read_text(encoding="utf-8")
    assert "sad: the rain came back" in page and "smoothing" in page and "above 0, at most 10" in page
    assert "Sentence and rating" in page and "--rating-column" in shell(*CLI, "mood", "--help").stdout
    assert "### Counting words" in page and "`explain` | `text`: A text (text) | a stream of items" in page
    assert "mood-reading" in (tmp_path / "docs" / "cli.md").read_text(encoding="utf-8")


def test_layout_kind_and_findings_of_the_package_are_used_by_check(shell: Shell, notes: Path) -> None:
    done = shell(*CLI, "check", "mood-reading", "--data-path", str(notes), "--json")
    found = json.loads(done.stdout)
    assert found["layout"]["name"] == "mood-lines", done.stdout + done.stderr
    assert {f["code"]: f["where"] for f in found["findings"]}["sentence-empty"] == "notes.mood, line 21"
    assert done.returncode == 0
    assert sum(found["splits"].values()) == 20
    assert {d["code"] for d in found["dropped"]} == {"sentence-empty", "label-missing"}


def test_the_task_trains_predicts_and_exports_by_its_command(shell: Shell, notes: Path, tmp_path: Path) -> None:
    train = ("mood-reading", "--data-path", str(notes), "--project-name", "moods", "--epochs", "3", "--train")
    done = shell(*CLI, *train)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "moods" / "words.json").read_text())["glad"]["sunny"] > 0
    assert "Words known" in done.stdout

    runs = json.loads(shell(*CLI, "runs", "--json").stdout)
    assert [(r["state"], r["task"], r["project_name"]) for r in runs] == [("completed", "mood-reading", "moods")]
    assert runs[0]["best_metric"] == {"name": "accuracy", "value": 1.0}

    said = shell(*CLI, "predict", "moods", "a sunny day", "rainy", "--json")
    assert [p["label"] for p in json.loads(said.stdout)] == ["glad", "sad"], said.stderr

    assert shell(*CLI, "export", runs[0]["id"][:20], "--to", str(tmp_path / "away")).returncode == 0
    assert (tmp_path / "away" / "words.json").is_file()


def test_the_preview_of_the_package_is_returned_by_the_service(shell: Shell, notes: Path) -> None:
    done = shell(
        "-c",
        f"""
import json
from autotrain_gradio.service import Service
from autotrain_gradio.core.settings import Settings
service = Service(Settings.from_env(), dispatch=False)
spec = {{"task": "mood", "data": {{"path": {str(notes)!r}}}}}
draft = service.draft("mood")
service.check(draft, spec)
print(json.dumps(service.preview(draft, spec)))
service.close()
""",
    )
    assert json.loads(done.stdout)[0]["title"] == "Words that are counted", done.stderr


def test_verbs_of_the_package_stream_by_command_and_in_python(shell: Shell, notes: Path) -> None:
    train = ("mood-reading", "--data-path", str(notes), "--project-name", "moods", "--smoothing", "0.5", "--train")
    assert shell(*CLI, *train).returncode == 0
    said = shell(*CLI, "call", "moods", "explain", "sunny evening")
    assert said.stdout == shell(*CLI, "call", "moods", "explain", "text=sunny evening").stdout
    assert said.stdout == shell(*CLI, "call", "moods", "explain", "--context", '{"text": "sunny evening"}').stdout
    lines = said.stdout.splitlines()
    assert [json.loads(line)["mood"] for line in lines[:2]] == ["glad", "sad"], said.stderr
    assert lines[2] == "All words" and "\N{GRINNING FACE} glad" in said.stdout, "a panel among the items is drawn"
    assert json.loads(shell(*CLI, "call", "moods", "vocabulary").stdout)["glad"] > 5
    listed = shell(*CLI, "call", "moods")
    assert "explain" in listed.stdout and "Yields each word" in listed.stdout
    for wrong, answer in (
        (("expalin",), "Did you mean 'explain'"),
        (("expalin", "sunny evening"), "Did you mean 'explain'"),
        (("explain",), "no text to explain"),
        (("explain", "--context", "{x"), "is not JSON"),
        (("explain", "sunny", "day"), "'sunny' is not an input"),
        (("vocabulary", "sunny"), "no inputs are expected"),
        (("publish",), "Unknown verb 'publish'"),
    ):
        done = shell(*CLI, "call", "moods", *wrong)
        assert done.returncode != 0 and answer in done.stderr and "Traceback" not in done.stderr, done.stderr
    done = shell(
        "-c",
        """
import autotrain_gradio as at
from autotrain_gradio.api.foreground import default_service
from autotrain_gradio.api.runs import Run
from autotrain_gradio.core.settings import Settings
service = default_service(Settings.from_env(), False)
run = Run(service, service.runs()[0]["id"])
items = run.stream("explain", text="sunny " * 1000)
assert next(items)["word"] == "sunny"
items.close()
items = run.call("explain", text="rainy day")
assert items[0]["mood"] == "sad" and items[-1]["kind"] == "mood-faces"
assert set(run.call("vocabulary")) == {"glad", "sad"}
""",
    )
    assert done.returncode == 0, done.stderr


def test_every_verb_is_on_the_page_in_the_command_line_and_in_the_docs(
    shell: Shell, notes: Path, tmp_path: Path
) -> None:
    train = ("mood-reading", "--data-path", str(notes), "--project-name", "moods", "--train")
    assert shell(*CLI, *train).returncode == 0
    listed = shell(*CLI, "call", "moods").stdout
    shell("-m", "autotrain_gradio.cli.docs", "--to", str(tmp_path / "docs"))
    page = (tmp_path / "docs" / "tasks" / "mood-reading.md").read_text(encoding="utf-8")
    done = shell(
        "-c",
        """
import json
import gradio as gr
from autotrain_gradio.api.foreground import default_service
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.run_verbs import RunVerbs
service = default_service(Settings.from_env(), False)
run = service.runs()[0]["id"]
with gr.Blocks() as blocks:
    verbs = RunVerbs.build(PageContext(service))
    shown = verbs.show(service.snapshot(run), emptied=True)
    assert shown[verbs.opened].startswith(run)
    verbs._contents(run)
declared = service.verbs(run)
for verb in declared:
    prefix = "verb-" + verb["name"]
    of_it = {b.elem_id: b for b in blocks.blocks.values() if str(getattr(b, "elem_id", "")).startswith(prefix)}
    assert {prefix + "-ask", prefix + "-result", *(prefix + "-" + i["name"] for i in verb["inputs"])} <= set(of_it)
    button, result = of_it[prefix + "-ask"], of_it[prefix + "-result"]
    handler = next(f for f in blocks.fns.values() if (button._id, "click") in f.targets)
    assert result in handler.outputs, verb
    *_, (html, _) = handler.fn(run, "visitor", *(["sunny evening"] * len(verb["inputs"])))
    assert "at-panel" in html and "at-error" not in html and "at-busy" not in html, html
print(json.dumps(declared))
""",
    )
    assert done.returncode == 0, done.stderr
    declared = json.loads(done.stdout)
    assert [v["name"] for v in declared] == ["explain", "vocabulary"]
    for verb in declared:
        assert f"`{verb['name']}`" in page and verb["help"] in page and verb["help"] in listed
        assert all(f"`{i['name']}`" in page for i in verb["inputs"])


def test_a_kind_of_the_package_has_a_nested_feature_for_the_training(shell: Shell, notes: Path) -> None:
    text = (notes / "notes.mood").read_text(encoding="utf-8")
    (notes / "notes.mood").write_text(text.replace("sunny day 1\n", "sunny day 1 #sunny=weather, day=time\n"))
    done = shell(
        "-c",
        f"""
from autotrain_gradio import data
from autotrain_gradio.service import Service
from autotrain_gradio.core.settings import Settings
service = Service(Settings.from_env(), dispatch=False)
spec = {{"task": "mood", "data": {{"path": {str(notes)!r}}}}}
draft = service.draft("mood")
found = service.check(draft, spec)
assert not [f for f in found["findings"] if f["level"] == "error"], found["findings"]
rows = data.load(service.settings.runs / draft)
feature = rows["train"].features["highlights"].feature["label"]
assert feature.names == ["time", "weather"], rows["train"].features
seen = [[(h["word"], feature.int2str(h["label"])) for h in row["highlights"]] for s in rows.values() for row in s]
assert [("sunny", "weather"), ("day", "time")] in seen and seen.count([]) == len(seen) - 1, seen
assert {{c["name"]: c["kind"] for c in found["columns"]}}["highlights"] == "highlights", found["columns"]
service.close()
""",
    )
    assert done.returncode == 0, done.stderr


def test_panel_and_input_of_the_package_are_rendered_and_parsed(shell: Shell, notes: Path) -> None:
    train = ("mood-reading", "--data-path", str(notes), "--project-name", "moods", "--train")
    done = shell(*CLI, *train)
    assert "Moods of the training rows" in done.stdout and "\N{CRYING FACE} sad 50%" in done.stdout, done.stderr
    said = shell(*CLI, "predict", "moods", "a sunny day", "rainy evening")
    assert "\N{GRINNING FACE} glad" in said.stdout and "\N{CRYING FACE} sad" in said.stdout, said.stderr
    refused = shell(*CLI, "predict", "moods", "It rains. It pours.")
    assert refused.returncode == 1 and "more than one sentence" in refused.stderr
    done = shell(
        "-c",
        """
import gradio as gr
from autotrain_gradio.api.foreground import default_service
from autotrain_gradio.api.runs import Run
from autotrain_gradio.core.panels import render_all_html
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.try_it import TryIt
service = default_service(Settings.from_env(), False)
run = service.runs()[0]["id"]
answer = Run(service, run).predict("a sunny day")[0]
assert "<ul class='mood-faces'>" in render_all_html(answer["panels"])
assert "<ul class='mood-faces'>" in render_all_html(service.snapshot(run)["report"])
with gr.Blocks() as blocks:
    TryIt.build(PageContext(service))._contents(run)
box = next(b for b in blocks.blocks.values() if isinstance(b, gr.Textbox) and b.label == "A sentence")
handler = next(f.fn for f in blocks.fns.values() if box in f.inputs)
assert "mood-faces" in handler(run, "visitor", "a sunny day")
""",
    )
    assert done.returncode == 0, done.stderr


def test_the_second_format_of_the_package_is_detected_and_can_be_chosen(shell: Shell, tmp_path: Path) -> None:
    table = tmp_path / "stars.csv"
    rows = [f"sunny day {n},{4 + n % 2}\nrainy evening {n},{1 + n % 2}\n" for n in range(20)]
    table.write_text("sentence,stars\n" + "".join(rows), encoding="utf-8")
    found = json.loads(shell(*CLI, "check", "mood", "--data-path", str(table), "--json").stdout)
    assert (found["format"]["name"], found["layout"]["name"]) == ("ratings", "table")
    assert [o["name"] for o in found["format"]["others"]] == ["moods"]
    assert found["mapping"]["rating"] == ["stars"]
    train = ("mood", "--data-path", str(table), "--format", "ratings", "--project-name", "stars", "--train")
    assert shell(*CLI, *train).returncode == 0
    said = shell(*CLI, "predict", "stars", "a sunny day", "--json")
    assert json.loads(said.stdout)[0]["label"] == "glad", said.stderr
    refused = shell(*CLI, "check", "mood", "--data-path", str(table), "--format", "rating")
    assert refused.returncode != 0 and "'ratings'" in refused.stderr and "Traceback" not in refused.stderr
    (tmp_path / "stars.yaml").write_text(
        json.dumps({"task": "mood", "data": {"path": "stars.csv", "format": "ratings"}}), encoding="utf-8"
    )
    assert json.loads(shell(*CLI, "check", "stars.yaml", "--json").stdout)["format"]["name"] == "ratings"
