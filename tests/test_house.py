"""The rules of the house that no single room can keep: what imports what, what importing does, what files may say."""

import ast
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {name: (ROOT / "packaging" / name).read_text() for name in ("requirements.lock", "requirements-dev.lock")}
PACKAGES = sorted(init.parent for init in ROOT.glob("[a-z]*/__init__.py") if init.parent.name != "tests")

# In pieces, so that this file does not say what it forbids.
INDEX_HOSTS = [
    ".".join(host)
    for host in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
    )
]
BUILD_MACHINE_PATHS = [f"/{folder}/" for folder in ("work", "tmp/sp", "root", "opt/wheels")]
FORBIDDEN = re.compile(
    "|".join([*map(re.escape, INDEX_HOSTS), *(rf"(?<![\w.*}}-]){path}" for path in BUILD_MACHINE_PATHS)])
)

# NumPy's OpenBLAS would start a thread per core when loaded; with one core's worth it starts none.
QUIET = {"OPENBLAS_NUM_THREADS": "1", "PATH": ""}

OPENED_BY_IMPORTS = """
import importlib, json, os, sys
from pathlib import Path

def opened():
    files = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            files[number] = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            pass  # the listing's own handle, gone by now
    tasks = os.listdir("/proc/self/task")
    children = [child for task in tasks for child in Path(f"/proc/self/task/{task}/children").read_text().split()]
    return {"files": files, "threads": len(tasks), "children": children}

before = opened()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps([before, opened()]))
"""

LOADED_BY_IMPORTS = """
import importlib, json, sys

before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(tops - sys.stdlib_module_names)))
"""


def python_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*.py") if "__pycache__" not in file.parts)


def modules(folder: Path) -> list[str]:
    """Every module below a top-level package, by its import name."""
    names = (
        ".".join(("secureproctor", *file.relative_to(ROOT).with_suffix("").parts)) for file in python_files(folder)
    )
    return [name.removesuffix(".__init__") for name in names]


def in_a_fresh_python(program: str, names: list[str]) -> list[object]:
    """Return what the program prints, a JSON list. No display, no session bus: importing must not want them."""
    command = [sys.executable, "-I", "-W", "error", "-c", program, *names]
    done = subprocess.run(command, env=QUIET, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    printed: list[object] = json.loads(done.stdout)
    return printed


def kept_files() -> Iterator[tuple[Path, bytes]]:
    """Every file that git keeps or would keep, with its bytes."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout.decode().split("\0")
    for file in (ROOT / name for name in names if name):
        if file.is_file() and not file.is_symlink():
            yield file.relative_to(ROOT), file.read_bytes()


def pinned(lock: str) -> set[str]:
    return {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}


def asked_for(*extras: str) -> set[str]:
    lines = PROJECT["build-system"]["requires"] + PROJECT["project"]["dependencies"]
    lines += [line for extra in extras for line in PROJECT["project"]["optional-dependencies"][extra]]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def test_imports_run_one_way() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_import_contracts_see_every_package() -> None:
    seen = PROJECT["tool"]["importlinter"]["root_packages"]
    assert sorted(seen) == [f"secureproctor.{package.name}" for package in PACKAGES]


def test_the_type_checkers_see_every_package() -> None:
    """mypy finds the packages by links, since the folders lie one level higher than their import names say."""
    links = {link.name: link.resolve() for link in (ROOT / ".house" / "secureproctor").iterdir()}
    assert links == {package.name: package.resolve() for package in PACKAGES}


def test_importing_opens_no_file_and_starts_no_thread_or_process() -> None:
    names = [name for package in PACKAGES for name in modules(package)]
    before, after = in_a_fresh_python(OPENED_BY_IMPORTS, names)
    assert after == before


def test_the_contract_loads_only_what_another_service_would_want() -> None:
    """Whoever writes a service of their own imports secureproctor.contract, without cameras and codecs."""
    loaded = set(in_a_fresh_python(LOADED_BY_IMPORTS, modules(ROOT / "contract")))
    assert "secureproctor" in loaded
    # _openssl, _cffi_backend and typing_extensions come with cryptography
    assert loaded <= {
        "secureproctor",
        "msgspec",
        "cryptography",
        "cffi",
        "_cffi_backend",
        "_openssl",
        "typing_extensions",
    }


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in python_files(package)
        if not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert silent == []


def test_no_file_names_an_index_host_or_a_path_of_a_build_machine() -> None:
    here = str(ROOT).encode()
    texts = ((name, data) for name, data in kept_files() if b"\0" not in data)
    found = {
        str(name): hit.group() if hit else "the path of this checkout"
        for name, data in texts
        if (hit := FORBIDDEN.search(data.decode())) or here in data
    }
    assert found == {}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_place(name: str) -> None:
    lines = LOCKS[name].splitlines()
    assert [line for line in lines if re.search(r"://|file:|https?:|--(extra-)?index|--find-links| @ ", line)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_hashes_for_everything(name: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", LOCKS[name], flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_files_pin_what_the_project_asks_for() -> None:
    assert asked_for("demo") - pinned(LOCKS["requirements.lock"]) == set()
    assert asked_for("demo", "dev") - pinned(LOCKS["requirements-dev.lock"]) == set()


def test_both_lock_files_pin_the_same_versions() -> None:
    """One .venv serves the demo and the tests."""
    running, testing = (set(re.findall(r"^[\w.-]+==[^ ]+", lock, re.MULTILINE)) for lock in LOCKS.values())
    assert running - testing == set()


def test_the_notice_lists_every_library_that_runs() -> None:
    listed = re.findall(r"^ {4}([a-z][\w-]+)(?: \(\w+\))? {2,}\S", (ROOT / "NOTICE").read_text(), re.MULTILINE)
    assert asked_for("demo") - {"setuptools"} == {canonicalize_name(name) for name in listed}


def test_the_notice_lists_every_vendored_file_with_its_sum() -> None:
    listed = dict(re.findall(r"^(\S+/\S+\w)\n {4}([0-9a-f]{64})$", (ROOT / "NOTICE").read_text(), re.MULTILINE))
    vendored = (file for file in (ROOT / "service" / "web" / "vendor").rglob("*") if file.is_file())
    code = {str(file.relative_to(ROOT)) for file in vendored if file.name not in {"README.md", "LICENSE"}}
    assert code <= set(listed)
    assert {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in listed} == listed
