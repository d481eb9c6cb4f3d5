"""check_gpu.sh on the stand-in for a GPU: its steps run there as on the day when a GPU is at hand.
Usage: check_gpu_test.py BUILD_FOLDER"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop())

# Stands in for nvidia-smi: the fields that are asked for.
NVIDIA_SMI = """#!/usr/bin/env bash
for word in "$@"; do
  case "$word" in
    --query-gpu=driver_version) echo 580.65.06 ;;
    --query-gpu=compute_cap) echo 9.0 ;;
    --query-gpu=memory.free) echo 8000 ;;
    --query-gpu=compute_mode) echo Default ;;
    --query-gpu=name*) printf '%s\\n' "name, driver_version" "a stand-in, 580" ;;
  esac
done
"""


class Rehearsal(unittest.TestCase):
    def test_preflight_parity_and_reruns_hold(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "bin").mkdir()
            tool = folder / "bin/nvidia-smi"
            tool.write_text(NVIDIA_SMI)
            tool.chmod(0o755)
            prompts = folder / "prompts.jsonl"
            lines = [{"id": str(i), "text": f"Number {i} of some, and then what?"} for i in range(6)]
            prompts.write_text("".join(json.dumps(line) + "\n" for line in lines))
            environment = os.environ | {"PATH": f"{tool.parent}:{os.environ['PATH']}", "LABELPROBE": str(BUILD / "labelprobe")}
            done = subprocess.run(
                [BUILD / "standin/run", ROOT / "scripts/check_gpu.sh", "--only", "preflight,parity,reruns", "--out", folder / "out",
                 "--work", folder / "work", ROOT / "tests/fixtures/e2e/model", prompts],
                env=environment, cwd=ROOT, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            report = (folder / "out/report.md").read_text()
            self.assertEqual(report.count("6 of 6 answers have the same tokens"), 3, report)
            held = [line for line in report.splitlines() if line.endswith("| holds |")]
            self.assertEqual(len(held), 2, report)
            self.assertIn("Failed: nothing", report)


if __name__ == "__main__":
    unittest.main()
