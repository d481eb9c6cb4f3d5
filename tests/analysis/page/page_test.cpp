#include <sstream>

#include <nlohmann/json.hpp>

#include "labelprobe/analysis/report_page.h"

#include "analysis/page/item_data.h"
#include "analysis/page/page_data.h"
#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

using record::ItemRecord;
using record::LabelStep;

constexpr const char* kHostile = "</script><script>alert(1)</script>\u2028 \"'&<!-- \xFF";

ItemRecord item_of(const std::string& key, const std::string& text) {
  ItemRecord item;
  item.key = key;
  item.query_text = text;
  item.gold = {"joy"};
  item.predictions = {"fear"};
  item.outs = "fear";
  item.n_prompt_tokens = 12;
  LabelStep step;
  step.index = 1;
  step.logits = {{"fear", 2.0F}, {"joy", 1.0F}};
  step.log_sum_exp = 3.0F;
  step.likely_tokens = {{"fear", 2.0F}};
  item.label_steps = {step};
  return item;
}

ReportPage page_of(std::vector<ItemRecord> items) {
  ReportPage page;
  page.title = "A <title>";
  ReportedRun& run = page.runs.emplace_back();
  run.log.folder = "logs/a_0";
  run.log.items = std::move(items);
  return page;
}

nlohmann::json data_of(const ReportPage& page) {
  return nlohmann::json::parse(page_data(page));
}

std::string written(const ReportPage& page) {
  std::ostringstream out;
  write_report(out, page);
  return out.str();
}

TEST_CASE("Numbers of a page have four digits", "[page]") {
  CHECK(page_number(0.123456) == 0.1235);
  CHECK(page_number(0.0000123456) == 1.235e-05);
  CHECK(page_number(1.0).dump() == "1");
  CHECK(page_number(12.0).dump() == "12");
  CHECK(page_number(std::nan("")).is_null());
}

TEST_CASE("A page's items have probabilities in place of logits", "[page]") {
  const nlohmann::json data = data_of(page_of({item_of("a", "text")}));
  const auto& run = data["runs"][0];
  CHECK(run["label_lists"].dump() == R"([["fear","joy"]])");
  const auto& item = run["items"][0];
  CHECK(item["text"] == "text");
  // e^2 / (e^2 + e) and e^-1, of a calculator.
  CHECK(item["steps"][0]["p"] == nlohmann::json{0, 0.7311, 0.2689});
  CHECK(item["steps"][0]["top_tokens"].dump() == R"([["fear",0.3679]])");
  CHECK(item["steps"][0]["label_mass"] == 0.5032);
  CHECK(run["votes"].is_null());
}

TEST_CASE("Failed items have their failure and no answer", "[page]") {
  ItemRecord failed = item_of("a", "text");
  failed.failure = "too long";
  const nlohmann::json item = data_of(page_of({failed}))["runs"][0]["items"][0];
  CHECK(item["failure"] == "too long");
  CHECK_FALSE(item.contains("steps"));
  CHECK_FALSE(item.contains("predicted"));
}

TEST_CASE("Prompts are stored line by line, each once, with what all of them begin with",
          "[page]") {
  ReportPage page = page_of({item_of("a", "one"), item_of("b", "two"), item_of("c", "three")});
  page.runs[0].prompts = {{"a", "Hello\n\nInput: one\nLabel:"},
                          {"b", "Hello\n\nInput: two\nLabel:"}};
  const auto run = data_of(page)["runs"][0];
  CHECK(run["lines"] == nlohmann::json{"Hello", "", "Input: one", "Label:", "Input: two"});
  CHECK(run["n_shared"] == 2);
  CHECK(run["items"][0]["prompt"] == nlohmann::json{0, 1, 2, 3});
  CHECK(run["items"][1]["prompt"] == nlohmann::json{0, 1, 4, 3});
  CHECK_FALSE(run["items"][2].contains("prompt"));
}

TEST_CASE("Votes, estimates and metrics stand in the order of the examples", "[page]") {
  ReportPage page = page_of({item_of("b", "two"), item_of("a", "one")});
  page.votes.push_back({"Set", LabelSet({"joy", "fear"}, LabelKind::MultiLabel), {}});
  page.votes[0].votes["a"] = {{0.5, 0.25}, 4, {}};
  page.votes[0].votes["other"] = {{1.0, 0.0}, 1, {}};
  page.runs[0].votes = 0;
  page.runs[0].estimates = {{"Max", {{"a", {0.1, 0.2}}}}};
  const nlohmann::json data = data_of(page);
  CHECK(data["votes"][0]["examples"] == nlohmann::json{"b", "a"});
  CHECK(data["votes"][0]["of"] == nlohmann::json{nullptr, {4, 0.5, 0.25}});
  CHECK(data["runs"][0]["estimates"][0]["of"] == nlohmann::json{nullptr, {0.1, 0.2}});
}

TEST_CASE("Only so many items are listed as asked for", "[page]") {
  ReportPage page = page_of({item_of("a", "one"), item_of("b", "two")});
  page.limit = 1;
  CHECK(data_of(page)["runs"][0]["items"].size() == 1);
  CHECK(data_of(page)["runs"][0]["n_items"] == 2);
  CHECK_THAT(written(page), ContainsSubstring("The first 1 of 2 items are listed"));
}

TEST_CASE("Nothing of a log gets into the page as markup", "[page]") {
  ReportPage page = page_of({item_of("a", kHostile)});
  page.title = kHostile;
  page.runs[0].log.folder = kHostile;
  page.runs[0].log.model = kHostile;
  page.runs[0].notes = {kHostile};
  page.runs[0].origin.options = {{kHostile, {kHostile}}};
  page.runs[0].origin.metrics = {{kHostile, kHostile}};
  page.runs[0].validity = {{kHostile, 0.5, 1, false, true}};
  page.figures = {{kHostile, kHostile}};
  const std::string html = written(page);
  CHECK_THAT(html, !ContainsSubstring("alert(1)</script>"));
  CHECK_THAT(html, ContainsSubstring("&lt;script&gt;alert(1)"));
  CHECK_THAT(html, ContainsSubstring("src=\"data:image/svg+xml;base64,PC9zY3JpcHQ+"));
  // Bytes that are no UTF-8 are mended in the data.
  CHECK_THAT(page_data(page), ContainsSubstring("<!-- \uFFFD"));
}

TEST_CASE("The head of a page shows settings that differ, notes and doubts", "[page]") {
  ReportPage page = page_of({item_of("a", "one")});
  page.runs.push_back(page.runs[0]);
  page.runs[0].origin.options = {{"shot", {"5"}}, {"seed", {"0"}}};
  page.runs[1].origin.options = {{"shot", {"10"}}, {"seed", {"0"}}};
  page.runs[1].log.items[0].failure = "too long";
  page.runs[0].validity = {{"label mass", 0.1, 1, false, true}};
  const std::string html = written(page);
  CHECK_THAT(html, ContainsSubstring("Settings that differ"));
  CHECK_THAT(html, ContainsSubstring("Run 2: 1 of 1 items failed."));
  CHECK_THAT(html, ContainsSubstring("Run 1, 1 to look at"));
  CHECK_THAT(html, ContainsSubstring("look at this"));
  CHECK_THAT(html, !ContainsSubstring("{{"));
}

}  // namespace
}  // namespace labelprobe::analysis
