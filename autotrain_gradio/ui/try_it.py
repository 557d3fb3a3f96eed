"""Try it: the inputs that a task declares, and what its model says to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.base import Input, Task
from autotrain_gradio.ui import answers, examples, messages, row_form
from autotrain_gradio.ui.page_context import PRIVATE, PageContext

SHOWN_SCORES = 8
ALONE = ("form", "table")
"""Kinds of inputs that ask by themselves, without the button."""


@dataclass
class TryIt:
    """Slots for the inputs of any task: as many of each kind as the neediest task has."""

    context: PageContext
    box: Any
    slots: dict[str, list[Any]]
    button: Any
    examples: Any
    label: Any
    other: Any

    @classmethod
    def build(cls, context: PageContext) -> TryIt:
        """Create the widgets, hidden."""
        needed: Counter[str] = Counter()
        for task in context.service.tasks:
            needed |= Counter(i.kind for i in task.inputs)
        slots: dict[str, list[Any]] = {}
        with gr.Column(visible=False, elem_id="try-it") as box:
            gr.HTML("<h2>Try it</h2>")
            with gr.Row(equal_height=False):
                with gr.Column(min_width=300):
                    for kind, count in sorted(needed.items()):
                        slots[kind] = [_slot(kind, number) for number in range(count)]
                    button = gr.Button("Ask the model", variant="primary", elem_id="try-it-ask")
                    offered = gr.HTML(js_on_load=examples.SCRIPT, elem_id="try-it-examples")
                with gr.Column(min_width=300):
                    label = gr.Label(
                        label="Prediction", num_top_classes=SHOWN_SCORES, visible=False, elem_id="try-it-label"
                    )
                    other = gr.HTML(elem_id="try-it-other", elem_classes="at-live")
        return cls(context, box, slots, button, offered, label, other)

    def components(self) -> list[Any]:
        """Return the slots, in a fixed order."""
        return [slot for kind in sorted(self.slots) for slot in self.slots[kind]]

    def outputs(self) -> list[Any]:
        """Return all that `show` may change."""
        return [self.box, *self.components(), self.button, self.examples, self.label, self.other]

    def show(self, snapshot: Mapping[str, Any], task: Task | None, *, emptied: bool) -> dict[Any, Any]:
        """Return the updates for a run of a task.

        emptied: another run was opened, or this one has a model now: what was asked before is taken away.
        """
        visible = bool(snapshot["can"].get("predict"))
        updates: dict[Any, Any] = {self.box: gr.Column(visible=visible and task is not None)}
        if task is None or not emptied:
            return updates
        used = self._assign(task.inputs)
        for slot in self.components():
            declared = used.get(slot._id)
            if declared and declared.kind == "form":
                updates[slot] = gr.HTML(self._form(snapshot["id"]) if visible else "", visible=True)
                continue
            updates[slot] = gr.update(
                value=None, visible=declared is not None, **({"label": declared.title} if declared else {})
            )
        asked = gr.Button(visible=any(i.kind not in ALONE for i in task.inputs))
        return {
            **updates,
            self.button: asked,
            self.examples: examples.html(examples.texts(snapshot, task.inputs)) if visible else "",
            self.label: gr.Label(value=None, visible=False),
            self.other: "",
        }

    def _form(self, run: Any) -> str:
        try:
            return row_form.html(self.context.service.form(run))
        except UserError as error:
            return messages.error(error)

    def wire(self) -> None:
        """Ask the model on a click, and as soon as a single input is there."""
        single = {i.kind for t in self.context.service.tasks if len(t.inputs) == 1 for i in t.inputs}
        triggers = [
            self.button.click,
            *(slots[0].upload for k, slots in self.slots.items() if k in single and k not in ("text", *ALONE)),
        ]
        kind: dict[str, Any] = {
            "concurrency_limit": 4,
            "concurrency_id": "predict",
            "show_progress": "minimal",
            **PRIVATE,
        }
        outputs = [self.label, self.other]
        gr.on(triggers, self.ask, [self.context.run, self.context.visitor, *self.components()], outputs, **kind)
        for form in self.slots.get("form", []):
            form.submit(self.ask_row, [self.context.run, self.context.visitor], outputs, **kind)
        for slot in self.slots.get("text", [])[:1]:
            asking = [self.context.run, self.context.visitor]
            self.examples.submit(self.ask_example, asking, [slot, *outputs], **kind)
        for table in self.slots.get("table", []):
            table.upload(self.ask_table, [self.context.run, self.context.visitor, table], outputs, **kind)

    def ask(self, run: Any, visitor: Any, *values: Any) -> tuple[Any, str]:
        """Apply the run's model to what the slots hold."""
        service = self.context.service
        try:
            snapshot = service.snapshot(run) or {}
            task = service.tasks.get(snapshot["task"])
            given = dict(zip((s._id for s in self.components()), values, strict=True))
            row = {declared.name: given[slot] for slot, declared in self._assign(task.inputs).items()}
            missing = next((i for i in task.inputs if row.get(i.name) in (None, "")), None)
            if missing:
                return gr.skip(), messages.note(f"Give it {missing.title[0].lower()}{missing.title[1:]} first.")
            answer = service.predict(run, [row], self.context.owner(visitor))[0]
        except UserError as error:
            return gr.Label(value=None, visible=False), messages.error(error)
        return answers.draw(answer)

    def ask_example(self, event: gr.EventData, run: Any, visitor: Any) -> tuple[Any, Any, str]:
        """Put the example that was clicked into the only input, and apply the run's model to it."""
        service, text = self.context.service, examples.chosen(event._data)
        try:
            task = service.tasks.get((service.snapshot(run) or {})["task"])
            answer = service.predict(run, [{task.inputs[0].name: text}], self.context.owner(visitor))[0]
        except UserError as error:
            return text, gr.Label(value=None, visible=False), messages.error(error)
        return (text, *answers.draw(answer))

    def ask_row(self, event: gr.EventData, run: Any, visitor: Any) -> tuple[Any, str]:
        """Apply the run's model to the row in the form."""
        service = self.context.service
        try:
            row = row_form.row(service.form(run), event._data)
            answer = service.predict(run, [{"row": row}], self.context.owner(visitor))[0]
        except UserError as error:
            return gr.Label(value=None, visible=False), messages.error(error)
        return answers.draw(answer)

    def ask_table(self, run: Any, visitor: Any, path: Any) -> tuple[Any, str]:
        """Apply the run's model to the rows of a file, and offer them with what was predicted."""
        nothing = gr.Label(value=None, visible=False)
        try:
            answer = self.context.service.predict(run, [{"table": path}], self.context.owner(visitor))[0]
        except UserError as error:
            return nothing, messages.error(error)
        url = self.context.tickets.issue(Path(answer["file"]))
        note = messages.note(str(answer["note"])) if answer.get("note") else ""
        drawn = answers.download(url, Path(answer["file"]).name, int(answer["rows"]), answer["columns"])
        return nothing, drawn + note

    def _assign(self, inputs: Sequence[Input]) -> dict[int, Input]:
        taken: Counter[str] = Counter()
        found = {}
        for declared in inputs:
            found[self.slots[declared.kind][taken[declared.kind]]._id] = declared
            taken[declared.kind] += 1
        return found


def _slot(kind: str, number: int) -> Any:
    elem_id = f"try-it-{kind}-{number}"
    if kind == "image":
        return gr.Image(
            type="filepath", sources=["upload", "webcam", "clipboard"], height=300, interactive=True, elem_id=elem_id
        )
    if kind == "audio":
        return gr.Audio(
            type="filepath",
            sources=["upload", "microphone"],
            buttons=["download"],
            interactive=True,
            elem_id=elem_id,
        )
    if kind == "text":
        return gr.Textbox(lines=3, interactive=True, elem_id=elem_id)
    if kind == "form":
        return gr.HTML(visible=False, js_on_load=row_form.SCRIPT, elem_id=elem_id)
    if kind == "table":
        types = [".csv", ".tsv", ".xlsx", ".jsonl", ".json", ".parquet"]
        return gr.File(type="filepath", file_types=types, height=120, interactive=True, elem_id=elem_id)
    return gr.File(type="filepath", interactive=True, elem_id=elem_id)
