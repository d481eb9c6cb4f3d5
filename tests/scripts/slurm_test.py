"""scripts/slurm/submit.sh: with stand-ins for Slurm and labelprobe, and, where Slurm is installed and root asks, with the real ones."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import support

SUBMIT = support.SCRIPTS / "slurm/submit.sh"
# Notes its arguments, and runs the job script once for each task, again where that asks for it.
SBATCH = '''#!{python}
import os, pathlib, subprocess, sys
here = pathlib.Path(__file__).parent
args = sys.argv[1:]
with open(here / "sbatch.calls", "a") as calls:
    calls.write("\\n".join(args) + "\\n\\n")
value = lambda name: next(arg[len(name):] for arg in args if arg.startswith(name))
first, last = (value("--array=").split("%")[0].split("-") * 2)[:2] if "," not in value("--array=") else (0, 0)
tasks = range(int(first), int(last) + 1) if int(last) else [int(i) for i in value("--array=").split("%")[0].split(",")]
print("7;cluster")
for i in tasks:
    for restarts in range(9):
        with open(value("--output=").replace("%a", str(i)), "a") as out, open(value("--error=").replace("%a", str(i)), "a") as err:
            env = dict(os.environ, SLURM_ARRAY_TASK_ID=str(i), SLURM_ARRAY_JOB_ID="7", SLURM_RESTART_COUNT=str(restarts))
            subprocess.run([args[-1]], env=env, stdout=out, stderr=err)
        again = here / "requeue"
        if not again.exists():
            break
        again.unlink()
'''
SCONTROL = '''#!/bin/sh
here=$(dirname "$0")
case $1 in
  show) cat "$here/job" 2>/dev/null || echo "JobState=RUNNING Restarts=0" ;;
  requeue) echo "$@" >"$here/requeue" ;;
esac
'''
SQUEUE = "#!/bin/sh\nexit 0\n"
# Ends as the file "codes" says, one line for each call of a shard: "2/3 143 0".
LABELPROBE = '''#!{python}
import pathlib, sys
here = pathlib.Path(__file__).parent
args = sys.argv[1:]
with open(here / "calls", "a") as calls:
    calls.write(" ".join(args) + "\\n")
if args[0] == "merge":
    sys.exit(0)
shard = args[args.index("--shard") + 1]
n = sum(f"--shard {{shard}}" in line for line in (here / "calls").read_text().splitlines())
codes = dict((line.split()[0], line.split()[1:]) for line in (here / "codes").read_text().splitlines()).get(shard, ["0"])
code = int(codes[min(n, len(codes)) - 1])
if code:
    print(f"labelprobe: shard {{shard}} has failed", file=sys.stderr)
print("logs/GoEmotions/e2e_0")
sys.exit(code)
'''


class Submit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name, text in (("sbatch", SBATCH), ("scontrol", SCONTROL), ("squeue", SQUEUE), ("labelprobe", LABELPROBE)):
            (self.folder / name).write_text(text.format(python=sys.executable) if "{python}" in text else text)
            (self.folder / name).chmod(0o755)
        (self.folder / "codes").write_text("")

    def submit(self, *arguments):
        return support.run(SUBMIT, *arguments, cwd=self.folder,
                           env={"PATH": f"{self.folder}:{os.environ['PATH']}", "SLURM_POLL_SECONDS": "0"})

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()

    def test_every_task_does_a_shard(self):
        done = self.submit("--shards", "3", "--partition", "gpu", "--time", "1:00:00", "--gpus-per-task", "1", "--at-once", "2",
                           "--sbatch", "--exclusive", "--", "labelprobe", "run", "a b", "--limit", "5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "logs/GoEmotions/e2e_0\n")
        self.assertEqual(self.calls(), [f"run a b --limit 5 --shard {i}/3" for i in (1, 2, 3)])
        sbatch = (self.folder / "sbatch.calls").read_text().splitlines()
        for argument in ("--array=1-3%2", "--requeue", "--signal=B:TERM@60", "--partition=gpu", "--time=1:00:00",
                         "--gpus-per-task=1", "--ntasks=1", "--exclusive"):
            self.assertIn(argument, sbatch)

    def test_what_was_stopped_or_killed_is_queued_again_and_what_fails_is_told(self):
        (self.folder / "codes").write_text("1/3 143 124 0\n2/3 137 75 0\n3/3 2\n")
        done = self.submit("--shards", "3", "--", "labelprobe", "run", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("shard 3 of 3: exit code 2; its log, ", done.stderr)
        self.assertIn("labelprobe: shard 3/3 has failed", done.stderr)
        self.assertNotIn("shard 1 of 3: ", done.stderr)
        self.assertEqual(self.calls(), ["run x --shard 1/3", "run x --take-over --shard 1/3", "run x --take-over --shard 1/3",
                                        "run x --shard 2/3", "run x --take-over --shard 2/3", "run x --take-over --shard 2/3",
                                        "run x --shard 3/3"])

    def test_restarts_end(self):
        (self.folder / "codes").write_text("1/1 143\n")
        done = self.submit("--shards", "1", "--restarts", "2", "--", "labelprobe", "run", "x")
        self.assertEqual(done.returncode, 143)
        self.assertEqual(len(self.calls()), 3)

    def test_what_a_person_has_cancelled_stays_so(self):
        (self.folder / "codes").write_text("1/2 143\n")
        (self.folder / "job").write_text("JobState=COMPLETING Restarts=0\n")
        done = self.submit("--shards", "2", "--", "labelprobe", "run", "x")
        self.assertEqual(done.returncode, 143)
        self.assertIn("shard 1 of 2: exit code 143 (cancelled); its log", done.stderr)
        self.assertEqual(self.calls(), ["run x --shard 1/2", "run x --shard 2/2"])

    def test_what_ends_without_a_word_is_submitted_again(self):
        (self.folder / "codes").write_text("1/2 143 0\n")
        (self.folder / "job").write_text("JobState=COMPLETING Restarts=1\n")
        done = self.submit("--shards", "2", "--", "labelprobe", "run", "x")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tasks 1 ended without a word and are submitted again", done.stderr)
        self.assertEqual(self.calls(), ["run x --shard 1/2", "run x --shard 2/2", "run x --shard 1/2"])

    def test_a_model_is_copied_once(self):
        (self.folder / "model").mkdir()
        (self.folder / "model/weights").write_text("w")
        done = self.submit("--shards", "2", "--local-copy", self.folder / "disk", "--", "labelprobe", "run", "x",
                           "--model-name-or-path", self.folder / "model")
        self.assertEqual(done.returncode, 0, done.stderr)
        copies = [path for path in (self.folder / "disk").iterdir() if path.is_dir()]
        self.assertEqual(len(copies), 1)
        self.assertEqual((copies[0] / "weights").read_text(), "w")
        for call in self.calls():
            self.assertIn(f"--model-copy {copies[0]}", call)

    def test_mistakes(self):
        for arguments, message in ((("--", "labelprobe", "run"), "--shards: expected a number from 1 on"),
                                   (("--shards", "0", "--", "labelprobe", "run"), "--shards: expected a number"),
                                   (("--shards", "2"), "expected a command behind --"),
                                   (("--shards", "2", "--", "labelprobe", "show", "x"), "expected labelprobe run, classify or assess"),
                                   (("--shards", "2", "--", "labelprobe", "run", "--shard", "1/2"), "expected no --shard"),
                                   (("--shards", "2", "--", "labelprobe", "run", "--time-limit=1h"), "expected no --time-limit"),
                                   (("--shards", "2", "--", "no-such-program", "run"), "no such program"),
                                   (("--sharts", "2", "--", "labelprobe", "run"), "unknown option '--sharts'"),
                                   (("--follow", "nowhere"), "no such folder"),
                                   (("--shards",), "expected a value behind it")):
            with self.subTest(message):
                done = self.submit(*arguments)
                self.assertEqual(done.returncode, 1)
                self.assertIn(message, done.stderr)

    def test_dry_run(self):
        done = self.submit("--shards", "4", "--dry-run", "--folder", "job", "--", "labelprobe", "run", "x")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("sbatch --parsable --array=1-4 "))
        self.assertIn("command=( ", (self.folder / "job/job.sh").read_text())
        self.assertFalse((self.folder / "sbatch.calls").exists())


class RealSlurm(unittest.TestCase):
    def test_an_array_ends_in_the_bytes_of_one_process(self):
        if not support.PROGRAM:
            support.skip_aloud("the program is not built")
        if os.geteuid() != 0 or not shutil.which("slurmctld"):
            support.skip_aloud("Slurm is not installed, or the tests do not run as root (scripts/check_slurm.sh --install)")
        done = subprocess.run([support.SCRIPTS / "check_slurm.sh"], env={**os.environ, "LABELPROBE": support.PROGRAM},
                              text=True, capture_output=True, timeout=900, check=False)
        if done.returncode == 77:
            support.skip_aloud(done.stderr.strip().splitlines()[-1])
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
