"""Every program that the scripts call is there on a fresh machine: a part of every Debian, or installed by scripts/setup.sh."""
import functools
import pathlib
import re
import shutil
import subprocess
import unittest

from support import ROOT, SCRIPTS, skip_aloud

KEYWORDS = {"if", "then", "elif", "else", "fi", "do", "done", "while", "until", "!", "{", "}", "time", "esac"}
HEADS = {"for", "case", "select", "function", "in"}  # what follows is no command
WRAPPERS = {"exec", "env", "command", "nohup", "builtin"}  # what follows is one
# git: how the scripts came here. The others are looked for by those who call them, and done without or asked for by name:
# what runs only where there is a GPU, an administrator or a Slurm, and tools for the format and the checks of the sources.
GIVEN = {"git", "nvidia-smi", "nsys", "sudo", "apt-get", "dpkg-query", "shellcheck", "clang-format", "clang-tidy", "debootstrap",
         "munged", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo", "scontrol", "scancel"}
BUILTINS = set(subprocess.run(["bash", "-c", "compgen -b"], capture_output=True, text=True, check=True).stdout.split())


class Shell:
    """The literal words of a shell text that stand where a command begins."""

    def __init__(self, text):
        self.text, self.at, self.found, self.heredocs = text, 0, [], []

    def commands(self, end=None):
        """Reads up to `end`, a closing bracket, or the end of the text."""
        expects, pattern, skips = True, False, False
        while self.at < len(self.text):
            c = self.text[self.at]
            if pattern and c == ")":
                pattern, expects, self.at = False, True, self.at + 1
            elif c == end:
                self.at += 1
                return self.found
            elif c == "\\" and self.text[self.at + 1] == "\n":
                self.at += 2
            elif c == "\n":
                self.at += 1
                self.skip_heredocs()
                expects = True
            elif c in " \t":
                self.at += 1
            elif c == "#":
                self.at = self.text.find("\n", self.at) if "\n" in self.text[self.at:] else len(self.text)
            elif self.text.startswith(";;", self.at):
                self.at += 2
                pattern = not re.match(r"\s*esac\b", self.text[self.at:])
            elif self.text.startswith("((", self.at) and expects:
                self.at = self.text.index("))", self.at) + 2
            elif c in "<>":
                self.redirect()
                skips = True
            elif c in ";&|(":
                self.at += 1
                if c == "(" and not pattern:
                    self.commands(")")
                    expects = skips = False
                else:
                    expects = not pattern
            elif c == ")":
                self.at += 1
            else:
                word, is_literal = self.word()
                if skips or (word.isdigit() and self.text[self.at:self.at + 1] in "<>"):
                    skips = False
                elif pattern:
                    pattern = word != "esac"
                elif expects:
                    expects = self.take(word, is_literal)
                elif word == "in" and self.heads_case():
                    pattern = True
        return self.found

    def heads_case(self):
        line = self.text[self.text.rfind("\n", 0, self.at) + 1:self.at]
        return re.search(r"(^|[\s;(])case\s", line) is not None

    def take(self, word, is_literal):
        """A word where a command may begin. Whether the next one may begin one."""
        if not is_literal or re.match(r"\w+(\[.*\])?\+?=", word):
            return bool(re.match(r"\w+(\[.*\])?\+?=", word))
        if word in KEYWORDS or word in WRAPPERS:
            return True
        if word == "[[":
            self.at = self.text.index("]]", self.at) + 2
        elif word not in HEADS:
            self.found.append(word)
        return False

    def redirect(self):
        here = re.match(r"<<-?\s*(['\"]?)(\w+)\1", self.text[self.at:])
        if here and not self.text.startswith("<<<", self.at):
            self.heredocs.append(here.group(2))
            self.at += here.end() - len(here.group(0)) + here.group(0).index(here.group(1) + here.group(2))
            return
        if self.text.startswith(("<(", ">("), self.at):
            self.at += 1  # the bracket is read as a word's beginning
            return
        self.at += len(re.match(r"[<>&|]+", self.text[self.at:]).group(0))

    def skip_heredocs(self):
        for name in self.heredocs:
            end = re.compile(rf"^\t*{name}$", re.M).search(self.text, self.at)
            self.at = end.end() if end else len(self.text)
        self.heredocs = []

    def word(self):
        """The word at hand, and whether nothing in it is expanded."""
        begin, is_literal = self.at, True
        while self.at < len(self.text) and self.text[self.at] not in " \t\n;&|<>)":
            c = self.text[self.at]
            if c == "\\":
                self.at += 2
            elif c == "'":
                self.at = self.text.index("'", self.at + 1) + 1
            elif c == '"':
                is_literal = self.quoted() and is_literal
            elif c == "(":
                # An array, the brackets of a function, or what <( stands before.
                self.at += 1
                if self.text[begin:self.at].endswith("=("):
                    self.array()
                else:
                    self.commands(")")
                is_literal = False
            elif c == "$":
                is_literal = False
                self.expansion()
            else:
                self.at += 1
        return self.text[begin:self.at], is_literal

    def array(self):
        while self.text[self.at] != ")":
            if self.text[self.at] == "#":
                self.at = self.text.index("\n", self.at)
            elif self.text[self.at] in " \t\n":
                self.at += 1
            else:
                self.word()
        self.at += 1

    def quoted(self):
        is_literal = True
        self.at += 1
        while self.text[self.at] != '"':
            if self.text[self.at] == "\\":
                self.at += 2
            elif self.text[self.at] == "$":
                is_literal = False
                self.expansion()
            else:
                self.at += 1
        self.at += 1
        return is_literal

    def expansion(self):
        self.at += 1
        if self.text.startswith("((", self.at):
            self.at = self.text.index("))", self.at) + 2
        elif self.text[self.at] == "(":
            self.at += 1
            self.commands(")")
        elif self.text[self.at] == "{":
            depth = 0
            while True:
                depth += {"{": 1, "}": -1}.get(self.text[self.at], 0)
                self.at += 1
                if depth == 0:
                    return


def called_by(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        names = re.findall(r"""(?:run|Popen|check_output|check_call)\(\s*\[\s*["']([\w.+-]+)["']""", text)
    else:
        names = Shell(text).commands()
    return {name for name in names if re.fullmatch(r"[\w.+][\w.+-]*", name)}


def scripts():
    return sorted(path for folder in (SCRIPTS, ROOT / "tests", ROOT / ".ci") for path in folder.rglob("*")
                  if path.suffix in (".sh", ".py") or path == ROOT / ".ci" / "run")


def functions():
    texts = (path.read_text(encoding="utf-8") for path in scripts() if path.suffix != ".py")
    return {name for text in texts for name in re.findall(r"^([\w-]+)\(\)", text, re.M)}


def query(*flags):
    return subprocess.run(["dpkg-query", *flags], capture_output=True, text=True, check=False).stdout


@functools.cache
def package_of(program):
    path = shutil.which(program)
    if path is None:
        return None
    for spelled in (path, str(pathlib.Path(path).resolve()), path.replace("/usr/bin/", "/bin/"), "/usr" + path):
        owner = query("-S", spelled).split(":")[0]
        if owner:
            return owner
    return None


def names_in(depends):
    return {re.sub(r"[\s(:].*", "", choice.strip()) for part in depends.split(",") for choice in part.split("|")} - {""}


def closure(packages):
    """The packages with all that they depend on."""
    known, left = set(), set(packages)
    while left:
        known |= left
        depends = query("-W", "-f", "${Depends}, ${Pre-Depends}, ", *sorted(left))
        left = names_in(depends) - known
    return known


class Programs(unittest.TestCase):
    def test_reads_shell(self):
        text = ("# no command\nif has x; then curl \"$(stat -c %s a | wc -l)\" >out; fi\nX=1 env Y=2 sed -n 1p <<'E' || exit\n"
                "hidden\nE\ncase $a in\n  b | c) tar x ;;\n  *) [[ a || b ]] && awk 1 ;;\nesac\nlist=(one two \"$(sort f)\")\n"
                "while read -r l; do $run it; done < <(find .)\nfor i in cat dog; do (cd x && ls); done\n")
        self.assertEqual(sorted(set(Shell(text).commands())),
                         sorted({"has", "curl", "stat", "wc", "sed", "exit", "tar", "awk", "sort", "read", "find", "cd", "ls"}))

    def test_every_program_comes_from_set_up(self):
        if shutil.which("dpkg-query") is None:
            skip_aloud("dpkg-query is not there: what a Debian has, only a Debian tells")
        needed = re.search(r"\nneeded=\((.*?)\n\)", (SCRIPTS / "setup.sh").read_text(encoding="utf-8"), re.S).group(1)
        installed = {line.strip().strip('"').split()[0] for line in needed.strip().splitlines()}
        basic = {line.split()[1] for line in query("-W", "-f", "${Priority} ${Package} ${Essential}\n").splitlines()
                 if line.startswith("required ") or line.endswith(" yes")}
        provided = closure(installed | basic)
        own = functions() | BUILTINS | GIVEN
        lacking = {}
        n_programs = 0
        for path in scripts():
            for program in sorted(called_by(path) - own):
                n_programs += 1
                # A python3 or cmake from elsewhere stands before the distribution's own.
                package = package_of(program) or program
                if package not in provided:
                    lacking.setdefault(f"{program} (of the package {package})", []).append(str(path.relative_to(ROOT)))
        self.assertGreater(n_programs, 50)
        self.assertEqual(lacking, {}, "scripts/setup.sh does not install them, and the scripts do not look for them")


if __name__ == "__main__":
    unittest.main()
