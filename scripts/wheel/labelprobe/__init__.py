"""The program labelprobe, and its runs as pandas frames.

    import labelprobe
    run = labelprobe.read("logs/GoEmotions/baseline_0")
    run.steps.pivot_table(index="item", columns="label", values="prob")
"""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple, Optional, Union

FOLDER = Path(__file__).resolve().parent
PROGRAM = FOLDER / "bin" / "labelprobe"
# Example data and configurations (configs/), lists of items (prob_distr_ids/).
DATA = FOLDER / "share" / "labelprobe"


class Run(NamedTuple):
    """A finished experiment. The columns are those of `labelprobe export`, which says what they are in its --help."""

    items: "pandas.DataFrame"  # a row per item: its answer, gold and predicted labels
    steps: "pandas.DataFrame"  # a row per item, label step and label: probability, logit
    values: "pandas.DataFrame"  # a row per other number of an item, such as those of --readouts


def read(folder: Union[str, os.PathLike], experiment: Optional[int] = None) -> Run:
    """The experiment of a log folder (the last one unless its number is given).

    Raises FileNotFoundError where there is no such folder, ValueError with the program's message where it cannot be read, as
    while it is being written.
    """
    import pandas

    if not Path(folder).is_dir():
        raise FileNotFoundError(f"{folder}: expected the log folder of a run, found none")
    run = folder if experiment is None else Path(folder) / f"experiment_{experiment}"
    with tempfile.TemporaryDirectory() as out:
        command = [PROGRAM, "export", run, "--format", "jsonl", "--out", Path(out) / "tables"]
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True)
        if done.returncode != 0:
            raise ValueError(done.stderr.strip() or f"labelprobe export ended with {done.returncode}")
        frames = []
        for name in Run._fields:
            # Not read_json, which takes ids for numbers and dates.
            with open(Path(out) / "tables" / f"{name}.jsonl", encoding="utf-8") as lines:
                frames.append(pandas.DataFrame.from_records([json.loads(line) for line in lines]))
    return Run(*frames)


def main() -> None:
    """The command labelprobe: becomes the program."""
    try:
        os.execve(PROGRAM, ["labelprobe", *sys.argv[1:]], _environment())
    except OSError as error:
        sys.exit(f"labelprobe: {PROGRAM}: {error.strerror}")


def _environment() -> dict:
    """The program looks for libtorch beside its own package; where torch was installed elsewhere, it has to be told."""
    environment = dict(os.environ)
    if not (FOLDER.parent / "torch" / "lib" / "libtorch_cpu.so").exists():
        torch = importlib.util.find_spec("torch")
        if torch is not None and torch.submodule_search_locations:
            places = [os.path.join(torch.submodule_search_locations[0], "lib"), environment.get("LD_LIBRARY_PATH")]
            environment["LD_LIBRARY_PATH"] = ":".join(place for place in places if place)
    return environment
