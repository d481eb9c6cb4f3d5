"""Pages of labelprobe report, in a Chromium without a window: their data, hostile texts, keys, links, colours and narrow windows.

Without a Chromium (Debian: apt-get install chromium) only what needs none is tested.
"""
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import support

sys.path.insert(0, str(support.SCRIPTS))
import browser
import check_report
from report_logs import HOSTILE, LABELS, as_yaml, make_looks, write_log

DATA = ("--root-dir", "configs/example", "--emotion-clustering-json", "configs/example/emotion_clustering.json",
        "--test-splits", "dev")


def program(*arguments):
    return subprocess.run([support.PROGRAM, *arguments], cwd=support.ROOT, capture_output=True, text=True, timeout=120, check=False)


def softmax(logits):
    powers = [math.exp(logit) for logit in logits]
    return [power / sum(powers) for power in powers]


def luminance(colour):
    parts = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


class WithPage(unittest.TestCase):
    """Two runs of hostile texts, a published one, and a picture on a page."""

    @classmethod
    def setUpClass(cls):
        if not support.PROGRAM:
            support.skip_aloud("there is no program in this build")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.logs = [cls.folder / "logs/GoEmotions" / name for name in ("one_0", "two_0")]
        cls.entries = [write_log(log, n_items) for log, n_items in zip(cls.logs, (40, 30))]
        cls.looks = make_looks(cls.entries[0])
        cls.looks_file = cls.folder / "looks.jsonl"
        cls.looks_file.write_text("".join(json.dumps(line) + "\n" for line in cls.looks[:20]), encoding="utf-8")
        (cls.folder / "picture.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>window.broken = 1</script></svg>")
        cls.page = cls.folder / "page.html"
        unary = support.ROOT / "tests/fixtures/align/logs/GoEmotions/small/unary/tiny--model_0"
        made = program("report", *cls.logs, unary, "--out", cls.page, "--figures", cls.folder / "picture.svg", "--title", HOSTILE,
                       "--inspection", cls.looks_file)
        assert made.returncode == 0, made.stderr
        cls.notes = made.stderr


def write_soft_log(folder):
    """A log of a table with shares of people for its items, none of annotators. Returns log, task file and shares."""
    log = folder / "logs/soft/one_0"
    entries = write_log(log, 12)
    settings = {"distribution": "baseline", "model_name_or_path": "tiny", "test_splits": ["dev"], "shot": 0, "seed": 0}
    (log / "params.yml").write_text(f"experiment_0: {as_yaml(settings)}\n", encoding="utf-8")
    rows = [[key, "a text", *(((place + k) % 5 / 4) for k in range(7))] for place, key in enumerate(entries)]
    (folder / "soft.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in [["id", "text", *LABELS[:7]], *rows]))
    (folder / "soft.yaml").write_text(f"files: {{dev: soft.csv}}\nid: id\ntext: text\nlabels: {{columns: [{', '.join(LABELS[:7])}]}}\n")
    return log, folder / "soft.yaml", {row[0]: row[2:] for row in rows}


class Data(WithPage):
    def test_the_data_are_those_of_the_logs(self):
        data = check_report.read_page(self.page)
        for run, entries in zip(data["runs"], self.entries):
            problems, n_compared = check_report.compare_run(run, entries)
            self.assertEqual(problems, [])
            self.assertGreater(n_compared, 700)

    def test_votes_are_those_of_the_data_set(self):
        votes = check_report.read_page(self.page)["votes"][0]
        made = program("distributions", "GoEmotions", self.logs[0], *DATA, "--out", self.folder / "d.csv",
                       "--votes", self.folder / "votes.jsonl")
        self.assertEqual(made.returncode, 0, made.stderr)
        lines = [json.loads(line) for line in (self.folder / "votes.jsonl").read_text().splitlines()]
        shown = dict(zip(votes["examples"], votes["of"]))
        self.assertEqual(len(lines), 40)
        for line in lines:
            self.assertEqual(shown[line["id"]][0], line["n_annotators"])
            for label, share in zip(votes["labels"], shown[line["id"]][1:]):
                self.assertAlmostEqual(share, line["shares"][label], delta=5e-4)

    def test_soft_labels_are_shares_of_no_annotators(self):
        log, task, shares = write_soft_log(self.folder)
        page = self.folder / "soft.html"
        made = program("report", log, "--out", page, "--task", task)
        self.assertEqual(made.returncode, 0, made.stderr)
        votes = check_report.read_page(page)["votes"][0]
        self.assertTrue(votes["are_shares"])
        self.assertEqual(dict(zip(votes["examples"], votes["of"])), {key: [None, *row] for key, row in shares.items()})
        self.assertFalse(check_report.read_page(self.page)["votes"][0]["are_shares"])
        shown = program("distributions", task, log, "--test-splits", "dev", "--out", self.folder / "soft_d.csv",
                        "--votes", self.folder / "soft.jsonl")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for line in (self.folder / "soft.jsonl").read_text().splitlines():
            self.assertIsNone(json.loads(line)["n_annotators"])

    def test_data_that_have_moved_are_found_where_a_setting_says(self):
        page = self.folder / "moved.html"
        command = [support.PROGRAM, "report", self.logs[0], "--out", page]
        made = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        self.assertIn("There are no votes: ", made.stderr)
        self.assertEqual(check_report.read_page(page)["votes"], [])
        example = support.ROOT / "configs/example"
        subprocess.run([*command, "--setting", f"root_dir={example}", f"emotion-clustering-json={example}/emotion_clustering.json",
                        "--limit", "3"], cwd=self.folder, capture_output=True, check=True)
        data = check_report.read_page(page)
        self.assertEqual([votes[0] > 0 for votes in data["votes"][0]["of"]], [True] * 3)
        self.assertEqual((len(data["runs"][0]["items"]), data["runs"][0]["n_items"]), (3, 40))

    def test_what_was_seen_inside_is_that_of_inspect(self):
        run = check_report.read_page(self.page)["runs"][0]
        items = {item["id"]: item for item in run["items"]}
        n_steps = 0
        for place, line in enumerate(self.looks):
            item = items[line["id"]]
            self.assertEqual("inside" in item, place < 20 and "failure" not in line)
            for shown, seen in zip(item.get("inside", []), line.get("steps", []), strict=place < 20):
                n_steps += 1
                self.assertEqual(run["label_lists"][shown["labels"]], line["labels"])
                written = max(range(8), key=lambda k: seen["logits"][k])
                self.assertEqual(shown["written"], written)
                for found, logits in zip([*shown["lens"], *(part["without"] for part in shown["parts"])],
                                         [*seen["lens"], *(part["knocked_out"] for part in seen["text_parts"])], strict=True):
                    for thousandths, p in zip(found, softmax(logits), strict=True):
                        self.assertAlmostEqual(thousandths, 1000 * p, delta=0.51)
                self.assertEqual(shown["ranks"], [ranks[written] for ranks in seen["lens_ranks"]])
                beyond = [row[written] - sum(row) / len(row) for row in seen["parts"]]
                for found, part in (("attention", beyond[1::2]), ("mlp", beyond[2::2])):
                    for hundredths, added in zip(shown[found], part, strict=True):
                        self.assertAlmostEqual(hundredths, 100 * added, delta=0.51)
                for found, part in zip(shown["parts"], seen["text_parts"], strict=True):
                    self.assertEqual((found["name"], found["n_tokens"], found["attention"]), (part["name"], 4, 0.375))
                    self.assertAlmostEqual(found["adds"], sum(row[written] - sum(row) / len(row) for row in part["adds"]), delta=2e-3)
        self.assertGreater(n_steps, 30)

    def test_items_of_annotators_are_listed_and_in_no_table(self):
        log = self.folder / "logs/GoEmotions/voted_0"
        entries = write_log(log, 5)
        of_annotators = {name: {key: entry | {"test_gt": ["fear"]} for key, entry in list(entries.items())[:2]} for name in ("r1", "r2")}
        lines = ["experiment_0:"]
        for name, of_one in of_annotators.items():
            lines += [f"  {name}:", *(f"    {key}: {as_yaml(entry)}" for key, entry in of_one.items())]
        (log / "annotator_preds.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        page = self.folder / "voted.html"
        made = program("report", log, "--out", page)
        self.assertEqual(made.returncode, 0, made.stderr)
        run = check_report.read_page(page)["runs"][0]
        found = [(item["id"], item.get("annotator"), item["gold"]) for item in run["items"][5:]]
        self.assertEqual(found, [(f"{key}__{name}", name, ["fear"]) for name, of_one in of_annotators.items() for key in of_one])
        self.assertEqual(run["n_items"], 9)
        self.assertIn("4 items of single annotators are listed too", page.read_text(encoding="utf-8"))

    def test_a_dry_run_tells_what_a_page_would_show(self):
        made = program("report", *self.logs, "--inspection", self.looks_file, "--dry-run")
        self.assertEqual(made.returncode, 0, made.stderr)
        rows = [line.split() for line in made.stdout.splitlines()]
        self.assertEqual([row[-2:] for row in rows if any(word.endswith("one_0,") for word in row)], [["40", "19"]])
        page = self.folder / "dry.html"
        self.assertEqual(program("report", *self.logs, "--inspection", self.looks_file, "--out", page).returncode, 0)
        told = float(re.search(r"about ([\d.]+) MB", made.stdout)[1])
        self.assertAlmostEqual(told, page.stat().st_size / 1e6, delta=0.06)

    def test_messages(self):
        log, page = self.logs[0], self.folder / "none.html"
        (self.folder / "empty").mkdir(exist_ok=True)
        for arguments, said in (((log, log, "--out", page), "expected each run once, found twice"),
                                ((log, "--out", page, "--setting", "root_dir"), "--setting: expected NAME=VALUE"),
                                ((log, "--out", page, "--figures", self.folder / "empty"), "no .svg file is in it"),
                                ((log, "--out", page, "--task", "GoEmotion"), "GoEmotions"),
                                ((log,), "--out is required")):
            made = program("report", *arguments)
            self.assertEqual((made.returncode, page.exists()), (2, False), made.stderr)
            self.assertIn(said, made.stderr)
        self.assertEqual(program("report", self.folder / "logs", "--out", page).returncode, 3)
        other = self.folder / "other.jsonl"
        for line, said in (({"id": "nobody", "answer": "", "labels": [], "steps": []}, "expected items of the runs, with their answers"),
                           ({"id": "a"}, "other.jsonl:1: ")):
            other.write_text(json.dumps(line) + "\n")
            made = program("report", log, "--out", page, "--inspection", other)
            self.assertEqual((made.returncode, page.exists()), (3, False), made.stderr)
            self.assertIn(said, made.stderr)

    def test_what_is_missing_is_said(self):
        self.assertIn("the log does not tell the options of labelprobe", self.notes)  # of the published program's log
        self.assertIn("prompts are left out", self.notes)


class InBrowser(WithPage):
    @classmethod
    def setUpClass(cls):
        if not browser.find_browser():
            support.skip_aloud("there is no Chromium (Debian: apt-get install chromium)")
        super().setUpClass()
        cls.browser = cls.enterClassContext(browser.Browser())

    def open(self, fragment="", width=1280, height=900, is_dark=False):
        self.browser.problems.clear()
        self.browser.resize(width, height)
        self.browser.set_dark(is_dark)
        self.browser.open(self.page, fragment)
        self.browser.wait_for("document.getElementById('filters').hidden === false")

    def value(self, expression):
        return self.browser.run(expression)

    def chosen(self):
        """The item that is open."""
        return self.value("document.querySelector('#item h3').textContent")

    def listed(self):
        return self.value("[...document.querySelectorAll('.row .first span:first-child')].map((one) => one.textContent)")

    def fill(self, name, value, event="change"):
        self.value(f"(() => {{ const field = document.getElementById('filters').elements[{json.dumps(name)}]; "
                   f"field.value = {json.dumps(value)}; field.dispatchEvent(new Event('{event}')); }})()")

    def tearDown(self):
        self.assertEqual(self.browser.problems, [])

    def test_hostile_texts_are_texts(self):
        ids = list(self.entries[0])
        for run in (0, 1, 2):
            self.open(f"#items?run={run}&beside={(run + 1) % 3}")
            self.assertIsNone(self.value("window.broken ?? null"))
        for place in (1, 3, 4):
            self.open(f"#items?item={ids[place]}")
            self.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            self.assertIsNone(self.value("window.broken ?? null"))
        self.open(f"#items?item={ids[1]}")
        self.assertEqual(self.value("document.querySelector('#item .text').textContent"), HOSTILE)
        self.assertEqual(self.value("document.querySelector('h1').textContent"), HOSTILE)
        self.assertEqual(self.value("document.querySelectorAll('script').length"), 2)

    def test_soft_labels_are_not_called_votes(self):
        log, task, _ = write_soft_log(self.folder)
        page = self.folder / "soft_shown.html"
        made = program("report", log, "--out", page, "--task", task)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.browser.problems.clear()
        self.browser.open(page, "#items")
        self.browser.wait_for("document.getElementById('filters').hidden === false")
        self.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        shown = self.value("document.querySelector('#item').innerText")
        self.assertIn("soft labels and label steps", shown.lower())
        self.assertNotIn("annotators", shown)
        self.assertNotIn("votes", shown)
        groups = self.value("[...document.querySelectorAll('#filters optgroup')].map((one) => one.label)")
        self.assertIn("Soft labels", groups)
        self.assertNotIn("Votes", groups)
        self.assertIn("soft labels, mean", self.value("document.body.textContent"))

    def test_nothing_is_asked_of_a_network(self):
        self.open()
        self.assertEqual([one for one in self.browser.requests if not one.startswith(("file:", "data:"))], [])
        self.assertEqual(sum(one.startswith("file:") for one in self.browser.requests), 1)

    def test_the_head_needs_no_script(self):
        self.open()
        shown = self.value("document.querySelector('main').innerText")
        for text in ("The runs", "Against the votes", "Compare-to-None", "Base rate", "How far it can be trusted",
                     "1 of 40 items failed."):
            self.assertIn(text, shown)
        static = self.page.read_text(encoding="utf-8")
        self.assertLess(static.index("Base rate"), static.index('id="data"'))

    def test_filters_and_orders(self):
        self.open()
        state = "document.getElementById('state').textContent"
        self.assertEqual(self.value(state), "40 of 40 items")
        self.fill("show", "failed")
        self.assertEqual(self.listed(), [list(self.entries[0])[4]])
        self.fill("show", "all")
        self.fill("text", "TEA word", "input")
        self.assertEqual(self.value(state), "10 of 40 items")
        self.fill("text", "", "input")
        self.fill("label", "joy")
        self.fill("in", "gold")
        gold = [key for key, entry in self.entries[0].items() if "joy" in entry["test_gt"]]
        self.assertEqual(self.listed(), gold)
        self.fill("label", "")
        self.fill("sort", "p.fear")
        self.fill("down", "1")
        fear = {key: entry["test_all_scores"][0]["fear"] for key, entry in self.entries[0].items() if "test_all_scores" in entry}
        self.assertAlmostEqual(fear[self.listed()[0]], max(fear.values()))
        # Bounds of the number that is sorted by.
        self.value("[...document.querySelectorAll('#filters button')].find((one) => one.textContent.startsWith('Add')).click()")
        self.fill("least0", "0.15", "input")
        self.fill("most0", "0.2", "input")
        within = sum(0.15 <= round(value, 4) <= 0.2 for value in fear.values())
        self.assertEqual(self.value(state), f"{within} of 40 items")
        self.assertGreater(within, 1)

    def test_what_was_seen_inside_is_drawn(self):
        key = list(self.entries[0])[2]
        self.open(f"#items?item={key}&show=inside")
        self.assertEqual(self.value("document.getElementById('state').textContent"), "19 of 40 items")
        self.value("document.querySelectorAll('#item details').forEach((one) => { one.open = true; })")
        shown = self.value("document.querySelector('#item').innerText")
        for text in ("Inside the model", "Step 1: ", "Step 3: ", "written here", "What each layer adds to", "first token", "the item's text"):
            self.assertIn(text, shown)
        # Two layers of attention and MLP at each of three steps.
        self.assertEqual(self.value("document.querySelectorAll('#item .charts rect').length"), 12)

    def test_links_hold_the_state(self):
        self.open()
        self.fill("sort", "entropy")
        self.fill("text", "plain", "input")
        self.browser.press("j")
        link, item, listed = self.value("location.hash"), self.chosen(), self.listed()
        self.assertIn("sort=entropy", link)
        self.assertIn("text=plain", link)
        self.open(link)
        self.assertEqual((self.chosen(), self.listed()), (item, listed))
        self.open("#items?run=7&sort=nonsense&item=nobody&where=x~~&beside=9")  # of another file
        self.assertEqual(self.chosen(), list(self.entries[0])[0])

    def test_keys(self):
        ids = list(self.entries[0])
        self.open("#items?")
        self.browser.press("j")
        self.assertEqual(self.chosen(), ids[1])
        self.browser.press("k")
        self.assertEqual(self.chosen(), ids[0])
        self.browser.press("/")
        self.assertEqual(self.value("document.activeElement.name"), "text")
        self.browser.press("j")  # a letter there
        self.assertEqual(self.value("document.activeElement.value"), "j")
        self.fill("text", "", "input")
        self.browser.press("Escape")
        self.assertEqual(self.value("document.activeElement.id"), "list")
        self.browser.press("ArrowDown")
        self.browser.press("End")
        self.assertEqual(self.chosen(), ids[-1])
        self.assertEqual(self.value("document.getElementById(document.getElementById('list').getAttribute('aria-activedescendant'))"
                                    ".getAttribute('aria-posinset')"), "40")
        self.browser.press("Home")
        self.assertEqual(self.chosen(), ids[0])
        self.browser.press("Enter")
        self.assertEqual(self.value("document.activeElement.id"), "item")
        self.browser.press("Escape")
        self.browser.press("Tab")
        self.assertTrue(self.value("document.activeElement.matches(':focus-visible')"))

    def test_only_rows_in_sight_are_in_the_page(self):
        self.open(height=600)
        self.assertLess(len(self.listed()), 25)
        self.value("document.getElementById('list').scrollTop = 1e6")
        self.browser.wait_for(f"document.querySelector('#rows').innerText.includes('{list(self.entries[0])[-1]}')")

    def test_two_runs_side_by_side(self):
        key = list(self.entries[0])[0]
        self.open(f"#items?beside=1&item={key}")
        shown = self.value("document.getElementById('item').innerText")
        for text in ("First label step, both runs", "Run 1: ", "one_0", "Run 2: ", "two_0", "difference"):
            self.assertIn(text, shown)
        ours, theirs = (entries[key]["test_all_scores"][0]["joy"] for entries in self.entries)
        row = self.value("[...document.querySelectorAll('#item table')][0].rows[1].innerText")
        self.assertEqual(row.split()[-3:], [f"{ours:.3f}", f"{theirs:.3f}", "0"])
        # A run that asks in another way has its estimates and its questions there.
        self.open(f"#items?beside=2&item={key}")
        shown = self.value("document.querySelector('.beside > div:last-child').innerText")
        self.assertIn("8 questions about this example", shown)

    def test_contrasts_in_light_and_dark(self):
        for is_dark in (False, True):
            self.open(is_dark=is_dark)
            colour = {name: self.value(f"(() => {{ const one = document.createElement('i'); one.style.color = 'var(--{name})'; "
                                       "document.body.append(one); return getComputedStyle(one).color; })()")
                      for name in ("paper", "raised", "chosen", "ink", "faint", "link", "alarm", "model", "votes", "third", "fourth")}
            for text in ("ink", "faint", "link", "alarm"):
                for ground in ("paper", "raised", "chosen"):
                    self.assertGreaterEqual(contrast(colour[text], colour[ground]), 4.5, f"{text} on {ground}, dark: {is_dark}")
            for mark in ("model", "votes", "third", "fourth"):
                self.assertGreaterEqual(contrast(colour[mark], colour["paper"]), 3, f"{mark}, dark: {is_dark}")
            self.assertEqual(luminance(colour["paper"]) < 0.1, is_dark)

    def test_narrow_windows_do_not_scroll_sideways(self):
        for fragment in ("", "#items?beside=1", "#items?run=2"):
            self.open(fragment, width=400)
            self.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            self.assertLessEqual(self.value("document.documentElement.scrollWidth"), 400)


if __name__ == "__main__":
    unittest.main()
