"""What every pytest suite shares: its options, and that nothing is skipped under CI."""
import os
import pathlib

import pytest

IN_CI = os.environ.get("CI", "") not in ("", "0", "false")


def pytest_addoption(parser):
    parser.addoption("--build", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "build",
                     help="folder of the build under test")


@pytest.fixture(scope="session")
def build(request):
    return request.config.getoption("--build").resolve()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """Under CI a test that cannot run has failed: nothing is skipped in silence there."""
    report = (yield).get_result()
    if IN_CI and report.skipped:
        report.outcome, report.longrepr = "failed", f"cannot run under CI: {report.longrepr[2]}"
