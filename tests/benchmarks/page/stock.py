"""Serve a page of Gradio's own components, for comparison: gr.Slider moves gr.Image along a direction.

`python -m tests.benchmarks.page.browser` starts it. The direction is the model's first.
"""

import argparse

import gradio as gr
import numpy as np
import torch

from gan.images import to_uint8
from gan.latent.directions.unsupervised import find_directions
from gan.latent.sampling import latent
from gan.models import load_generator
from tests.support.page.browsing import ROOT

SLIDER = "input[type=range]"
# Fires gan:drawn for each loaded sample, as Explore does.
TELL = """() => document.addEventListener("load", (event) => event.target.matches?.("img") && document.body.dispatchEvent(new Event("gan:drawn")), true)"""  # noqa: E501


def main() -> None:
    """Serve the page until the process ends."""
    parser = argparse.ArgumentParser()
    for name in ("host", "port", "runs", "model"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    generator, spec = load_generator(ROOT / "checkpoints" / args.model / "generator.safetensors")
    generator = generator.to(memory_format=torch.channels_last)
    z, direction = latent(0, spec.z_dim), find_directions(generator, spec, 1).vectors[0]

    def draw(amount: float) -> np.ndarray:
        with torch.inference_mode():
            moved = torch.from_numpy(z + np.float32(amount) * direction)[None]
            picture = to_uint8(
                generator(moved, torch.zeros(1, dtype=torch.int64) if spec.num_classes else None)
            )[0]
        return picture.permute(1, 2, 0).expand(-1, -1, 3).numpy()

    with gr.Blocks() as demo:
        slider, image = gr.Slider(-3, 3, 0, step=0.05), gr.Image(draw(0.0))
        slider.input(draw, slider, image, show_progress="hidden", trigger_mode="always_last")
    demo.launch(server_name=args.host, server_port=int(args.port), ssr_mode=False, quiet=True)


if __name__ == "__main__":
    main()
