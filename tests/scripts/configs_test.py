"""The configurations hold the published settings and prompts, and the program takes them."""
import json
import pathlib
import tempfile
import unittest

import support

CONFIGS = support.ROOT / "configs"

# What this file expects is written down from the published command lines and templates, not from configs/.
INPUT = "Input: `{text}`\n{label}\n\n"
ASSESSMENT = "Input: `{text}`\nAssessment: {label}\n\n"
EMOTIONS = "Classify the following inputs into none, one, or multiple the following emotions per input: {labels}."
MORALS = "Classify the following inputs into none, one, or multiple the following moral foundations per input: {labels}."
ONE = ("Classify the following inputs into one of the following options per input: {labels}. Output exactly one label and "
       "no others.\n\n")
HARMS = ("Classify the following inputs into none, one, or multiple the following harms towards the mentioned LGBTQ group: "
         "{labels}.\n\n")
HARM = ("Consider whether the following inputs present harm or not to the mentioned LGBTQ group, and answer with: {labels}."
        "\n\n")
BOXES = ("You will be presented with different settings with the contents of various boxes and the transportation of the "
         "items between the boxes. Track the position of the different items within the boxes, and when you are asked about "
         "the contents of the box, respond with the contents of the specific box only.\n\n")
MMLU = ("Answer the following multiple choice questions. Pick only one answer from the ones presented to you for that "
        "particular question by indicating its corresponding letter in the response, and that only.\n\n")
TREC = "Identify the type of information a question is seeking by assigning it to one of the categories {labels}.\n\n"
REASONABLE = ("Assess the reasonableness of the provided KIND label for each input. Namely, evaluate whether the label makes "
              "sense for its corresponding input, under some reasonable interpretation. Reply only with {labels}.\n\n")

# Data set: test splits, new tokens, sampling, label format, instruction, demonstration.
PIPELINES = {
    "GoEmotions": (["dev"], 18, "multilabel", "json", EMOTIONS + " Output exactly these emotions and no others.\n",
                   "Input: {text}\n{label}\n"),
    "MFRC": (["dev", "test"], 18, "multilabel", None, MORALS + "\n", "Input: {text}\nMoral foundation(s): {label}\n"),
    "SemEval": (["dev"], 25, "multilabel", None, EMOTIONS + "\n", "Input: {text}\n{label}\n"),
    "Hatexplain": (["test"], 18, "uniform", None, ONE, "Question: {text}\nAnswer: {label}\n\n"),
    "MSPPodcast": (["test"], 18, "uniform", None, ONE, "Question: {text}\nAnswer: {label}\n\n"),
}

# File: test splits, new tokens, label format, instruction, demonstration.
PROMPTING = {
    "GoEmotions/config.yaml": (["dev"], 30, None, EMOTIONS + "\n\n", INPUT),
    "GoEmotions/config_full_emotions.yaml": (["dev"], 30, None, EMOTIONS + "\n\n", INPUT),
    "SemEval/config.yaml": (["dev"], 30, None, EMOTIONS + "\n\n", INPUT),
    "MFRC/config.yaml": (["dev"], 30, None, MORALS + "\n\n", INPUT),
    "MSPPodcast/config.yaml": (["dev"], 15, None, "Classify the following inputs into one the following emotions per input: "
                                                  "{labels}.\n\n", INPUT),
    "Hatexplain/config.yaml": (["test"], 15, None, None, None),  # as published, without prompts of its own
    "Boxes/config.yaml": (["dev"], 30, "polysyndeton", BOXES, "Setting: {text}?\nResponse: {label}.\n\n"),
    "TREC/config.yaml": (["test"], 10, None, TREC, ASSESSMENT),
    "MMLU-Pro/config.yaml": (["dev"], 5, None, MMLU, "Question: {text}\nAnswer: {label}\n\n"),
    "QueerReclaimLex/config.yaml": (["test"], 10, None, HARMS, INPUT),
    "QueerReclaimLex/config_primer.yaml": (["test"], 10, None, HARMS, ASSESSMENT),
    "QueerReclaimLex/config_binary.yaml": (["test"], 10, None, HARM, INPUT),
    "QueerReclaimLex/config_binary_primer.yaml": (["test"], 10, None, HARM, ASSESSMENT),
}

# Task file: the configuration of the same set.
TASKS = {
    "GoEmotions/task.yaml": "GoEmotions/config.yaml",
    "GoEmotions/task_full_emotions.yaml": "GoEmotions/config_full_emotions.yaml",
    "SemEval/task.yaml": "SemEval/config.yaml",
    "MFRC/task.yaml": "MFRC/config.yaml",
    "Hatexplain/task.yaml": "Hatexplain/config.yaml",
    "MMLU-Pro/task.yaml": "MMLU-Pro/config.yaml",
    "TREC/task.yaml": "TREC/config.yaml",
    "Boxes/task.yaml": "Boxes/config.yaml",
    "QueerReclaimLex/task.yaml": "QueerReclaimLex/config.yaml",
    "QueerReclaimLex/task_ingroup.yaml": "QueerReclaimLex/config_binary.yaml",
    "MSPPodcast/task.yaml": "MSPPodcast/config.yaml",
    "MSPPodcast/task_secondary.yaml": "MSPPodcast/config.yaml",
}

# By folder of configurations: the data set's name, the small files in its format, the real ones.
DATA = {
    "GoEmotions": ("GoEmotions", "configs/example", "data/GoEmotions"),
    "MFRC": ("MFRC", "tests/fixtures/data/mfrc", "data/MFRC_synthetic_annotations"),
    "SemEval": ("SemEval", "tests/fixtures/data/sem_eval", None),
    "Hatexplain": ("Hatexplain", "tests/fixtures/data/hatexplain", "data/HateXplain"),
    "MSPPodcast": ("MSPPodcast", None, None),  # written by the test
    "Boxes": ("Boxes", "tests/fixtures/data/boxes", "data/Boxes"),
    "TREC": ("TREC", "tests/fixtures/data/trec", "data/TREC"),
    "MMLU-Pro": ("MMLUPro", "tests/fixtures/data/mmlu_pro", "data/MMLU-Pro"),
    "QueerReclaimLex": ("QueerReclaimLex", "tests/fixtures/data/queer_reclaim_lex", "data/QueerReclaimLex"),
}


def read_config(path):
    """The flat YAML that our configurations keep to: plain, quoted or [listed] values, one a line."""
    values = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, text = line.split(": ", 1)
            if text.startswith('"'):
                values[name] = json.loads(text)
            elif text.startswith("'"):
                values[name] = text[1:-1]
            elif text.startswith("["):
                values[name] = text[1:-1].split(", ")
            else:
                values[name] = text
    return values


def template(text):
    """A prompt as the program takes it: the content of the file of that name, else the text itself."""
    if text and text.startswith("configs/"):
        return (support.ROOT / text).read_text()
    return text


def write_msp_podcast(root, emotions, secondary="Happy"):
    """48 clips of two workers, the emotions in turn; every fourth is in no train split."""
    (root / "Labels").mkdir()
    texts, votes, splits = ["id,text"], ["FileName,EmoDetail"], ["FileName,Split_Set"]
    for i in range(48):
        clip = f"MSP-PODCAST_0001_{i:04}"
        texts.append(f"{clip},\"clip, number {i}\"")
        for worker in (1, 2):
            emotion = emotions[i // 4 * worker % len(emotions)]
            votes.append(f"{clip}.wav,\"WORKER{worker}; {emotion}; {secondary}; A:4.0; V:4.0; D:4.0;\"")
        splits.append(f"{clip}.wav,{('Train', 'Train', 'Development', 'Test1')[i % 4]}")
    (root / "transcripts.csv").write_text("\n".join(texts) + "\n")
    (root / "Labels/labels_detailed.csv").write_text("\n".join(votes) + "\n")
    (root / "Labels/labels_consensus.csv").write_text("\n".join(splits) + "\n")


class Configs(unittest.TestCase):
    def test_pipelines_have_the_published_settings(self):
        for name, (splits, n_tokens, sampling, label_format, instruction, incontext) in PIPELINES.items():
            config = read_config(CONFIGS / name / "pipeline.yaml")
            self.assertEqual((config["train_splits"], config["test_splits"]), (["train"], splits))
            self.assertEqual((config["shot"], config["seed"], config["max_new_tokens"]), ("10", "0", str(n_tokens)))
            self.assertEqual((config["sampling_strategy"], config.get("label_format")), (sampling, label_format))
            self.assertEqual(config["instruction_prompt"], instruction)
            self.assertEqual(config["incontext_prompt"], incontext)
            self.assertEqual(config["system_prompt"], " ")
            self.assertEqual((config["annotation_mode"], config["text_preprocessor"]), ("aggregate", "false"))
        self.assertEqual(read_config(CONFIGS / "MSPPodcast/pipeline.yaml")["annotator_labels"], "true")

    def test_plain_prompting_has_the_published_settings(self):
        for name, (splits, n_tokens, label_format, instruction, incontext) in PROMPTING.items():
            config = read_config(CONFIGS / name)
            self.assertEqual((config["train_splits"], config["test_splits"]), (["train"], splits), name)
            self.assertEqual(config["max_new_tokens"], str(n_tokens), name)
            self.assertEqual(config.get("label_format"), label_format, name)
            self.assertEqual(config["text_preprocessor"], "false", name)
            self.assertEqual(template(config.get("instruction_prompt")), instruction, name)
            self.assertEqual(template(config.get("incontext_prompt")), incontext, name)
            self.assertEqual(template(config.get("system_prompt")), None if instruction is None else "", name)

    def test_multiple_choice_shows_no_question_its_own_answer(self):
        config = read_config(CONFIGS / "MMLU-Pro/config.yaml")
        self.assertEqual(config["exclude_query"], "true")

    def test_reasonableness_has_the_published_prompts(self):
        for name, kind in (("GoEmotions", "emotion"), ("SemEval", "emotion"), ("MSPPodcast", "emotion"), ("MFRC", "moral"),
                           ("QueerReclaimLex", "harm")):
            folder = CONFIGS / name
            self.assertEqual((folder / "reasonableness_instruction.txt").read_text(), REASONABLE.replace("KIND", kind))
            self.assertEqual((folder / "reasonableness_incontext.txt").read_text(),
                             "Input: `{text}`\nLabel: {label}\nAssessment: {r}\n\n")
            config = read_config(folder / "reasonableness.yaml")
            plain = read_config(folder / "config.yaml")
            self.assertEqual(template(config["instruction_prompt"]), REASONABLE.replace("KIND", kind))
            self.assertIn("{r}", template(config["incontext_prompt"]))
            for option in ("root_dir", "train_splits", "test_splits", "max_new_tokens"):
                self.assertEqual(config[option], plain[option])

    def test_is_all_in_this_test(self):
        for path in CONFIGS.glob("*/*.yaml"):
            name = str(path.relative_to(CONFIGS))
            self.assertTrue(name in PROMPTING or path.parent.name in PIPELINES and path.name == "pipeline.yaml"
                            or path.name == "reasonableness.yaml" or path.parent.name == "example" or name in TASKS, name)


class Program(unittest.TestCase):
    """labelprobe takes each configuration on real data."""

    def setUp(self):
        if not support.PROGRAM:
            support.skip_aloud("the program is not built")

    def prompt(self, config, root, n_shots):
        """The first prompt of a configuration on the files below `root`."""
        flags = []
        if config.startswith("GoEmotions/") and "full" not in config:
            flags = ["--emotion-clustering-json", root / "emotion_clustering.json"]
        if config.startswith("SemEval/"):
            flags = ["--allow-quoted-rows"]  # one of the fixture's tweets is quoted and goes over two lines
        task = DATA[config.split("/")[0]][0]
        done = support.run(support.PROGRAM, "prompts", task, "--config", CONFIGS / config, "--root-dir", root, "--limit", 1,
                           "--shot", n_shots, *flags, cwd=support.ROOT)
        self.assertEqual(done.returncode, 0, f"{config}: {done.stderr}")
        (line,) = done.stdout.splitlines()
        return json.loads(line)["text"]

    def expect(self, text, instruction, incontext, n_shots):
        """The instruction with its labels, then the demonstrations and the query: all as far as they are fixed."""
        before, _, after = instruction.partition("{labels}")
        self.assertTrue(text.startswith(before), text)
        self.assertIn(after + incontext.split("{text}")[0], text)
        self.assertGreaterEqual(text.count("\n" + incontext.split("{text}")[0]), n_shots + 1)

    def test_makes_prompts_of_every_configuration(self):
        settings = {name: (one[3:], 2) for name, one in PROMPTING.items() if one[3] is not None}
        settings.update({f"{name}/pipeline.yaml": (one[4:], 0) for name, one in PIPELINES.items()})
        # Demonstrations and queries are the same two questions, of which one is left to show.
        settings["MMLU-Pro/config.yaml"] = (PROMPTING["MMLU-Pro/config.yaml"][3:], 1)
        for config, ((instruction, incontext), n_shots) in settings.items():
            small = DATA[config.split("/")[0]][1]
            if small:
                with self.subTest(config):
                    self.expect(self.prompt(config, support.ROOT / small, n_shots), instruction, incontext, n_shots)

    def test_makes_prompts_of_msp_podcast(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            write_msp_podcast(root, ["Happy", "Sad"])
            for config, settings in (("config.yaml", PROMPTING["MSPPodcast/config.yaml"][3:]),
                                     ("pipeline.yaml", PIPELINES["MSPPodcast"][4:])):
                text = self.prompt(f"MSPPodcast/{config}", root, 10)
                self.expect(text, *settings, 10)
                self.assertIn("happy and sad", text)

    def test_makes_prompts_of_real_data(self):
        settings = {f"{name}/pipeline.yaml": one[4:] for name, one in PIPELINES.items()}
        settings.update({f"{name}/config.yaml": PROMPTING[f"{name}/config.yaml"][3:]
                         for name in ("Boxes", "TREC", "MMLU-Pro", "QueerReclaimLex")})
        for config, (instruction, incontext) in settings.items():
            real = DATA[config.split("/")[0]][2]
            if real:
                with self.subTest(config):
                    self.expect(self.prompt(config, support.shared(real), 10), instruction, incontext, 10)

    def expect_same_prompts(self, task, config, root, n_shots, train_split, of_set):
        """A task file and the set's name with its configuration."""
        name = DATA[task.split("/")[0]][0]
        flags = ["--root-dir", root, "--shot", n_shots, "--limit", 40, "--allow-quoted-rows", "--train-splits", train_split]
        with self.subTest(task):
            mine = support.run(support.PROGRAM, "prompts", CONFIGS / task, *flags, cwd=support.ROOT)
            theirs = support.run(support.PROGRAM, "prompts", name, "--config", CONFIGS / config, *flags, *of_set,
                                 cwd=support.ROOT)
            self.assertEqual(mine.returncode, 0, mine.stderr)
            self.assertTrue(mine.stdout)
            self.assertEqual(mine.stdout, theirs.stdout)

    def test_task_files_make_the_prompts_of_their_configurations(self):
        for task, config in TASKS.items():
            name, small, real = DATA[task.split("/")[0]]
            if not small:
                continue
            n_shots, root = (5, support.shared(real)) if real else (1, support.ROOT / small)
            of_set = ["--emotion-clustering-json", root / "emotion_clustering.json"] if config == "GoEmotions/config.yaml" else []
            # The real files know no annotators of HateXplain's train split; those of others take longer.
            self.expect_same_prompts(task, config, root, n_shots, "train" if name == "QueerReclaimLex" else "dev", of_set)

    def test_task_files_make_the_prompts_of_msp_podcast(self):
        for task, of_set in (("task.yaml", []), ("task_secondary.yaml", ["--multilabel"])):
            with tempfile.TemporaryDirectory() as folder:
                write_msp_podcast(pathlib.Path(folder),
                                  ["Happy", "Sad", "Angry", "Contempt", "Disgust", "Fear", "Neutral", "Surprise"],
                                  "Amused,Angry,Annoyed,Concerned,Confused,Contempt,Depressed,Disappointed,Disgust,Excited,Fear,"
                                  "Frustrated,Happy,Sad,Surprise,Other-so, and so")
                self.expect_same_prompts(f"MSPPodcast/{task}", TASKS[f"MSPPodcast/{task}"], folder, 5, "train", of_set)

    def test_resolves_the_published_command_lines(self):
        if not pathlib.Path(support.MODEL).exists():
            support.skip_aloud("the small model is not there (scripts/get_model.sh)")
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder)
            for link, real in (("goemotions", "GoEmotions"), ("mfrc", "MFRC_synthetic_annotations"), ("HateXplain", "HateXplain")):
                (data / link).symlink_to(support.shared(f"data/{real}"))
            env = {"DATA_ROOT": data, "LOG_ROOT": data / "logs", "ID_ROOT": support.shared("prob_distr_ids"),
                   "LABELPROBE": support.PROGRAM}
            for name, task in (("goemotions", "GoEmotions"), ("MFRC", "MFRC"), ("hate", "Hatexplain")):
                with self.subTest(task):
                    done = support.run(support.SCRIPTS / f"prob_distr/pipeline-{name}.sh", "baseline", "main_test_set", "cpu",
                                       support.MODEL, "0", "--", "--dry-run", "--limit", "1", env=env, cwd=folder)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    folder_name = "main_test_set/baseline/" + support.MODEL.replace("/", "--") + "_0"
                    self.assertIn(folder_name, done.stdout)


if __name__ == "__main__":
    unittest.main()
