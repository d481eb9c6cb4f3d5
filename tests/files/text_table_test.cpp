#include "labelprobe/files/text_table.h"

#include <sstream>

#include "support/catch.h"

namespace labelprobe::files {
namespace {

TextTable small_table() {
  return {{{"name", Align::Left}, {"n"}, {"note", Align::Left}},
          {{"éa", "3", "a, \"b\""}, {"long name", "12"}, {"", "", "x_y"}}};
}

std::string written(void (*write)(std::ostream&, const TextTable&), const TextTable& table) {
  std::ostringstream out;
  write(out, table);
  return out.str();
}

std::string in_terminal(const TextTable& table, const TerminalLayout& layout) {
  std::ostringstream out;
  write_terminal(out, table, layout);
  return out.str();
}

TEST_CASE("Columns of a terminal are as wide as their widest text", "[files]") {
  CHECK(in_terminal(small_table(), {}) ==
        "name        n  note\n"
        "éa          3  a, \"b\"\n"
        "long name  12  -\n"
        "-           -  x_y\n");
  CHECK(in_terminal(small_table(), {.indent = "  ", .empty = "", .has_header = false}) ==
        "  éa          3  a, \"b\"\n"
        "  long name  12\n"
        "                 x_y\n");
}

TEST_CASE("Markdown, LaTeX and CSV escape what they would take for marks", "[files]") {
  CHECK(written(write_markdown, small_table()) ==
        "| name | n | note |\n| :-- | --: | :-- |\n| éa | 3 | a, \"b\" |\n| long name | 12 |  |\n"
        "|  |  | x\\_y |\n");
  CHECK_THAT(written(write_latex, small_table()),
             ContainsSubstring("\\begin{tabular}{lrl}\n\\hline\nname & n & note \\\\\n\\hline\n") &&
                 ContainsSubstring("long name & 12 &  \\\\\n &  & x\\_y \\\\\n\\hline\n"));
  CHECK(written(write_csv, small_table()) ==
        "name,n,note\néa,3,\"a, \"\"b\"\"\"\nlong name,12,\n,,x_y\n");
  CHECK(escape_latex("-3 [-1, 0] a-b ±") == "$-$3 [$-$1, 0] a-b $\\pm$");
  CHECK(escape_latex("[x]") == "{}[x]");
  CHECK(escape_markdown("a|b\n*") == "a\\|b \\*");
}

TEST_CASE("HTML escapes marks and quotes, and knows columns of numbers", "[files]") {
  CHECK(written(write_html, {{{"<a>", Align::Left}, {"n"}}, {{"x & \"y\"", "3"}, {"</td>"}}}) ==
        "<table>\n<thead>\n<tr><th>&lt;a&gt;</th><th class=\"number\">n</th></tr>\n</thead>\n"
        "<tbody>\n<tr><td>x &amp; &quot;y&quot;</td><td class=\"number\">3</td></tr>\n"
        "<tr><td>&lt;/td&gt;</td><td class=\"number\"></td></tr>\n</tbody>\n</table>\n");
}

TEST_CASE("Columns without any text are taken out, of short rows too", "[files]") {
  TextTable table{{{"a"}, {"b"}, {"c"}}, {{"1", "", "2"}, {"3"}}};
  drop_empty_columns(table);
  CHECK(written(write_csv, table) == "a,c\n1,2\n3,\n");
}

TEST_CASE("Digits are grouped by three", "[files]") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(-123456) == "-123,456");
  CHECK(grouped(1234567890) == "1,234,567,890");
}

TEST_CASE("A share is a percentage of one decimal", "[files]") {
  CHECK(percent(0.1235) == "12.3%");
  CHECK(percent(1.0) == "100.0%");
}

}  // namespace
}  // namespace labelprobe::files
