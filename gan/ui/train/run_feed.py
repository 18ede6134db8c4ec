"""Compute the state of the runs once for all viewers."""

import contextlib
import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Any

from gan.data import is_named, public_name
from gan.device import cpu_quota
from gan.errors import UserError
from gan.kinds import KINDS, get_kind
from gan.latent.catalogue import EXPLORED, read_run_scores
from gan.runs.queue_eta import starts
from gan.runs.readers import mark
from gan.runs.recovery import seconds_stalled
from gan.runs.store import ENDED, LIVE, error_json
from gan.ui.server.people.visitors import owned
from gan.ui.server.requests.redact import public, shortened, without
from gan.ui.server.services import Services

FRESH = 0.2  # seconds that viewers share an answer; they poll twice a second
# Polling interval of a page in ms; the second one where many pages poll.
BEAT, SLOW_BEAT = 500, 1000
# The same for a run whose sheets come faster than every BEAT, and the seconds that viewers share its state.
QUICK_BEAT, QUICK_FRESH = 150, 0.1
MANY = 10  # viewers
COUNTED = 2.0  # seconds of one count of polls
NVIDIA = Path("/dev/nvidiactl")
NO_SOUND = "train.no_sound_checkpoint"  # the worker's error for damaged checkpoints
# Runs in every poll's list. However long the queue is, it also has at least FEWEST runs that neither train
# nor wait.
LISTED, FEWEST = 60, 20
_ENTRY = ("id", "name", "number", "state", "kind", "recipe", "size", "created", "images", "minutes", "kimg")
_ACTIVE = ("id", "name", "number", "state", "progress", "elapsed", "eta", "rate")
_PRIVATE = ("pid", "pid_started", "heartbeat")


def public_data(data: str | None) -> str | None:
    """Return a data set's public name: its catalogue name, or the last part of a path.

    Visitors never see where the server stores files.
    """
    return data if data is None else public_name(data)


class RunFeed:
    """Reads the store at most every FRESH seconds, however many pages poll."""

    def __init__(self, services: Services):
        self._services = services
        self._lock = threading.Lock()
        self._shared: dict[str, Any] = {}
        self._data_ids: dict[str, int] = {}  # a number for each data: two uploads may have one name
        self._runs: dict[str, tuple[float, dict[str, Any]]] = {}
        self._older: list[dict[str, Any]] = []  # summaries of the runs outside the polled list
        self._sizes: dict[str, int] = {}
        self._marks: dict[str, str] = {}  # of the visitors who started the runs, where that counts
        self._until = 0.0
        self._label: str | None = None
        self._beat, self._watched, self._counting = BEAT, 0.0, time.monotonic()

    def poll(
        self, wanted: str, had: str, since: int, known: str, version: str, last: str = ""
    ) -> dict[str, Any]:
        """Return the answer to one poll.

        wanted: the run to show, or "" for the active one, else the newest.
        had, since: the run whose statistics the page holds, and how many lines of it.
        known: the version of the run list that the page holds.
        version: the version of the page's last answer. Without a change since, the answer is {"version",
        "unchanged"} only.
        last: the mark of the last statistics line that the page holds (see readers.mark).
        """
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._look(now)
            shared = self._shared
            run_id = wanted or shared["active"] or shared["newest"]
            run = self._run(run_id, now) if run_id else None
            beat = QUICK_BEAT if run and self._is_quick(run) else self._beat
            self._count(now, beat)
        stats, count, start = (
            self._services.store.follow(run_id, since if run_id == had else 0, last) if run_id else ([], 0, 0)
        )
        last = mark(stats[-1]) if stats else last if start else ""
        answer = {
            **shared,
            "beat": beat,
            "run": run,
            "stats": stats,
            "next": count,
            "last": last,
            "since": start,
        }
        if shared["list"] == known:
            del answer["runs"]
        answer["version"] = _digest(
            {name: value for name, value in answer.items() if name not in ("runs", "stats", "since", "last")}
        )
        return (
            {"version": version, "unchanged": True}
            if answer["version"] == version and not stats and "runs" not in answer
            else answer
        )

    def older(self, count: int) -> dict[str, Any]:
        """Return the first `count` runs behind those of every poll, newest first.

        The answer has the version of that list, which a poll calls "older".
        """
        with self._lock:
            if time.monotonic() >= self._until:
                self._look(time.monotonic())
            return {
                "runs": [_entry(summary, self._sizes.get(summary["id"])) for summary in self._older[:count]],
                "older": self._shared["older"],
            }

    def run(self, run_id: str) -> dict[str, Any]:
        """Return a run as a poll for it does. Raises UserError if it does not exist."""
        now = time.monotonic()
        with self._lock:
            self._drop_old(now)
            return self._run(run_id, now)

    def _drop_old(self, now: float) -> None:
        self._runs = {run_id: held for run_id, held in self._runs.items() if held[0] > now}

    def of_visitor(self, mark: str | None) -> list[str]:
        """Return the ids of the runs that a visitor started. None is a browser that the server can't tell."""
        with self._lock:
            return [run_id for run_id, found in self._marks.items() if owned(found, mark)]

    def forget(self) -> None:
        """Drop cached answers after a change, so that the next poll reads the store."""
        with self._lock:
            self._until = 0.0
            self._runs.clear()

    def _is_quick(self, run: dict[str, Any]) -> bool:
        """Whether pages poll this run more often: it trains, its sheets come fast, and few viewers watch."""
        kind = (run["config"] or {}).get("kind")
        fast = kind in KINDS and get_kind(kind).SHEET_SECONDS < BEAT / 1000
        return fast and run["status"]["state"] == "running" and self._beat == BEAT

    def _count(self, now: float, beat: int) -> None:
        """Count a poll of a page that polls every `beat` ms.

        Every COUNTED seconds, estimate the number of viewers from the time that their polls stand for, and
        adapt the polling interval.
        """
        self._watched += beat / 1000
        passed = now - self._counting
        if passed >= COUNTED:
            self._beat = SLOW_BEAT if self._watched / passed > MANY else BEAT
            self._watched, self._counting = 0.0, now

    def _look(self, now: float) -> None:
        supervisor, summaries = self._services.supervisor, self._services.store.list()
        active, queue = supervisor.active(), supervisor.queue()
        # The active run may have been deleted while its worker still ends, or may just have been submitted.
        if not any(summary["id"] == active for summary in summaries):
            active = next((summary["id"] for summary in summaries if summary["state"] in LIVE), None)
        usage, blocked = self._services.store.usage, supervisor.blocked()
        sizes = usage.sizes()
        self._sizes = sizes or {}
        self._marks = self._find_marks(summaries) if self._services.access.by_visitor else {}
        ordered, busy = _ordered(summaries, queue, active)
        listed = max(LISTED, busy + FEWEST)
        runs, self._older = (
            [_entry(summary, self._sizes.get(summary["id"])) for summary in ordered[:listed]],
            ordered[listed:],
        )
        live = next((summary for summary in summaries if summary["id"] == active), None)
        self._shared = {
            "device": self._device(active),
            "active": active,
            "active_run": live
            and {
                **{name: live[name] for name in _ACTIVE},
                "data": public_data(live["data"]),
                "silent": seconds_stalled(live) is not None,
            },
            "queue": queue,
            "blocked": blocked and error_json(blocked),
            "starts": {}
            if blocked
            else {run_id: round(seconds) for run_id, seconds in starts(summaries, queue, active).items()},
            "storage": {"used": None if sizes is None else sum(sizes.values()), "allowed": usage.allowed},
            "kept": self._kept(),
            "leases": self._services.zero and self._services.zero.state(supervisor.leases()),
            "newest": next((summary["id"] for summary in summaries if summary["state"] != "damaged"), None),
            "runs": runs,
            "list": _digest(runs),
            "total": len(ordered),
            "older": _digest(
                [[one["id"], one["name"], one["state"], self._sizes.get(one["id"])] for one in self._older]
            ),
        }
        self._until = now + FRESH
        self._drop_old(now)

    def _find_marks(self, summaries: list[dict[str, Any]]) -> dict[str, str]:
        marks = {}
        for summary in summaries:
            with contextlib.suppress(UserError):  # deleted since the listing
                marks[summary["id"]] = self._services.store.visitor(summary["id"])
        return marks

    def _kept(self) -> dict[str, Any]:
        """Return where the runs are mirrored; a fault's reason names no path of this server."""
        kept = self._services.kept()
        mirror = kept["mirror"]
        if mirror is None:
            return kept
        lost = {run_id: without_paths(self._services, why) for run_id, why in mirror["lost"].items()}
        error = mirror["error"] and without_paths(self._services, mirror["error"])
        return {**kept, "mirror": {**mirror, "error": error, "lost": lost}}

    def _mirrored(self, run_id: str) -> dict[str, Any] | None:
        """Return the step of a run's mirrored checkpoint, or None, and why there is no newer one, or None.

        Without a mirror the answer is None.
        """
        mirror = self._services.mirror
        if mirror is None:
            return None
        step, fault = mirror.step_of(run_id), mirror.fault_of(run_id)
        shown = fault and without_paths(self._services, error_json(fault))
        return {"step": step if step >= 0 else None, "error": shown}

    def _run(self, run_id: str, now: float) -> dict[str, Any]:
        held = self._runs.get(run_id)
        if held is None or held[0] <= now:
            run = self._services.store.get(run_id)
            seconds = seconds_stalled(run["status"])
            run["silent"] = None if seconds is None else round(seconds)
            run["status"] = {name: value for name, value in run["status"].items() if name not in _PRIVATE}
            run["status"]["error"], run["log"] = (
                without_paths(self._services, for_visitors(run["status"]["error"])),
                without_paths(self._services, run["log"]),
            )
            waiting = self._services.store.commands(run_id)
            run["pausing"] = run["status"]["state"] in LIVE and "pause" in waiting
            run["mirror"] = self._mirrored(run_id)
            run["eyes"] = self._services.store.eyes(run_id)
            run["again"] = self._only_anew(run_id, run["status"])
            folder, ended = self._services.store.path(run_id), run["status"]["state"] in ENDED
            run["scored"] = read_run_scores(folder, run["status"]) if ended else None
            stage, failed = self._services.scorings.state(run_id)
            run["scoring"] = {
                "stage": stage,
                "error": failed and without_paths(self._services, error_json(failed)),
            }
            data = (run["config"] or {}).get("data", "")
            run["data_id"] = self._data_ids.setdefault(data, len(self._data_ids))
            run["own_data"] = None if is_named(data) else "shown" if self._services.shows_own else "hidden"
            if run["config"] is not None:
                run["config"] = {**run["config"], "data": public_data(data)}
                if run["config"]["kind"] != EXPLORED:  # the page then offers no way to Explore
                    run["status"]["live_step"] = None
            fresh = QUICK_FRESH if self._is_quick(run) else FRESH
            held = self._runs[run_id] = (now + fresh, run)
        return held[1]

    def _only_anew(self, run_id: str, status: dict[str, Any]) -> bool:
        """Whether a run that has ended can only restart from nothing.

        It was stopped before its first checkpoint, or none of its checkpoints is intact.
        """
        if status["state"] == "stopped":
            return not self._services.store.resumable(run_id)
        unsound = (status["error"] or {}).get("key") == NO_SOUND
        return status["state"] in ("failed", "paused") and (unsound or self._services.store.spoilt(run_id))

    def _device(self, active: str | None) -> str | None:
        """Return the device of the active run.

        Before any run has reported one, this is the CPU. Where there is a GPU it is None, because asking
        torch takes seconds.
        """
        if active is not None:
            try:
                label = self._services.store.status(active)["device"]
            except UserError:
                label = None
            self._label = label or self._label
        if self._label or NVIDIA.exists():
            return self._label
        threads = cpu_quota()
        return f"CPU, {threads} threads" if threads > 1 else "CPU, 1 thread"


def without_paths(services: Services, value: Any) -> Any:
    """Remove folders from the file names in an error or in log lines.

    These are the folders of uploads, runs and programs, and any other.
    """
    shown = without(value, [services.uploads, services.store.root])
    return public(shown) if isinstance(shown, dict) else shortened(shown)


def for_visitors(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a run's error for visitors.

    An unexpected exception becomes "a defect"; its own words stay in the log.
    """
    return error_json(UserError("runs.defect")) if error and not error["key"] else error


def _ordered(
    summaries: list[dict[str, Any]], queue: list[str], active: str | None
) -> tuple[list[dict[str, Any]], int]:
    """Return the runs in display order, and how many train or wait.

    Running runs come first, then queued ones in starting order, then the others as given.
    """
    places = {run_id: place for place, run_id in enumerate(queue)}

    def rank(summary: dict[str, Any]) -> int:
        if summary["id"] == active or summary["state"] in LIVE:
            return -1
        return places.get(summary["id"], len(places)) if summary["state"] == "queued" else len(places) + 1

    ranks = [rank(summary) for summary in summaries]
    return [summaries[index] for index in sorted(range(len(ranks)), key=ranks.__getitem__)], sum(
        place <= len(places) for place in ranks
    )


def _entry(summary: dict[str, Any], size: int | None) -> dict[str, Any]:
    """Return a run's entry in the list, with its bytes on disk.

    A live run's changing numbers are omitted, so that an unchanged list is not sent again.
    """
    entry = {
        **{name: summary[name] for name in _ENTRY},
        "data": public_data(summary["data"]),
        "bytes": size,
        "silent": seconds_stalled(summary) is not None,
    }
    return {**entry, "images": None, "bytes": None} if summary["state"] in LIVE else entry


def _digest(value: Any) -> str:
    return hashlib.sha1(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
