"""bench.sh checks its arguments and shows its plan without measuring; its counts and tables are right."""
import pathlib
import sys
import tempfile
import unittest

import support

sys.path.insert(0, str(support.SCRIPTS))
from benchmark import report, work  # noqa: E402
from benchmark.ours import ANSWERED, LOADED, run_ours  # noqa: E402

PROGRAM = """#!/bin/sh
[ "$1" = prompts ] || exit 9
for i in 1 2 3; do echo '{"id": "a", "text": "b"}'; done
"""


class Bench(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data = self.folder / "data set"
        self.data.mkdir()
        for name in ("emotions.txt", "emotion_clustering.json", "train.tsv", "dev.tsv"):
            (self.data / name).write_text("")
        self.ids = self.folder / "ids.txt"
        self.ids.write_text("\n".join(f"id{i}" for i in range(231)))
        self.program = self.folder / "labelprobe"

    def call(self, *arguments, kind="cpu", data=None, ids=None):
        return support.run(support.SCRIPTS / "bench.sh", kind, data or self.data, ids or self.ids, *arguments, cwd=self.folder,
                           env={"LABELPROBE": self.program, "LABELPROBE_REFERENCE_ENV": self.folder})

    def test_shows_its_plan(self):
        done = self.call("--dry-run", "--queries", "50", "--shots", "none")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertIn("device cpu, float32", lines[0])
        self.assertIn("3 turns, at most 25 minutes", lines[0])
        self.assertIn("(not there yet)", lines[1])
        self.assertIn("231 queries", done.stdout)
        for n_times, piece in ((3, "labelprobe float32, binary"), (3, "labelprobe bfloat16, unary"), (1, "baseline, 50 queries"),
                               (1, "baseline, 231 queries"), (1, "labelprobe, binary, 18 tokens"), (0, "shots")):
            self.assertEqual(sum(line.endswith(piece) for line in lines), n_times, piece)
        # Each peer is either in the plan or has a reason.
        for peer in ("transformers", "llama.cpp"):
            self.assertNotEqual(any(line.endswith(": " + peer) for line in lines), f"not measured: {peer}: " in done.stdout)

    def test_shows_its_plan_for_a_gpu(self):
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)
        done = self.call("--dry-run", "--shape", "llama-3.1-8b", "--blocks", "2", kind="cuda")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("device cuda:0, bfloat16", done.stdout)
        self.assertIn("200 queries", done.stdout)
        self.assertIn("unary: 3 prompts", done.stdout)
        self.assertIn("not measured: llama.cpp: ", done.stdout)
        self.assertIn("llama-3.1-8b on one H200, 200 queries, binary: 2.6 s", done.stdout)
        self.assertNotIn("float32", done.stdout)

    def test_says_what_is_wrong_with_its_arguments(self):
        nowhere = self.folder / "nowhere"
        for message, arguments, named in (
                ("expected the published files of GoEmotions, found no emotions.txt; scripts/get_data.sh", [], {"data": nowhere}),
                ("expected an id list", [], {"ids": nowhere}),
                ("expected a Hugging Face folder or a .gguf file", ["--model", nowhere], {}),
                ("expected one of them", ["--model", nowhere, "--shape", "llama-3.1-8b"], {}),
                ("unknown 'trinary' (known: baseline, unary, binary)", ["--distributions", "unary,trinary"], {}),
                ("unknown 'vllm'", ["--peers", "vllm"], {}),
                ("--items: expected more than 0, found -1", ["--items", "-1"], {}),
                ("--shots: expected numbers", ["--shots", "1,x"], {}),
                ("found no " + str(nowhere), ["--json", nowhere / "b.json"], {})):
            # Without --dry-run too: arguments come before anything is installed, built or measured.
            done = self.call(*arguments, "--", "--batch-size", "8", **named)
            self.assertNotEqual(done.returncode, 0, message)
            self.assertIn(message, done.stderr)


class Counting(unittest.TestCase):
    def test_counts_equal_beginnings_once(self):
        tree = work.tree_of([[1, 2, 3], [1, 2, 4], [1, 2], [5]])
        self.assertEqual((tree.n_tokens, tree.n_positions), (5, 1 + 2 + 3 + 3 + 1))

    def test_counts_operations(self):
        shape = work.shape_of({"num_hidden_layers": 30, "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9,
                               "num_key_value_heads": 3, "vocab_size": 49152})
        layer = 576 * 576 * 2 + 576 * 192 * 2 + 576 * 1536 * 3  # q, o; k, v; gate, up, down
        self.assertEqual(sum(a * b for a, b in shape.products), layer)
        self.assertEqual(shape.flop(1, 0, 0), 2 * 30 * layer)
        self.assertEqual(shape.flop(0, 0, 1), 2 * 576 * 49152)
        self.assertEqual(shape.flop(0, 10, 0), 10 * 2 * 2 * 30 * 9 * 64)  # queries by keys, weights by values

    def test_samples_are_spread_and_differ_between_turns(self):
        chosen = [work.spread(1848, 5, block, 3) for block in range(3)]
        self.assertEqual(len(set(sum(chosen, []))), 15)
        for places in chosen:
            self.assertEqual([place * 5 // 1848 for place in places], [0, 1, 2, 3, 4])
        self.assertEqual(work.spread(4, 9, 0, 1), [0, 1, 2, 3])
        one = work.Work("binary", 2, [[1, i] for i in range(6)], [], 1, 18, [])
        self.assertEqual(one.shared, [1])
        self.assertEqual(work.sample(one, "queries", 1, 0, 2), [0, 1, 2])
        self.assertEqual(work.sample(one, "batch", 4, 0, 1), [1, 2, 3, 4])

    def test_reads_what_the_program_says(self):
        line = "info: 6468 items in 108.7 s (3 of them taken over); 50218 of 5483156 prompt tokens computed, 20969 tokens generated"
        self.assertEqual(ANSWERED.search(line).groups(), ("6468", "50218", "5483156", "20969"))
        found = LOADED.search("info: LlamaForCausalLM with 135 M parameters loaded in 0.4 s: float32 on cpu (2 CPU threads)")
        self.assertEqual(found.groups(), ("0.4", "float32 on cpu (2 CPU threads)"))

    def test_measures_a_process(self):
        script = ("echo 'loaded in 0.5 s: float32 on cpu' >&2; sleep 0.2; "
                  "echo '2 items in 0.2 s; 3 of 4 prompt tokens computed, 2 tokens generated' >&2; echo folder")
        figures = run_ours(["sh", "-c", script], timeout=60)
        self.assertGreaterEqual(figures["seconds"], 0.19)
        self.assertGreaterEqual(figures["whole_seconds"], figures["seconds"])
        self.assertEqual((figures["n_items"], figures["n_computed"], figures["log"]), (2, 3, "folder"))
        self.assertGreater(figures["peak_bytes"], 0)
        self.assertIn("code 3: no", run_ours(["sh", "-c", "echo no >&2; exit 3"], timeout=60)["failure"])
        self.assertIn("time limit", run_ours(["sleep", "60"], timeout=0.2)["failure"])
        self.assertIn("No such file", run_ours(["/nowhere/labelprobe"], timeout=1)["failure"])


class Report(unittest.TestCase):
    def test_writes_between_the_marks_of_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "README.md")
            path.write_text(f"before\n{report.MARKS[0]}\nold\n{report.MARKS[1]}\nafter\n")
            report.write_markdown(path, "new\n")
            self.assertEqual(path.read_text(), f"before\n{report.MARKS[0]}\nnew\n{report.MARKS[1]}\nafter\n")

    def test_peers_that_could_not_be_measured_say_why(self):
        figures = {"works": {"unary": {"n_queries": 2, "n_prompts": 16, "n_tokens": 1600, "n_distinct": 300, "n_new": 1,
                                       "n_new_pipeline": 18}},
                   "ours": [{"row": "main", "distribution": "unary", "turns": [
                       {"seconds": s, "whole_seconds": s + 1, "n_computed": 316, "n_generated": 32, "n_items": 16, "load_seconds": 0.5,
                        "peak_bytes": 2**30, "flop": 5e10} for s in (1.0, 2.0, 4.0)]}],
                   "peers": [{"row": "batch1", "distribution": "unary", "turns": [
                       {"all_seconds": 50.0, "n_sample": 4, "all_computed": 1600, "load_seconds": 1.0, "peak_bytes": 2**31}]}],
                   "gemm": [{"rates": {"float32": [[8, 8, 64, 1e11]]}}], "dtype": "float32", "batch": 8, "gguf_type": "Q4_1",
                   "different_first_tokens": [], "reasons": {"llama.cpp": "no compiler"}, "model": "m", "device": "cpu"}
        text = report.distribution_table(figures, "unary")
        ours = next(line for line in text if "**labelprobe**" in line).split("|")
        self.assertEqual([cell.strip() for cell in ours[2:8]], ["2.00", "3.00", "8.00", "332", "1.00", "25%"])
        one = next(line for line in text if "one at a time" in line)
        self.assertIn("25.0 (16.7)", one)
        self.assertIn("4 of 16", one)
        self.assertIn("no: no compiler", next(line for line in text if "llama.cpp" in line))


if __name__ == "__main__":
    unittest.main()
