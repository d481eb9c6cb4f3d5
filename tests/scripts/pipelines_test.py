"""The pipelines give the program the published arguments, from any folder."""
import pathlib
import tempfile
import unittest

import support

# As published, by script: data set, folder below the data root, a file in it, default model.
PIPELINES = {
    "goemotions": ("GoEmotions", "goemotions", "emotions.txt", "meta-llama/Llama-3.3-70B-Instruct"),
    "MFRC": ("MFRC", "mfrc", "splits.yaml", "meta-llama/Llama-2-7b-chat-hf"),
    "semeval": ("SemEval", "semeval2018task1", "English/E-c", "meta-llama/Llama-2-7b-chat-hf"),
    "hate": ("Hatexplain", "HateXplain", "post_id_divisions.json", "meta-llama/Llama-2-7b-chat-hf"),
    "MSP": ("MSPPodcast", "MSP-Podcast-1.11", "transcripts.csv", "meta-llama/Llama-2-7b-chat-hf"),
}


def script(name):
    return support.SCRIPTS / "prob_distr" / f"pipeline-{name}.sh"


class Pipelines(unittest.TestCase):
    def setUp(self):
        if not support.PROGRAM:
            support.skip_aloud("the program is not there")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = support.StandIn(self.folder)
        for task, data, mark, _ in PIPELINES.values():
            (self.folder / "data" / data / mark).mkdir(parents=True)
            (self.folder / "ids" / task).mkdir(parents=True)
            (self.folder / "ids" / task / "list.txt").write_text("a\n")

    def call(self, name, *arguments, **env):
        env = {"DATA_ROOT": self.folder / "data", "LOG_ROOT": self.folder / "logs", "ID_ROOT": self.folder / "ids",
               "LABELPROBE": self.program.path, **env}
        return support.run(script(name), *arguments, env=env, cwd=self.folder)

    def test_gives_the_published_arguments(self):
        for name, (task, data, _, model) in PIPELINES.items():
            done = self.call(name, "unary", "list", "3")
            self.assertEqual(done.returncode, 0, done.stderr)
            (args,) = self.program.calls()
            root = f"{self.folder}/data/{data}"
            expected = ["run", task, "--config", f"{support.ROOT}/configs/{task}/pipeline.yaml", "--root-dir", root]
            if task == "GoEmotions":
                expected += ["--emotion-clustering-json", f"{root}/emotion_clustering.json"]
            expected += ["--test-ids-filename", f"{self.folder}/ids/{task}/list.txt", "--distribution", "unary",
                         "--alternative-experiment-name", "list/{distribution}/{model_name_or_path}"]
            if task != "GoEmotions":
                expected += ["--trust-remote-code"]
            expected += ["--model-name-or-path", model, "--device", "cuda:3", "--seed", "0", "--log-root", f"{self.folder}/logs",
                         "--accelerate", "--logging-level", "debug", "--load-in-4bit"]
            self.assertEqual(args, expected)

    def test_takes_model_seed_and_flags_of_the_program(self):
        self.call("hate", "multilabel_icl", "list", "cpu", "some/model", "7", "--", "--limit", "5", "--system-prompt", "a  b")
        (args,) = self.program.calls()
        self.assertEqual(args[args.index("--distribution") + 1], "multilabel_ICL")
        self.assertEqual(args[args.index("--model-name-or-path") + 1], "some/model")
        self.assertEqual(args[args.index("--device") + 1], "cpu")
        self.assertEqual(args[args.index("--seed") + 1], "7")
        self.assertEqual(args[-6:], ["{", "--limit", "5", "--system-prompt", "a  b", "}"])

    def test_flags_may_keep_the_weights_otherwise(self):
        for flags in (["--quant", "none"], ["--quant=nf4"], ["--load-in-8bit"], ["--load_in_4bit"]):
            self.call("goemotions", "unary", "list", "cpu", "model", "--", *flags)
            (args,) = self.program.calls()
            self.assertEqual(args[args.index("debug") + 1:], ["{", *flags, "}"])

    def test_takes_the_path_of_an_id_list(self):
        (self.folder / "own list.txt").write_text("a\n")
        self.call("MFRC", "baseline", "own list.txt", "cpu")
        (args,) = self.program.calls()
        self.assertEqual(args[args.index("--test-ids-filename") + 1], "own list.txt")
        self.assertEqual(args[args.index("--alternative-experiment-name") + 1], "own list/{distribution}/{model_name_or_path}")

    def test_finds_the_data_under_its_other_names(self):
        for task, data, mark, _ in PIPELINES.values():
            (self.folder / "data" / data / mark).rmdir()
        for name, folder in (("goemotions", "GoEmotions/emotions.txt"), ("semeval", "SemEval/English/E-c"),
                             ("MSP", "MSPPodcast/transcripts.csv"), ("hate", "hatexplain/post_id_divisions.json")):
            (self.folder / "data" / folder).mkdir(parents=True)
            self.call(name, "baseline", "list", "cpu")
            (args,) = self.program.calls()
            self.assertEqual(args[args.index("--root-dir") + 1], f"{self.folder}/data/{folder.split('/')[0]}")

    def test_hands_on_the_exit_code(self):
        self.assertEqual(self.call("MSP", "binary", "list", "cpu", STAND_IN_CODE="3").returncode, 3)

    def test_refuses_with_a_reason(self):
        for arguments, reason, code in (
                (("baseline",), "expected 3 to 5 arguments, found 1", 2),
                (("baseline", "list", "0", "m", "0", "more"), "expected 3 to 5 arguments, found 6", 2),
                (("baseline", "list", "0", "m", "vllm"), "there is no vLLM variant", 2),
                (("baseline", "list", "0", "m", "1.5"), "--seed: expected one integer, found '1.5'", 2),
                (("multilabel", "list", "0"), "unknown cell 'GoEmotions/multilabel'", 2),
                (("baseline", "list", "0,1"), "GPU: expected cpu or the number of one GPU, found '0,1'", 1),
                (("baseline", "other", "0"), "no id list", 1)):
            done = self.call("goemotions", *arguments)
            self.assertEqual((done.returncode, self.program.calls()), (code, []), arguments)
            self.assertIn(reason, done.stderr)
        done = self.call("goemotions", "baseline", "list", "0", DATA_ROOT=self.folder / "nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("scripts/get_data.sh", done.stderr)
        done = self.call("goemotions", "baseline", "list", "0", LABELPROBE=self.folder / "nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("scripts/build.sh", done.stderr)

    def test_explains_itself(self):
        done = self.call("semeval", "-h")
        self.assertEqual(done.returncode, 0)
        for word in ("DISTRIBUTION ID_LIST GPU [MODEL] [SEED]", "SemEval", "multilabel_ICL", "DATA_ROOT", "LOG_ROOT"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main()
