"""Serve the page: the code behind `python app.py` and `ganarium`."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Uvicorn trusts the forwarded client addresses of no proxy. Its default trusts every program on this machine.
os.environ.setdefault("FORWARDED_ALLOW_IPS", "")

import argparse
import contextlib
import io
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gan import console
from gan.errors import UserError
from gan.runs.disk import QUOTA_GB, parse_gigabytes
from gan.runs.store import default_root
from gan.ui.server.people.access import Access, find_token
from gan.ui.server.services import Services
from gan.ui.server.starting import by_itself, parse_root, take_variables, where_to_listen

if TYPE_CHECKING:
    import gradio as gr

    from gan.ui.zero import Zero

# Seconds between checks for a signal. A signal during a lock operation, or in another thread, does not wake a
# thread that waits for a lock.
LISTEN = 0.25
FILES = 65536  # open files: far above the needs of this process


def _options(options: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python app.py",
        description="Train small GANs on a web page, watch them learn and explore their latent space.",
    )
    parser.add_argument(
        "--host",
        help=(
            "address to listen on; 0.0.0.0 lets other machines in, :: those with IPv6 (default: this "
            "machine alone)"
        ),
    )
    parser.add_argument(
        "--port",
        type=int,
        help="port to listen on, 0 for any free one (default: the first free one from 7860)",
    )
    parser.add_argument(
        "--root-path",
        metavar="PATH",
        help="path at which a proxy shows the page, for example /gan, or the whole address",
    )
    parser.add_argument(
        "--runs",
        type=Path,
        default=default_root(),
        help="directory of the runs (default: $GANARIUM_RUNS or ./runs)",
    )
    parser.add_argument(
        "--teacher-token",
        nargs="?",
        const="",
        metavar="TOKEN",
        help="allow only browsers with this token to start and change runs. "
        "Without a TOKEN it comes from $TEACHER_TOKEN, else GANarium asks for it, which keeps it out "
        "of the list of processes",
    )
    quota = os.environ.get("GANARIUM_QUOTA") or str(QUOTA_GB)
    limit = "disk space for all runs together; 0 for no limit (default: $GANARIUM_QUOTA or 20)"
    parser.add_argument("--quota", default=quota, metavar="GB", help=limit)
    # An option of other Gradio apps. Its error message names the alternative.
    parser.add_argument("--share", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(options)


def _take_files() -> None:
    """Raise the limit of open files as far as the system allows.

    Each visitor needs one or two connections. Idle connections soon exhaust the usual limit of 1,024.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(usual, wanted), most))


def main(options: Sequence[str] = ()) -> None:
    """Serve the page until Ctrl-C or SIGTERM, then let the active run write its checkpoint.

    Signals reach only the main thread. In another thread, as in a notebook, it serves until the process ends.
    """
    args, services, demo, asked = _options(options), Services(), None, []
    _take_files()
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {
            number: signal.signal(number, lambda number, _: asked.append(number))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
    try:
        if args.share:
            raise UserError("ui.no_share")
        demo = _serve(services, args)
        services.start()
    except UserError as error:
        if demo:
            demo.close(verbose=False)
        print(error, file=sys.stderr)
        sys.exit(2)
    while not asked:
        time.sleep(LISTEN)
    print("Stopping: the active run writes its checkpoint first.", flush=True)
    services.close()
    demo.close(verbose=False)
    for number, handler in before.items():
        signal.signal(number, handler)


def _serve(services: Services, args: argparse.Namespace) -> "gr.Blocks":
    """Build the page, serve it and print its address. Raises UserError if this fails."""
    given = take_variables()
    if given.get("GRADIO_SHARE", "").lower() == "true":
        print(UserError("ui.no_share"), file=sys.stderr)
    services.host = args.host or given.get("GRADIO_SERVER_NAME", "")
    services.root = parse_root(
        given.get("GRADIO_ROOT_PATH", "") if args.root_path is None else args.root_path
    )
    services.access = Access(find_token(args.teacher_token))
    services.zero = _find_zero()
    host, port = where_to_listen(services.host, args.port, given.get("GRADIO_SERVER_PORT", "").strip())
    services.open(args.runs.resolve(), parse_gigabytes(args.quota))
    demo = None
    try:
        with by_itself():
            # The import of Gradio takes seconds. Errors in the options appear before it.
            from gan.ui.page import build_page, launch_options
            from gan.ui.server.requests.connections import end_idle, end_silent

            demo = build_page(services)
            with contextlib.redirect_stdout(io.StringIO()):  # Gradio prints lines about MCP even if quiet
                _, url, _ = demo.launch(
                    server_name=host,
                    server_port=port,
                    prevent_thread_lock=True,
                    quiet=True,
                    **launch_options(services),
                )
            end_silent(demo.server)
            end_idle(demo.server)
    except Exception as error:
        if demo:
            demo.close(verbose=False)
        if isinstance(error, OSError) and "empty port" in str(error):  # another program took the port
            raise UserError("ui.bad_port", host=host, port=port) from error
        raise UserError("ui.cannot_start", reason=f"{type(error).__name__}: {error}") from error
    print(f"GANarium is at {url.replace('[::]', '[::1]')}", flush=True)
    if services.root.address:
        print(f"Behind its proxy: {services.root.address}/", flush=True)
    return demo


def _find_zero() -> "Zero | None":
    """Return what lends GPUs on a Space with ZeroGPU, else None.

    Its package must be imported before Gradio and torch. Raises UserError where it can't be.
    """
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return None
    try:
        with by_itself():
            from gan.ui.zero import Zero
    except (ImportError, AssertionError, RuntimeError) as error:
        raise UserError("lease.no_package", reason=error) from error
    return Zero()


def run(options: Sequence[str]) -> NoReturn:
    """Serve the page as the whole process, then exit."""
    console.prepare()
    main(options)
    sys.stdout.flush()
    sys.stderr.flush()
    # At a normal exit, a thread that is importing or generating would make the interpreter abort.
    os._exit(0)
