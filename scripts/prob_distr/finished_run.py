"""Finds a finished run among the log folders of labelprobe.

finished_run.py FOLDER NAME=VALUE... prints the log folder below FOLDER, and the index of the experiment in it, that is
finished and has these parameters (the last one if there are several); exits 1 if there is none. NAME is a parameter as the
manifest spells it, VALUE its text; an empty VALUE means not set. Paths are equal if they lead to the same file.
"""
import json
import os
import pathlib
import sys


def as_text(value):
    if value is None or value is False:
        return ""
    if value is True:
        return "true"
    if isinstance(value, list):
        return " ".join(as_text(one) for one in value)
    return str(value)


def is_same(found, wanted):
    if found == wanted:
        return True
    return os.sep in wanted and os.path.exists(wanted) and os.path.realpath(found) == os.path.realpath(wanted)


def finished_experiments(manifest):
    """Index and parameters of each: those of the folder's first experiment, with what this one has otherwise."""
    for i, experiment in enumerate(manifest["experiments"]):
        if experiment["state"] == "finished":
            params = {name: value for name, value in manifest["params"].items() if name not in experiment["params_absent"]}
            yield i, {**params, **experiment["params_changed"]}


def main():
    wanted = dict(text.split("=", 1) for text in sys.argv[2:])
    found = None
    for path in sorted(pathlib.Path(sys.argv[1]).glob("**/manifest.json")):
        try:
            for i, params in finished_experiments(json.loads(path.read_text(encoding="utf-8"))):
                if all(is_same(as_text(params.get(name)), value) for name, value in wanted.items()):
                    found = path.parent, i
        except (KeyError, TypeError, ValueError) as error:
            print(f"{path}: no manifest of labelprobe ({error}); passed over", file=sys.stderr)
    if found is None:
        return 1
    print(f"{found[1]} {found[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
