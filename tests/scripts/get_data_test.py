"""get_data.sh: folders and servers as mirrors, interrupted downloads, files that are wrong, sets that are not public."""
import functools
import http.server
import json
import pathlib
import shutil
import tempfile
import threading
import unittest
import zipfile

import support

SEMEVAL = ["ID", "Tweet", "anger", "anticipation", "disgust", "fear", "joy", "love", "optimism", "pessimism", "sadness",
           "surprise", "trust"]
SCRIPT = support.SCRIPTS / "get_data.sh"


class WholeFiles(http.server.SimpleHTTPRequestHandler):
    """Python's own: it knows no ranges, so it cannot go on in the middle of a file."""

    def log_message(self, *_):
        self.server.asked.append((self.path, self.headers.get("Range")))


class Ranges(WholeFiles):
    def do_GET(self):
        wanted = self.headers.get("Range")
        if not wanted:
            super().do_GET()
            return
        content = pathlib.Path(self.translate_path(self.path)).read_bytes()
        begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self.wfile.write(content[begin:])


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that hangs up is what is tested."""


class GetData(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.source = self.folder / "source"
        self.target = self.folder / "target"
        self.source.mkdir()

    def serve(self, handler):
        server = Server(("127.0.0.1", 0), functools.partial(handler, directory=self.source))
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (server.shutdown(), thread.join(), server.server_close()))
        return f"http://127.0.0.1:{server.server_address[1]}", server.asked

    def get(self, dataset, source, *flags):
        return support.run(SCRIPT, dataset, self.target, "--from", source, *flags, env={"no_proxy": "127.0.0.1"}, cwd=self.folder)

    def files(self):
        return {str(path.relative_to(self.target)) for path in self.target.rglob("*") if path.is_file()}

    def make_semeval(self):
        (self.source / "English/E-c").mkdir(parents=True)
        for part in ("train", "dev", "test-gold"):
            lines = ["\t".join(SEMEVAL), "\t".join(["2017-En-1", 'He said "no'] + ["0"] * 11)]
            (self.source / f"English/E-c/2018-E-c-En-{part}.txt").write_text("\n".join(lines) + "\n")
        return self.source / "English/E-c/2018-E-c-En-dev.txt"

    def test_takes_a_folder(self):
        self.make_semeval()
        done = self.get("SemEval", self.source)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.files(), {f"English/E-c/2018-E-c-En-{part}.txt" for part in ("train", "dev", "test-gold")})
        for reported in ("do not redistribute", "its format was checked; its publisher's sum is not known here"):
            self.assertIn(reported, done.stderr)
        self.assertEqual(self.get("semeval", self.source).returncode, 0, "what is there already is checked and kept")

    def test_takes_a_server(self):
        self.make_semeval()
        address, asked = self.serve(WholeFiles)
        done = self.get("SemEval", address + "/")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(asked[0], ("/English/E-c/2018-E-c-En-train.txt", None))
        self.assertEqual(len(self.files()), 3)

    def test_never_leaves_a_wrong_file(self):
        dev = self.make_semeval()
        whole = dev.read_text()
        for content, reason in ((whole.replace("\ttrust", ""), "line 1: expected the columns ID, Tweet"),
                                (whole + "2018-En-2\tcut o", "line 3: expected 13 fields, found 2"),
                                ("", "line 1: expected the columns"),
                                (whole.splitlines()[0] + "\n", "expected rows after the header, found none")):
            dev.write_text(content)
            done = self.get("SemEval", self.source)
            self.assertEqual(done.returncode, 1)
            self.assertIn(reason, done.stderr)
            self.assertEqual(self.files(), {f"English/E-c/2018-E-c-En-{part}.txt" for part in ("train", "test-gold")})

    def test_keeps_what_is_there_and_says_that_it_is_wrong(self):
        self.target.mkdir()
        (self.target / "train_5500.label").write_text("mine")
        done = self.get("TREC", self.source)
        self.assertEqual(done.returncode, 1)
        self.assertIn("train_5500.label is there, but: expected 335858 bytes, found 4", done.stderr)
        self.assertEqual((self.target / "train_5500.label").read_text(), "mine")

    def test_refuses_a_file_of_the_right_size_with_another_sum(self):
        (self.source / "train_5500.label").write_bytes(b"x" * 335858)
        address, _ = self.serve(Ranges)
        for source in (self.source, address):
            done = self.get("TREC", source)
            self.assertEqual(done.returncode, 1)
            self.assertIn("expected SHA-256 9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3, found", done.stderr)
            self.assertEqual(self.files(), set())

    def test_takes_no_file_that_breaks_the_check(self):
        (self.source / "test.jsonl").write_text("[" * 200_000)
        (self.source / "validation.jsonl").write_text("[" * 200_000)
        done = self.get("MMLUPro", self.source)
        self.assertEqual(done.returncode, 1)
        self.assertIn("its format could not be checked", done.stderr)
        self.assertEqual(self.files(), set())

    def test_says_what_a_mirror_lacks(self):
        address, _ = self.serve(WholeFiles)
        for source, reason in ((self.source, "has no file splits.yaml"), (address, "404"),
                               ("http://127.0.0.1:9", "could not be downloaded")):
            done = self.get("MFRC", source)
            self.assertEqual(done.returncode, 1)
            self.assertIn(reason, done.stderr)
            self.assertEqual(self.files(), set())

    def test_says_of_every_file_what_is_wrong_and_takes_others_when_asked(self):
        for name in ("train.tsv", "dev.tsv"):
            (self.source / name).write_text("a text\t1\tid\n")
        (self.source / "emotions.txt").write_text("".join(f"emotion{i}\n" for i in range(28)))
        done = self.get("GoEmotions", self.source)
        self.assertEqual(done.returncode, 1)
        for reported in ("train.tsv: expected 3519053 bytes, found", "dev.tsv: expected 439059 bytes, found",
                         "has no file test.tsv", "has no file goemotions_3.csv", "GoEmotions is not whole in"):
            self.assertIn(reported, done.stderr)
        self.assertIn("emotion_clustering.json", self.files())

        done = self.get("GoEmotions", self.source, "--unchecked", "--aggregate-only")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is another file than its publisher's: expected 439059 bytes", done.stderr)
        self.assertNotIn("goemotions_1.csv\n", done.stderr)
        self.assertLessEqual({"train.tsv", "dev.tsv"}, self.files())
        (self.source / "test.tsv").write_text("a text\t1\tid\n")
        done = self.get("GoEmotions", self.source, "--unchecked", "--aggregate-only")
        self.assertNotIn("has no file", done.stderr)
        done = self.get("TREC", self.source, "--aggregate-only")
        self.assertIn("--aggregate-only: expected with GoEmotions", done.stderr)

    def copy_trec(self):
        for name in ("train_5500.label", "TREC_10.label"):
            shutil.copyfile(support.shared(f"data/TREC/{name}"), self.source / name)
        return (self.source / "train_5500.label").read_bytes()

    def test_goes_on_after_an_interruption(self):
        train = self.copy_trec()
        address, asked = self.serve(Ranges)
        self.target.mkdir()
        (self.target / "train_5500.label.part").write_bytes(train[:200000])
        (self.target / "TREC_10.label.part").write_bytes((self.source / "TREC_10.label").read_bytes())
        done = self.get("TREC", address)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(asked, [("/train_5500.label", "bytes=200000-")], "a part that is whole is not asked for")
        self.assertEqual((self.target / "train_5500.label").read_bytes(), train)
        self.assertEqual(self.files(), {"train_5500.label", "TREC_10.label"})

    def test_begins_anew_where_it_cannot_go_on(self):
        train = self.copy_trec()
        self.target.mkdir()
        for handler, part in ((WholeFiles, train[:1000]), (Ranges, b"?" + train[1:1000]), (Ranges, train + b"more"),
                              (Ranges, b"?" + train[1:])):
            address, _ = self.serve(handler)
            (self.target / "train_5500.label.part").write_bytes(part)
            done = self.get("TREC", address)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((self.target / "train_5500.label").read_bytes(), train)
            (self.target / "train_5500.label").unlink()

    def test_knows_the_other_formats(self):
        for dataset, real in (("MMLUPro", "MMLU-Pro"), ("Boxes", "Boxes"), ("QueerReclaimLex", "QueerReclaimLex"),
                              ("MFRC", "MFRC_synthetic_annotations")):
            self.target = self.folder / dataset
            done = self.get(dataset, support.shared(f"data/{real}"))
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_does_not_guess_where_sets_are_not_public(self):
        for dataset, place in (("SemEval", "https://competitions.codalab.org/competitions/17751"), ("MSPPodcast", "utdallas.edu"),
                               ("Boxes", "password"), ("QueerReclaimLex", "https://github.com/rebedorn/QueerReclaimLex")):
            done = support.run(SCRIPT, dataset, self.target)
            self.assertEqual(done.returncode, 1)
            self.assertIn(place, done.stderr)
            self.assertFalse(self.target.exists())

    def test_refuses_what_it_does_not_understand(self):
        for arguments, reason in ((("Nothing", self.target), "unknown data set 'Nothing' (known: GoEmotions"),
                                  (("TREC",), "expected a data set and the folder"),
                                  (("TREC", self.target, "--form", "x"), "unknown flag '--form'"),
                                  (("TREC", self.target, "--from"), "--from: expected a folder")):
            done = support.run(SCRIPT, *arguments)
            self.assertEqual(done.returncode, 1)
            self.assertIn(reason, done.stderr)


class Formats(unittest.TestCase):
    """check_data_file.py on small files, whole and wrong."""

    def check(self, name, content):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "file"
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            done = support.run("python3", support.SCRIPTS / "check_data_file.py", name, path)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, 1 if done.stdout else 0)
        return done.stdout.strip()

    def test_says_what_is_wrong(self):
        header = "text,subreddit,bucket,annotator,annotation,confidence\n"
        row = json.dumps({"sentence_masked": "a", "masked_content": "b", "sample_id": 1}) + "\n"
        for name, content, expected in (
                ("mfrc", header + '"two\nlines",s,b,a,"Care,Purity",Confident\n', ""),
                ("mfrc", header + "t,s,b,a\n", "line 2: expected 6 fields, found 4"),
                ("mfrc", "text,annotator\nt,a\n", "line 1: expected the columns text, subreddit"),
                ("mfrc", b"\xff\xfe", "codec can't decode"),
                ("msp-consensus", "FileName,X,Split_Set\na,b,c\n", ""),
                ("msp-consensus", "FileName,X\na,b\n", "line 1: expected a column Split_Set"),
                ("boxes", row, ""),
                ("boxes", row + row[:20], "line 2: expected JSON"),
                ("boxes", row + '{"sentence_masked": ""}', "it lacks masked_content, sample_id"),
                ("boxes", "[1]", "expected an object"),
                ("boxes-objects", "bag,ball\n", ""),
                ("boxes-objects", "<html>", "expected names separated by commas"),
                ("mmlu-validation", '{"question_id":0,"question":"","options":[],"answer":"A","answer_index":0}\n',
                 "expected 70 rows, found 1"),
                ("goemotions-emotions", "admiration\njoy\n", "expected the 28 names admiration to neutral"),
                ("parquet", b"PAR1" + b"." * 10 + b"PAR1", ""),
                ("parquet", b"PAR1" + b"." * 10, "expected a Parquet file"),
                ("queer-splits", '{"train": []}', "expected an object with the lists train and test"),
                ("queer-xlsx", "no archive", "not a zip file")):
            found = self.check(name, content)
            if expected:
                self.assertIn(expected, found)
            else:
                self.assertEqual(found, "")

    def test_knows_a_workbook_by_its_sheets(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "book.xlsx"
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("xl/workbook.xml", '<sheet name="slurs"/>')
            self.assertEqual(self.check("queer-xlsx", path.read_bytes()), "expected a sheet 'identity terms', found none")


if __name__ == "__main__":
    unittest.main()
