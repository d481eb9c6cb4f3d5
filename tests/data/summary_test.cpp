#include "labelprobe/data/summary.h"

#include "data/formula_set.h"
#include "data/small_root.h"
#include "support/catch.h"

namespace labelprobe::data {

TEST_CASE("Annotators agree as counted pair by pair", "[data]") {
  for (const nlohmann::json& expected : formula_cases()) {
    const std::optional<Agreement> agreement = summarize(formula_set(expected)).agreement;
    REQUIRE(agreement.has_value() == expected["annotators"].get<bool>());
    if (!agreement) {
      continue;
    }
    const nlohmann::json& wanted = expected["agreement"];
    CHECK(agreement->n_examples == wanted["n_examples"].get<std::size_t>());
    CHECK(agreement->n_disputed == wanted["n_disputed"].get<std::size_t>());
    CHECK(agreement->same_labels == Approx(wanted["same_labels"].get<double>()).epsilon(1e-12));
    REQUIRE(agreement->same_on_label.size() == wanted["same_on_label"].size());
    for (std::size_t label = 0; label < agreement->same_on_label.size(); ++label) {
      CHECK(agreement->same_on_label[label] ==
            Approx(wanted["same_on_label"][label].get<double>()).epsilon(1e-12));
    }
  }
}

TEST_CASE("Counts labels of the aggregate and of annotators apart", "[data]") {
  const SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.annotation_mode = AnnotationMode::Both;
  const Summary summary = summarize(load("GoEmotions", options));
  CHECK(summary.n_examples == 2);  // nobody rated the third
  CHECK(summary.aggregate.n_items == 2);
  CHECK(summary.aggregate.n_with[17] == 1);
  CHECK(summary.aggregate.n_several == 1);
  CHECK(summary.aggregate.mean_labels == 1.5);
  CHECK(summary.annotated.n_items == 4);
  CHECK(summary.annotated.n_without == 1);
  CHECK(summary.annotated.n_with[0] == 1);
  REQUIRE(summary.annotators.size() == 3);
  CHECK(summary.annotators[0].annotator == "7");
  CHECK(summary.annotators[0].n_items == 2);
  REQUIRE(summary.agreement);
  CHECK(summary.agreement->n_disputed == 2);
  CHECK(summary.agreement->same_labels == 0.0);
  CHECK(summary.agreement->same_on_label[0] == 0.5);  // admiration: one of b2's two raters
}

TEST_CASE("Notes say what each filter dropped and what each split kept", "[data]") {
  SmallGoEmotions root;
  DatasetOptions options = root.options({"train", "dev"});
  options.ids_filenames = {root.write("ids.txt", "d4\nc3\na1")};
  options.debug_len = PositionRange{0, 1};
  const DatasetNotes notes = load("GoEmotions", options).notes;
  REQUIRE(notes.splits.size() == 2);
  CHECK(notes.splits[0].split == "train");
  CHECK(notes.splits[0].n_read == 3);
  CHECK(notes.splits[0].n_kept == 1);
  CHECK(notes.splits[1].n_read == 2);
  CHECK(notes.splits[1].n_kept == 0);
  REQUIRE(notes.dropped.size() == 3);
  CHECK(notes.dropped[0].reason == "repeated by a later split");
  CHECK(notes.dropped[0].n_examples == 1);
  CHECK(notes.dropped[1].reason == "not in the id list");
  CHECK(notes.dropped[1].n_examples == 1);
  CHECK(notes.dropped[2].reason == "debug_len");
  CHECK(notes.dropped[2].n_examples == 2);
}

}  // namespace labelprobe::data
