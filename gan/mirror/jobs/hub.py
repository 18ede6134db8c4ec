"""Ask the Hub for jobs: prices, start, state, end, log. Every failure becomes a sentence."""

import time
from typing import Any, NamedTuple

from gan.errors import UserError
from gan.hub.client import open_client
from gan.mirror.remote import first_line, is_cut_off, status_of

LABEL = "ganarium"  # its value is the id of the run
ATTEMPTS = 3  # a job whose machine fails begins anew, and resumes from its mirrored checkpoint
SPARE_MINUTES = 15.0  # on top of the budget: start of the machine, loading, the last copies
WAITS, RUNS = "SCHEDULING", "RUNNING"  # stages; every other one is an end
CANCELED = "CANCELED"
PRICES_LAST = 600.0  # seconds
LOG_LINES = 100
_PER_HOUR = {"second": 3600.0, "minute": 60.0, "hour": 1.0}
# status of an answer -> its sentence
_REFUSALS = {
    401: "jobs.not_signed_in", 402: "jobs.no_credit", 403: "jobs.forbidden", 404: "jobs.nowhere",
    429: "jobs.too_often",
}  # fmt: skip


class Flavor(NamedTuple):
    """A machine that jobs may have. price: US dollars an hour. gpus: how many it has."""

    name: str
    title: str
    price: float
    gpus: int


class Found(NamedTuple):
    """What the Hub says of a job."""

    id: str
    stage: str
    message: str
    flavor: str
    run: str  # the id in its label, "" without one


class JobsHub:
    """The jobs of one owner on the Hub, a person or an organization, who pays for them.

    Every method raises UserError with a sentence for a failure.
    """

    def __init__(self, owner: str, token: str):
        self.owner, self._token = owner, token
        self._flavors: tuple[Flavor, ...] = ()
        self._until = 0.0

    def flavors(self) -> tuple[Flavor, ...]:
        """Return the machines and their prices, cheapest first."""
        if not self._flavors or time.monotonic() >= self._until:
            try:
                found = open_client(self._token).list_jobs_hardware()
                known = [
                    Flavor(one.name, _title(one), one.unit_cost_usd * _PER_HOUR[one.unit_label], _gpus(one))
                    for one in found
                    if one.unit_label in _PER_HOUR
                ]
            except Exception as error:
                raise _in_words(error, self._token) from error
            self._flavors = tuple(sorted(known, key=lambda flavor: flavor.price))
            self._until = time.monotonic() + PRICES_LAST
        return self._flavors

    def flavor(self, name: str) -> Flavor:
        """Return the machine of this name. Raises UserError if there is none."""
        found = next((flavor for flavor in self.flavors() if flavor.name == name), None)
        if found is None:
            choices = ", ".join(flavor.name for flavor in self.flavors())
            raise UserError("jobs.unknown_flavor", name=name[:60], choices=choices)
        return found

    def start(self, run_id: str, image: str, command: list[str], flavor: str, minutes: float) -> Found:
        """Start a job for a run that trains for `minutes`. The job gets the token as a secret."""
        try:
            return _found(
                open_client(self._token).run_job(
                    image=image,
                    command=command,
                    flavor=flavor,
                    secrets={"HF_TOKEN": self._token},
                    timeout=round(60 * (minutes + SPARE_MINUTES)),
                    attempts=ATTEMPTS,
                    labels={LABEL: run_id},
                    namespace=self.owner,
                )
            )
        except Exception as error:
            raise _in_words(error, self._token) from error

    def inspect(self, job_id: str) -> Found | None:
        """Return what the Hub says of a job, or None where there is no such job."""
        try:
            return _found(open_client(self._token).inspect_job(job_id=job_id, namespace=self.owner))
        except Exception as error:
            if status_of(error) == 404:
                return None
            raise _in_words(error, self._token) from error

    def at_work(self) -> list[Found]:
        """Return the jobs for runs that wait for a machine or train."""
        try:
            found = open_client(self._token).list_jobs(status=[WAITS, RUNS], namespace=self.owner)
            return [job for job in map(_found, found) if job.run and job.stage in (WAITS, RUNS)]
        except Exception as error:
            raise _in_words(error, self._token) from error

    def cancel(self, job_id: str) -> None:
        """End a job. One that is gone already needs nothing."""
        try:
            open_client(self._token).cancel_job(job_id=job_id, namespace=self.owner)
        except Exception as error:
            if status_of(error) != 404:
                raise _in_words(error, self._token) from error

    def log(self, job_id: str) -> list[str]:
        """Return the last lines that a job wrote, without the token."""
        try:
            lines = open_client(self._token).fetch_job_logs(
                job_id=job_id, namespace=self.owner, tail=LOG_LINES
            )
            return [line.replace(self._token, "…").rstrip("\n") for line in lines][-LOG_LINES:]
        except Exception as error:
            raise _in_words(error, self._token) from error


def minutes_left(minutes: float, progress: float) -> float:
    """Return the minutes that a run has left of its budget.

    A run whose budget counts images has `minutes` too: they then limit the job alone.
    """
    return minutes * max(0.0, 1.0 - progress)


def cost(flavor: Flavor, minutes: float) -> tuple[float, float]:
    """Return the price of a run in US dollars, and the price of the longest job that its time limit lets."""
    return flavor.price * minutes / 60, flavor.price * (minutes + SPARE_MINUTES) / 60


def _gpus(hardware: Any) -> int:
    accelerator = hardware.accelerator
    if accelerator is None or accelerator.type != "gpu":
        return 0
    quantity = str(accelerator.quantity)
    return int(quantity) if quantity.isdecimal() else 1


def _title(hardware: Any) -> str:
    graphics = hardware.accelerator
    return (
        f"{hardware.pretty_name}, {graphics.vram}" if graphics else f"{hardware.pretty_name}, {hardware.cpu}"
    )


def _found(info: Any) -> Found:
    labels = info.labels if isinstance(info.labels, dict) else {}
    stage = getattr(info.status.stage, "value", info.status.stage)
    return Found(
        str(info.id),
        str(stage),
        str(info.status.message or "")[:200],
        str(getattr(info.flavor, "value", info.flavor)),
        str(labels.get(LABEL) or ""),
    )


def _in_words(error: Exception, token: str) -> UserError:
    """Return the sentence for a failure of the Hub or of the network."""
    if isinstance(error, UserError):
        return error
    status = status_of(error)
    if status in _REFUSALS:
        return UserError(_REFUSALS[status])
    if is_cut_off(error):
        return UserError("jobs.offline")
    return UserError("jobs.refused", reason=first_line(error).replace(token, "…"))
