// Relations that the published numbers must fulfil if they are typed as printed.
#include "labelprobe/analysis/published.h"

#include <cmath>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

// Positions in kPublishedMetrics.
constexpr std::size_t kNll = 0;
constexpr std::size_t kL1 = 1;
constexpr std::size_t kF1 = 2;

const char* const kTasks[] = {"Hatexplain", "MSPPodcast", "GoEmotions", "MFRC"};

PublishedCell cell_of(PaperTable table, std::string_view task, std::string_view method) {
  const auto cell = published_cell(table, task, method);
  REQUIRE(cell.has_value());
  return *cell;
}

// A wrong label costs -ln 1e-8 = 18.42 nats and an L1 of 1, so NLL = 18.42 L1 up to rounding.
TEST_CASE("Hard predictions of multi-label sets have NLL = 18.42 L1", "[analysis]") {
  for (const PaperTable table : {PaperTable::Table1, PaperTable::Table5}) {
    for (const char* task : {"GoEmotions", "MFRC"}) {
      for (const char* method : {"output", "SFT_output"}) {
        const PublishedCell cell = cell_of(table, task, method);
        CAPTURE(task, method, cell.numbers);
        CHECK(std::abs(cell.numbers[kNll] - 18.42 * cell.numbers[kL1]) < 18.42 * 0.005 + 0.01);
      }
    }
  }
}

// Example-F1 of classes is accuracy: both rows predict the most probable class.
TEST_CASE("Both rows of one answer have nearly one F1 in single-label sets", "[analysis]") {
  for (const PaperTable table : {PaperTable::Table1, PaperTable::Table5}) {
    for (const char* task : {"Hatexplain", "MSPPodcast"}) {
      CHECK(std::abs(cell_of(table, task, "baseline").numbers[kF1] -
                     cell_of(table, task, "output").numbers[kF1]) < 0.011);
    }
  }
}

TEST_CASE("Methods of many labels do not apply to sets of one; some were not run", "[analysis]") {
  for (const PaperTable table : {PaperTable::Table1, PaperTable::Table5}) {
    for (const char* task : {"Hatexplain", "MSPPodcast"}) {
      CHECK(cell_of(table, task, "max").kind == PublishedCell::Kind::NotApplicable);
      CHECK(cell_of(table, task, "SFT_max").kind == PublishedCell::Kind::NotApplicable);
      CHECK(cell_of(table, task, "SFT_output").kind == PublishedCell::Kind::NotRun);
      CHECK(cell_of(table, task, "linear_probing").kind == PublishedCell::Kind::NotRun);
    }
    for (const char* task : kTasks) {
      CHECK(cell_of(table, task, "bert").numbers ==
            cell_of(PaperTable::Table1, task, "bert").numbers);  // of no LLM, hence in both tables
      CHECK_FALSE(published_cell(table, task, "binary_outcome"));
    }
  }
  CHECK(cell_of(PaperTable::Table1, "GoEmotions", "unary").numbers[kNll] == 3.60);
  CHECK(cell_of(PaperTable::Table5, "MFRC", "linear_probing").numbers[kF1] == 0.83);
}

TEST_CASE("Unknown tables and data sets are named with those there are", "[analysis]") {
  CHECK(parse_paper_table("table5") == PaperTable::Table5);
  CHECK(parse_paper_table("Table 1") == PaperTable::Table1);
  CHECK_THROWS_WITH(parse_paper_table("table4"), ContainsSubstring("table1, table5"));
  CHECK_THROWS_WITH(
      published_cell(PaperTable::Table1, "GoEmotion", "unary"),
      ContainsSubstring("Table 1 (Llama3 70B)") && ContainsSubstring("did you mean 'GoEmotions'?"));
}

TEST_CASE("Names of supervised methods are recognised however they are written", "[analysis]") {
  CHECK(supervised_method("Demux") == "bert");
  CHECK(supervised_method("BERT (Demux)") == "bert");
  CHECK(supervised_method("linear_probing") == "linear_probing");
  CHECK(supervised_method("Probes") == "linear_probing");
  CHECK(supervised_method("mine").empty());
}

}  // namespace
}  // namespace labelprobe::analysis
