"""Fails if a room includes a header of a room that it does not name in USES, or if torch leaks out of its rooms.

Usage: layers.py SOURCE_DIR ROOMS_TXT   (ROOMS_TXT is written by CMake: one line "room: used rooms")
"""
import pathlib
import re
import sys

LEVEL = {"core": 0, "data": 1, "prompt": 1, "tokenizer": 1, "model": 1, "record": 1, "readout": 2, "analysis": 2,
         "experiment": 3, "training": 3, "app": 4}
TORCH_ROOMS = {"model", "training"}

source_dir, rooms_file = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
uses = {}
for line in rooms_file.read_text().splitlines():
    name, _, used = line.partition(":")
    uses[name.strip()] = set(used.split())

problems = []
for room, used in uses.items():
    for other in used:
        if LEVEL[other] >= LEVEL[room]:
            problems.append(f"{room} (level {LEVEL[room]}) may not use {other} (level {LEVEL[other]})")
n_files = 0
for folder in ("src", "include/labelprobe"):
    for room in uses:
        for path in sorted((source_dir / folder / room).rglob("*")):
            if path.suffix not in {".h", ".cpp", ".cu"}:
                continue
            n_files += 1
            for number, line in enumerate(path.read_text().splitlines(), 1):
                where = f"{path.relative_to(source_dir)}:{number}"
                ours = re.match(r'\s*#include "labelprobe/(\w+)/', line)
                if ours and ours[1] != room and ours[1] not in uses[room]:
                    problems.append(f"{where}: {room} includes {ours[1]}, which its USES does not name")
                if re.match(r'\s*#include [<"](torch|ATen|c10)/', line) and room not in TORCH_ROOMS:
                    problems.append(f"{where}: torch outside {sorted(TORCH_ROOMS)}")
                if re.search(r"using namespace", line):
                    problems.append(f"{where}: using namespace")
if n_files == 0:
    problems.append(f"no source files found below {source_dir}")
print("\n".join(problems) or f"{n_files} files in {len(uses)} rooms keep to their levels")
sys.exit(bool(problems))
