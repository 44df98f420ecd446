"""The wheel holds what the tree holds, and works away from it.

An editable install finds every folder of the clone, so a package that pyproject.toml forgets, or a data file that no
pattern covers, is missed only by those who install the wheel. These tests are those people.
"""

import json
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAME, VERSION = PROJECT["project"]["name"], PROJECT["project"]["version"]
DIST_INFO = f"{NAME}-{VERSION}.dist-info"
METADATA = {
    f"{DIST_INFO}/{file}"
    for file in (
        "METADATA",
        "WHEEL",
        "RECORD",
        "entry_points.txt",
        "top_level.txt",
        "licenses/LICENSE",
        "licenses/NOTICE",
    )
}

IMPORT_ALL = """
import importlib, json, sys
print(json.dumps({name: importlib.import_module(name).__file__ for name in sys.argv[1:]}))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Return the command's output; its error output is shown only if it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command} failed\n{done.stdout}\n{done.stderr}"
    return done.stdout


def top_level_packages() -> list[Path]:
    return sorted(init.parent for init in ROOT.glob("[a-z]*/__init__.py") if init.parent.name != "tests")


def files_of_the_tree() -> set[str]:
    """Every file below a top-level package, as the wheel should name it."""
    return {
        f"{NAME}/{file.relative_to(ROOT)}"
        for package in top_level_packages()
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: setuptools leaves build/ behind, and takes into the next wheel what it finds there."""
    copy = tmp_path_factory.mktemp("tree")
    for package in top_level_packages():
        shutil.copytree(package, copy / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / file, copy)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", copy / "dist", cwd=copy)
    (built,) = (copy / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and the libraries of this one by a path line.

    Path lines of a folder that is itself reached by a path line are not read, so the editable install stays behind.
    """
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, symlinks=sys.platform != "win32")
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    quietly = ("--quiet", "--no-input", "--disable-pip-version-check")
    run(
        sys.executable, "-m", "pip", *quietly, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=home
    )
    (site,) = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).splitlines()
    libraries = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (Path(site) / "libraries.pth").write_text("\n".join(libraries) + "\n")
    return python


def test_every_package_of_the_tree_is_listed_in_pyproject() -> None:
    found = {
        ".".join((NAME, *init.parent.relative_to(ROOT).parts))
        for package in top_level_packages()
        for init in package.rglob("__init__.py")
    }
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])


def test_every_folder_with_python_files_is_a_package() -> None:
    """Without an __init__.py, setuptools and the type checkers each see something else."""
    folders = {file.parent for package in top_level_packages() for file in package.rglob("*.py")}
    assert {folder for folder in folders if not (folder / "__init__.py").exists()} == set()


def test_packaging_is_not_a_package() -> None:
    """As one it would shadow the library of that name."""
    assert list((ROOT / "packaging").rglob("__init__.py")) == []


def test_the_wheel_holds_every_file_of_the_tree_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.endswith("/")}
    assert held == files_of_the_tree() | METADATA


def test_every_module_imports_from_the_installed_wheel(elsewhere: Path) -> None:
    names = sorted(
        file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for file in files_of_the_tree()
        if file.endswith(".py")
    )
    origins = json.loads(run(elsewhere, "-I", "-W", "error", "-c", IMPORT_ALL, *names, cwd=elsewhere.parent))
    assert sorted(origins) == names
    assert {name for name, file in origins.items() if not Path(file).is_relative_to(elsewhere.parents[1])} == set()


def test_the_installed_agent_answers_help(elsewhere: Path) -> None:
    answer = run(elsewhere, "-I", "-m", "secureproctor.agent", "--help", cwd=elsewhere.parent)
    assert "usage" in answer.lower()


def test_the_installed_command_answers_help(elsewhere: Path) -> None:
    answer = run(elsewhere.with_name(NAME), "--help", cwd=elsewhere.parent)
    assert "usage" in answer.lower()
