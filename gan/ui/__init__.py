"""The web page: Gradio lays out the form, and the modules of gan/web show live data.

No other package imports gradio.
"""
