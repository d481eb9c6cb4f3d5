#include "labelprobe/analysis/paper_numbers.h"

#include <algorithm>
#include <sstream>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

const PaperNumber& find(const std::vector<PaperNumber>& numbers,
                        const std::string& source,
                        const std::string& set,
                        const std::string& measure,
                        const std::string& row = "") {
  const auto found = std::find_if(numbers.begin(), numbers.end(), [&](const PaperNumber& one) {
    return one.source == source && one.set == set && one.measure == measure && one.row == row;
  });
  REQUIRE(found != numbers.end());
  return *found;
}

}  // namespace

TEST_CASE("Published numbers stand where the paper prints them", "[analysis]") {
  const std::vector<PaperNumber> table2 = published_numbers("table2");
  const std::vector<PaperNumber> table4 = published_numbers("table4");
  const std::vector<PaperNumber> table5 = published_numbers("table5");
  CHECK(find(table2, "published, 70B Instruct", "SemEval", "pred_nonfirst").value == 0.758);
  CHECK(find(table2, "published, 8B Base", "MFRC", "perf").value == 0.115);
  const std::string never = "second_not_predicted_ever";
  CHECK(find(table4, "published, 8B SFT", "MFRC", never).value == 94.7);
  CHECK_FALSE(find(table4, "published, 70B SFT", "Boxes", never).value);
  CHECK(find(published_numbers("table6"), "published, 8B Instruct", "Boxes", "only_label_token")
            .value == 2.69);
  CHECK(find(published_numbers("table1"), "published, Llama3 70B", "GoEmotions", "nll",
             "Compare-to-None")
            .value == 23.93);
  const PaperNumber& cell =
      find(table5, "published, Llama3 8B", "Hatexplain", "f1", "Max-over-generations");
  CHECK_FALSE(cell.value);
  CHECK_THAT(cell.note, ContainsSubstring("N/A"));
  CHECK(published_numbers("table1").size() == 9 * 4 * 3);
  CHECK(published_numbers("table2").size() == 4 * 3 * 4);
  CHECK(published_numbers("table4").size() == 6 * 4);
  CHECK(published_numbers("table6").size() == 2 * 4 * 3);
  CHECK_THROWS_AS(published_numbers("table3"), ConfigError);
}

TEST_CASE("One measure of a set is told in a line", "[analysis]") {
  CHECK(published_line("table4", "Boxes", "second_not_predicted_ever") ==
        "published, Boxes: 8B Base 86.1, 8B Instruct 70.8, 70B Base 72.4, 70B Instruct 56.8");
  CHECK(published_line("table2", "Boxes", "perf").empty());
}

TEST_CASE("Tables put one's own numbers below the published ones and number the notes",
          "[analysis]") {
  std::vector<PaperNumber> numbers = {
      {"table5", "Unary", "mine", "MFRC", "nll", 3.456, ""},
      {"table5", "Unary", "published, X", "MFRC", "nll", 2.0, ""},
      {"table5", "Unary", "published, X", "MFRC", "f1", {}, "N/A: no such thing"},
      {"table5", "Binary", "published, X", "MFRC", "nll", 4.0, ""},
      {"table5", "Binary", "mine", "MFRC", "nll", {}, "no data"},
      {"table5", "Unary", "mine", "Boxes", "nll", 1.0, "few answers"},
      {"table5", "Binary", "mine", "Boxes", "nll", {}, "no data"},
  };
  const PaperTableText text = lay_out(numbers);
  std::ostringstream out;
  files::write_csv(out, text.table);
  CHECK(out.str() ==
        "method,model,MFRC NLL,MFRC F1,Boxes NLL\n"
        "Unary,\"published, X\",2.00,N/A,\n"
        "Unary,mine,3.46,,1.00 (2)\n"
        "Binary,\"published, X\",4.00,,\n"
        "Binary,mine,(1),,(1)\n");
  CHECK(text.notes == std::vector<std::string>{"no data", "few answers"});

  std::ostringstream exact;
  write_paper_numbers(exact, std::span(numbers).first(1));
  CHECK(exact.str() ==
        "table,row,source,set,measure,value,note\ntable5,Unary,mine,MFRC,nll,3.456,\n");
}

}  // namespace labelprobe::analysis
