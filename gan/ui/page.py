"""Build the whole page, header and tabs, and its launch options.

A new tab is one module with `build`, `routes`, `STYLES` and `SCRIPT`, and one line in TABS.
"""

from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from gan.ui import strings, theme
from gan.ui.api.endpoints import build_endpoints
from gan.ui.api.gate import HAS_MCP, Gate
from gan.ui.api.tools import answer_in_json
from gan.ui.api.waking_queue import WakingQueue
from gan.ui.compare import tab as compare
from gan.ui.explore import tab as explore
from gan.ui.server.people import sign_in
from gan.ui.server.people.access import access_routes
from gan.ui.server.requests.guard import Guard
from gan.ui.server.requests.head import HeadMiddleware
from gan.ui.server.requests.http import shared_routes
from gan.ui.server.requests.uploads import MAX_FILE
from gan.ui.server.services import Services
from gan.ui.train import tab as train

# Each module has build(services), called inside its gr.Tab, and routes(services) -> list of Starlette routes.
# STYLES and SCRIPT are its files in gan/web.
TABS = {"explore": explore, "train": train, "compare": compare}


def build_page(services: Services) -> gr.Blocks:
    """Return the Blocks of the page. `services` may be opened later, but before the first request."""
    # This I18n only marks keys; launch() gets the texts.
    i18n = gr.I18n()
    with gr.Blocks(
        title="GANarium", analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)
    ) as demo:
        gr.HTML("<gan-header></gan-header>", elem_id="gan-header", apply_default_css=False)
        with gr.Tabs(elem_id="gan-tabs"):
            for name, module in TABS.items():
                with gr.Tab(i18n(f"tab.{name}"), id=name, elem_id=f"tab-{name}"):
                    module.build(services)
        build_endpoints(services)
    if HAS_MCP:
        answer_in_json()
    demo.queue(api_open=False)
    demo._queue = WakingQueue(demo)
    return demo


def head_lines(address: str = "") -> Middleware:
    """Return what adds styles and scripts to the page's head. address: of the page, "" if unknown."""
    styles = [path for module in TABS.values() for path in module.STYLES]
    scripts = [module.SCRIPT for module in TABS.values()]
    return Middleware(HeadMiddleware, styles=styles, scripts=scripts, address=address)


def launch_options(services: Services) -> dict[str, Any]:
    """Return the arguments of `demo.launch`, except host and port."""
    signing, session = sign_in.parts()
    routes = [
        *signing,
        *shared_routes(),
        *access_routes(services),
        *(route for module in TABS.values() for route in module.routes(services)),
    ]
    return {
        "app_kwargs": {
            "routes": routes,
            "middleware": [
                *session,
                Middleware(Guard, services=services),
                Middleware(Gate, services=services),
                head_lines(services.root.address if services.root.netloc else ""),
            ],
        },
        "i18n": gr.I18n(**{lang: strings.table(lang) for lang in strings.LANGUAGES}),
        "root_path": services.root.address,
        "theme": theme.build(),
        "ssr_mode": False,
        "run_history": False,
        "footer_links": ["api"],
        "share": False,
        "max_file_size": MAX_FILE,
        "enable_monitoring": False,
        "show_error": False,
        "mcp_server": HAS_MCP,
        "num_workers": 0,
        "inline": False,
        "inbrowser": False,
    }
