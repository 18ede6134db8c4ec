"""Cache encoded images, for all models together. Imports no torch."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

MAX_BYTES = 2**27  # bytes: thousands of images, or thirty of the largest snapshot sheets
EACH = 2**14  # bytes added for each entry: a key may hold a z of 512 numbers


class PictureCache:
    """Encoded images and files of many owners, at most MAX_BYTES bytes; the least recently used go first.
    Thread-safe.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Hashable, Hashable], bytes] = OrderedDict()
        self._making: dict[tuple[Hashable, Hashable], Future[bytes]] = {}
        self._lock = threading.Lock()
        self._held = 0

    def recall(self, owner: Hashable, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The cached bytes for this owner and key, or the result of `make`.

        Concurrent requests for the same key wait for one call of `make`.
        """
        name = owner, key
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
            first = name not in self._making
            found = self._making.setdefault(name, Future())
        if first:
            try:
                data = make()
                self._keep(name, data)
                found.set_result(data)
            except BaseException as error:
                found.set_exception(error)
            finally:
                with self._lock:
                    del self._making[name]
        return found.result()

    def forget(self, owner: Hashable) -> None:
        """Drop all entries of an owner."""
        with self._lock:
            for name in [name for name in self._kept if name[0] == owner]:
                self._held -= EACH + len(self._kept.pop(name))

    def _keep(self, name: tuple[Hashable, Hashable], data: bytes) -> None:
        with self._lock:
            self._kept[name] = data
            self._held += EACH + len(data)
            while self._held > MAX_BYTES:
                self._held -= EACH + len(self._kept.popitem(last=False)[1])
