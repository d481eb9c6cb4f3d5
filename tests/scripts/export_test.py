"""What leaves the program for other programs: tables that pandas reads, figures that matplotlib draws, the notebook, and files of
the Every Eval Ever schema. pandas, pyarrow and matplotlib are those of scripts/get_python.sh; without them a test is skipped aloud.
"""
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import support

FIXTURES = support.ROOT / "tests/fixtures"
LISTING = FIXTURES / "figures/GoEmotions/listing_0"
ICL = FIXTURES / "figures/MFRC/icl_0"
ALIGNED = FIXTURES / "align/logs/GoEmotions/small"
DATA = ["--root-dir", "configs/example", "--emotion-clustering-json", "configs/example/emotion_clustering.json", "--test-splits", "dev"]
PYTHONS = [os.environ.get("LABELPROBE_PYTHON", ""), str(support.ROOT / "build/python-env/bin/python3"), sys.executable]


def python_with(module):
    for python in filter(None, PYTHONS):
        if pathlib.Path(python).exists() and subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0:
            return python
    return support.skip_aloud(f"no Python has {module} (scripts/get_python.sh installs one)")


def labelprobe(*arguments):
    if not support.PROGRAM:
        support.skip_aloud("the program is not built")
    return support.run(support.PROGRAM, *arguments, cwd=support.ROOT)


class Schema:
    """The part of JSON Schema, draft 7, that the schemas in the fixtures use."""

    TYPES = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool, "null": type(None)}

    def __init__(self, name):
        self.root = json.loads((FIXTURES / "exchange" / name).read_text())

    def problems(self, value, schema=None, path="$"):
        schema = self.root if schema is None else schema
        if "$ref" in schema:
            at = self.root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            return self.problems(value, at, path)
        found = []
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(isinstance(value, self.TYPES[kind]) and not (isinstance(value, bool) and kind != "boolean") for kind in kinds):
            return [f"{path}: expected {kinds}, found {value!r}"]
        if "enum" in schema and value not in schema["enum"] or "const" in schema and value != schema["const"]:
            found.append(f"{path}: {value!r} is none of {schema.get('enum', schema.get('const'))}")
        if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
            found.append(f"{path}: {value!r} does not match {schema['pattern']}")
        for choice in ("oneOf", "anyOf"):
            n = sum(not self.problems(value, one, path) for one in schema.get(choice, []))
            if choice in schema and (n != 1 if choice == "oneOf" else n == 0):
                found.append(f"{path}: fits {n} of {choice}")
        if "not" in schema and not self.problems(value, schema["not"], path):
            found.append(f"{path}: is what it must not be")
        for one in schema.get("allOf", []):
            found += self.problems(value, one, path)
        if "if" in schema:
            found += self.problems(value, schema.get("else" if self.problems(value, schema["if"], path) else "then", {}), path)
        if isinstance(value, dict):
            known = schema.get("properties", {})
            found += [f"{path}: lacks {name}" for name in schema.get("required", []) if name not in value]
            for name, part in value.items():
                rest = schema.get("additionalProperties", {})
                if name in known:
                    found += self.problems(part, known[name], f"{path}.{name}")
                elif rest is False:
                    found.append(f"{path}: knows no {name}")
                elif isinstance(rest, dict):
                    found += self.problems(part, rest, f"{path}.{name}")
        if isinstance(value, list) and isinstance(schema.get("items"), dict):
            for i, part in enumerate(value):
                found += self.problems(part, schema["items"], f"{path}[{i}]")
        return found


class EveryEvalEver(unittest.TestCase):
    def test_files_are_of_the_schema(self):
        with tempfile.TemporaryDirectory() as folder:
            done = labelprobe("export", LISTING, "--format", "every-eval-ever", "--out", folder, "--organization", "A group")
            self.assertEqual(done.returncode, 0, done.stderr)
            path = pathlib.Path(done.stdout.strip())
            evaluation = json.loads(path.read_text())
            self.assertEqual(Schema("eval.schema.json").problems(evaluation), [])
            samples = pathlib.Path(folder) / evaluation["detailed_evaluation_results"]["file_path"]
            lines = [json.loads(line) for line in samples.read_text().splitlines()]
            self.assertEqual(len(lines), 22)
            for line in lines:
                self.assertEqual(Schema("instance_level_eval.schema.json").problems(line), [])
            evaluation["surprise"] = lines[0]["evaluation"]["score"] = "x"
            self.assertEqual(Schema("eval.schema.json").problems(evaluation), ["$: knows no surprise"])
            self.assertEqual(len(Schema("instance_level_eval.schema.json").problems(lines[0])), 1)


class Tables(unittest.TestCase):
    def test_csv_and_json_lines_say_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            for kind in ("csv", "jsonl"):
                done = labelprobe("export", LISTING, ICL, "--format", kind, "--out", folder)
                self.assertEqual(done.returncode, 0, done.stderr)
            for table in ("items", "steps", "values"):
                with open(f"{folder}/{table}.csv", newline="") as file:
                    rows = list(csv.DictReader(file))
                lines = list(map(json.loads, pathlib.Path(f"{folder}/{table}.jsonl").read_text().splitlines()))
                self.assertEqual(len(rows), len(lines))
                for row, line in zip(rows, lines):
                    self.assertEqual(list(row), list(line))
                    for name, value in line.items():
                        same = {None: "", True: "true", False: "false"}.get(value if isinstance(value, (bool, type(None))) else "", None)
                        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
                        if isinstance(value, float):
                            self.assertEqual(float(row[name]), value)
                        else:
                            self.assertEqual(row[name], shown if same is None else same)

    def test_parquet_says_the_same_as_json_lines(self):
        python = python_with("pandas, pyarrow")
        check = """
import json, sys, pyarrow.parquet as parquet
for name in ("items", "steps", "values"):
    lines = [json.loads(line) for line in open(f"{sys.argv[1]}/{name}.jsonl")]
    table = parquet.read_table(f"{sys.argv[1]}/{name}.parquet")
    assert table.num_rows == len(lines), (table.num_rows, len(lines))
    for row, line in zip(table.to_pylist(), lines):
        for key, value in line.items():
            same = abs(row[key] - value) <= 1e-7 * abs(value) if isinstance(value, float) else row[key] == value
            assert same, (name, key, row[key], value)
import pandas
assert len(pandas.read_parquet(sys.argv[1] + "/steps.parquet").groupby("label").prob.mean()) == 5
"""
        with tempfile.TemporaryDirectory() as folder:
            for kind in ("parquet", "jsonl"):
                done = labelprobe("export", LISTING, "--format", kind, "--out", folder, "--python", python)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(sorted(os.listdir(folder)), sorted(f"{name}.{kind}" for name in ("items", "steps", "values")
                                                                for kind in ("parquet", "jsonl")))
            checked = subprocess.run([python, "-c", check, folder], capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_without_pyarrow_it_is_said_how_to_get_it(self):
        with tempfile.TemporaryDirectory() as folder:
            done = labelprobe("export", LISTING, "--format", "parquet", "--out", f"{folder}/t", "--python", "/bin/false")
            self.assertEqual(done.returncode, 2)
            self.assertIn("--format parquet: found no Python that starts as /bin/false; python3 -m venv labelprobe-python && "
                          "labelprobe-python/bin/pip install pyarrow", done.stderr)
            self.assertFalse(os.path.exists(f"{folder}/t"))
            done = labelprobe("export", LISTING, "--format", "csv", "--tables", "item", "--out", f"{folder}/t")
            self.assertEqual(done.returncode, 2)
            self.assertIn("did you mean 'items'?", done.stderr)

    def test_a_script_that_fails_leaves_no_files(self):
        with tempfile.TemporaryDirectory() as folder:
            stub = pathlib.Path(folder) / "python"
            stub.write_text('#!/bin/sh\ncase "$2" in import*) exit 0 ;; esac\necho broken >&2\nexit 3\n')
            stub.chmod(0o755)
            done = labelprobe("export", LISTING, "--format", "parquet", "--out", f"{folder}/t", "--python", stub)
            self.assertEqual(done.returncode, 2)
            self.assertIn("broken", done.stderr)
            self.assertIn("expected the script to end well, found exit code 3", done.stderr)
            self.assertEqual(os.listdir(f"{folder}/t"), [])


class Module(unittest.TestCase):
    """The module of the wheel, with the program of this build in place of the wheel's."""

    READ = """
import json, sys
import labelprobe
labelprobe.PROGRAM = sys.argv[1]
run = labelprobe.read(*map(eval, sys.argv[2:]))
print(json.dumps({"rows": [len(frame) for frame in run], "items": list(map(str, run.items["item"])),
                  "type": str(run.steps["prob"].dtype), "sum": float(run.steps["prob"].sum())}))
"""

    def read(self, *arguments):
        python = python_with("pandas")
        if not support.PROGRAM:
            support.skip_aloud("the program is not built")
        return support.run(python, "-c", self.READ, support.PROGRAM, *map(repr, arguments),
                           env={"PYTHONPATH": support.SCRIPTS / "wheel"}, cwd=support.ROOT)

    def test_a_run_is_read_as_frames(self):
        done = self.read(str(LISTING), 0)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(labelprobe("export", LISTING / "experiment_0", "--format", "csv", "--out", folder).returncode, 0)
            tables = []
            for name in ("items", "steps", "values"):
                with open(f"{folder}/{name}.csv", newline="") as file:
                    tables.append(list(csv.DictReader(file)))
        self.assertEqual(found["rows"], [len(table) for table in tables])
        self.assertEqual(found["items"], [row["item"] for row in tables[0]])
        self.assertEqual(found["type"], "float64")
        self.assertAlmostEqual(found["sum"], sum(float(row["prob"]) for row in tables[1]), places=4)

    def test_what_is_no_run_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments, kind in (((f"{folder}/none",), "FileNotFoundError"), ((folder,), "ValueError"), ((str(LISTING), 9), "ValueError")):
                done = self.read(*arguments)
                self.assertNotEqual(done.returncode, 0)
                last = done.stderr.splitlines()[-1]
                self.assertTrue(last.startswith(kind) and str(arguments[0]) in last, done.stderr)


class Figures(unittest.TestCase):
    def test_data_come_first_and_need_no_python(self):
        with tempfile.TemporaryDirectory() as folder:
            done = labelprobe("figure", "later", LISTING, "--out", folder, "--python", "/bin/false")
            self.assertEqual(done.returncode, 2)
            self.assertIn("later is not drawn, its data are written: found no Python that starts as /bin/false", done.stderr)
            self.assertEqual(sorted(os.listdir(folder)), ["later.csv", "later.json"])
            done = labelprobe("figure", "later", LISTING, "--out", folder, "--data-only")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_figure_is_drawn_in_three_formats(self):
        python = python_with("matplotlib")
        with tempfile.TemporaryDirectory() as folder:
            table = f"{folder}/table.json"
            done = labelprobe("align", "GoEmotions", ALIGNED / "baseline/tiny--model_0", ALIGNED / "unary/tiny--model_0",
                              ALIGNED / "binary/tiny--model_0", *DATA, "--out", table)
            self.assertEqual(done.returncode, 0, done.stderr)
            known = [line.split()[0] for line in labelprobe("ls", "figures").stdout.splitlines()]
            self.assertEqual(len(known), 10)
            for name in known:
                inputs = {"binary": [table], "base_chat": [table, table], "multilabel_icl": [ICL], "spikiness": [LISTING, ICL]}
                names = ["--name", "Base", "Chat"] if name == "base_chat" else []
                made = []
                drawn = name not in ("top", "probabilities", "entropy", "base_chat")  # drawn by the same code as another
                for out in ("a", "b") if name == "second" else ("a",):
                    done = labelprobe("figure", name, *inputs.get(name, [LISTING]), "--out", f"{folder}/{out}", *names,
                                      *(["--python", python] if drawn else ["--data-only"]))
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(done.stderr, "")
                    if drawn:
                        made.append([pathlib.Path(f"{folder}/{out}/{name}.{ending}").read_bytes() for ending in ("pdf", "svg", "png")])
                if not drawn:
                    continue
                self.assertTrue(made[0][0].startswith(b"%PDF"))
                self.assertTrue(xml.etree.ElementTree.fromstring(made[0][1]).tag.endswith("svg"))
                self.assertTrue(made[0][2].startswith(b"\x89PNG"))
                self.assertEqual(made[0], made[-1], f"{name} is drawn otherwise the second time")


class Notebook(unittest.TestCase):
    def test_table_5_in_five_lines_is_that_of_align(self):
        python = python_with("pandas")
        notebook = json.loads((support.SCRIPTS / "notebook/table5.ipynb").read_text())
        cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        self.assertEqual(len(cells[-1].splitlines()), 6)  # five, and the one that shows the table
        runs = [ALIGNED / f"{plan}/tiny--model_0" for plan in ("baseline", "unary", "binary")]
        with tempfile.TemporaryDirectory() as folder:
            done = labelprobe("distributions", "GoEmotions", *runs, *DATA, "--out", f"{folder}/distributions.csv", "--votes",
                              f"{folder}/votes.jsonl")
            self.assertEqual(done.returncode, 0, done.stderr)
            done = labelprobe("align", "GoEmotions", *runs, *DATA, "--out", f"{folder}/table.json")
            self.assertEqual(done.returncode, 0, done.stderr)
            program = "\n".join(cells) + """
import json
for row in json.load(open("table.json"))["rows"]:
    if not row["run"]:
        continue
    found = table.xs(row["method"]).iloc[0]
    for metric in ("nll", "l1", "f1"):
        for ours, pandas_name in (("value", "mean"), ("standard_error", "sem")):
            assert abs(found[metric][pandas_name] - row[metric][ours]) < 1e-9, (row["method"], metric, found[metric], row[metric])
    print(row["method"])
"""
            ran = subprocess.run([python, "-c", program], cwd=folder, capture_output=True, text=True)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            self.assertGreaterEqual(len(ran.stdout.split("\n")), 5)


if __name__ == "__main__":
    unittest.main()
