"""The web page: Gradio lays it out, small modules of ours in gan/web show what is live. Nothing outside this
package imports gradio.
"""
