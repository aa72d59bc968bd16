"""Options of every pytest suite."""
import pathlib

import pytest


def pytest_addoption(parser):
    parser.addoption("--build", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "build",
                     help="folder of the build under test")


@pytest.fixture(scope="session")
def build(request):
    return request.config.getoption("--build").resolve()
