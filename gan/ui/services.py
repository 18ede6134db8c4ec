"""What the page stands on: the run store, the supervisor and the explorer, opened once for each server."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan.errors import UserError
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from gan.ui.access import Access

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"


@dataclass
class Services:
    """Everything a handler may need. `open` fills it in, so that the page can be built before it is known where the runs are."""

    store: Store | None = None
    supervisor: Supervisor | None = None
    uploads: Path | None = None
    checkpoints: Path = CHECKPOINTS
    access: Access = field(default_factory=Access)
    _explorer: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, runs: Path) -> None:
        """Take `runs` as the directory of runs (made if missing); pictures that people bring are kept in its folder .uploads.

        Raises UserError where the directory can't be made.
        """
        try:
            runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError("ui.bad_runs", path=runs, reason=error.strerror or error) from error
        self.store = Store(runs)
        self.supervisor = Supervisor(self.store)
        self.uploads = runs / ".uploads"

    def explorer(self) -> Any:
        """The one Explorer of this server. The first call imports torch, which takes a second or two."""
        with self._lock:
            if self._explorer is None:
                from gan.latent.explorer import Explorer

                self._explorer = Explorer(self.store.root, self.checkpoints)
            return self._explorer

    def start(self) -> None:
        """Begin the work that need not delay the first answer: the supervisor with its spare worker, and torch for Explore."""
        self.supervisor.start()
        threading.Thread(target=lambda: self.explorer().warm_up(), name="warm-up", daemon=True).start()

    def close(self) -> None:
        """End the supervisor: the active worker writes its checkpoint first."""
        if self.supervisor is not None:
            self.supervisor.close()
