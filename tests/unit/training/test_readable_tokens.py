from __future__ import annotations

from autotrain_gradio.training.language_models import tiny_chat_tokenizer
from autotrain_gradio.training.text_preview import readable_tokens


def test_line_breaks_and_spaces_are_visible() -> None:
    tokenizer = tiny_chat_tokenizer(["one two\n", "three  four"])
    ids = tokenizer("<|im_end|>\none  \t", add_special_tokens=False)["input_ids"]
    shown = readable_tokens(tokenizer, ids)
    assert shown[0] == "<|im_end|>" and shown[1].startswith("⏎")
    assert "␣" in "".join(shown) and "⇥" in "".join(shown)
    assert not any(sign in "".join(shown) for sign in "ĊĠĉ")
