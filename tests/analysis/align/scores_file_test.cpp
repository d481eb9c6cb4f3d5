#include "labelprobe/analysis/scores_file.h"

#include <fstream>
#include <sstream>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::analysis {
namespace {

const LabelSet kScoredEmotions({"joy", "fear"}, LabelKind::MultiLabel);

class ScoresText {
 public:
  explicit ScoresText(const std::string& text) : path_(folder_.path() / "scores.yml") {
    std::ofstream(path_, std::ios::binary) << text;
  }
  auto read(const LabelSet& label_set = kScoredEmotions) const {
    return read_scores(path_, label_set);
  }

 private:
  support::TempFolder folder_;
  std::filesystem::path path_;
};

TEST_CASE("Reads scores in label-set order, whatever the file's", "[analysis]") {
  const ScoresText text(
      "de0__aggregate:\n  fear: 0.25\n  joy: 1.0e-05\n"
      "'12381': {joy: 1, none: 0.5, fear: 0}\n");
  const LabelNumbers probs = text.read().probs;
  REQUIRE(probs.size() == 2);
  CHECK(probs.at("de0") == std::vector<double>{1e-5, 0.25});
  CHECK(probs.at("12381") == std::vector<double>{1.0, 0.0});
}

struct Broken {
  std::string text;
  std::vector<std::string> said;
};

TEST_CASE("Says where a scores file is not of its form", "[analysis]") {
  const std::vector<Broken> files = {
      {"", {":1:", "mappings of labels to probabilities", "found nothing"}},
      {"[1, 2]\n", {":1:", "found a list"}},
      {"{}\n", {"found an empty one"}},
      {"a: {joy: 1\n", {"expected YAML"}},
      {"a: 0.5\n", {":1:", "id 'a'", "found '0.5'"}},
      {"a: {joy: 1, fear: 0}\nb: [1, 0]\n", {":2:", "id 'b'", "found a list"}},
      {"[a]: {joy: 1, fear: 0}\n", {"expected an example id"}},
      {"a: {joy: 1, fear: 0}\na__aggregate: {joy: 1, fear: 0}\n", {":2:", "a second time"}},
      {"a: {joy: 1}\n", {"each of the 2 labels", "none for 'fear'"}},
      {"a: {joy: 1, joy: 1, fear: 0}\n", {"'joy' stands here twice"}},
      {"a: {joy: 1, fear: 0, feer: 0, happy: 0}\n",
       {"2 of 4 labels", "'feer'", "did you mean 'fear'"}},
      {"a: {joy: nan, fear: 0}\n", {"'joy'", "from 0 to 1", "'nan'"}},
      {"a: {joy: -.inf, fear: 0}\n", {"from 0 to 1", "'-.inf'"}},
      {"a: {joy: 1.0001, fear: 0}\n", {"'1.0001'"}},
      {"a: {joy: often, fear: 0}\n", {"'often'"}},
      {"a: {joy: [0.5], fear: 0}\n", {"found a list"}},
      {"a:\n  fear: 0\n  joy: {}\n", {":3:", "found a map"}},
      {"experiment_0:\n  a: {test_scores: {joy: 1}}\n", {"a run's log", "folder instead"}},
      {std::string(5000, '['), {"scores.yml:1"}},
      {"a: &x {joy: *x, fear: 0}\n", {"scores.yml:1"}},
      {"a: {joy: 0.5, ? [x] : 1, fear: 0}\n", {"1 of 3 labels"}},
  };
  for (const Broken& file : files) {
    CAPTURE(file.text.substr(0, 80));
    std::string message;
    try {
      ScoresText(file.text).read();
    } catch (const DataError& error) {
      message = error.what();
    }
    for (const std::string& part : file.said) {
      CHECK_THAT(message, ContainsSubstring(part));
    }
  }
  CHECK_THROWS_AS(read_scores("no/such.yml", kScoredEmotions), DataError);
}

TEST_CASE("In single-label sets none is a label like any other", "[analysis]") {
  const LabelSet classes({"hate", "normal"}, LabelKind::SingleLabel);
  const ScoresText file("a: {hate: 0.5, normal: 0.5, none: 0}\n");
  CHECK_THROWS_WITH(file.read(classes), ContainsSubstring("'none'"));
}

TEST_CASE("Scores that are written are read back, every digit", "[analysis]") {
  const Distributions estimates{
      "unary+platt", {{"de0", {1.0 / 3.0, 1e-9}}, {"1234", {0.0, 1.0}}, {"a: \"b\"", {0.1, 0.2}}}};
  std::ostringstream out;
  write_scores(out, estimates, kScoredEmotions);
  CHECK(ScoresText(out.str()).read().probs == estimates.probs);
}

}  // namespace
}  // namespace labelprobe::analysis
