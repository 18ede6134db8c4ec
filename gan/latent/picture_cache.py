"""What was drawn and may be asked for again, for all models together. Importing this module
imports no torch.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

MOST = 2**27  # bytes: thousands of pictures, or thirty of the largest sheets of snapshots
EACH = 2**14  # bytes that are counted besides the data: a key may hold a whole z of 512 numbers


class PictureCache:
    """Encoded pictures and files of many owners, MOST bytes together; those that were asked for longest ago
    go first. For any number of threads.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Hashable, Hashable], bytes] = OrderedDict()
        self._making: dict[tuple[Hashable, Hashable], Future[bytes]] = {}
        self._lock = threading.Lock()
        self._held = 0

    def recall(self, owner: Hashable, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What `make` gave for this key of this owner before, or gives now; who asks for the same at the same
        time waits for the one that makes it.
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
        """Let go of all that an owner has."""
        with self._lock:
            for name in [name for name in self._kept if name[0] == owner]:
                self._held -= EACH + len(self._kept.pop(name))

    def _keep(self, name: tuple[Hashable, Hashable], data: bytes) -> None:
        with self._lock:
            self._kept[name] = data
            self._held += EACH + len(data)
            while self._held > MOST:
                self._held -= EACH + len(self._kept.popitem(last=False)[1])
