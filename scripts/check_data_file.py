"""Checks that a data file whose publisher's checksum is not known has the format that labelprobe reads.

check_data_file.py FORMAT FILE prints what is wrong and exits 1; prints nothing if nothing is. Only what tells a whole file
of the right kind from a cut, converted or wrong one: the program itself checks every value when it reads the file.
"""
import csv
import json
import sys
import zipfile

EMOTIONS = ("admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval "
            "disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief "
            "remorse sadness surprise neutral").split()
SEMEVAL = ["ID", "Tweet", "anger", "anticipation", "disgust", "fear", "joy", "love", "optimism", "pessimism", "sadness",
           "surprise", "trust"]


class Wrong(Exception):
    """What was expected and what was found."""


def expect(is_right, message):
    if not is_right:
        raise Wrong(message)


def table(path, delimiter=",", header=(), width=None, first_column_free=False, quoting=csv.QUOTE_MINIMAL):
    """The header holds these names (in this order if `width` is given), and every row has as many fields as it."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter, quoting=quoting)
        names = next(rows, [])
        if width:
            expect(names == list(header), f"line 1: expected the columns {', '.join(header)}, found {', '.join(names)}")
        for name in header:
            expect(name in names, f"line 1: expected a column {name}, found {', '.join(names)}")
        n_rows = 0
        for row in rows:
            expect(len(row) == len(names), f"line {rows.line_num}: expected {len(names)} fields, found {len(row)}")
            n_rows += 1
        expect(n_rows > 0, "expected rows after the header, found none")


def json_lines(path, keys, n_rows=None):
    with open(path, encoding="utf-8") as file:
        n_found = 0
        for line in file:
            n_found += 1
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise Wrong(f"line {n_found}: expected JSON, found otherwise ({error})") from None
            missing = [key for key in keys if not isinstance(row, dict) or key not in row]
            expect(not missing, f"line {n_found}: expected an object with the keys {', '.join(keys)}; it lacks {', '.join(missing)}")
        expect(n_found > 0 and n_rows in (None, n_found), f"expected {n_rows or 'some'} rows, found {n_found}")


def goemotions_emotions(path):
    with open(path, encoding="utf-8") as file:
        names = file.read().split()
    expect(names == EMOTIONS, f"expected the 28 names admiration to neutral, one a line, found {len(names)}: {' '.join(names)[:80]}")


def parquet(path):
    with open(path, "rb") as file:
        begin = file.read(4)
        file.seek(0, 2)
        n_bytes = file.tell()
        file.seek(max(0, n_bytes - 4))
        end = file.read(4)
    expect(n_bytes > 12 and begin == end == b"PAR1", f"expected a Parquet file ('PAR1' at both ends), found {begin!r} and {end!r}")


def workbook(path):
    with zipfile.ZipFile(path) as archive:
        expect(archive.testzip() is None, "expected a whole workbook, found a damaged one")
        sheets = archive.read("xl/workbook.xml").decode("utf-8")
    for name in ("slurs", "identity terms"):
        expect(f'name="{name}"' in sheets, f"expected a sheet '{name}', found none")


def splits(path):
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    expect(isinstance(found, dict) and all(isinstance(found.get(key), list) for key in ("train", "test")),
           "expected an object with the lists train and test")


def object_names(path):
    with open(path, encoding="utf-8") as file:
        names = file.readline().split(",")
    expect(len(names) > 1 and all(name.strip() for name in names), "expected names separated by commas on the first line")


MMLU = ("question_id", "question", "options", "answer", "answer_index")
FORMATS = {
    "boxes": lambda path: json_lines(path, ("sentence_masked", "masked_content", "sample_id")),
    "boxes-objects": object_names,
    "goemotions-emotions": goemotions_emotions,
    "mfrc": lambda path: table(path, header=("text", "subreddit", "bucket", "annotator", "annotation", "confidence"), width=6),
    "mmlu-test": lambda path: json_lines(path, MMLU, 12032),
    "mmlu-validation": lambda path: json_lines(path, MMLU, 70),
    "msp-consensus": lambda path: table(path, header=("FileName", "Split_Set")),
    "msp-detailed": lambda path: table(path, header=("EmoDetail",)),
    "msp-transcripts": lambda path: table(path, header=("id", "text")),
    "parquet": parquet,
    "queer-csv": lambda path: table(path, header=("template_idx", "term", "template")),
    "queer-splits": splits,
    "queer-xlsx": workbook,
    "semeval": lambda path: table(path, delimiter="\t", header=SEMEVAL, width=13, quoting=csv.QUOTE_NONE),
}


def main():
    name, path = sys.argv[1:]
    try:
        FORMATS[name](path)
    except (Wrong, csv.Error, json.JSONDecodeError, KeyError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        print(error if str(error) else type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
