"""paper_tables.sh runs each cell once, skips what is finished, and says what is missing and why."""
import json
import pathlib
import tempfile
import unittest

import support


class PaperTables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = support.StandIn(self.folder)
        for mark in ("goemotions/emotions.txt", "HateXplain/post_id_divisions.json", "mfrc/splits.yaml"):
            (self.folder / "data" / mark).mkdir(parents=True)
        for task in ("GoEmotions", "MFRC", "Hatexplain", "MSPPodcast"):
            (self.folder / "ids" / task).mkdir(parents=True)
            (self.folder / "ids" / task / "main_test_set.txt").write_text("a\n")

    def call(self, *arguments, **env):
        env = {"DATA_ROOT": self.folder / "data", "LOG_ROOT": self.folder / "logs", "ID_ROOT": self.folder / "ids",
               "LABELPROBE": self.program.path, **env}
        return support.run(support.SCRIPTS / "paper_tables.sh", *arguments, env=env, cwd=self.folder)

    def cells(self):
        """What was run, in order, and what was aligned."""
        calls = self.program.calls()
        runs = [f"{args[1]}/{args[args.index('--distribution') + 1]}" for args in calls if args[0] == "run"]
        return runs, [args for args in calls if args[0] == "align"]

    def test_runs_every_cell_once(self):
        done = self.call("--items", "5", "org/Llama-8B")
        runs, aligned = self.cells()
        self.assertEqual(runs, [f"{task}/{distribution}" for task in ("GoEmotions", "MFRC", "Hatexplain")
                                for distribution in ("baseline", "unary", "binary")])
        self.assertEqual([args[1] for args in aligned], ["GoEmotions", "MFRC", "Hatexplain"])
        self.assertEqual(aligned[0][2:5], [f"{self.folder}/logs/GoEmotions/main_test_set/{distribution}/org--Llama-8B_0_5"
                                           for distribution in ("baseline", "unary", "binary")])
        self.assertEqual(aligned[0][aligned[0].index("--paper") + 1], "table5")
        # MSPPodcast is not there: said, and told by the exit code.
        self.assertEqual(done.returncode, 1)
        report = (self.folder / "logs/tables/main_test_set-5.md").read_text()
        self.assertEqual(done.stdout, report)
        for line in ("| method of MFRC |", "- MSPPodcast/unary: no data of MSPPodcast below"):
            self.assertIn(line, report)

        again = self.call("--items", "5", "org/Llama-8B")
        runs, aligned = self.cells()
        self.assertEqual((runs, len(aligned)), ([], 3), "finished cells are not run again")
        self.assertEqual(again.stdout, report)

        self.call("--items", "6", "--cells", "MFRC/unary", "org/Llama-8B")
        self.assertTrue((self.folder / "logs/tables/main_test_set-6-MFRC-unary.md").is_file())
        self.assertEqual(self.cells()[0], ["MFRC/unary"], "other settings are another run")

    def test_takes_cells_and_flags(self):
        done = self.call("--cells", "GoEmotions,unary", "--paper", "none", "--answer", "greedy,healed", "--bootstrap", "10",
                         "--scores", "GoEmotions/BERT=b.yml", "--gpu", "cpu", "model", "--", "--model-dtype", "bfloat16")
        calls = self.program.calls()
        run, align = calls[0], next(args for args in calls if args[0] == "align")
        self.assertEqual(run[-3:], ["--disable-tqdm", "--model-dtype", "bfloat16"])
        self.assertNotIn("--paper", align)
        self.assertEqual(align[-9:], ["--bootstrap", "10", "--answer", "greedy", "healed", "--scores", "BERT=b.yml",
                                      "--format", "markdown"])
        self.assertNotIn("MFRC/binary", done.stderr)
        self.call("--cells", "GoEmotions/unary", "--gpu", "cpu", "model", "--", "--model-dtype", "bfloat16")
        self.assertEqual(self.cells()[0], [], "the same flags are the same run")
        self.call("--cells", "GoEmotions/unary", "--gpu", "cpu", "model", "--", "--model-dtype", "float16")
        self.assertEqual(self.cells()[0], ["GoEmotions/unary"], "other flags are another run")

    def test_an_unfinished_run_goes_on(self):
        self.call("--cells", "Hatexplain/baseline", "model", STAND_IN_STATE="running")
        self.assertEqual(self.cells(), (["Hatexplain/baseline"], []))
        done = self.call("--cells", "Hatexplain/baseline", "model")
        self.assertEqual((done.returncode, self.cells()[0]), (0, ["Hatexplain/baseline"]))

    def test_says_why_a_cell_is_missing(self):
        done = self.call("--cells", "MFRC", "model", STAND_IN_REFUSES="MFRC/unary")
        runs, aligned = self.cells()
        self.assertEqual((done.returncode, runs, len(aligned)), (1, ["MFRC/baseline", "MFRC/unary", "MFRC/binary"], 1))
        self.assertIn("- MFRC/unary: the stand-in refuses MFRC/unary (exit code 1)", done.stdout)
        self.assertEqual(len(aligned[0][2:aligned[0].index("--config")]), 2)

    def test_says_that_items_may_have_failed(self):
        done = self.call("--cells", "MFRC/unary", "model", STAND_IN_CODE="1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the run ended with exit code 1, so some of its items may have failed", done.stdout)
        self.assertIn("| method of MFRC |", done.stdout)

    def test_passes_over_damaged_manifests(self):
        below = self.folder / "logs/MFRC/main_test_set/unary/broken_0"
        below.mkdir(parents=True)
        (below / "manifest.json").write_text(json.dumps({"experiments": 3}))
        self.assertEqual(self.call("--cells", "MFRC/unary", "model").returncode, 0)

    def test_refuses_with_a_reason(self):
        for arguments, reason in (
                ((), "expected at least one model"),
                (("--cells", "GoEmotion", "m"), "--cells: unknown 'GoEmotion'"),
                (("--items", "0", "m"), "--items: expected a number of examples, found '0'"),
                (("--paper", "2", "m"), "--paper: expected table1, table5 or none, found '2'"),
                (("--scores", "BERT=b.yml", "m"), "--scores: expected SET/NAME=FILE"),
                (("--seed", "-1", "m"), "--seed: expected one seed"),
                (("--nothing", "m"), "unknown flag '--nothing'")):
            done = self.call(*arguments)
            self.assertEqual((done.returncode, self.program.calls()), (1, []))
            self.assertIn(reason, done.stderr)


if __name__ == "__main__":
    unittest.main()
