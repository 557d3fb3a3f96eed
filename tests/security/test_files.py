"""Attack: a path in place of an upload, to read files of the server or of another visitor."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import DataError, Forbidden
from tests.security.conftest import SECRET, Place
from tests.security.visitor import Visitor, file_data


def _events_of_the_model(place: Place, visitor: Visitor, run: str) -> list[Any]:
    """Render the inputs of a run for a visitor; return the events that run its model."""
    for number in range(2):
        slot = next(b for b in place.demo.blocks.values() if b.elem_id == f"try-it-slot-{number}")
        render = next(f for f in place.demo.fns.values() if f.renderable and [b._id for b in f.inputs] == [slot._id])
        visitor.call(render._id, [f"{run}:1"], queued=False)
    state = place.demo.app.state_holder[visitor.session]
    found = [
        f for f in state.blocks_config.fns.values() if f._id not in place.demo.fns and f.concurrency_id == "predict"
    ]
    assert found
    return found


def _predict(place: Place, visitor: Visitor, run: str, value: Any) -> str:
    answers = []
    for event in _events_of_the_model(place, visitor, run):
        count = len(event.inputs)
        answers.append(visitor.call(event._id, [run, visitor.id, *[value] * (count - 2)]))
    return "\n".join(answers)


def test_a_visitor_uses_their_own_upload(place: Place) -> None:
    visitor = Visitor(place.url, "own")
    path = visitor.upload("mine.png", _png(b"content-of-mine"))
    answer = _predict(place, visitor, place.reader, file_data(path))
    visitor.close()
    assert "IEND" in answer  # the end of a PNG file, from the model's answer


def test_a_path_of_the_server_is_no_image(place: Place) -> None:
    for value in (file_data(str(place.server_file)), str(place.server_file), {"path": str(place.server_file)}):
        assert SECRET not in _predict(place, place.b, place.reader, value)
    answer = _predict(place, place.b, place.reader, file_data(str(place.server_file)))
    assert "not an upload of yours" in answer


def test_the_upload_of_another_visitor_is_no_image_of_this_one(place: Place) -> None:
    path = place.a.upload("theirs.png", _png(b"theirs"))
    place.demo.rules.uploads.claim(path, place.a.session)
    assert "not an upload of yours" in _predict(place, place.b, place.reader, file_data(path))


def test_the_text_event_of_one_model_does_not_send_a_path_to_another(place: Place) -> None:
    events = _events_of_the_model(place, place.b, place.sorter)
    for event in events:
        answer = place.b.call(event._id, [place.reader, place.b.id, str(place.server_file)])
        assert SECRET not in answer


def test_examples_are_offered_where_the_input_is_a_text_only(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autotrain_gradio.ui.try_it.example_values", lambda *more: [str(place.server_file)])
    for run, offered in ((place.sorter, 1), (place.reader, 0)):
        visitor = Visitor(place.url, "example")
        events = _events_of_the_model(place, visitor, run)
        visitor.close()
        assert sum(len(event.inputs) == 2 for event in events) == 2 * offered  # in each of the two slots


@pytest.mark.parametrize(
    "inputs",
    [
        {"text": "{server}"},
        {"text": ["{server}"]},
        {"text": {"path": "{server}"}},
        {"rows_of": "{server}"},
        {"audio": "{server}"},
        {"text": None},
        {"text": 7},
        {"text": "{upload}/../../server.png"},
    ],
    ids=str,
)
def test_the_service_accepts_uploads_and_declared_inputs_only(place: Place, inputs: dict[str, Any]) -> None:
    uploaded = place.b.upload("b.png", _png(b"b"))
    text = json.dumps(inputs).replace("{server}", str(place.server_file)).replace("{upload}", uploaded)
    with pytest.raises(Forbidden):
        place.service.predict(place.reader, [json.loads(text)], place.b.owner)


def test_rows_of_a_file_of_the_server_are_no_texts(place: Place) -> None:
    for inputs in ({"rows_of": str(place.server_file)}, {"text": {"rows_of": str(place.server_file)}}):
        with pytest.raises(Forbidden):
            place.service.predict(place.sorter, [inputs], place.b.owner)


def test_a_verb_gets_no_path_of_the_server(place: Place) -> None:
    with pytest.raises(Forbidden):
        place.service.call(place.sorter, "double", {"toys": 1, "more": [str(place.server_file)]}, place.b.owner)
    with pytest.raises(Forbidden):
        place.service.stream(place.sorter, "count", {"to": 1, "file": "~/.cache/huggingface/token"}, place.b.owner)
    assert place.service.call(place.sorter, "double", {"toys": 1}, place.b.owner)["toys"] == 2


def test_files_of_the_server_are_not_moved_into_a_draft(place: Place) -> None:
    draft = place.service.draft("toy-sorting", place.b.owner)
    link = place.service.settings.uploads / ("0" * 64) / "link.toy"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(place.server_file)
    for path in (place.server_file, Path("/etc/passwd"), place.service.store.folder / place.draft / "draft.json", link):
        with pytest.raises((Forbidden, DataError)):
            place.service.upload(draft, [path], place.b.owner)
    link.unlink()
    assert place.server_file.read_text() == SECRET
    place.service.delete(draft, place.b.owner)


def test_a_hub_id_is_no_folder_that_a_visitor_has_uploaded(place: Place) -> None:
    # The worker's working directory was the run, in which the upload is unpacked as data/media: a model of that name
    # was loaded from there, although folders are refused.
    run = place.service.store.get(place.reader).directory
    (run / "data" / "media").mkdir(parents=True, exist_ok=True)
    (run / "data" / "media" / "config.json").write_text('{"model_type": "bert"}')
    seen = place.service.call(place.reader, "double", {"readers": 1}, place.b.owner)
    assert seen["media"] is False and seen["names"] == []


def _png(text: bytes = b"") -> bytes:
    """Return a picture of one pixel; text: makes it another file."""
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    return base64.b64decode(pixel) + text
