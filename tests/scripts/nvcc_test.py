"""Which CUDA compiler builds the kernels, and for which GPUs, among compilers that only say what they are."""
import os
import pathlib
import shutil
import tempfile
import unittest

import support

DEFAULT = "80;90-real;100-real;120-real"

# Answers what the build asks of nvcc. 12.0 and 11.8 are those of Ubuntu 24.04 and Debian 12.
NVCC = """#!/bin/bash
case "$1" in
  --version) echo "Cuda compilation tools, release {version}, V{version}.140" ;;
  --list-gpu-code) printf 'sm_%s\\n' {known} ;;
  *) exit 1 ;;
esac
"""
KNOWN = {"11.8": "70 75 80 86 87 89 90", "12.0": "70 75 80 86 87 89 90", "12.8": "80 86 89 90 100 101 120",
         "13.0": "75 80 86 87 88 89 90 100 110 103 120 121", "14.1": "90 100 120 140"}


class ChooseNvcc(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def nvcc(self, version, place="path"):
        """A compiler in a folder of its own; returns it."""
        program = self.folder / place / "nvcc"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(NVCC.format(version=version, known=KNOWN[version]))
        program.chmod(0o755)
        return program

    def torch(self, major, libraries=("torch_cuda", "c10_cuda")):
        """What a libtorch of that CUDA looks like: its libraries name the runtime they were linked to."""
        folder = self.folder / "site-packages/torch/lib"
        folder.mkdir(parents=True, exist_ok=True)
        for name in libraries:
            (folder / f"lib{name}.so").write_bytes(b"\0\1libc.so.6\0libcudart.so.%d\0\1\2" % major)
        return folder

    def choose(self, torch, path=("path",), env=None, **variables):
        # No folder of a real compiler.
        places = os.pathsep.join(str(self.folder / place) for place in path)
        settings = [f"-D{name}={value}" for name, value in variables.items()]
        return support.run(shutil.which("cmake"), f"-DTORCH_LIB_DIR={torch}", *settings, "-P",
                           support.SCRIPTS / "cmake/labelprobe-nvcc.cmake", cwd=self.folder,
                           env={"PATH": places, **(env or {})})

    def expect(self, done, text):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.strip(), text)

    def expect_none(self, done, *pieces):
        self.assertNotEqual(done.returncode, 0)
        said = " ".join(done.stderr.split())
        for piece in pieces:
            self.assertIn(piece, said)

    def test_takes_the_compiler_on_the_path(self):
        nvcc = self.nvcc("13.0")
        self.expect(self.choose(self.torch(13), TORCH_VERSION="2.11.0"), f"{nvcc} 13.0 for {DEFAULT}")

    def test_an_older_compiler_builds_for_what_it_knows(self):
        nvcc = self.nvcc("12.0")
        self.expect(self.choose(self.torch(12)), f"{nvcc} 12.0 for 80;90-real\n"
                    "CUDA 12.0 does not know 100, 120; GPUs newer than those it knows compile PTX when they load it first")

    def test_what_was_asked_for_is_kept_or_refused(self):
        nvcc = self.nvcc("12.0")
        self.expect(self.choose(self.torch(12), CMAKE_CUDA_ARCHITECTURES="86-real;90"), f"{nvcc} 12.0 for 86-real;90")
        self.expect(self.choose(self.torch(12), CMAKE_CUDA_ARCHITECTURES="native"), f"{nvcc} 12.0 for native")
        self.expect_none(self.choose(self.torch(12), CMAKE_CUDA_ARCHITECTURES="90;100"),
                         "nvcc of CUDA 12.0 does not know the architectures 100 (known: 70 75 80 86 87 89 90)")
        other = self.nvcc("12.8", "other")
        self.expect(self.choose(self.torch(12), CMAKE_CUDA_COMPILER=other), f"{other} 12.8 for {DEFAULT}")
        self.expect(self.choose(self.torch(12), env={"CUDACXX": other}), f"{other} 12.8 for {DEFAULT}")
        self.expect_none(self.choose(self.torch(12), CMAKE_CUDA_COMPILER=self.folder / "none"), "there is no", "none")

    def test_a_compiler_of_another_major_version_than_libtorch_is_passed_over(self):
        self.nvcc("12.0")
        torch = self.torch(13)
        self.expect_none(self.choose(torch, CMAKE_CUDA_COMPILER=self.folder / "path/nvcc"),
                         "nvcc is of CUDA 12.0, libtorch of CUDA 13", "LABELPROBE_TORCH=cuda scripts/setup.sh")
        wheel = self.nvcc("13.0", "site-packages/nvidia/cu13/bin")
        done = self.choose(torch)
        self.assertEqual(done.returncode, 0, done.stderr)
        chosen, _, rest = done.stderr.strip().partition(" ")
        self.assertTrue(pathlib.Path(chosen).samefile(wheel), chosen)
        self.assertEqual(rest, f"13.0 for {DEFAULT}")

    def test_a_newer_compiler_leaves_out_what_it_forgot(self):
        newer = self.nvcc("14.1", "newer")
        self.expect(self.choose(self.torch(14), CMAKE_CUDA_COMPILER=newer),
                    f"{newer} 14.1 for 90;100-real;120-real\n"
                    "CUDA 14.1 does not know 80; GPUs newer than those it knows compile PTX when they load it first")

    def test_says_why_there_is_none(self):
        self.expect_none(self.choose(self.torch(13, ["c10_cuda"])), "libtorch has no CUDA half", "libtorch_cuda.so")
        self.expect_none(self.choose(self.torch(13), TORCH_VERSION="2.10.0"), "libtorch is 2.10.0; the kernels' module needs 2.11 or newer")
        broken = self.nvcc("13.0")
        broken.write_text("#!/bin/sh\nexit 1\n")
        self.expect_none(self.choose(self.torch(13), CMAKE_CUDA_COMPILER=broken), "nvcc does not say its version")


if __name__ == "__main__":
    unittest.main()
