"""What the tests of the scripts share: the root of the checkout, real data beside it, running a script, a stand-in for labelprobe."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
SHARED = ROOT.parent / "shared"  # real data, present on the authors' machines only

# The program of this build and the small model, where there are any; from the build.
PROGRAM = os.environ.get("TEST_LABELPROBE", "")
MODEL = os.environ.get("LABELPROBE_SMOLLM2", str(ROOT / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf"))


def shared(relative):
    """A real file or folder; a test that needs one that is missing says so and is skipped."""
    path = SHARED / relative
    if not path.exists():
        skip_aloud(f"{relative} is not there")
    return path


def skip_aloud(reason):
    print(f"SKIPPED: {reason}", file=sys.stderr, flush=True)
    raise unittest.SkipTest(reason)


def run(*command, env=None, cwd="/"):
    """Runs a script far from the checkout; returns the finished process with its output as text."""
    variables = {name: value for name, value in os.environ.items()
                 if name not in ("DATA_ROOT", "LOG_ROOT", "ID_ROOT", "LABELPROBE", "PYTHON")}
    variables.update({name: str(value) for name, value in (env or {}).items()})
    return subprocess.run([str(part) for part in command], env=variables, cwd=cwd, text=True, capture_output=True,
                          timeout=120, check=False)


# Stands in for labelprobe: notes its arguments in calls.jsonl beside itself, and makes the log folder that `run` would.
STAND_IN = '''#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
args = sys.argv[1:]
with open(here / "calls.jsonl", "a") as calls:
    calls.write(json.dumps(args) + "\\n")
if args[0] == "align":
    print("| method of " + args[1] + " |")
    sys.exit()
flags = {{}}
for i in range(2, len(args)):
    if args[i].startswith("--"):
        has_text = i + 1 < len(args) and not args[i + 1].startswith("--")
        flags[args[i][2:].replace("-", "_")] = args[i + 1] if has_text else True
cell = args[1] + "/" + flags["distribution"]
if cell in os.environ.get("STAND_IN_REFUSES", "").split():
    sys.exit("the stand-in refuses " + cell)
name = flags["alternative_experiment_name"].replace("{{distribution}}", flags["distribution"])
name = name.replace("{{model_name_or_path}}", flags["model_name_or_path"].replace("/", "--"))
folder = pathlib.Path(flags["log_root"], args[1], name + "_" + flags["seed"] + "_" + flags.get("limit", "all"))
folder.mkdir(parents=True, exist_ok=True)
params = {{**flags, "seed": int(flags["seed"]), "limit": int(flags["limit"]) if "limit" in flags else None,
          "test_ids_filename": [flags["test_ids_filename"]]}}
state = os.environ.get("STAND_IN_STATE", "finished")
(folder / "manifest.json").write_text(json.dumps({{"format": 1, "not_comparable": [], "params": params, "experiments": [
    {{"index": 0, "state": state, "params_changed": {{}}, "params_absent": [], "contents_fingerprint": "", "sizes": {{}}}}]}}))
print(folder)
sys.exit(int(os.environ.get("STAND_IN_CODE", "0")))
'''


class StandIn:
    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "labelprobe"
        self.path.write_text(STAND_IN.format(python=sys.executable))
        self.path.chmod(0o755)

    def calls(self):
        """The arguments of every call since the last question."""
        notes = self.path.parent / "calls.jsonl"
        if not notes.exists():
            return []
        found = [json.loads(line) for line in notes.read_text().splitlines()]
        notes.unlink()
        return found
