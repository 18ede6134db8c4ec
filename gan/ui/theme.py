"""Build Gradio's theme from the CSS custom properties of gan/web/shell/base.css.

That file itself switches between light and dark.
"""

import gradio as gr

_BOTH = {
    "body_background_fill": "var(--bg)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--muted)",
    "background_fill_primary": "var(--surface)",
    "background_fill_secondary": "var(--bg)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--accent)",
    "color_accent_soft": "var(--accent-soft)",
    "link_text_color": "var(--accent)",
    "link_text_color_hover": "var(--accent)",
    "link_text_color_active": "var(--accent)",
    "link_text_color_visited": "var(--accent)",
    "block_background_fill": "transparent",
    "block_border_color": "var(--line)",
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_info_text_color": "var(--muted)",
    "block_label_background_fill": "transparent",
    "block_label_border_width": "0px",
    "block_label_text_color": "var(--muted)",
    "block_title_text_color": "var(--ink)",
    "panel_background_fill": "transparent",
    "panel_border_width": "0px",
    "accordion_text_color": "var(--ink)",
    "input_background_fill": "var(--field)",
    "input_background_fill_focus": "var(--field)",
    "input_background_fill_hover": "var(--field)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--accent)",
    "input_border_color_hover": "var(--line-strong)",
    "input_placeholder_color": "var(--muted)",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 3px var(--accent-soft)",
    "button_primary_background_fill": "var(--button)",
    "button_primary_background_fill_hover": "var(--button-hover)",
    "button_primary_text_color": "var(--button-ink)",
    "button_primary_text_color_hover": "var(--button-ink)",
    "button_primary_border_color": "var(--button)",
    "button_primary_border_color_hover": "var(--button-hover)",
    "button_primary_shadow": "none",
    "button_primary_shadow_hover": "none",
    "button_primary_shadow_active": "none",
    "button_secondary_background_fill": "var(--surface)",
    "button_secondary_background_fill_hover": "var(--hover)",
    "button_secondary_text_color": "var(--ink)",
    "button_secondary_text_color_hover": "var(--ink)",
    "button_secondary_border_color": "var(--line)",
    "button_secondary_border_color_hover": "var(--line-strong)",
    "button_secondary_shadow": "none",
    "button_secondary_shadow_hover": "none",
    "button_secondary_shadow_active": "none",
    "checkbox_background_color": "var(--field)",
    "checkbox_background_color_selected": "var(--accent)",
    "checkbox_border_color": "var(--line-strong)",
    "checkbox_border_color_selected": "var(--accent)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_hover": "var(--hover)",
    "checkbox_label_background_fill_selected": "var(--accent-soft)",
    "checkbox_label_border_color": "var(--line)",
    "checkbox_label_text_color": "var(--ink)",
    "checkbox_label_text_color_selected": "var(--ink)",
    "checkbox_label_shadow": "none",
    "slider_color": "var(--accent)",
    "error_background_fill": "var(--surface)",
    "error_border_color": "var(--bad)",
    "error_text_color": "var(--bad)",
    "loader_color": "var(--accent)",
    "shadow_drop": "none",
    "shadow_drop_lg": "var(--shadow)",
    "stat_background_fill": "var(--accent)",
}


def build() -> gr.themes.Base:
    """Return the theme for `demo.launch`. It uses system fonts, so that the page downloads none."""
    fonts = (
        "ui-sans-serif",
        "system-ui",
        "-apple-system",
        "Segoe UI",
        "Roboto",
        "Noto Sans",
        "Noto Sans SC",
        "PingFang SC",
        "Microsoft YaHei",
        "sans-serif",
    )
    mono = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
    theme = gr.themes.Base(font=fonts, font_mono=mono, spacing_size="md", radius_size="md", text_size="sm")
    known = vars(theme)
    values = {**_BOTH, **{f"{name}_dark": value for name, value in _BOTH.items() if f"{name}_dark" in known}}
    return theme.set(**values)
