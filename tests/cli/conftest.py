"""For the tests of the command line."""

from __future__ import annotations

import pytest
from command import Usher, run


@pytest.fixture
def usher(db: None) -> Usher:
    return run
