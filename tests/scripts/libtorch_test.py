"""Which libtorch the build takes: found below CMAKE_PREFIX_PATH, new enough, of the right C++ library."""
import pathlib
import shutil
import tempfile
import unittest

import support

ERROR_OF_NEW_ABI = b"\0_ZN3c105ErrorC1ENSt7__cxx1112basic_stringIcEE\0"


class FindLibtorch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def find(self, version="", c10=ERROR_OF_NEW_ABI):
        """Looks for a libtorch of that version, which is there if one is named. Returns what was said in one line."""
        torch = self.folder / "torch"
        if version:
            major, minor, patch = version.split(".")
            numbers = f"#define TORCH_VERSION_MAJOR {major}\n#define TORCH_VERSION_MINOR {minor}\n#define TORCH_VERSION_PATCH {patch}\n"
            for path, content in (("include/ATen/ATen.h", b""), ("include/torch/headeronly/version.h", numbers.encode()),
                                  ("lib/libtorch_cpu.so", b""), ("lib/libc10.so", c10)):
                (torch / path).parent.mkdir(parents=True, exist_ok=True)
                (torch / path).write_bytes(content)
        done = support.run(shutil.which("cmake"), f"-DCMAKE_PREFIX_PATH={torch}", "-DCMAKE_FIND_LIBRARY_PREFIXES=lib",
                           "-DCMAKE_FIND_LIBRARY_SUFFIXES=.so", "-P", support.SCRIPTS / "cmake/labelprobe-torch.cmake")
        self.assertNotEqual(done.returncode, 0)  # a script has no targets: even a good one ends there
        return " ".join((done.stdout + done.stderr).split())

    def test_takes_one_that_is_new_enough(self):
        for version in ("2.9.0", "2.11.0", "3.0.0"):
            self.assertIn(f"-- libtorch {version}: {self.folder}/torch/lib", self.find(version))

    def test_says_what_is_wrong_with_another(self):
        self.assertIn("libtorch not found below CMAKE_PREFIX_PATH", self.find())
        self.assertIn("is version '2.8.0'; 2.9 or newer is needed", self.find("2.8.0"))
        self.assertIn("was built with the old C++ string ABI", self.find("2.9.0", c10=b"\0_ZN3c105ErrorC1ESs\0"))


if __name__ == "__main__":
    unittest.main()
