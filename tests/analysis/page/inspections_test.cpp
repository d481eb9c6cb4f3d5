#include "labelprobe/analysis/inspections.h"

#include "labelprobe/core/error.h"

#include "analysis/page/item_data.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::analysis {
namespace {

// One layer and two labels; log 3 apart are probabilities of 3/4 and 1/4.
constexpr const char* kLine =
    R"({"id": "a", "answer": "joy", "labels": ["fear", "joy"], "steps": [{"step": 1, "index": 0,
"logits": [0.0, 1.0986123], "log_sum_exp": 2.0, "lens": [[0.0, 0.0], [0.0, 1.0986123]],
"lens_log_sum_exp": [3.0, 2.0], "lens_ranks": [[7, 400], [9, 1]],
"parts": [[0.1, 0.1], [1.0, 2.0], [2.0, 0.5]], "text_parts": [{"name": "input", "n_positions": 5,
"attention": [0.25], "adds": [[1.0, 0.0]], "knocked_out": [1.0986123, 0.0]}]}]})";

std::string line_of(std::string text) {
  std::erase(text, '\n');
  return text + "\n";
}

std::string with(const std::string& found, const std::string& replacement) {
  std::string text = kLine;
  text.replace(text.find(found), found.size(), replacement);
  return line_of(text);
}

class Read {
 public:
  std::map<std::string, SeenItem> operator()(const std::string& text) const {
    support::write_file(folder_.path() / "looks.jsonl", text);
    return read_inspections(folder_.path() / "looks.jsonl");
  }

 private:
  support::TempFolder folder_;
};

}  // namespace

TEST_CASE("Of what was seen inside a model a page keeps what people look at", "[page]") {
  const auto items = Read()(line_of(kLine) + R"({"id": "b", "failure": "too long"})");
  REQUIRE(items.size() == 1);
  const SeenItem& item = items.at("a");
  CHECK(item.answer == "joy");
  REQUIRE(item.steps.size() == 1);
  const SeenStep& step = item.steps.front();
  CHECK(step.labels == std::vector<std::string>{"fear", "joy"});
  CHECK(step.written == 1);
  REQUIRE(step.lens.size() == 2);
  CHECK(step.lens[0][1] == Approx(0.5));
  CHECK(step.lens[1][1] == Approx(0.75));
  CHECK(step.ranks == std::vector<std::int64_t>{400, 1});
  CHECK(step.attention_adds == std::vector<float>{0.5F});
  CHECK(step.mlp_adds == std::vector<float>{-0.75F});
  REQUIRE(step.parts.size() == 1);
  CHECK(step.parts[0].n_tokens == 5);
  CHECK(*step.parts[0].attention == 0.25F);
  CHECK(*step.parts[0].adds == -0.5F);
  CHECK(step.parts[0].without[1] == Approx(0.25));
  LabelLists lists;
  CHECK(inside_data(item, lists).dump() ==
        R"([{"labels":0,"written":1,"lens":[[500,500],[250,750]],"ranks":[400,1],"attention":[50],)"
        R"("mlp":[-75],"parts":[{"name":"input","n_tokens":5,"attention":0.25,"adds":-0.5,)"
        R"("without":[750,250]}]}])");
}

TEST_CASE("What is no line of inspect is told with its place", "[page]") {
  const Read read;
  CHECK_THROWS_WITH(read(with("[[0.0, 0.0], ", "[[0.0], ")),
                    ContainsSubstring("looks.jsonl:1: key 'steps[0].lens[0]': expected 2 numbers"));
  CHECK_THROWS_WITH(read(with("[1.0, 2.0], ", "")),
                    ContainsSubstring("key 'steps[0].parts': expected 3 lists, found 2"));
  CHECK_THROWS_WITH(read(line_of(kLine) + line_of(kLine)),
                    ContainsSubstring("looks.jsonl:2: expected each item once, found a again"));
  CHECK_THROWS_AS(read("{\"id\": 1}\n"), DataError);
}

}  // namespace labelprobe::analysis
