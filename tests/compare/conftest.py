"""Where the tests of this folder run, and why they do not where they cannot."""

import pathlib
import tempfile

import pytest

import peer


def pytest_collection_modifyitems(items):
    # the longest first, or the others wait for it at the end
    ours = [item for item in items if item.path.parent == peer.HERE]
    ours.sort(key=lambda item: ("row10" not in item.name, "row" not in item.name))
    items[:] = ours + [item for item in items if item.path.parent != peer.HERE]
    reason = peer.cannot_run()
    if reason:
        for item in items:
            if item.path.parent == peer.HERE:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def place():
    """A directory the unprivileged half can reach.

    Not tmp_path: each pytest that starts closes /tmp/pytest-of-root to others, also beneath one
    that is running.
    """
    with tempfile.TemporaryDirectory(prefix="compare-") as directory:
        path = pathlib.Path(directory)
        path.chmod(0o755)
        yield path
