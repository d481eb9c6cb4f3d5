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


# Stands in for labelprobe: notes the arguments of runs in calls.jsonl beside itself; tables are the program's own.
STAND_IN = '''#!{python}
import json, os, pathlib, sys
args = sys.argv[1:]
if args[0] == "table":
    os.execv("{program}", ["labelprobe", *args])
with open(pathlib.Path(__file__).parent / "calls.jsonl", "a") as calls:
    calls.write(json.dumps(args) + "\\n")
sys.exit(int(os.environ.get("STAND_IN_CODE", "0")))
'''


class StandIn:
    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "labelprobe"
        self.path.write_text(STAND_IN.format(python=sys.executable, program=PROGRAM))
        self.path.chmod(0o755)

    def calls(self):
        """The arguments of every call since the last question."""
        notes = self.path.parent / "calls.jsonl"
        if not notes.exists():
            return []
        found = [json.loads(line) for line in notes.read_text().splitlines()]
        notes.unlink()
        return found
