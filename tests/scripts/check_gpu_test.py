"""check_gpu.sh checks its arguments, shows its steps without a GPU and rehearses them on the CPU; its table of goals is right."""
import json
import pathlib
import sys
import tempfile
import unittest

import support

sys.path.insert(0, str(support.SCRIPTS))
from benchmark import goals  # noqa: E402

STEPS = ["build", "tests", "parity", "reruns", "schedules", "profile", "bench", "fp4", "goals", "compare", "large"]

# Stands in for labelprobe: writes what is asked for, and fails where it is told to.
PROGRAM = """#!/usr/bin/env bash
command=$1
while [ $# -gt 0 ]; do
  case "$1" in
    --out | --profile) echo '{"id": "a", "token_ids": [1]}' >"$2" ;;
    float16) [ -z "${STAND_IN_REFUSES:-}" ] || exit 4 ;;
  esac
  shift
done
[ "$command" != generate ] || printf 'loaded\\nprofile of 1.000 s of the work\\n  operator\\n'
"""


class CheckGpu(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.model = self.folder / "model"
        self.model.mkdir()
        for path in ("model/tokenizer.json", "prompts.jsonl", "ids.txt"):
            (self.folder / path).write_text("{}")
        self.data = self.folder / "data set"
        self.data.mkdir()
        self.program = self.folder / "labelprobe"
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)

    def call(self, *options, places=None, **env):
        places = places or [self.model, self.folder / "prompts.jsonl", self.data, self.folder / "ids.txt"]
        torch = self.folder / "torch"  # what a given libtorch looks like
        for path in ("include/ATen/ATen.h", "lib/libtorch_cpu.so"):
            (torch / path).parent.mkdir(parents=True, exist_ok=True)
            (torch / path).write_text("")
        return support.run(support.SCRIPTS / "check_gpu.sh", *options, *places, cwd=self.folder,
                           env={"LABELPROBE": self.program, "CMAKE_PREFIX_PATH": torch, **env})

    def test_shows_every_step(self):
        done = self.call("--dry-run", "--out", self.folder / "out")
        self.assertEqual(done.returncode, 0, done.stderr)
        headings = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
        self.assertEqual(headings, STEPS[1:])  # nothing to build: the program is given
        for piece in ("profile-no-kernels: env LABELPROBE_CUDA_GRAPHS=0 LABELPROBE_CUDA_KERNELS=0", "--shape llama-3.3-70b",
                      "--load-in-4bit", "indexed_metrics.yml", "--peers transformers", "--tf32", "data\\ set"):
            self.assertIn(piece, done.stdout)
        self.assertFalse((self.folder / "out").exists())

    def test_shows_the_chosen_steps_and_what_needs_no_data(self):
        done = self.call("--dry-run", "--only", "parity,bench", places=[self.model, self.folder / "prompts.jsonl"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([line for line in done.stdout.splitlines() if not line.startswith(" ")], ["parity"])

    def test_says_what_is_wrong_with_its_arguments(self):
        nowhere = self.folder / "nowhere"
        for message, options, places in (
                ("expected MODEL PROMPTS [DATA_FOLDER ID_LIST], found 1 arguments", [], [self.model]),
                ("expected MODEL PROMPTS [DATA_FOLDER ID_LIST], found 3 arguments", [], [self.model, self.model, self.model]),
                ("nowhere' is not there", [], [self.model, nowhere]),
                ("nowhere/tokenizer.json' is not there", ["--tokenizer", nowhere], None),
                ("unknown step 'paritty' (known: build tests", ["--only", "tests,paritty"], None),
                ("unknown option '--rehears'", ["--rehears"], None),
                ("--minutes is 'ten'; expected a number", ["--minutes", "ten"], None)):
            done = self.call("--dry-run", *options, places=places)
            self.assertEqual(done.returncode, 1, message)
            self.assertIn(message, done.stderr)
        done = support.run(support.SCRIPTS / "check_gpu.sh", "--only")
        self.assertIn("--only: expected something after it", done.stderr)

    def test_a_rehearsal_reports_itself_and_adds_to_the_report(self):
        out = self.folder / "out"
        done = self.call("--rehearse", "--only", "parity,profile", "--out", out, "--work", self.folder / "work",
                         places=[self.model, self.folder / "prompts.jsonl"], STAND_IN_REFUSES="yes")
        self.assertEqual(done.returncode, 1)
        self.assertIn("some steps failed: host-float16 gpu-float16", done.stderr)
        report = (out / "report.md").read_text()
        self.assertTrue(report.startswith("# A rehearsal on the CPU"), report)
        self.assertIn("steps: parity,profile\n", report)
        self.assertIn("1 of 1 answers have the same tokens", report)
        self.assertIn("- host-float16: FAILED with status 4", report)
        self.assertRegex(report, r"- profile-all: done in \d+\.\d s\n```\nprofile of 1\.000 s of the work\n  operator\n```")
        self.assertTrue((out / "profile-all.json.gz").exists())
        again = self.call("--rehearse", "--only", "tests", "--out", out, "--work", self.folder / "work")
        self.assertEqual(again.returncode, 0, again.stderr)
        both = (out / "report.md").read_text()
        self.assertTrue(both.startswith(report))
        self.assertIn("labelprobe_gpu_tests is not there", both[len(report):])


def figures(model="llama-3.1-8b", dtype="bfloat16", device="cuda:0", flags=(), n_queries=200, **seconds):
    return {"model": model, "dtype": dtype, "device": device, "flags": list(flags),
            "works": {name: {"n_queries": n_queries} for name in seconds},
            "ours": [{"row": "main", "distribution": name, "turns": [{"seconds": s}]} for name, s in seconds.items()]}


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


class Goals(unittest.TestCase):
    def test_puts_what_was_measured_beside_goal_and_floor(self):
        fp4 = ["--load-in-4bit"]
        lines = goals.table([figures(baseline=0.55, unary=1.5, binary=3.5), figures(dtype="float32", flags=fp4, baseline=7.0),
                             figures(flags=fp4, baseline=9.0)])
        self.assertEqual([cells(line)[1:] for line in lines[2:]],
                         [["0.55", "0.6", "0.30", "yes"], ["1.50", "1.25", "0.62", "no"], ["3.50", "3.5", "1.72", "yes"],
                          ["7.00", "8", "-", "yes"], ["9.00", "below 7.00, its float32", "-", "no"]])

    def test_other_measurements_have_no_goal(self):
        for other in (figures(model="smollm2-135m", baseline=0.1), figures(device="cpu", baseline=0.1),
                      figures(n_queries=20, baseline=0.1), figures(dtype="float32", baseline=0.1)):
            self.assertEqual(cells(goals.table([other])[2])[1:], ["0.1", "-", "-", "-"])

    def test_reads_the_files_that_are_there(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "8b.json")
            path.write_text(json.dumps(figures(unary=1.0)))
            done = support.run(sys.executable, support.SCRIPTS / "benchmark/goals.py", path, pathlib.Path(folder, "fp4.json"))
            self.assertIn("llama-3.1-8b, bfloat16, unary, 200 queries", done.stdout)
            done = support.run(sys.executable, support.SCRIPTS / "benchmark/goals.py", pathlib.Path(folder, "fp4.json"))
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("nothing was measured", done.stderr)


if __name__ == "__main__":
    unittest.main()
