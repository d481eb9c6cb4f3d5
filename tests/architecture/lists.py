"""Fails if a file is not built, not run or not used: a list in a CMakeLists.txt lacks it, or nobody includes it; and if an entry
of CTest belongs to no tier or to several.

Usage: lists.py SOURCE_DIR BUILD_DIR
"""
import json
import pathlib
import subprocess
import sys

TIERS = {"unit", "golden", "e2e", "device", "gpu"}

source_dir, build_dir = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
problems = []


def words_of(path):
    return set(path.read_text().replace(")", " ").replace('"', " ").split()) if path.exists() else set()


def check_listed(path, *lists):
    """Expects the file in one of the lists, as its name or as a path that ends in it."""
    listed = {word.rpartition("/")[2] for one in lists for word in words_of(source_dir / one)}
    if path.name not in listed:
        problems.append(f"{path.relative_to(source_dir)}: not listed in {' or '.join(dict.fromkeys(lists))}")


def lists_of(place):
    """The CMakeLists.txt of a folder below src/ and of its room."""
    parts = place.parts
    return ["/".join(("src", *parts[:n], "CMakeLists.txt")) for n in range(len(parts), 0, -1)]


def check_lists():
    for path in (source_dir / "src").rglob("*.c*"):
        if path.suffix in {".cpp", ".cu"}:
            check_listed(path, *lists_of(path.parent.relative_to(source_dir / "src")))
    for path in (source_dir / "include/labelprobe").rglob("*.h"):
        check_listed(path, f"src/{path.parent.name}/CMakeLists.txt")
    for path in (source_dir / "tests").rglob("*_test.cpp"):
        if path.parent.name not in {"device", "fuzz"}:
            check_listed(path, *lists_of(path.parent.relative_to(source_dir / "tests")))
    for path in (source_dir / "tests/device").rglob("*.cpp"):
        check_listed(path, "tests/device/CMakeLists.txt")
    for path in (source_dir / "tests/fuzz").glob("*.cpp"):
        if f"fuzz_target({path.stem} " not in (source_dir / "tests/fuzz/CMakeLists.txt").read_text():
            check_listed(path, "tests/fuzz/CMakeLists.txt")
    for path in (source_dir / "tests/support").glob("*.cpp"):
        check_listed(path, "CMakeLists.txt")
    scripts = words_of(source_dir / "tests/scripts/CMakeLists.txt")
    for path in (source_dir / "tests/scripts").glob("*_test.*"):
        if path.stem.removesuffix("_test") not in scripts:
            problems.append(f"{path.relative_to(source_dir)}: not listed in tests/scripts/CMakeLists.txt")


def check_headers():
    """Every private header and every header of tests is included by somebody."""
    sources = [path for folder in ("src", "include", "tests") for path in (source_dir / folder).rglob("*")
               if path.suffix in {".h", ".cpp", ".cu"}]
    included = {line.split('"')[1].rpartition("/")[2] for path in sources for line in path.read_text().splitlines()
                if line.startswith('#include "')}
    for path in sources:
        if path.suffix == ".h" and path.name not in included and not path.name.startswith("precompiled"):
            problems.append(f"{path.relative_to(source_dir)}: nobody includes it")


def check_tiers():
    shown = subprocess.run(["ctest", "--test-dir", build_dir, "--show-only=json-v1"], check=True, capture_output=True, text=True)
    for entry in json.loads(shown.stdout)["tests"]:
        labels = {label for one in entry["properties"] if one["name"] == "LABELS" for label in one["value"]}
        if len(labels & TIERS) != 1:
            problems.append(f"the test {entry['name']}: expected one label of {sorted(TIERS)}, found {sorted(labels)}")


check_lists()
check_headers()
check_tiers()
print("\n".join(problems))
sys.exit(bool(problems))
