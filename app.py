"""GANarium's page. `python app.py` serves it; Hugging Face Spaces runs this file unchanged."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "200")
os.environ.setdefault("FORWARDED_ALLOW_IPS", "")  # whose word on who asks uvicorn takes; without this, that of any program on this machine

import argparse
import contextlib
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from gan.errors import UserError
from gan.runs.store import default_root
from gan.runs.usage import QUOTA_GB, parse_gigabytes
from gan.ui.access import Access, find_token
from gan.ui.services import Services

if TYPE_CHECKING:
    import gradio as gr

FILES = 65536  # far above what one process can use here, and harmless where the system allows more


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train small GANs on a web page, watch them learn and explore what they have learnt.")
    parser.add_argument("--host", help="address to listen on; 0.0.0.0 lets other machines in (default: this machine alone)")
    parser.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860)")
    parser.add_argument("--runs", type=Path, default=default_root(), help="directory of the runs (default: $GANARIUM_RUNS or ./runs)")
    parser.add_argument("--teacher-token", nargs="?", const="", metavar="TOKEN", help="let only those start and change runs who enter this token in the page; "
                        "without a TOKEN it is read from $TEACHER_TOKEN, else asked for, which keeps it out of the list of processes")
    quota = os.environ.get("GANARIUM_QUOTA") or str(QUOTA_GB)
    limit = "how much the runs may take in all; 0 for no limit (default: $GANARIUM_QUOTA or 20)"
    parser.add_argument("--quota", default=quota, metavar="GB", help=limit)
    return parser.parse_args()


def _take_files() -> None:
    """Have as many files open as the system allows: each visitor is a connection or two, and 1,024, a usual limit, are soon taken by idle ones."""
    try:
        import resource
    except ImportError:  # Windows counts otherwise
        return
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(usual, wanted), most))


def main() -> None:
    """Serve the page until Ctrl-C or SIGTERM, then let the active run write its checkpoint."""
    args, services, demo = _options(), Services(), None
    _take_files()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    try:
        services.access = Access(find_token(args.teacher_token))
        services.host = args.host or ""
        services.open(args.runs.resolve(), parse_gigabytes(args.quota))
        demo = _serve(services, args.host, args.port)
        services.start()
    except UserError as error:
        if demo:
            demo.close(verbose=False)
        print(error, file=sys.stderr)
        sys.exit(2)
    done.wait()
    print("Stopping: a running training writes its checkpoint first.", flush=True)
    services.close()
    demo.close(verbose=False)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread that is just importing or drawing would make the interpreter abort while it takes itself apart


def _serve(services: Services, host: str | None, port: int | None) -> "gr.Blocks":
    """Build the page, serve it and say where. Raises UserError where that can't be done."""
    from gan.ui.guard import end_silent
    from gan.ui.page import build_page, launch_options  # brings Gradio, which takes seconds; what is wrong with the options is told before

    demo = build_page(services)
    try:
        demo.launch(server_name=host, server_port=port, prevent_thread_lock=True, quiet=True, **launch_options(services))
    except (OSError, OverflowError) as error:
        demo.close(verbose=False)
        raise UserError("ui.bad_port", host=host or "127.0.0.1", port=port or "7860-7959") from error
    end_silent(demo.server)
    print(f"GANarium is at {demo.local_url}", flush=True)
    return demo


if __name__ == "__main__":
    main()
