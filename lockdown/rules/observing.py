"""What rules have in common that only look: they change nothing, so there is nothing to put back."""

from secureproctor.lockdown.rule import Image, Report, Terms


class Observing:
    """Keeps where to report while it is applied. `_report` is None before and after."""

    _report: Report | None = None

    def before(self, terms: Terms) -> Image:
        """Nothing is changed."""
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Begin to look."""
        self._report = report

    def verify(self) -> bool:
        """Whether somebody looks."""
        return self._report is not None

    def restore(self, image: Image) -> None:
        """Look no more."""
        self._report = None
