"""Fails if a room includes a header of a room that it does not name in USES, if a sub-room includes one of a sub-room that it
does not name, if rooms use each other in a circle, or if torch leaks out of its rooms.

Usage: layers.py SOURCE_DIR ROOMS_TXT

ROOMS_TXT is written by CMake, one line "room: used rooms" or "room/sub-room: used sub-rooms" each. A room's door is
include/labelprobe/<room>; what lies in src/<room> is private to it, and named from src/ on: "record/folder/journal.h".
"""
import pathlib
import re
import sys

# Rooms whose headers include torch. Their private headers are open to the rooms that compute with them.
TORCH_ROOMS = {"weights", "model", "training"}
OPEN_TO = {"weights": {"model", "training"}}

source_dir, rooms_file = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
uses = {}
for line in rooms_file.read_text().splitlines():
    name, _, used = line.partition(":")
    uses[name.strip()] = used.split()

problems = []


def find_circles():
    done, path = set(), []

    def visit(name):
        if name in done:
            return
        if name in path:
            problems.append("a circle: " + " -> ".join([*path[path.index(name):], name]))
            return
        if name not in uses:
            problems.append(f"{path[-1]} uses {name}, which is no room")
            return
        path.append(name)
        for other in uses[name]:
            visit(other)
        done.add(path.pop())

    for name in uses:
        visit(name)


def check_include(room, place, line):
    """What is wrong with an include line of the room, or of its sub-room `place`; None if nothing is."""
    door = re.match(r'\s*#include "labelprobe/(\w+)/', line)
    private = re.match(r'\s*#include "(\w+)/(?:(\w+)/)?\w+\.h"', line)
    if door:
        if door[1] != room and door[1] not in uses[room]:
            return f"{room} includes {door[1]}, which its USES does not name"
    elif private and private[1] != room:
        if private[1] not in uses[room] or room not in OPEN_TO.get(private[1], ()):
            return f"{private[1]} keeps this header to itself"
    elif private:
        other = f"{room}/{private[2]}" if private[2] else room
        # What lies in the room itself stands on its sub-rooms.
        if place not in (other, room) and other not in uses[place]:
            return f"{place} includes {other}, which its USES does not name"
    elif re.match(r'\s*#include "', line) and '"host_threads.h"' not in line:  # the kernels' stand-in for CUDA in tests
        return "name it from src/ on"
    if re.match(r'\s*#include [<"](torch|ATen|c10)/', line) and room not in TORCH_ROOMS:
        return f"torch outside {sorted(TORCH_ROOMS)}"
    if re.search(r"using namespace", line):
        return "using namespace"
    return None


def files_with_places():
    """Every source file with its room and sub-room; what lies in the room itself has the room as its place."""
    for room in (name for name in uses if "/" not in name):
        for path in sorted((source_dir / "src" / room).rglob("*")):
            if path.suffix in {".h", ".cpp", ".cu"}:
                yield path, room, "/".join(path.relative_to(source_dir / "src").parts[:-1])
        for path in sorted((source_dir / "include/labelprobe" / room).rglob("*.h")):
            yield path, room, room


find_circles()
n_files = 0
for path, room, place in files_with_places():
    n_files += 1
    if place not in uses:
        problems.append(f"{path.relative_to(source_dir)}: no CMakeLists.txt makes {place} a sub-room")
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        problem = check_include(room, place, line)
        if problem:
            problems.append(f"{path.relative_to(source_dir)}:{number}: {problem}")
if n_files == 0:
    problems.append(f"no source files found below {source_dir}")
n_rooms = sum("/" not in name for name in uses)
print("\n".join(problems) or f"{n_files} files in {n_rooms} rooms and {len(uses) - n_rooms} sub-rooms keep to their levels")
sys.exit(bool(problems))
