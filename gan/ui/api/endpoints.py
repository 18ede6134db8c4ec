"""Register the functions as endpoints of Gradio's API; those for everybody are MCP tools as well.

Gradio shows the docstrings to programs and to agents, so they describe the arguments in its form. A call runs
under the concurrency limit of the page's route that does the same work.
"""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal

import anyio
import gradio as gr

from gan.errors import UserError
from gan.hub.sets import CAP
from gan.ui.api import functions
from gan.ui.api.gate import CONTROL, PUBLIC, VERDICT
from gan.ui.server.requests.concurrency import LIMITS
from gan.ui.server.requests.http import refusal_text
from gan.ui.server.services import Services

# Endpoint -> the route of the page whose limit it shares.
LANES = {"sample": "wall", "interpolate": "strip", "status": "poll"}
_log = logging.getLogger(__name__)


class Endpoints:
    """The endpoints, each named as programs call it."""

    def __init__(self, services: Services):
        self._services = services

    async def models(self) -> list[dict]:
        """List the image generators of this server, with their ids, sizes and classes.

        Returns:
            A list of objects with id, title, kind (shipped or run), size in pixels, channels, classes, data
            and preview.
        """
        return await self._answer("models")

    async def sample(
        self,
        model: str = "shipped:digits",
        seed: int = 0,
        count: int = 1,
        psi: float = 1.0,
        label: str = "",
        format: Literal["address", "png"] = "address",
    ) -> dict:
        """Generate up to 64 samples of a GAN; the same seed always gives the same sample.

        Parameters:
            model: The id of a model, as the function models lists them.
            seed: The seed of the first sample, from 0; the others have the seeds after it.
            count: How many samples, from 1 to 64.
            psi: Truncation from 0 (only the most typical sample) to 2; 1 is as trained.
            label: The class by its name or number, empty to let each seed choose one.
            format: How images come: address (of a PNG, relative to the address of the page) or png (base64).

        Returns:
            An object with model, size, channels and images; each image has seed, class, and address or png.
        """
        return await self._answer("sample", model, seed, count, psi, label, format)

    async def interpolate(
        self,
        model: str = "shipped:digits",
        seed_a: int = 0,
        seed_b: int = 1,
        frames: int = 9,
        psi: float = 1.0,
        label: str = "",
        format: Literal["address", "png"] = "address",
    ) -> dict:
        """Generate up to 60 samples of a GAN on the way from one seed to another.

        Parameters:
            model: The id of a model, as the function models lists them.
            seed_a: The seed of the first frame.
            seed_b: The seed of the last frame.
            frames: How many samples, from 2 to 60.
            psi: Truncation from 0 (only the most typical sample) to 2; 1 is as trained.
            label: The class by its name or number, empty to use those of the two seeds.
            format: How images come: address (of a PNG, relative to the address of the page) or png (base64).

        Returns:
            An object with model, size, channels and images; each image has t, class, and address or png.
        """
        return await self._answer("interpolate", model, seed_a, seed_b, frames, psi, label, format)

    async def status(self, run: str = "") -> dict:
        """Say what the training runs of this server are doing.

        Parameters:
            run: The id of a run, empty for the newest 60.

        Returns:
            An object with active (the id of the run that trains), queue, and runs. Each run has id, state,
            progress from 0 to 1, minutes, images, verdict, error, the address of its newest grid, and model.
        """
        return await self._answer("status", run)

    async def train(
        self,
        request: gr.Request,
        data: str = "digits",
        recipe: str = "modern",
        minutes: float = 5.0,
        start_from: str = "",
        cap: int = CAP,
    ) -> dict:
        """Start a run. Needs the teacher token in the header X-GANarium-Token where the server has one.

        Parameters:
            data: A data set of the catalogue, or hub:OWNER/NAME for pictures of the Hugging Face Hub.
            recipe: The name of a recipe.
            minutes: The training time.
            start_from: The id of a model whose weights the run begins with, empty for new weights.
            cap: The most pictures of a data set of the Hub.

        Returns:
            An object with run, the id of the new run.
        """
        return await self._answer("train", data, recipe, minutes, start_from, cap, request=request)

    async def command(self, request: gr.Request, run: str = "", name: str = "", amount: float = 0.0) -> dict:
        """Send a command to a run. Needs the teacher token in the header X-GANarium-Token, as train does.

        Parameters:
            run: The id of a run.
            name: What to do, such as pause, resume, stop, end, sample, save, delete or more.
            amount: For more, which gives a finished run more time: the minutes, or thousands of images.

        Returns:
            An object with done, the name of the command.
        """
        return await self._answer("command", run, name, amount, request=request)

    async def _answer(self, name: str, *arguments: Any, request: gr.Request | None = None) -> Any:
        """Call the function of that name in a thread, in its lane. A mistake becomes a gr.Error."""
        work: Callable[..., Any] = getattr(functions, name)
        lane = LIMITS[LANES[name]].hold() if name in LANES else nullcontext()
        try:
            if name in CONTROL:
                _check_control(request)
            async with lane:
                # The lane has counted the call, which need not also wait for the pool of all routes.
                alone = anyio.CapacityLimiter(1) if name in LANES else None
                return await anyio.to_thread.run_sync(work, self._services, *arguments, limiter=alone)
        except UserError as error:
            raise gr.Error(refusal_text(error), print_exception=False) from None
        except Exception:
            _log.exception("failed: the endpoint %s", name)
            raise gr.Error(
                "Something went wrong on the server; its log has the details.", print_exception=False
            ) from None


def build_endpoints(services: Services) -> None:
    """Register all endpoints in the Blocks that is being built.

    Without `queue=False`, Gradio's MCP server would call its own address over HTTP, through the proxy of the
    environment, and hold a thread of the server for each call. Gradio's clients use the queue all the same.
    """
    endpoints = Endpoints(services)
    for name in (*PUBLIC, *CONTROL):
        gr.api(
            getattr(endpoints, name),
            api_name=name,
            queue=False,
            api_visibility="public" if name in PUBLIC else "undocumented",
        )


def _check_control(request: gr.Request | None) -> None:
    """Raise what the gate found wrong with the token. Without the gate's verdict nobody has control."""
    inner = request.request if request else None
    verdict = (
        inner.scope.get(VERDICT, UserError("api.token_needed")) if inner else UserError("api.token_needed")
    )
    if verdict is not None:
        raise verdict
