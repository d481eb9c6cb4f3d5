#include "labelprobe/core/item_id.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe {
namespace {

using Kind = ItemId::Kind;

// Spellings as the published logs have them.
TEST_CASE("Spells ids and log keys as the published logs do", "[item_id]") {
  struct Case {
    ItemId item;
    std::string id;
    std::string log_key;
  };
  const Case cases[] = {
      {{Kind::Example, "de0", "aggregate", {}, ""}, "de0__aggregate", "de0"},
      {{Kind::Example, "de0", "ann7", {}, ""}, "de0__ann7", "de0__ann7"},
      {{Kind::Unary, "de0", "aggregate", {"joy"}, ""}, "de0__aggregate_unary_joy", "de0_unary_joy"},
      {{Kind::Binary, "MSP_1_2", "aggregate", {"optimism", "fear"}, ""},
       "MSP_1_2__aggregate_binary_optimism_fear",
       "MSP_1_2_binary_optimism_fear"},
      {{Kind::Ratio, "de0", "aggregate", {}, "0.2"}, "de0__aggregate_ratio_0.2", "de0_ratio_0.2"},
      {{Kind::Unary, "de0", "3", {"no harm"}, ""}, "de0__3_unary_no harm", "de0__3_unary_no harm"},
  };
  for (const Case& example : cases) {
    CHECK(example.item.id() == example.id);
    CHECK(example.item.log_key() == example.log_key);
    CHECK(ItemId::parse(example.log_key, example.item.kind) == example.item);
    CHECK(ItemId::kind_of(example.log_key) == example.item.kind);
  }
  CHECK(cases[3].item.pseudo_annotator() == "aggregate_binary_optimism_fear");
}

TEST_CASE("Parses from the right, for ids may look like keys", "[item_id]") {
  const ItemId item = ItemId::parse("a_binary_b_unary_joy", Kind::Unary);
  CHECK(item.example_id == "a_binary_b");
  CHECK(item.labels == std::vector<std::string>{"joy"});
}

TEST_CASE("Names the form that a log key lacks", "[item_id]") {
  CHECK_THROWS_AS(ItemId::parse("de0", Kind::Unary), DataError);
  CHECK_THROWS_AS(ItemId::parse("de0_binary_joy", Kind::Binary), DataError);
  CHECK_THROWS_AS(ItemId::parse("de0_binary_joy_", Kind::Binary), DataError);
  CHECK_THROWS_AS(ItemId::parse("_unary_joy", Kind::Unary), DataError);
  CHECK_THROWS_AS(ItemId::parse("__ann7", Kind::Example), DataError);
  CHECK_THROWS_AS(ItemId::parse("", Kind::Example), DataError);
}

}  // namespace
}  // namespace labelprobe
