"""Writes src/data/cleaning/text_preprocessor_entities.cpp: the named characters of HTML 5, from CPython's html.entities.

Usage: python3 scripts/html_entities.py
"""
import html
import html.entities
import pathlib
import platform

OUT = pathlib.Path(__file__).resolve().parents[1] / "src" / "data" / "text_preprocessor_entities.cpp"


def quoted(text):
    return '"' + "".join(c if 32 <= ord(c) < 127 and c not in '"\\?' else f"\\{b:03o}" if len(c.encode()) == 1 else
                         "".join(f"\\{x:03o}" for x in c.encode()) for c in text for b in [c.encode()[0]]) + '"'


def main():
    lines = [f"// Written by scripts/html_entities.py with CPython {platform.python_version()}: html.entities.html5 and",
             "// the code points that html.unescape replaces.",
             '#include "text_preprocessor_entities.h"', "", "namespace labelprobe::data {", "",
             "// clang-format off", "const std::array<NamedCharacter, kNNamedCharacters> kNamedCharacters = {{"]
    lines += [f"    {{{quoted(name)}, {quoted(text)}}}," for name, text in sorted(html.entities.html5.items())]
    lines += ["}};", "", "const std::array<std::pair<unsigned, unsigned>, kNReplacedCodes> kReplacedCodes = {{"]
    lines += [f"    {{0x{code:x}, 0x{ord(text):x}}}," for code, text in sorted(html._invalid_charrefs.items())]
    lines += ["}};", "// clang-format on", "", "}  // namespace labelprobe::data", ""]
    OUT.write_text("\n".join(lines))
    print(len(html.entities.html5), len(html._invalid_charrefs))


main()
