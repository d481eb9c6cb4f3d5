"""get_ids.sh: a folder as source, lists that are there, lists that are others."""
import pathlib
import tempfile
import unittest

import support

SCRIPT = support.SCRIPTS / "get_ids.sh"


class GetIds(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.target = pathlib.Path(folder.name) / "ids"

    def get(self, *arguments):
        return support.run(SCRIPT, *arguments, "--to", self.target)

    def test_gets_the_published_lists_once(self):
        source = support.shared("prob_distr_ids")
        done = self.get("--from", source)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(list(self.target.rglob("*.txt"))), 7)
        again = self.get("--from", source)
        self.assertEqual((again.returncode, again.stderr), (0, ""), "what is there is kept")
        (self.target / "MFRC" / "main_test_set.txt").write_text("mine\n")
        changed = self.get("MFRC", "--from", source)
        self.assertEqual(changed.returncode, 1)
        self.assertIn("is there, but is not the published list", changed.stderr)

    def test_takes_no_other_list(self):
        source = self.target.parent / "source"
        (source / "SemEval").mkdir(parents=True)
        (source / "SemEval" / "main_test_set.txt").write_text("a\n")
        done = self.get("SemEval", "--from", source)
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected SHA-256 c33151f0", done.stderr)
        self.assertFalse((self.target / "SemEval" / "main_test_set.txt").exists())
        done = self.get("MFRC", "--from", source)
        self.assertIn("has no file MFRC/main_test_set.txt", done.stderr)

    def test_refuses_what_it_does_not_know(self):
        for arguments, reason in ((("TREC",), "no published lists of 'TREC'"), (("--form", "x"), "unknown flag '--form'")):
            done = self.get(*arguments)
            self.assertEqual(done.returncode, 1)
            self.assertIn(reason, done.stderr)


if __name__ == "__main__":
    unittest.main()
