"""Lay out the Compare tab, and define its route."""

import hashlib
import json
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.routing import BaseRoute

from gan.runs.curves import Curves
from gan.ui.server.requests.http import get
from gan.ui.server.services import Services
from gan.ui.train.run_feed import RunFeed
from gan.worker.run_dir import noted_actions

STYLES = ("compare/compare.css",)  # in gan/web
SCRIPT = "compare/compare.js"
_SHOWN = ("id", "name", "config", "data_id", "silent", "samples")
_STATUS = ("state", "number", "step", "images", "elapsed", "modes")


def build(services: Services) -> None:
    """Lay out the tab; called inside its gr.Tab."""
    gr.HTML("<gan-compare></gan-compare>", elem_id="gan-compare", apply_default_css=False)


def routes(services: Services) -> list[BaseRoute]:
    """Return the route of this tab, open to whoever may see a run's statistics in a poll."""
    feed, curves = RunFeed(services), Curves(services.store)
    return [get("runs/{id}/curves", lambda request: _run(services, feed, curves, request))]


def _run(services: Services, feed: RunFeed, curves: Curves, request: Request) -> dict[str, Any]:
    """Return what the tab shows of a run: its settings, its grids, and its curves (see Buckets.to_json).

    changes: what was changed while it trained, as [{step, name, factor}]. drawn: two times that differ where
    a run that restarted or rolled back draws other grids for its steps.
    The query's `version` is that of the page's last answer. Without a change since, the answer is
    {"version", "unchanged"} only.
    """
    run = feed.run(request.path_params["id"])
    shown = {name: run[name] for name in _SHOWN} | {name: run["status"][name] for name in _STATUS}
    changes = noted_actions(services.store.path(run["id"]))
    shown["changes"] = [action._asdict() for action in changes]
    events = run["events"]
    shown["drawn"] = [run["status"]["queued_at"], events[-1]["time"] if events else 0]
    found = curves.read(run["id"])
    version = _digest(
        [shown, found["axes"]["step"][-1:], len(found["axes"]["step"]), sorted(found["values"])]
    )
    if version == request.query_params.get("version"):
        return {"version": version, "unchanged": True}
    return {"version": version, **shown, **found}


def _digest(value: Any) -> str:
    return hashlib.sha1(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
