"""Every command that a document prints is run, and what it prints today is what the document says.

A block of a Markdown file that begins with "$ " is a session: commands, each followed by what it prints; "..." stands for any
number of lines. Numbers may differ by rounding, and a word that stands beside a time or a speed is not compared. A command that
needs data or a model that is missing is skipped aloud.
"""
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import support

DOCUMENTS = sorted(path for path in support.ROOT.rglob("*.md")
                   if "build" not in path.relative_to(support.ROOT).parts[0] and ".git" not in path.parts)
MAX_LINES_OF_README = 150
# What a time, a speed or a processor decides.
VOLATILE = re.compile(r"\d+m\d\ds|[\d.,]+ (?:GB/s|tokens/s|s\b|seconds)|\(\d+ CPU threads?;.*\)|[0-9a-f]{12,}")


def sessions(path):
    """Lists of (command, lines printed), one a block, with the line of the block."""
    text = path.read_text()
    for block in re.finditer(r"^```\w*\n(\$ .*?)^```$", text, re.MULTILINE | re.DOTALL):
        steps = []
        lines = iter(block[1].splitlines())
        for line in lines:
            if line.startswith("$ "):
                command = line[2:]
                while command.endswith("\\"):
                    command = command[:-1] + next(lines)
                steps.append((command, []))
            else:
                steps[-1][1].append(line)
        yield text.count("\n", 0, block.start()) + 1, steps


def commands_shown(path):
    """The other commands of a document: lines of a block that name a script or the program, without what they print."""
    for block in re.findall(r"^```\w*\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            found = re.match(r"(?:\$ )?(scripts/[\w/.-]+|build/labelprobe)\b", line)
            if found:
                yield found[1]


def pieces(line):
    return [piece for piece in re.split(r"(\d+\.\d+(?:e-?\d+)?|\s+)", VOLATILE.sub("~", line)) if piece.strip()]


def is_same(expected, found):
    if expected.startswith(("0/", "info: ")) and "~" in VOLATILE.sub("~", expected):
        return pieces(expected)[:2] == pieces(found)[:2]
    a, b = pieces(expected), pieces(found)
    if len(a) != len(b):
        return False
    for x, y in zip(a, b):
        if x == y:
            continue
        try:
            if abs(float(x) - float(y)) > 0.02 * max(1.0, abs(float(x))):
                return False
        except ValueError:
            return False
    return True


def first_difference(expected, found):
    """Where the lines part, as text; None if they agree. "..." skips lines up to the one that comes after it."""
    at = 0
    for line, after in itertools.zip_longest(expected, expected[1:]):
        if line.strip() == "...":
            if after is None:
                return None
            while at < len(found) and not is_same(after, found[at]):
                at += 1
            continue
        if at >= len(found):
            return f"expected '{line}', found the end"
        if not is_same(line, found[at]):
            return f"expected '{line}', found '{found[at]}'"
        at += 1
    rest = [line for line in found[at:] if line.strip()]
    return f"expected the end, found '{rest[0]}'" if rest else None


class Documents(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("configs", "prob_distr_ids", "scripts", "tests"):
            (self.folder / name).symlink_to(support.ROOT / name)
        (self.folder / "build").mkdir()
        if support.PROGRAM:
            (self.folder / "build/labelprobe").symlink_to(support.PROGRAM)
        if pathlib.Path(support.MODEL).is_file():
            (self.folder / "build/models").mkdir()
            (self.folder / "build/models" / pathlib.Path(support.MODEL).name).symlink_to(support.MODEL)
        if (support.SHARED / "data").is_dir():
            (self.folder / "data").mkdir()
            for path in (support.SHARED / "data").iterdir():
                (self.folder / "data" / path.name).symlink_to(path)

        self.made = {}  # what a run printed, by its command, and a copy of its log

    def run_once(self, command):
        """The same run in several documents is done once."""
        if command in self.made:
            printed, log, copy = self.made[command]
            if not (self.folder / log).exists():
                shutil.copytree(copy, self.folder / log)
                return printed
        printed = self.run_step(command)
        if command not in self.made and command.startswith("build/labelprobe run ") and printed and printed[-1].startswith("./logs/"):
            copy = self.folder / f"made_{len(self.made)}"
            shutil.copytree(self.folder / printed[-1], copy)
            self.made[command] = printed, printed[-1], copy
        return printed

    def run_step(self, command):
        needs = {"build/labelprobe": support.PROGRAM, " data/": (self.folder / "data").exists(),
                 "$M": (self.folder / "build/models").exists(), "build/models/": (self.folder / "build/models").exists()}
        for word, is_there in needs.items():
            if word in command and not is_there:
                support.skip_aloud(f"{command.split()[0]}: {word.strip()} is not there")
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, text=True, check=False, timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "M": "build/models/SmolLM2-135M-Instruct.Q4_1.gguf", "COLUMNS": "120"})
        return done.stdout.splitlines()

    def test_sessions(self):
        n_sessions = 0
        for document in DOCUMENTS:
            shutil.rmtree(self.folder / "logs", ignore_errors=True)
            for line, steps in sessions(document):
                n_sessions += 1
                where = f"{document.relative_to(support.ROOT)}:{line}"
                with self.subTest(where):
                    for command, expected in steps:
                        found = self.run_once(command)
                        difference = first_difference(expected, found)
                        self.assertIsNone(difference, f"{where}: $ {command}\n{difference}\n--- all of it:\n" + "\n".join(found))
        self.assertGreater(n_sessions, 5)

    def test_scripts_are_there(self):
        n_commands = 0
        for document in DOCUMENTS:
            for command in commands_shown(document):
                n_commands += 1
                if command.startswith("scripts/"):
                    self.assertTrue((support.ROOT / command).exists(), f"{document}: there is no {command}")
        self.assertGreater(n_commands, 10)

    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
                self.assertTrue((document.parent / target).exists(), f"{document}: there is no {target}")

    def test_the_first_page_is_short(self):
        n_lines = len((support.ROOT / "README.md").read_text().splitlines())
        self.assertLessEqual(n_lines, MAX_LINES_OF_README)


if __name__ == "__main__":
    unittest.main()
