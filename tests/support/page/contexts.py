"""Reuse the browser's contexts: a page whose scripts it has compiled before costs it a third of the time.

A context that a test gives back has no pages, cookies, permissions, routes or stored values left. Only the
cache of files and compiled scripts stays.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Page

# What a test may have stored. The cache of files is missing on purpose.
STORED = "cookies,file_systems,indexeddb,local_storage,service_workers,cache_storage"


class Contexts:
    """Gives contexts of a browser to tests. Two that are in use at the same time are never one."""

    def __init__(self, browser: Browser):
        self.browser, self._new = browser, browser.new_context
        self._free: dict[str, list[BrowserContext]] = defaultdict(list)
        self._used: dict[BrowserContext, str] = {}
        self._origins: dict[BrowserContext, set[str]] = defaultdict(set)
        browser.new_context = self.take

    def take(self, **options: Any) -> BrowserContext:
        """Return a clean context with these options. Its `close` gives it back."""
        key = json.dumps(options, sort_keys=True)
        context = self._free[key].pop() if self._free[key] else self._make(options)
        context.grant_permissions(options.get("permissions", []))
        self._used[context] = key
        return context

    def in_use(self) -> set[BrowserContext]:
        """Return the contexts that were taken and not given back."""
        return set(self._used)

    def give_back(self, contexts: Iterable[BrowserContext]) -> None:
        """Clean contexts for the next test. One that can't be cleaned is closed."""
        for context in contexts:
            key = self._used.pop(context, None)
            if key is None:
                continue
            try:
                self._clean(context)
                self._free[key].append(context)
            except Error:
                BrowserContext.close(context)

    def _make(self, options: dict[str, Any]) -> BrowserContext:
        context = self._new(**options)
        context.on("page", lambda page: self._watch(context, page))
        context.close = lambda: self.give_back([context])
        add = context.add_init_script

        def keep(*given: Any, **named: Any) -> None:
            self._used.pop(context, None)  # nothing removes such a script, so nobody else may get the context
            del context.close
            add(*given, **named)

        context.add_init_script = keep
        return context

    def _watch(self, context: BrowserContext, page: Page) -> None:
        def note(frame: Any) -> None:
            place = urlsplit(frame.url)
            if place.scheme in ("http", "https", "file"):
                self._origins[context].add(f"{place.scheme}://{place.netloc}")

        page.on("framenavigated", note)

    def _clean(self, context: BrowserContext) -> None:
        """Close the pages, and clear what they stored. The last page does it: another would be a process."""
        *others, last = context.pages or [context.new_page()]
        for page in others:
            page.close()
        context.set_offline(False)
        context.unroute_all(behavior="ignoreErrors")
        last.unroute_all(behavior="ignoreErrors")
        last.goto("about:blank")
        context.clear_cookies()
        context.clear_permissions()
        session = context.new_cdp_session(last)
        for origin in self._origins.pop(context, set()):
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": STORED})
        last.close()
