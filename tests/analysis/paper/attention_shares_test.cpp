#include "labelprobe/analysis/attention_shares.h"

#include "support/catch.h"

namespace labelprobe::analysis {

// By hand: the published script takes the mean of weight / tokens over all steps of all items.
TEST_CASE("Attention is averaged over steps, not over items", "[analysis]") {
  std::vector<record::ItemRecord> items(3);
  items[0].label_attention = {.input = {{0.5F, 10}, {0.25F, 10}},
                              .previous_labels = {{0.5F, 4}, {0.5F, 8}},
                              .predicting_tokens = {{0.25F, 1}, {0.5F, 2}},
                              .label_tokens = {{0.0F, 0}, {0.25F, 1}}};
  items[1].label_attention = {.input = {{1.0F, 8}},
                              .previous_labels = {{0.5F, 1}},
                              .predicting_tokens = {{0.5F, 1}},
                              .label_tokens = {{0.75F, 1}}};
  const AttentionShares shares = mean_attention(items);
  CHECK(shares.n_items == 2);
  CHECK(shares.n_steps == 3);
  CHECK(shares.input == (0.05 + 0.025 + 0.125) / 3);
  CHECK(shares.previous_labels == (0.125 + 0.0625 + 0.5) / 3);
  CHECK(shares.predicting_tokens == (0.25 + 0.25 + 0.5) / 3);
  CHECK(shares.label_tokens == 0.5);
  CHECK_THAT(attention_text(shares), ContainsSubstring("Avg input attention: 0.0666") &&
                                         ContainsSubstring("\nAvg label attention: 0.229166") &&
                                         ContainsSubstring("\nAvg label token attention: 0.3333"));

  CHECK_FALSE(mean_attention(std::span(items).subspan(2)).input);
  CHECK(attention_text({}).starts_with("Avg input attention: nan\n"));
}

}  // namespace labelprobe::analysis
