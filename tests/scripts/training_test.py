"""The scripts of scripts/training give the program the published arguments."""
import pathlib
import tempfile
import unittest

import support

FOLDER = support.SCRIPTS / "training"


class Training(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = support.StandIn(self.folder)

    def call(self, name, *arguments, **env):
        env = {"LABELPROBE": self.program.path, "DATA_ROOT": "d", "LOG_ROOT": "l", "MODEL": "m", **env}
        return support.run(FOLDER / name, *arguments, env=env, cwd=self.folder)

    def test_trains_every_set_as_published(self):
        self.call("demux_ds.sh", "--", "--dry-run")
        calls = self.program.calls()
        self.assertEqual([call[:2] for call in calls],
                         [["demux", name] for name in ("SemEval", "GoEmotions", "MFRC", "Hatexplain", "MSPPodcast")])
        for call, epochs, length, n_coefficients in zip(calls, (30, 20, 20, 30, 30), (64, 128, 128, 64, 64), (2, 2, 2, 0, 0)):
            line = " ".join(call)
            self.assertIn(f"--num-train-epochs {epochs} --max-length {length}", line)
            self.assertEqual("--intra-loss-coef 0 0.2" in line, n_coefficients == 2)
            self.assertIn("--train-splits train --dev-splits dev --test-splits dev test", line)
            self.assertIn("--lr 2e-5 --train-batch-size 128 --eval-batch-size 256 --warmup-ratio 0.1 "
                          "--early-stopping-patience 3", line)
            self.assertIn("--model-name-or-path m", line)
            self.assertTrue(line.endswith("--log-root l/DEMUX --dry-run"))

    def test_extracts_what_the_paper_takes(self):
        self.call("demux_extract.sh", "GoEmotions", "MFRC", "MSPPodcast=mine_2")
        self.assertEqual([(call[1], call[3]) for call in self.program.calls()],
                         [("GoEmotions", "aggregate,None,None,None_1"), ("MFRC", "aggregate,None,None,None_0"),
                          ("MSPPodcast", "mine_2")])

    def test_refuses_another_set(self):
        result = self.call("demux_extract.sh", "TREC")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("unknown data set 'TREC'", result.stderr)

    def test_has_the_published_defaults(self):
        self.call("demux.py", "SemEval", "--num-train-epochs", "3")
        self.assertEqual(self.program.calls(), [["demux", "SemEval", "--num-train-epochs", "3", "--train-batch-size", "32",
                                                 "--eval-batch-size", "32", "--text-preprocessor", "false"]])
        self.call("demux.py", "SemEval", "--train-batch-size=8", "--text-preprocessor", "true")
        self.assertEqual(self.program.calls(), [["demux", "SemEval", "--train-batch-size=8", "--text-preprocessor", "true",
                                                 "--eval-batch-size", "8"]])
        self.call("extract_scores.py", "SemEval", "--experiment-name", "a_0")
        self.assertEqual(self.program.calls(), [["extract-scores", "SemEval", "--experiment-name", "a_0"]])


if __name__ == "__main__":
    unittest.main()
