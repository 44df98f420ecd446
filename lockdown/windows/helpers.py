"""Which assistive technology runs: what it does with windows and keys is done for the candidate, and is no violation."""

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rules.census import Arrival, Census


class Helpers:
    """Knows them by the census while somebody wants to know; without that, it can still judge a single process."""

    def __init__(self, census: Census, names: Catalogue) -> None:
        self._census, self._names = census, names
        self._seen: dict[int, Running] = {}

    def look(self) -> None:
        """Begin to look."""
        self._census.listen(self._came)

    def look_no_more(self) -> None:
        """Forget them."""
        self._census.forget(self._came)
        self._seen.clear()

    def is_one(self, running: Running) -> bool:
        """Whether this process is assistive technology."""
        return self._names.assistive(running) is not None

    def running(self) -> str:
        """The file name of one that runs now; empty when none does."""
        for pid, seen in list(self._seen.items()):
            now = self._census.processes.describe(pid)
            if now is not None and now.started == seen.started:
                return seen.name
            del self._seen[pid]
        return ""

    def _came(self, arrival: Arrival) -> None:
        if self.is_one(arrival.running):
            self._seen[arrival.running.pid] = arrival.running
