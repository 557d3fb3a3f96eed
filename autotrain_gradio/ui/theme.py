"""The theme of the page, and its stylesheet and scripts in `assets`."""

from __future__ import annotations

import gradio as gr

from autotrain_gradio.core.assets import ASSETS

CSS = ASSETS / "page.css"
SCRIPT = ASSETS / "page.js"
LOGO = ASSETS / "logo.svg"


def script(name: str) -> str:
    """Return the JavaScript of a component or an event without its comments; see `assets/scripts/README.md`."""
    lines = (ASSETS / "scripts" / f"{name}.js").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("//"))


def theme() -> gr.themes.Base:
    """Return the theme: sufficient contrast in light and dark mode, and no downloaded font."""
    fonts = ("Inter", "ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
    mono = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=[gr.themes.Font(f) for f in fonts],
        font_mono=[gr.themes.Font(f) for f in mono],
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_color="*neutral_200",
        block_border_color_dark="*neutral_800",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="*neutral_100",
        block_title_text_weight="600",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_border_width="1px",
        input_border_width_dark="1px",
        button_primary_border_color="*primary_700",
        button_primary_border_color_dark="*primary_700",
        input_background_fill="white",
        input_background_fill_dark="*neutral_800",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_border_width="1px",
        button_border_width_dark="1px",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_600",
        checkbox_background_color_selected="*primary_700",
        checkbox_background_color_selected_dark="*primary_600",
        checkbox_border_color="*neutral_400",
        color_accent="*primary_700",
        slider_color="*primary_700",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
    )
