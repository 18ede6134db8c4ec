"""Tests of GANarium.

unit/ needs no process of its own. server/ starts servers and workers. browser/ drives the page.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]  # the root of the checkout
