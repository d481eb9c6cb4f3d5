"""check_aarch64.sh: where it does not run it says so, before it changes anything."""
import os
import pathlib
import shutil
import tempfile
import unittest

import support


class CheckAarch64(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "scripts").mkdir()  # scripts act on the checkout that they lie in
        for name in ("check_aarch64.sh", "lib.sh"):
            shutil.copy(support.SCRIPTS / name, self.folder / "scripts")

    def refusal(self, **answers):
        """What the script says where the named programs answer so."""
        for name, answer in answers.items():
            program = self.folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f"#!/bin/sh\necho {answer}\n")
            program.chmod(0o755)
        path = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        done = support.run(self.folder / "scripts/check_aarch64.sh", env={"PATH": path})
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertFalse((self.folder / "build").exists())
        return done.stderr

    def test_refuses_other_processors(self):
        self.assertIn("expected a machine with x86-64, found aarch64; on aarch64 itself scripts/test.sh shows more",
                      self.refusal(uname="aarch64"))

    def test_refuses_other_systems_and_who_may_not_install(self):
        release = pathlib.Path("/etc/os-release")
        is_known = release.exists() and "VERSION_CODENAME=bookworm" in release.read_text() and "\nID=debian" in release.read_text()
        expected = "expected to be root, which installs the cross compiler" if is_known else "expected Debian 12 (bookworm), found"
        self.assertIn(expected, self.refusal(uname="x86_64", id="1000"))


if __name__ == "__main__":
    unittest.main()
