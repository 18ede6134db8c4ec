"""Hold what the handlers use: the run store, the supervisor and the explorer, opened once per server."""

import contextlib
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request

from gan.config import Settings
from gan.data.names import is_named
from gan.errors import UserError
from gan.export.kept_scores import check_over
from gan.latent.catalogue import CHECKPOINTS, EXPLORED, Catalogue, read_run_scores
from gan.mirror.jobs.jobs import Jobs, let_go
from gan.mirror.jobs.setup import find_jobs
from gan.mirror.mirror import Mirror, find_remote
from gan.mirror.parcel import unpack
from gan.recipes import GPU_RECIPES
from gan.runs.backend import Leases, Processes
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from gan.train.origin import Origin
from gan.ui.server.children.hub_models import HubModels
from gan.ui.server.children.hub_pushes import HubPushes
from gan.ui.server.children.hub_sets import HubSets
from gan.ui.server.children.reports import Reports
from gan.ui.server.children.scorings import Scorings
from gan.ui.server.children.surveys import Surveys
from gan.ui.server.children.tiles import TileLooks
from gan.ui.server.people.access import Access, client_of
from gan.ui.server.people.cookies import on_space
from gan.ui.server.people.visitor_limits import check_share
from gan.ui.server.people.visitors import Visitors, check_arrival, find_key, owned
from gan.ui.server.requests.uploads import remove_unused
from gan.ui.server.starting import Root, bare

if TYPE_CHECKING:
    from gan.ui.zero import Zero

TIDY_EVERY = 900  # seconds
LOCAL = ("", "127.0.0.1", "::1", "localhost")  # what to listen on for this machine alone


Part = TypeVar("Part")


class Services:
    """Everything that a handler needs.

    `open` makes store, supervisor and uploads later, because the page is built before the runs folder is
    known. Until then they raise RuntimeError.

    host: the host name or address given to listen on, if any. root: the address at which a proxy shows the
    page.
    """

    def __init__(
        self,
        store: Store | None = None,
        supervisor: Supervisor | None = None,
        uploads: Path | None = None,
        checkpoints: Path = CHECKPOINTS,
        access: Access | None = None,
        host: str = "",
        root: Root | None = None,
    ):
        self._store, self._supervisor, self._uploads = store, supervisor, uploads
        self.checkpoints, self.host = checkpoints, host
        self.access, self.root = access or Access(), root or Root()
        self.surveys, self.reports, self.scorings = Surveys(), Reports(), Scorings()
        self.tile_looks = TileLooks()
        self.hub_sets, self.hub_models, self.hub_pushes = HubSets(), HubModels(), HubPushes()
        self.zero: Zero | None = None  # lends GPUs, on a Space with ZeroGPU
        self.mirror: Mirror | None = None
        self.jobs: Jobs | None = None
        self.uploading = threading.Lock()  # held while uploads, or the runs that refer to them, change
        self._explorer: Any = None
        self._visitors: Visitors | None = None
        self._lock, self._closed = threading.Lock(), threading.Event()

    @property
    def store(self) -> Store:
        return _opened(self._store)

    @property
    def supervisor(self) -> Supervisor:
        return _opened(self._supervisor)

    @property
    def uploads(self) -> Path:
        """The folder of uploaded pictures."""
        return _opened(self._uploads)

    @property
    def visitors(self) -> Visitors:
        """The visitors of a Space without a token. Raises UserError where their key can't be kept."""
        with self._lock:
            self._visitors = self._visitors or Visitors(find_key(self.store.root))
            return self._visitors

    @property
    def lends(self) -> bool:
        """Whether runs train on GPUs that are lent, which this process does not see."""
        return self.zero is not None

    def visitor(self, request: Request) -> str:
        """Return the mark of the visitor who sends a request, or "" for somebody who controls all runs.

        Raises UserError for a browser without an id.
        """
        if not self.access.by_visitor or self.access.lets(request):
            return ""
        mark = self.visitors.mark(request)
        if mark is None:
            raise UserError("access.no_visit")
        self.visitors.came(mark, client_of(request))
        return mark

    def check_control(self, request: Request, run_id: str) -> None:
        """Raise UserError if the sender of a request may not change this run."""
        if not self.access.by_visitor and not self.access.lets(request):
            raise UserError("access.needed")
        mark = self.visitor(request)
        if mark and not owned(self.store.visitor(run_id), mark):
            raise UserError("access.not_yours")

    def check_room(self, visitor: str) -> None:
        """Raise UserError where the quota is used up; for a visitor, where the visitors' share of it is."""
        if visitor:
            check_share(self.store)
        self.store.usage.check()

    def open(self, runs: Path, allowed: int = 0) -> None:
        """Open the runs folder, and create it if missing. Uploads are stored in its subfolder .uploads.

        allowed: the limit for the whole folder in bytes, 0 for none.
        $GANARIUM_MIRROR names a place on the Hub to which the runs are mirrored.
        Raises UserError where the folder can't be created, or another server uses it, and for a mirror that
        is none.
        """
        remote = find_remote()
        try:
            runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError("ui.bad_runs", path=runs, reason=error.strerror or error) from error
        self._store = Store(runs, allowed)
        self.mirror = Mirror(self._store, remote) if remote else None
        self.jobs = find_jobs(self._store, self.mirror)
        self._supervisor = Supervisor(self._store, backend=Leases() if self.zero else Processes())
        self._supervisor.claim()
        if self.jobs is None:
            let_go(self._store)
        self._uploads = runs / ".uploads"

    @property
    def private(self) -> bool:
        """Whether only this machine's user sees the page, so that it may show their private models.

        It then listens here alone, is shown by no proxy that we know of, and has no teacher token.
        """
        alone = bare(self.host) in LOCAL and not self.root.address
        return alone and not self.access.needed and not on_space()

    @property
    def shows_own(self) -> bool:
        """Whether those who control a run see images of its own, which nobody else sees.

        Not where everybody who reaches the server controls all runs.
        """
        return self.private or self.access.needed or self.access.by_visitor

    def check_shows(self, request: Request, run_id: str, data: str) -> None:
        """Raise UserError unless the sender may see images that the run learns from.

        data: the set's name or path. Everybody has the images of a named set.
        """
        if is_named(data):
            return
        if not self.shows_own:
            raise UserError("access.own_images")
        self.check_control(request, run_id)

    def catalogue(self) -> Catalogue:
        """Return the generators that visitors may see."""
        return Catalogue(self.store.root, self.checkpoints, private=self.private)

    def explorer(self) -> Any:
        """Return the one Explorer of this server. The first call imports torch, which takes 1-2 seconds."""
        with self._lock:
            if self._explorer is None:
                from gan.latent.serving.model_cache import Explorer

                self._explorer = Explorer(self.store.root, self.checkpoints, private=self.private)
            return self._explorer

    def start(self) -> None:
        """Start the background work, for which the first answer need not wait.

        This is the supervisor with its spare worker, the upload cleanup, and torch for Explore.
        """
        self.supervisor.start()
        if self.mirror is not None:
            self.mirror.start()
        if self.jobs is not None:
            self.jobs.start()
        self.remove_uploads()
        if self.zero is not None:
            threading.Thread(target=self.zero.warm_up, name="warm-up-leases", daemon=True).start()
        threading.Thread(target=self._tidy, name="tidy", daemon=True).start()
        threading.Thread(target=lambda: self.explorer().warm_up(), name="warm-up", daemon=True).start()

    def submit(
        self,
        config: Settings,
        visitor: str = "",
        start: Origin | None = None,
        gpus: int = 1,
        flavor: str = "",
    ) -> str:
        """Start a run and return its id.

        visitor: the mark of the visitor who starts it, "" for somebody who controls all runs. start: the
        model whose weights it begins with. gpus: how many it may train on. flavor: the machine of a job on
        the Hub, "" for this machine.
        Raises UserError as Supervisor.submit and Jobs.submit do, and beyond a visitor's limits.
        """
        if flavor:
            return self.jobs_for(visitor).submit(config, flavor, start)
        begin = partial(self.supervisor.submit, config, visitor, start, gpus)
        if visitor:
            return self.visitors.submit(self.store, config, visitor, begin, self.lends)
        return begin()

    def take_in(self, file: Path, visitor: str) -> str:
        """Take in the run that a visitor brings as one file, and return its id.

        Raises UserError for no run, and beyond a visitor's limits.
        """
        check = partial(check_arrival, lent=self.lends)
        act = partial(unpack, self.store, file, visitor, check)
        return self.visitors.take_in(self.store, file.stat().st_size, act)

    def jobs_for(self, visitor: str) -> Jobs:
        """Return the jobs, which only somebody who controls all runs may start. Raises UserError."""
        if visitor:
            raise UserError("access.owner_only")
        if self.jobs is None:
            raise UserError("jobs.not_set_up")
        return self.jobs

    def command(self, run_id: str, name: str, visitor: str = "") -> None:
        """Send a command to a run (see Supervisor.command), for a visitor as `submit` does.

        A deletion or a restart drops the run's cached model. A deletion also removes its unused uploads.
        """
        if name == "cpu" and self.store.config(run_id).recipe in GPU_RECIPES:
            raise UserError("ui.needs_gpu")
        act = partial(self.supervisor.command, run_id, name)
        mirror = self.mirror if name == "delete" else None
        with mirror.deleting(run_id) if mirror else contextlib.nullcontext():
            if visitor:
                self.visitors.command(self.store, run_id, name, visitor, act)
            else:
                act()
        if name in ("delete", "restart") and self._explorer is not None:
            self._explorer.forget(f"run:{run_id}")
        if name == "delete":
            self.remove_uploads()

    def kept(self) -> dict[str, Any]:
        """Return where the runs are mirrored (see Mirror.state), or None, and whether this is a Space."""
        return {"mirror": self.mirror and self.mirror.state(), "space": on_space()}

    def extend(self, run_id: str, more: float, visitor: str = "") -> None:
        """Give a finished run a larger budget (see Supervisor.extend), for a visitor as `submit` does."""
        act = partial(self.supervisor.extend, run_id, more)
        if visitor:
            self.visitors.extend(self.store, run_id, more, visitor, act)
        else:
            act()

    def adjust(self, run_id: str, name: str, factor: float, visitor: str = "") -> None:
        """Multiply a setting of a running run (see Supervisor.adjust), for a visitor as `submit` does."""
        act = partial(self.supervisor.adjust, run_id, name, factor)
        if visitor:
            self.visitors.command(self.store, run_id, "adjust", visitor, act)
        else:
            act()

    def score(self, run_id: str, visitor: str = "") -> None:
        """Score a run that is over, in a process of its own, and keep the scores with it. Returns at once.

        visitor: as in `submit`. Raises UserError for another run, and as Scorings.start does.
        """
        config, status = self.store.config(run_id), self.store.status(run_id)
        if config.kind != EXPLORED:
            raise UserError("latent.other_kind", name=run_id, kind=config.kind)
        check_over(run_id, status["state"])
        if read_run_scores(self.store.path(run_id), status) is None:
            self.scorings.start(self.store, run_id, visitor)

    def _tidy(self) -> None:
        """Remove uploads without a run every TIDY_EVERY seconds."""
        while not self._closed.wait(TIDY_EVERY):
            self.remove_uploads()

    def remove_uploads(self) -> None:
        """Remove the uploads that no run refers to and that no visitor is about to train on."""
        with self.uploading:
            remove_unused(self.uploads, self.store)
        self.store.usage.forget()

    def close(self) -> None:
        """Stop the supervisor. The active worker first writes its checkpoint."""
        self._closed.set()
        self.hub_models.close()
        self.hub_pushes.close()
        self.surveys.close()
        self.reports.close()
        self.scorings.close()
        self.tile_looks.close()
        self.hub_sets.close()  # after the surveys, for which it may wait
        if self.jobs is not None:
            self.jobs.close()
        if self._supervisor is not None:
            if self.zero is not None:
                self.zero.close(self._supervisor)
            self._supervisor.close()
        if self.mirror is not None:  # the runs have ended, so their last checkpoints are copied
            self.mirror.close()


def _opened(part: Part | None) -> Part:
    if part is None:
        raise RuntimeError("the services are not open")
    return part
