"""The examples' tests are held to what all tests are: with ``CHATSUBO_NO_SKIP=1`` a skip is a failure."""

from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]
