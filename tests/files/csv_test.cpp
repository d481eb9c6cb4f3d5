#include "labelprobe/files/csv.h"

#include <nlohmann/json.hpp>

#include "data/small_root.h"

namespace labelprobe::files {

TEST_CASE("Quotes in odd places mean what they mean to Python's csv module", "[unit]") {
  const auto reference =
      nlohmann::json::parse(std::ifstream(support::fixture("data/quoting.json")));
  data::SmallRoot root;
  std::size_t n_tables = 0;
  for (const auto& table : reference.at("tables")) {
    const std::string path = root.write("table.csv", table.at("text").get<std::string>());
    INFO(table.dump());
    std::vector<std::vector<std::string>> rows;
    for_each_row(MappedFile(path), ',', SwallowedRows::Allow,
                 [&](TableRow& row) { rows.push_back(row.fields); });
    REQUIRE(rows == table.at("rows").get<std::vector<std::vector<std::string>>>());
    ++n_tables;
  }
  REQUIRE(n_tables == 150);
}

TEST_CASE("A field that goes on behind its quotes ends with its line", "[unit]") {
  data::SmallRoot root;
  std::vector<std::string> places;
  std::vector<std::string> fields;
  for_each_row(MappedFile(root.write("t.tsv", "\"a\nb\" c\td\n\"e\" \"f\n")), '\t',
               SwallowedRows::Refuse, [&](TableRow& row) {
                 places.push_back(row.place.substr(row.place.rfind(':')));
                 fields.insert(fields.end(), row.fields.begin(), row.fields.end());
               });
  REQUIRE(fields == std::vector<std::string>{"a\nb c", "d", "e \"f"});
  REQUIRE(places == std::vector<std::string>{":1", ":3"});
}

TEST_CASE("A quoted field that seems to have swallowed rows is refused with its lines", "[unit]") {
  data::SmallRoot root;
  const auto n_rows = [&](const std::string& text, char delimiter, SwallowedRows swallowed) {
    int n = 0;
    for_each_row(MappedFile(root.write("t.txt", text)), delimiter, swallowed,
                 [&](TableRow&) { ++n; });
    return n;
  };
  const std::string stray = "a\t1\n\"b\t2\nc\t3\n\"d\" e\t4\n";
  CHECK_THROWS_WITH(n_rows(stray, '\t', SwallowedRows::Refuse),
                    ContainsSubstring("t.txt:2: expected a field that ends in its row, found a "
                                      "quoted one up to line 4 that holds tabs and line breaks") &&
                        ContainsSubstring("--allow-quoted-rows"));
  CHECK(n_rows(stray, '\t', SwallowedRows::Allow) == 2);  // as pandas
  // Texts may have line breaks, and those of comma-separated tables commas besides.
  CHECK(n_rows("\"a\nb\"\t1\n", '\t', SwallowedRows::Refuse) == 1);
  CHECK(n_rows("\"a,\nb, c\",1\n", ',', SwallowedRows::Refuse) == 1);
  CHECK_THROWS_WITH(n_rows("x,1\n\"b,2\nc,3\n\"d e,4\n", ',', SwallowedRows::Refuse),
                    ContainsSubstring("t.txt:2:") && ContainsSubstring("commas and line breaks"));
}

TEST_CASE("A row of more fields than any table has is refused before it takes memory", "[unit]") {
  data::SmallRoot root;
  const MappedFile file(root.write("t.tsv", "a\tb\n" + std::string(5'000'000, '\t') + "\n"));
  CHECK_THROWS_WITH(for_each_row(file, '\t', SwallowedRows::Allow, [](TableRow&) {}),
                    ContainsSubstring("t.tsv:2: expected a row of at most 65536 fields, found "
                                      "more"));
}

TEST_CASE("Fields are quoted where a reader would stumble", "[unit]") {
  CHECK(csv_field("plain text") == "plain text");
  CHECK(csv_field("a,b") == "\"a,b\"");
  CHECK(csv_field("say \"x\"") == "\"say \"\"x\"\"\"");
  CHECK(csv_field("a\nb") == "\"a\nb\"");
}

}  // namespace labelprobe::files
