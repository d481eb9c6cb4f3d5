#include "experiment/prepare/content_free.h"

#include "labelprobe/experiment/preparation.h"

#include "experiment/settings_for_tests.h"
#include "support/catch.h"

namespace labelprobe::experiment {
namespace {

std::vector<Example> examples(const std::vector<std::string>& texts) {
  std::vector<Example> made;
  for (const std::string& text : texts) {
    made.push_back({"id", "aggregate", text, {}});
  }
  return made;
}

}  // namespace

TEST_CASE("Content-free texts are those given, then random words of the examples", "[unit]") {
  const auto made = make_content_free({{"N/A", ""}, 3}, examples({"a b\tc d", "e  f "}),
                                      LabelKind::MultiLabel, 7);
  REQUIRE(made.size() == 5);
  CHECK(made[0].text == "N/A");
  CHECK(made[1].text.empty());
  CHECK(made[1].id() == "content_free_2__aggregate");
  CHECK(made[1].labels.empty());
  // CPython 3.11: r = random.Random(7); [" ".join(r.choice("abcdef") for _ in range(3)) for _ in
  // range(3)]
  CHECK(made[2].text == "c b d");
  CHECK(made[3].text == "f a a");
  CHECK(made[4].text == "e a c");
  CHECK(make_content_free({{"N/A"}, 0}, examples({""}), LabelKind::SingleLabel, 0)[0].labels ==
        Labels{0});
  CHECK_THROWS_WITH(make_content_free({{}, 1}, examples({" "}), LabelKind::MultiLabel, 0),
                    ContainsSubstring("no words"));
}

TEST_CASE("A run about content-free texts asks as the run about the data set does", "[unit]") {
  Settings settings = example_settings();
  const Questions plain = make_questions(settings);
  settings.content_free.texts = {"N/A", ""};
  const Questions free = make_questions(settings);
  REQUIRE(free.queries.size() == 2);
  CHECK_THAT(free.warnings.back(), ContainsSubstring("the metrics say nothing"));
  // The same instruction and demonstrations.
  const std::string& prompt = plain.queries[0].text;
  const std::size_t n_shared = prompt.find(plain.queries[0].query_text);
  REQUIRE(n_shared != std::string::npos);
  CHECK(free.queries[0].text == prompt.substr(0, n_shared) + "N/A" +
                                    prompt.substr(n_shared + plain.queries[0].query_text.size()));
}

}  // namespace labelprobe::experiment
