"""check_gpu.sh checks its arguments, shows its steps without a GPU and rehearses them on the CPU; its table of goals is right."""
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

import support

sys.path.insert(0, str(support.SCRIPTS))
from benchmark import goals  # noqa: E402

STEPS = ["preflight", "tests", "parity", "reruns", "schedules", "bench", "fp4", "goals", "profile", "compare", "large"]

# Stands in for nvidia-smi: each field that is asked for, as the test wants it.
NVIDIA_SMI = """#!/usr/bin/env bash
for word in "$@"; do
  case "$word" in
    --query-gpu=driver_version) echo "${DRIVER:-580.65.06}"; [ "${DRIVER:-}" != none ]; exit ;;
    --query-gpu=compute_cap) echo "${CAPABILITY:-9.0}" ;;
    --query-gpu=memory.free) echo "${FREE:-140000}" ;;
    --query-gpu=compute_mode) echo "${MODE:-Default}" ;;
    --query-compute-apps=*) echo "77, python3, 139000 MiB" ;;
    --query-gpu=name*) echo "name, driver_version"; echo "a GPU, 580" ;;
  esac
done
"""

# Stands in for labelprobe: writes what is asked for, and fails where it is told to.
PROGRAM = """#!/usr/bin/env bash
command=$1
[ -z "${STAND_IN_SLEEPS:-}" ] || [ "$command" != generate ] || sleep "$STAND_IN_SLEEPS"
while [ $# -gt 0 ]; do
  case "$1" in
    --out | --profile) echo '{"id": "a", "token_ids": [1]}' >"$2" ;;
    float16) [ -z "${STAND_IN_REFUSES:-}" ] || exit 4 ;;
  esac
  shift
done
[ "$command" != generate ] || [ -z "${STAND_IN_SAYS:-}" ] || printf '%s\\n' "$STAND_IN_SAYS"
[ -z "${STAND_IN_FAILS:-}" ] || [ "$command" != generate ] || exit "$STAND_IN_FAILS"
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

    def call(self, *options, places=None, cuda=("lib/libtorch_cuda.so", "lib/libc10_cuda.so"), **env):
        places = places or [self.model, self.folder / "prompts.jsonl", self.data, self.folder / "ids.txt"]
        torch = self.folder / "torch"  # what a given libtorch looks like
        shutil.rmtree(torch, ignore_errors=True)
        for path in ("include/ATen/ATen.h", "lib/libtorch_cpu.so", *cuda):
            (torch / path).parent.mkdir(parents=True, exist_ok=True)
            (torch / path).write_bytes(b"\0libcudart.so.13\0")
        return support.run(support.SCRIPTS / "check_gpu.sh", *options, *places, cwd=self.folder,
                           env={"LABELPROBE": self.program, "CMAKE_PREFIX_PATH": torch, **env})

    def test_shows_every_step(self):
        done = self.call("--dry-run", "--out", self.folder / "out")
        self.assertEqual(done.returncode, 0, done.stderr)
        headings = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
        self.assertEqual(headings, STEPS)  # nothing to build: the program is given
        for piece in ("profile-no-kernels: env LABELPROBE_CUDA_GRAPHS=0 LABELPROBE_CUDA_KERNELS=0", "--shape llama-3.3-70b",
                      "--load-in-4bit", "indexed_metrics.yml", "--peers transformers", "--tf32", "data\\ set"):
            self.assertIn(piece, done.stdout)
        self.assertFalse((self.folder / "out").exists())

    def test_shows_the_chosen_steps_and_what_needs_no_data(self):
        done = self.call("--dry-run", "--only", "parity,bench", places=[self.model, self.folder / "prompts.jsonl"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([line for line in done.stdout.splitlines() if not line.startswith(" ")], ["parity"])

    def test_builds_in_a_folder_of_its_own_and_looks_for_libtorch_anew(self):
        done = self.call("--dry-run", "--only", "build", LABELPROBE="")
        self.assertEqual(done.returncode, 0, done.stderr)
        configure = next(line for line in done.stdout.splitlines() if line.startswith("  configure: "))
        for piece in (f"-B {support.ROOT}/build/gpu/build ", "-U LABELPROBE_TORCH_\\* ", f"-DCMAKE_PREFIX_PATH={self.folder}/torch ",
                      "-DLABELPROBE_CUDA=ON"):
            self.assertIn(piece, configure)

    def test_says_what_is_wrong_with_its_arguments(self):
        nowhere = self.folder / "nowhere"
        for message, options, places in (
                ("expected MODEL PROMPTS [DATA_FOLDER ID_LIST], found 1 arguments", [], [self.model]),
                ("expected MODEL PROMPTS [DATA_FOLDER ID_LIST], found 3 arguments", [], [self.model, self.model, self.model]),
                ("nowhere' is not there", [], [self.model, nowhere]),
                ("nowhere/tokenizer.json' is not there", ["--tokenizer", nowhere], None),
                ("unknown step 'paritty' (known: preflight build tests", ["--only", "tests,paritty"], None),
                ("unknown option '--rehears'", ["--rehears"], None),
                ("--minutes is 'ten'; expected a number", ["--minutes", "ten"], None)):
            done = self.call("--dry-run", *options, places=places)
            self.assertEqual(done.returncode, 1, message)
            self.assertIn(message, done.stderr)
        done = support.run(support.SCRIPTS / "check_gpu.sh", "--only")
        self.assertIn("--only: expected something after it", done.stderr)

    def preflight(self, *options, **env):
        """A check up to the first answer, on a machine whose nvidia-smi says what `env` has."""
        tool = self.folder / "bin/nvidia-smi"
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(NVIDIA_SMI)
        tool.chmod(0o755)
        path = os.pathsep.join([str(tool.parent), os.environ["PATH"]])
        return self.call("--only", "preflight,parity", "--out", self.folder / "out", "--work", self.folder / "work", *options,
                         places=[self.model, self.folder / "prompts.jsonl"], **{"PATH": path, **env})

    def test_says_first_what_is_missing_and_what_to_do(self):
        for env, *said in (
                ({"DRIVER": "none"}, "there is no NVIDIA driver, or it sees no GPU", "Run nvidia-smi"),
                ({"DRIVER": "570.124.06"}, "the driver is 570.124.06, libtorch is of CUDA 13", "Take a driver from 580 on"),
                ({"CAPABILITY": "7.5"}, "the GPU is of 7.5"),
                ({"FREE": "900"}, "900 MiB of the GPU's memory are free", "End what holds it: 77, python3, 139000 MiB"),
                ({"MODE": "Prohibited"}, "the GPU takes no programs"),
                ({"cuda": ()}, "has no CUDA half"),
                ({"STAND_IN_FAILS": "4", "STAND_IN_SAYS": "CUDA error: no kernel image is available"},
                 "the module has no code for this GPU", "-DCMAKE_CUDA_ARCHITECTURES=90"),
                ({"STAND_IN_FAILS": "4", "STAND_IN_SAYS": "error: all is lost"}, "the program does not answer on cuda:0",
                 "error: all is lost"),
                ({"STAND_IN_SAYS": "info: a GPU; no own kernels: the module is not there"}, "our own kernels are not used",
                 "the module is not there")):
            with self.subTest(said=said[0]):
                shutil.rmtree(self.folder / "out", ignore_errors=True)
                done = self.preflight(**env)
                self.assertEqual(done.returncode, 1)
                report = (self.folder / "out/report.md").read_text()
                for piece in said:
                    self.assertIn(piece, done.stderr)
                    self.assertIn(piece, report)
                self.assertNotIn("## parity", report)

    def test_tells_what_was_seen_of_each_promise_over_all_calls(self):
        promise = "| The program uses its own kernels on this GPU | src/model/README.md | first-answer | {} |"
        done = self.preflight()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(promise.format("holds"), done.stdout)
        self.assertIn("gpu-float16 parity-float16 | not tried |", done.stdout)  # the tests were not run
        again = self.preflight("--only", "reruns")
        self.assertIn(promise.format("holds"), again.stdout.rpartition("promises")[2])
        self.assertIn("same-bytes-bfloat16 | holds |", again.stdout)
        failed = self.preflight("--only", "parity", STAND_IN_REFUSES="yes")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("parity-float16 | does NOT hold (gpu-float16) |", failed.stdout)

    def test_tests_without_a_gpu_are_no_success(self):
        (self.folder / "labelprobe_gpu_tests").write_text('#!/bin/sh\n[ "$LABELPROBE_EXPECT_GPU" != 1 ] || exit 42\n')
        (self.folder / "labelprobe_gpu_tests").chmod(0o755)
        done = self.preflight("--only", "tests")
        self.assertIn("- tests: FAILED with status 42", done.stdout)
        self.assertIn("4-bit and 8-bit weights have the CPU's bits | src/model/README.md | tests | does NOT hold (tests) |", done.stdout)

    def test_ends_what_takes_too_long_and_leaves_out_the_rest(self):
        done = self.preflight("--only", "parity", "--minutes", "0.1", STAND_IN_SLEEPS="30")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"- host-float32: ENDED after [1-6] s\n")
        self.assertIn("- gpu-float32: left out, the time for it was over\n", done.stdout)

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
        self.assertNotIn("holds", report)
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
        lines = goals.table([figures(baseline=0.42, unary=1.5, binary=2.6), figures(dtype="float32", flags=fp4, baseline=7.0),
                             figures(flags=fp4, baseline=9.0)])
        self.assertEqual([cells(line)[1:] for line in lines[2:]],
                         [["0.42", "0.45", "0.30", "yes"], ["1.50", "0.9", "0.62", "no"], ["2.60", "2.6", "1.72", "yes"],
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
