"""The chat with a trained model on the page: streaming, Stop, Clear, and what a model writes is never rendered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.browser import App, Page, sync_api

expect = sync_api.expect
CHAT = "#verb-chat-messages"
TOKENS = 30
"""Length of an answer: the model is as good as untrained, and repeats itself."""
SLOW = """
if 'serve' in sys.orig_argv[-2:]:
    import time
    from autotrain_gradio.training import text_stream
    add = text_stream.TextStream.add
    text_stream.TextStream.add = lambda *given: (time.sleep(0.08), add(*given))[1]
"""
"""Part of the workers' sitecustomize: a token takes long enough to stop an answer, however fast the machine is."""


def train(app: App, folder: Path) -> str:
    """Train a chat model for two steps; return its run."""
    rows = [{"prompt": f"What is {n} + 1?", "completion": f"It is {n + 1}."} for n in range(16)]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    params = {"epochs": 1, "generation_rows": 0, "max_new_tokens": TOKENS, "lr": 1e-6}
    data = {"source": "path", "path": str(folder / "train.jsonl")}
    spec = {"task": "llm-sft", "model": "tiny", "project_name": "sums", "data": data, "params": params}
    run = app.service.start(app.service.draft("llm-sft"), spec)
    app.until(run, "completed", seconds=120)
    return run


def test_chat_streams_stops_and_clears(own_app: App, visit: Callable[..., Page], tmp_path: Path) -> None:
    app = own_app
    with (app.packages / "sitecustomize.py").open("a") as code:
        code.write(SLOW)
    app.start()
    run = train(app, tmp_path)
    page = visit(f"{app.url}/?run={run}", width=390, height=844)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    expect(page.get_by_role("heading", name="Chat with the model")).to_be_visible()
    expect(page.locator("#try-it")).to_be_hidden()
    page.locator("#verb-chat-ask").click()
    expect(page.locator("#verb-chat-result")).to_contain_text("An input is missing")
    field, messages = page.locator(f"{CHAT} textarea"), page.locator(f"{CHAT}-chat .message")
    field.fill("<img src='/other.png'> ![x](/other.png) two")
    page.locator("#verb-chat-ask").dblclick()
    expect(page.locator("#verb-chat-cancel")).to_be_visible()
    expect(messages.nth(0)).to_have_text("<img src='/other.png'> ![x](/other.png) two")
    expect(messages).to_have_count(2)
    expect(field).to_have_value("")
    expect(messages.nth(1)).not_to_have_text("…")  # a part of the answer, while the rest is generated
    page.locator("#verb-chat-cancel").click()
    expect(page.locator("#verb-chat-ask")).to_be_visible()
    expect(page.locator("#verb-chat-result")).to_contain_text("Stopped.")
    expect(messages).to_have_count(2)
    assert not [url for url in requested if "other.png" in url]

    other = visit(f"{app.url}/?run={run}")  # another tab has a conversation of its own, with the same worker
    expect(other.locator(f"{CHAT} textarea")).to_be_visible()
    expect(other.locator(f"{CHAT}-chat .message")).to_have_count(0)
    other.locator(f"{CHAT} textarea").fill("And 3?")
    other.locator(f"{CHAT} textarea").press("Enter")
    field.fill("What is 2 + 1?")
    field.press("Enter")
    expect(messages).to_have_count(4)
    expect(page.locator(f"{CHAT}-summary")).to_contain_text("tokens")
    expect(other.locator(f"{CHAT}-summary")).to_contain_text("tokens")

    page.locator(f"{CHAT}-clear").click()
    expect(messages).to_have_count(0)
    page.locator(f"{CHAT}-settings > button").click()
    expect(page.locator(f"{CHAT}-compare input")).to_be_disabled()  # the tiny model has no base model
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
