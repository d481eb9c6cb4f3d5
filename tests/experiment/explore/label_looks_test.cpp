#include "experiment/explore/label_looks.h"

#include "support/catch.h"

namespace labelprobe::experiment {
namespace {

std::vector<std::pair<std::int64_t, std::int64_t>> ranges(const model::Positions& positions) {
  std::vector<std::pair<std::int64_t, std::int64_t>> all;
  for (const model::PositionRange& range : positions) all.emplace_back(range.begin, range.end);
  return all;
}

using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

}  // namespace

TEST_CASE("States are looked at where they are asked for", "[unit]") {
  InsideSettings settings;
  settings.hidden_layers = {-1};
  const std::vector<std::int64_t> labels = {0, 3, 7};
  std::vector<LabelLook> looks = label_looks(settings, 100, labels);
  REQUIRE(looks.size() == 1);
  CHECK(looks[0].step == 1);
  CHECK(looks[0].place.index == 0);
  CHECK(looks[0].keeps_states);
  settings.at = LookAt::EveryLabel;
  looks = label_looks(settings, 100, labels);
  REQUIRE(looks.size() == 3);
  CHECK(looks[2].step == 3);
  CHECK(looks[2].place.index == 7);
  CHECK(looks[2].place.look.attention_to.empty());
  settings.at = LookAt::LastPrompt;
  looks = label_looks(settings, 100, labels);
  REQUIRE(looks.size() == 1);
  CHECK(looks[0].step == 0);
  CHECK(label_looks(settings, 100, {}).size() == 1);
  settings.at = LookAt::FirstLabel;
  CHECK(label_looks(settings, 100, {}).empty());
}

TEST_CASE("Attention is looked at from the second label on, over the published positions",
          "[unit]") {
  InsideSettings settings;
  settings.logs_attention = true;
  const std::vector<std::int64_t> labels = {0, 3, 7};
  const std::vector<LabelLook> looks = label_looks(settings, 100, labels);
  REQUIRE(looks.size() == 2);
  const std::vector<model::Positions>& second = looks[0].place.look.attention_to;
  REQUIRE(second.size() == 4);
  CHECK(ranges(second[0]) == Ranges{{0, 100}});
  CHECK(ranges(second[1]) == Ranges{{100, 103}});
  // p_k = L + k - 1 for each label step so far, this one included.
  CHECK(ranges(second[2]) == Ranges{{99, 100}, {102, 103}});
  CHECK(ranges(second[3]) == Ranges{{100, 101}});
  const std::vector<model::Positions>& third = looks[1].place.look.attention_to;
  CHECK(ranges(third[2]) == Ranges{{99, 100}, {102, 103}, {106, 107}});
  CHECK(ranges(third[3]) == Ranges{{100, 101}, {103, 104}});
  CHECK_FALSE(looks[0].keeps_states);
}

TEST_CASE("Shares are means over layers and heads, with the number of positions", "[unit]") {
  InsideSettings settings;
  settings.logs_attention = true;
  settings.hidden_layers = {-1};
  const std::vector<std::int64_t> labels = {0, 3};
  const std::vector<LabelLook> looks = label_looks(settings, 100, labels);
  REQUIRE(looks.size() == 2);
  std::vector<model::Inside> seen(2);
  // Two heads of all layers, by group.
  seen[1].attention = {0.5F, 0.75F, 0.25F, 0.25F, 0.125F, 0.0F, 1.0F, 0.5F};
  const record::LabelAttention shares = label_attention(looks, seen);
  REQUIRE(shares.input.size() == 1);
  CHECK(shares.input[0].weight == 0.625F);
  CHECK(shares.input[0].n_positions == 100);
  CHECK(shares.previous_labels[0].weight == 0.25F);
  CHECK(shares.previous_labels[0].n_positions == 3);
  CHECK(shares.predicting_tokens[0].weight == 0.0625F);
  CHECK(shares.predicting_tokens[0].n_positions == 2);
  CHECK(shares.label_tokens[0].weight == 0.75F);
  CHECK(shares.label_tokens[0].n_positions == 1);
}

}  // namespace labelprobe::experiment
