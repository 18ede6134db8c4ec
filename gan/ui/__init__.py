"""The web page: Gradio lays it out, small modules of ours under static/ show what is live. Nothing outside this package imports gradio."""
