"""What all tests share: the laboratory of board/common/lab, and a word on root."""

import os
import pathlib
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "board" / "common"))


def pytest_addoption(parser):
    parser.addoption("--board", default="qemu-malta", help="the board in QEMU")


def pytest_configure(config):
    config.addinivalue_line("markers", "root: needs root; says so where it is skipped")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("root") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root, and this is not root"))
