// Tables of items that are written down in items.h.
#include <cmath>
#include <limits>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "labelprobe/record/export.h"

#include "record/items.h"
#include "support/catch.h"

namespace labelprobe::record {
namespace {

using nlohmann::json;

LoggedRun make_run() {
  LoggedRun run;
  run.folder = "logs/a_0";
  run.index = 2;
  run.plan = "baseline";
  run.model = "tiny";
  ItemRecord item = make_item("de0");
  item.label_steps[0].logits[0].second = -std::numeric_limits<float>::infinity();
  item.outs = "";
  item.readouts = {make_readout("marginal_exact")};
  ItemRecord failed;
  failed.key = "de1";
  failed.annotator = "aggregate";
  failed.failure = "a, \"b\"";
  run.items = {item, failed};
  return run;
}

const ExportTable& table(const std::string& name) {
  for (const ExportTable& one : export_tables()) {
    if (one.name == name) return one;
  }
  throw std::runtime_error("no table " + name);
}

std::vector<json> rows_of(const LoggedRun& run, const std::string& name) {
  std::ostringstream out;
  const auto writer = write_json_rows(out, table(name).columns);
  table(name).for_each_row(run, [&](const Row& row) {
    REQUIRE(row.size() == table(name).columns.size());
    writer->add(row);
  });
  std::vector<json> rows;
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
  return rows;
}

}  // namespace

TEST_CASE("An item is a row with a column for every text and number", "[export]") {
  const std::vector<json> rows = rows_of(make_run(), "items");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["run"] == "logs/a_0");
  CHECK(rows[0]["experiment"] == 2);
  CHECK(rows[0]["example"] == "de0");
  CHECK(rows[0]["asked"] == nullptr);
  CHECK(rows[0]["query_text"] == "text of de0: \"quoted\"\nsecond line");
  CHECK(rows[0]["predictions"] == json({"fear", "joy"}));
  CHECK(rows[0]["outs"] == "");
  CHECK(rows[0]["outs_ids"] == json({12, 5, 900}));
  CHECK(rows[0]["prefix_outs"] == nullptr);
  CHECK(rows[0]["answer_source"] == nullptr);
  CHECK(rows[0]["n_label_steps"] == 2);
  CHECK(rows[1]["failure"] == "a, \"b\"");
}

TEST_CASE("A label step is a row for each label", "[export]") {
  const std::vector<json> rows = rows_of(make_run(), "steps");
  REQUIRE(rows.size() == 6);
  CHECK(rows[0]["step"] == 1);
  CHECK(rows[0]["label"] == "joy");
  CHECK(rows[0]["logit"] == nullptr);  // JSON has no infinity
  CHECK(rows[0]["vocab_prob"] == 0.0);
  CHECK(rows[0]["prob"].get<float>() == 0.7F);
  CHECK(rows[0]["is_gold"] == true);
  CHECK(rows[2]["label"] == "none");
  CHECK(rows[2]["is_predicted"] == false);
  CHECK(rows[4]["step"] == 2);
  CHECK(rows[4]["token_index"] == 2);
  CHECK(rows[4]["space"] == "spaced");
  CHECK(rows[4]["vocab_prob"].get<float>() == std::exp(11.5F - 12.5F));
}

TEST_CASE("Every other number is a row of its own", "[export]") {
  std::set<std::string> found;
  for (const json& row : rows_of(make_run(), "values")) {
    const std::string label = row["label"].is_null() ? "-" : row["label"].get<std::string>();
    found.insert(row["field"].get<std::string>() + "/" + row["name"].get<std::string>() + "/" +
                 row["measure"].get<std::string>() + "/" + label + "=" + row["value"].dump());
  }
  for (const char* wanted :
       {"readouts/marginal_exact/probs/joy=0.6", "readouts/marginal_exact/upper/fear=2e-09",
        "readouts/marginal_exact/empty/-=0.125", "readouts/marginal_exact/n_nodes/-=12.0"}) {
    CAPTURE(wanted);
    const std::string start(wanted, std::string(wanted).find('=') + 1);
    const auto place = found.lower_bound(start);
    REQUIRE(place != found.end());
    REQUIRE(place->starts_with(start));
    CHECK(std::stof(place->substr(start.size())) ==
          std::stof(std::string(wanted).substr(start.size())));
  }
}

TEST_CASE("An item of two answer words says what was asked", "[export]") {
  LoggedRun run;
  ItemRecord item = make_word_item("de0_binary_joy_fear");
  item.known_form = &kBinaryItems;
  run.items = {item};
  const std::vector<json> items = rows_of(run, "items");
  CHECK(items[0]["example"] == "de0");
  CHECK(items[0]["asked"] == "joy_fear");
  for (const json& row : rows_of(run, "steps")) CHECK(row["is_gold"] == nullptr);
  CHECK(rows_of(run, "values")[0]["field"] == "greedy_answer");
}

TEST_CASE("CSV tells an empty text from none", "[export]") {
  std::ostringstream out;
  const auto writer = write_csv_rows(out, {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}});
  writer->add({std::string(), std::monostate(), 0.1F, std::vector<std::string>{"x", "y"}, true});
  writer->add({std::string("a\"b"), std::int64_t{3}, -std::numeric_limits<float>::infinity(),
               std::vector<std::int64_t>{1, 2}, false});
  CHECK(out.str() == "a,b,c,d,e\n\"\",,0.1,\"x, y\",true\n\"a\"\"b\",3,-inf,\"1, 2\",false\n");
}

TEST_CASE("Batches hold a list for each column", "[export]") {
  std::ostringstream out;
  const auto writer = write_batches(out, {{"a"}, {"b", ColumnType::Number}}, /*n_rows=*/2);
  for (int i = 0; i < 3; ++i) writer->add({std::to_string(i), 0.5F});
  writer->finish();
  writer->finish();
  CHECK(out.str() ==
        "[[\"a\",\"text\"],[\"b\",\"number\"]]\n[[\"0\",\"1\"],[0.5,0.5]]\n[[\"2\"],[0.5]]\n");
}

}  // namespace labelprobe::record
