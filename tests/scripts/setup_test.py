"""setup.sh with a stand-in for Python and pip: what it installs, where, and what is left when that fails."""
import json
import os
import pathlib
import shutil
import stat
import tempfile
import unittest

import support

# Answers for `python3` and for the Python of every environment it makes. Fails where FAIL_ON is among the requirements.
PYTHON = '''#!{python}
import json, os, pathlib, shutil, stat, sys
me, args = pathlib.Path(sys.argv[0]), sys.argv[1:]
folder = pathlib.Path("{folder}")
def note(**what):
    with open(folder / "calls.jsonl", "a") as calls:
        calls.write(json.dumps(what) + "\\n")
def write(path, content=b"", mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
if args[:2] == ["-m", "venv"]:
    env = pathlib.Path(args[2])
    note(venv=env.name)
    write(env / "bin/python", me.read_bytes(), 0o755)
    write(env / "bin/pip", f"#!{{env}}/bin/python\\n".encode(), 0o755)
elif args[:3] == ["-m", "pip", "install"]:
    env = me.parent.parent
    target = pathlib.Path(args[args.index("--target") + 1]) if "--target" in args else None
    wanted = [word for word in args[3:] if not word.startswith("--") and word != str(target)]
    note(pip=wanted, env=env.name)
    if any(os.environ.get("FAIL_ON", "none") in word for word in wanted):
        sys.exit("no network")
    site = env / "lib/python3.11/site-packages"
    if target:
        for path in ("include/parquet/arrow/reader.h", "libarrow.so.1", "libparquet.so.1", "lib.so"):
            write(target / "pyarrow" / path)
    for word in wanted:
        if word.startswith("torch=="):
            for name in ("torch_cpu", "torch_cuda", "c10_cuda"):
                write(site / f"torch/lib/lib{{name}}.so", b"\\0libcudart.so.14\\0")
        if "nvcc" in word:
            says = "#!/bin/sh\\n[ $1 != --version ] || echo release 14.0\\n[ $1 = --version ] || echo sm_90\\n"
            write(site / "nvidia/cu14/bin/nvcc", says.encode(), 0o755)
            write(site / "nvidia/cu14/lib/libcudart.so.14")
elif args[:1] == ["-"]:
    sys.stdin.read()
    print({{"cpu": "cuda-toolkit[cudart]", "cuda": "cuda-toolkit[all]", "nvcc": "cuda-toolkit[nvcc]"}}[args[1]])
'''


class Setup(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.root = self.folder / "check out"  # scripts act on the checkout that they lie in
        (self.root / "scripts").mkdir(parents=True)
        for name in ("setup.sh", "lib.sh"):
            shutil.copy(support.SCRIPTS / name, self.root / "scripts")
        shutil.copytree(support.SCRIPTS / "cmake", self.root / "scripts/cmake")
        self.env = self.root / "build/torch-env"
        self.arrow = self.root / "build/arrow"
        self.stand_in = PYTHON.format(python=shutil.which("python3"), folder=self.folder)
        self.program("python3", self.stand_in)

    def program(self, name, text):
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def held(self):
        stamp = self.env / "complete"
        return stamp.read_text().strip() if stamp.exists() else ""

    def hold(self, kind, version="2.11.0"):
        """What an earlier call left."""
        self.arrow.mkdir(parents=True, exist_ok=True)
        (self.arrow / "complete").write_text("arrow 26.0.1\n")
        torch = self.env / "lib/python3.11/site-packages/torch/lib"
        torch.mkdir(parents=True)
        for name in ("torch_cpu", "torch_cuda", "c10_cuda"):
            (torch / f"lib{name}.so").write_bytes(b"\0libcudart.so.14\0")
        (self.env / "bin").mkdir()
        (self.env / "bin/python").write_text(self.stand_in)
        (self.env / "bin/python").chmod(0o755)
        (self.env / "earlier").write_text("")
        (self.env / "complete").write_text(f"torch {version} {kind}\n")

    def call(self, **env):
        path = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        return support.run(self.root / "scripts/setup.sh", cwd=self.folder,
                           env={"PATH": path, "LABELPROBE_TORCH": "", "CMAKE_PREFIX_PATH": "", "CUDACXX": "", **env})

    def calls(self):
        notes = self.folder / "calls.jsonl"
        return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []

    def installed(self):
        return [word for call in self.calls() for word in call.get("pip", [])]

    @staticmethod
    def without_driver():
        if pathlib.Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi"):
            support.skip_aloud("this machine has NVIDIA's driver")

    def test_installs_what_is_asked_for_and_is_silent_the_next_time(self):
        done = self.call(LABELPROBE_TORCH="cpu")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.held(), "torch 2.11.0 cpu")
        self.assertEqual(self.installed()[:2], ["torch==2.11.0", "cuda-toolkit[cudart]"])
        self.assertEqual((self.env / "bin/pip").read_text(), f"#!{self.env}/bin/python\n")
        self.assertEqual(sorted(path.name for path in self.env.parent.iterdir()), ["arrow", "torch-env"])
        n_calls = len(self.calls())
        again = self.call(LABELPROBE_TORCH="cpu")
        self.assertEqual((again.returncode, again.stdout, again.stderr), (0, "", ""))
        self.assertEqual(len(self.calls()), n_calls)

    def test_for_a_gpu_a_compiler_comes_along(self):
        done = self.call(LABELPROBE_TORCH="cuda")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.held(), "torch 2.11.0 cuda")
        self.assertIn("cuda-toolkit[all]", self.installed())
        self.assertEqual(self.installed()[-2:], ["cuda-toolkit[nvcc]", "pyarrow==26.0.1"])
        cuda = self.env / "lib/python3.11/site-packages/nvidia/cu14"
        self.assertTrue((cuda / "lib64/libcudart.so").samefile(cuda / "lib/libcudart.so.14"))
        n_calls = len(self.calls())
        again = self.call(LABELPROBE_TORCH="cuda")
        self.assertEqual((again.returncode, again.stderr), (0, ""))
        self.assertEqual(len(self.calls()), n_calls)

    def test_of_pyarrow_what_programs_link_to_stays(self):
        self.assertEqual(self.call(LABELPROBE_TORCH="cpu").returncode, 0)
        files = sorted(str(path.relative_to(self.arrow)) for path in self.arrow.rglob("*") if path.is_file())
        self.assertEqual(files, ["complete", "include/parquet/arrow/reader.h", "lib/libarrow.so.1", "lib/libparquet.so.1"])

    def test_takes_an_arrow_that_is_given(self):
        given = self.folder / "site/pyarrow/include/parquet/arrow"
        given.mkdir(parents=True)
        (given / "reader.h").write_text("")
        self.assertEqual(self.call(LABELPROBE_TORCH="cpu", CMAKE_PREFIX_PATH=str(self.folder / "site")).returncode, 0)
        self.assertFalse(self.arrow.exists())

    def test_goes_on_without_arrow(self):
        done = self.call(LABELPROBE_TORCH="cpu", FAIL_ON="pyarrow")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("going on without Apache Arrow: Parquet files are not read", done.stderr)
        self.assertFalse(self.arrow.exists())

    def test_goes_on_without_a_compiler(self):
        done = self.call(LABELPROBE_TORCH="cuda", FAIL_ON="nvcc")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.held(), "torch 2.11.0 cuda")
        self.assertIn("going on without a CUDA compiler", done.stderr)

    def test_a_whole_environment_for_gpus_serves_a_login_node(self):
        self.without_driver()
        self.hold("cuda")
        done = self.call(FAIL_ON="torch")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.calls(), [])
        self.assertEqual(self.held(), "torch 2.11.0 cuda")

    def test_what_is_there_stays_when_its_successor_fails(self):
        for kind, version, wanted, fails_on, said in (
                ("cpu", "2.11.0", "cuda", "torch==", "LABELPROBE_TORCH=cpu goes on with it"),
                ("cuda", "2.11.0", "cpu", "cudart", "build/torch-env is as it was: torch 2.11.0 cuda."),
                ("cuda", "2.10.0", "cuda", "[all]", "build/torch-env is as it was: torch 2.10.0 cuda.")):
            with self.subTest(kind=kind, wanted=wanted):
                shutil.rmtree(self.env, ignore_errors=True)
                self.hold(kind, version)
                done = self.call(LABELPROBE_TORCH=wanted, FAIL_ON=fails_on)
                self.assertEqual(done.returncode, 1)
                self.assertIn("pip could not install", done.stderr)
                self.assertIn(said, done.stderr)
                self.assertTrue((self.env / "earlier").exists())
                self.assertEqual(self.held(), f"torch {version} {kind}")

    def test_a_successor_takes_the_place_when_it_is_whole(self):
        self.hold("cpu")
        done = self.call(LABELPROBE_TORCH="cuda")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.held(), "torch 2.11.0 cuda")
        self.assertFalse((self.env / "earlier").exists())
        self.assertEqual(sorted(path.name for path in self.env.parent.iterdir()), ["arrow", "torch-env"])

    def test_an_end_between_two_renames_loses_nothing(self):
        self.hold("cpu")
        self.env.rename(self.env.with_name("torch-env.old"))
        done = self.call(LABELPROBE_TORCH="cpu")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue((self.env / "earlier").exists())

    def test_says_what_may_be_chosen(self):
        done = self.call(LABELPROBE_TORCH="gpu")
        self.assertEqual(done.returncode, 1)
        self.assertIn("LABELPROBE_TORCH is 'gpu'; expected cuda or cpu", done.stderr)


if __name__ == "__main__":
    unittest.main()
