"""What the page stands on: the run store, the supervisor and the explorer, opened once for each server."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan.errors import UserError
from gan.latent.catalogue import CHECKPOINTS
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from gan.ui.server.access import Access
from gan.ui.server.starting import Root
from gan.ui.server.surveys import Surveys
from gan.ui.server.uploads import remove_unused

TIDY_EVERY = 900  # seconds


@dataclass
class Services:
    """Everything a handler may need. `open` fills it in, so that the page can be built before it is known
    where the runs are.
    """

    store: Store | None = None
    supervisor: Supervisor | None = None
    uploads: Path | None = None
    checkpoints: Path = CHECKPOINTS
    access: Access = field(default_factory=Access)
    host: str = ""  # the name or address that the server was told to listen on, if any
    root: Root = field(default_factory=Root)  # where a proxy shows the page
    surveys: Surveys = field(default_factory=Surveys)
    # held while kept pictures, or what refers to them, change
    uploading: threading.Lock = field(default_factory=threading.Lock)
    _explorer: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: threading.Event = field(default_factory=threading.Event)

    def open(self, runs: Path, allowed: int = 0) -> None:
        """Take `runs` as the directory of runs (made if missing); pictures that people bring are kept in its
        folder .uploads.

        allowed: how many bytes all of it may take, 0 for any number. Raises UserError where the directory
        can't be made, or another server has it.
        """
        try:
            runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError("ui.bad_runs", path=runs, reason=error.strerror or error) from error
        self.store = Store(runs, allowed)
        self.supervisor = Supervisor(self.store)
        self.supervisor.claim()
        self.uploads = runs / ".uploads"

    def explorer(self) -> Any:
        """The one Explorer of this server. The first call imports torch, which takes a second or two."""
        with self._lock:
            if self._explorer is None:
                from gan.latent.model_cache import Explorer

                self._explorer = Explorer(self.store.root, self.checkpoints)
            return self._explorer

    def start(self) -> None:
        """Begin the work that need not delay the first answer: the supervisor with its spare worker, and
        torch for Explore.
        """
        self.supervisor.start()
        self.remove_uploads()
        threading.Thread(target=self._tidy, name="tidy", daemon=True).start()
        threading.Thread(target=lambda: self.explorer().warm_up(), name="warm-up", daemon=True).start()

    def command(self, run_id: str, name: str) -> None:
        """Do what the supervisor can do to a run (see Supervisor.command), and forget what is deleted
        everywhere.
        """
        self.supervisor.command(run_id, name)
        if name in ("delete", "restart") and self._explorer is not None:
            self._explorer.forget(f"run:{run_id}")
        if name == "delete":
            self.remove_uploads()

    def _tidy(self) -> None:
        """Now and then remove the pictures that somebody brought and never trained on."""
        while not self._closed.wait(TIDY_EVERY):
            self.remove_uploads()

    def remove_uploads(self) -> None:
        """Remove the kept pictures that no run refers to, and nobody waits for, any more."""
        with self.uploading:
            remove_unused(self.uploads, self.store)
        self.store.usage.forget()

    def close(self) -> None:
        """End the supervisor: the active worker writes its checkpoint first."""
        self._closed.set()
        self.surveys.close()
        if self.supervisor is not None:
            self.supervisor.close()
