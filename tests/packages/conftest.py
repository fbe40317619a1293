"""What the tests of packages and init systems share: the laboratory of the system tests."""

import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "system"))
# certificates, and an upsd that has one
sys.path.append(str(TESTS / "tls"))
