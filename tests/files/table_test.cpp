#include "labelprobe/files/table.h"

#include <nlohmann/json.hpp>

#include "data/small_root.h"
#include "support/errors.h"
#include "support/small_workbook.h"

namespace labelprobe::files {
namespace {

using Json = nlohmann::json;

// What is read of a file of this name and content, as {"columns": [..], "rows": [[..], ..]}.
Json read(const std::string& name, const std::string& text) {
  data::SmallRoot root;
  const Table table = read_table(root.write(name, text));
  return {{"columns", table.columns}, {"rows", table.rows}};
}

// Where the rows of a file stand, without its name.
std::vector<std::string> places(const std::string& name, const std::string& text) {
  data::SmallRoot root;
  const Table table = read_table(root.write(name, text));
  std::vector<std::string> behind;
  for (const std::string& place : table.places) behind.push_back(place.substr(table.name.size()));
  return behind;
}

// The message for a file, without its folder.
std::string message(const std::string& name, const std::string& text) {
  data::SmallRoot root;
  const std::string path = root.write(name, text);
  const std::string said = support::message_of<DataError>([&] { read_table(path); });
  return said.starts_with(path) ? name + said.substr(path.size()) : said;
}

}  // namespace

TEST_CASE("Every format of tables gives the same rows", "[unit]") {
  const Json expected =
      Json::parse(R"({"columns": ["b", "a"], "rows": [["x,1", "é"], ["", "line\nbreak"]]})");
  CHECK(read("t.csv", "b,a\n\"x,1\",é\n,\"line\nbreak\"\n") == expected);
  CHECK(read("T.TSV", "b\ta\nx,1\té\n\t\"line\nbreak\"\n") == expected);
  CHECK(read("t.jsonl", R"({"b": "x,1", "a": "é"}
{"b": "", "a": "line\nbreak"})") == expected);
  CHECK(read("t.json", R"([{"b": "x,1", "a": "é"}, {"a": "line\nbreak", "b": ""}])") == expected);
  CHECK(read("t.json", R"({"b": ["x,1", ""], "a": ["é", "line\nbreak"]})") == expected);
  CHECK(read("t.json", R"({"b": {"0": "x,1", "3": ""}, "a": {"0": "é", "3": "line\nbreak"}})") ==
        expected);
}

TEST_CASE("An object of rows keeps its keys as a column", "[unit]") {
  CHECK(read("t.json", R"({"p1": {"text": "a"}, "p0": {"text": "b", "n": 1}})") ==
        Json{{"columns", {"id", "text", "n"}}, {"rows", {{"p1", "a", nullptr}, {"p0", "b", 1}}}});
  CHECK(read("t.json", R"({"p1": {"id": 7}})").at("columns") == Json{"key", "id"});
}

TEST_CASE("Values of JSON keep their kinds, and rows may lack columns", "[unit]") {
  CHECK(read("t.jsonl", "{\"a\": 1, \"b\": [true, null, {\"c\": 0.5}]}\n\n{\"d\": null}\n") ==
        Json{{"columns", {"a", "b", "d"}},
             {"rows", {{1, {true, nullptr, {{"c", 0.5}}}, nullptr}, {nullptr, nullptr, nullptr}}}});
}

TEST_CASE("Rows know where they stand", "[unit]") {
  using Places = std::vector<std::string>;
  CHECK(places("t.csv", "a\n\"1\n2\"\n\n3\n") == Places{":2", ":5"});
  CHECK(places("t.jsonl", "{\"a\": 1}\n\n{\"a\": 2}") == Places{":1", ":3"});
  CHECK(places("t.json", "\n[{\"a\": \"[\\\"{\"},\n\n {\"a\": [1,\n2]}, {\"a\": 0}\n]") ==
        Places{":2", ":4", ":5"});
  CHECK(places("t.json", "{\n\"x\": {\"a\": 1},\n\"y\":\n{\"a\": 2}}") == Places{":2", ":3"});
  CHECK(places("t.json", "{\"a\": [1, 2]}") == Places{": row 0", ": row 1"});
}

TEST_CASE("Columns are found by name", "[unit]") {
  data::SmallRoot root;
  const Table table = read_table(root.write("t.csv", "text,label,x,x\n"));
  CHECK(table.column("label") == 1);
  CHECK_FALSE(table.find_column("Text"));
  CHECK_THROWS_WITH(table.column("labels"),
                    ContainsSubstring("t.csv: expected a column 'labels', found none; did you mean "
                                      "'label'? (columns: text, label, x, x)"));
  CHECK_THROWS_WITH(table.column("x"), ContainsSubstring("expected one column 'x', found two"));
}

TEST_CASE("Says what is wrong with a table", "[unit]") {
  CHECK(message("t.csv", "") == "t.csv:1: expected a header, found an empty file");
  CHECK(message("t.csv", "a,b\n1\n") == "t.csv:2: expected 2 comma-separated fields, found 1");
  CHECK(message("t.csv", "a\n\xFF\n") ==
        "t.csv:2: expected text in UTF-8, found other bytes; convert the file");
  CHECK(message("t.jsonl", "{\"a\": 1}\n[1]\n") ==
        "t.jsonl:2: expected a row, a JSON object, found array");
  CHECK(message("t.jsonl", "\n") == "t.jsonl: expected a table, found no columns");
  CHECK(message("t.json", "[\n{\"a\": 1},\n2]") ==
        "t.json:3: expected a row, a JSON object, found number");
  CHECK(message("t.json", "3") ==
        "t.json: expected a list of objects, or an object of columns or of rows, found number");
  CHECK(message("t.json", "[]") ==
        "t.json: expected a list of objects, or an object of columns or of rows, found an empty "
        "array");
  CHECK(message("t.json", R"({"a": [1, 2], "b": [1]})") ==
        "t.json: key 'b': expected array of 2 values as in the first column, found array of 1");
  CHECK_THAT(message("t.json", "[{\"a\": 1"), ContainsSubstring("it may be cut off"));
}

TEST_CASE("A last row without a line break is read, and a note says where", "[unit]") {
  data::SmallRoot root;
  for (const std::string text : {"a,b\n1,x y", "a,b\n1,\"x y\"", "a,b\r\n1,x y"}) {
    const Table table = read_table(root.write("t.csv", text));
    CHECK(Json(table.rows) == Json::parse(R"([["1", "x y"]])"));
    REQUIRE(table.notes.size() == 1);
    CHECK(table.notes.front() == table.name +
                                     ":2: the last row has no line break behind it; look whether "
                                     "the file is whole");
  }
  CHECK(read_table(root.write("t.csv", "a,b\n1,x y\n")).notes.empty());
  CHECK(message("t.csv", "a,b\n1") == "t.csv:2: expected 2 comma-separated fields, found 1");
  CHECK_THAT(message("t.csv", "a,b\n1,\"x y"),
             ContainsSubstring("t.csv:2: expected the quoted field that begins in this row to be "
                               "closed"));
}

TEST_CASE("A workbook's sheet is a table of texts", "[unit]") {
  using support::cell;
  data::SmallRoot root;
  const std::string path = root.path("t.xlsx");
  const std::string header = "<row r=\"1\">" + cell("A1", "id") + cell("B1", "text") + "</row>";
  support::write_archive(
      path, support::workbook_parts(header + "<row r=\"3\"><c r=\"A3\"><v>7</v></c></row>" +
                                    "<row r=\"4\">" + cell("B4", "so, glad") + "</row>"));
  const Table table = read_table(path);
  CHECK(table.columns == std::vector<std::string>{"id", "text"});
  CHECK(Json(table.rows) == Json::parse(R"([["7", ""], ["", "so, glad"]])"));
  CHECK(table.places[1] == path + ": sheet 'slurs', cell A4");
  TableOptions other;
  other.sheet = "votes";
  CHECK_THROWS_WITH(read_table(path, other), ContainsSubstring("expected a sheet 'votes', found "));
  support::write_archive(
      path, support::workbook_parts(header + "<row r=\"2\">" + cell("C2", "beyond") + "</row>"));
  CHECK_THROWS_WITH(read_table(path), ContainsSubstring("cell A2: expected at most 2 cells, as the "
                                                        "header has, found 3"));
  const std::string two = support::fixture("data/queer_reclaim_lex/Annotations/Annotator1.xlsx");
  CHECK_THROWS_WITH(read_table(two), ContainsSubstring("expected one sheet, or its name as "
                                                       "'sheet', found slurs, identity terms"));
}

TEST_CASE("Lines of a text are a table of one column", "[unit]") {
  data::SmallRoot root;
  TableOptions lines;
  lines.format = TableFormat::Lines;
  const std::string path = root.write("t.txt", "one, \"two\r\n\n three");
  const Table table = read_table(path, lines);
  CHECK(table.columns == std::vector<std::string>{"line"});
  CHECK(Json(table.rows) == Json::parse(R"([["one, \"two"], [""], [" three"]])"));
  CHECK(table.places[2] == path + ":3");
  CHECK_THAT(table.notes.at(0), ContainsSubstring("t.txt:3: the last row has no line break"));
  root.write("t.txt", "");
  CHECK(read_table(path, lines).rows.empty());
}

TEST_CASE("Bytes that are no UTF-8 are refused, or something else stands for each", "[unit]") {
  data::SmallRoot root;
  TableOptions how;
  for (const std::string name : {"t.csv", "t.jsonl", "t.txt"}) {
    INFO(name);
    how.format = name == "t.txt" ? std::optional(TableFormat::Lines) : std::nullopt;
    how.bad_bytes = std::nullopt;
    const bool is_json = name == "t.jsonl";
    const std::string path =
        root.write(name, is_json ? "{\"a\": \"x\xF0y\xC3\"}\n" : "a\nx\xF0y\xC3\n");
    CHECK_THROWS_AS(read_table(path, how), DataError);
    how.bad_bytes = "_";
    CHECK(read_table(path, how).rows.back() == std::vector<Json>{"x_y_"});
  }
}

TEST_CASE("The name of a file says its format", "[unit]") {
  CHECK(table_format_of("a.b/T.JsonL") == TableFormat::JsonLines);
  CHECK(table_format_of("t.ndjson") == TableFormat::JsonLines);
  CHECK_FALSE(find_table_format("task.yaml"));
  CHECK_THROWS_WITH(table_format_of("x/raters"),
                    ContainsSubstring("x/raters: expected a table, whose name ends in .csv, .tsv, "
                                      ".jsonl, .json, .parquet, .xlsx, .lines, or in .gz or .zst "
                                      "behind that, found 'raters'"));
  CHECK(table_format_of("T.CSV.Gz") == TableFormat::Csv);
  CHECK(table_format_of("t.jsonl.zst") == TableFormat::JsonLines);
  CHECK_FALSE(find_table_format("t.gz"));
  CHECK_THROWS_WITH(table_format_of("t.parquet.gz"),
                    ContainsSubstring("t.parquet.gz: expected parquet as it is, for it is "
                                      "compressed in itself, found a compressed file; unpack it"));
}

}  // namespace labelprobe::files
