"""What the person at the desk chose for a whole file."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from usher.lifecycle import desk
from usher.lifecycle.joiner import By, Terms
from usher.organizations.models import Organization


@dataclass(frozen=True, slots=True)
class Options:
    """``role`` and ``group`` are for every row that does not name its own role; ``group`` adds to a row's groups.

    ``tell``: whoever gets an account, and has an e-mail address, is told by mail.
    """

    role: str
    group: str = ""
    make_groups: bool = False
    allow_same_name: bool = False
    file_name: str = "people.csv"
    tell: bool = False

    @property
    def terms(self) -> Terms:
        return Terms(self.make_groups, self.allow_same_name)

    def identity(self) -> str:
        """The part of an import's identity that the options are.

        The file's name does not count, nor whether people are told: that brings nobody in. A file that is sent
        again with another tick completes the same import, and the tick is for those who come in then.
        """
        return repr(sorted((key, value) for key, value in asdict(self).items() if key not in ("file_name", "tell")))


def check(organization: Organization, options: Options, by: By) -> None:
    """What would refuse every row stops the run before it begins. Raises UsherError as :func:`desk.check`."""
    desk.check(organization, desk.Choices(options.role, options.group, options.make_groups), by)
