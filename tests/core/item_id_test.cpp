#include "labelprobe/core/item_id.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe {
namespace {

// Spellings as the published logs have them.
TEST_CASE("Spells ids and log keys as the published logs do", "[item_id]") {
  struct Case {
    ItemId item;
    std::string id;
    std::string log_key;
  };
  const Case cases[] = {
      {{"de0", "aggregate", &kPlainItems, {}}, "de0__aggregate", "de0"},
      {{"de0", "ann7", &kPlainItems, {}}, "de0__ann7", "de0__ann7"},
      {{"de0", "aggregate", &kUnaryItems, {"joy"}}, "de0__aggregate_unary_joy", "de0_unary_joy"},
      {{"MSP_1_2", "aggregate", &kBinaryItems, {"optimism", "fear"}},
       "MSP_1_2__aggregate_binary_optimism_fear",
       "MSP_1_2_binary_optimism_fear"},
      {{"de0", "aggregate", &kRatioItems, {"0.2"}}, "de0__aggregate_ratio_0.2", "de0_ratio_0.2"},
      {{"de0", "3", &kUnaryItems, {"no harm"}}, "de0__3_unary_no harm", "de0__3_unary_no harm"},
  };
  for (const Case& example : cases) {
    CHECK(example.item.id() == example.id);
    CHECK(example.item.log_key() == example.log_key);
    CHECK(ItemId::parse(example.log_key, *example.item.form) == example.item);
    CHECK(&item_form_of(example.log_key) == example.item.form);
  }
  CHECK(cases[3].item.pseudo_annotator() == "aggregate_binary_optimism_fear");
}

TEST_CASE("Parses from the right, for ids may look like keys", "[item_id]") {
  const ItemId item = ItemId::parse("a_binary_b_unary_joy", kUnaryItems);
  CHECK(item.example_id == "a_binary_b");
  CHECK(item.parts == std::vector<std::string>{"joy"});
}

TEST_CASE("A key with too many or too few parts is of no named form", "[item_id]") {
  for (const char* key : {"de0_unary_no_harm", "de0_binary_joy", "de0_binary_joy_", "_unary_joy"}) {
    CAPTURE(key);
    CHECK(&item_form_of(key) == &kPlainItems);
  }
}

TEST_CASE("Names the form that a log key lacks", "[item_id]") {
  CHECK_THROWS_WITH(ItemId::parse("de0", kUnaryItems),
                    "item 'de0': expected an id of the form <id>_unary_<label>");
  CHECK_THROWS_WITH(
      ItemId::parse("de0_binary_joy", kBinaryItems),
      "item 'de0_binary_joy': expected an id of the form <id>_binary_<label>_<label>");
  CHECK_THROWS_AS(ItemId::parse("de0_binary_joy_", kBinaryItems), DataError);
  CHECK_THROWS_AS(ItemId::parse("_unary_joy", kUnaryItems), DataError);
  CHECK_THROWS_AS(ItemId::parse("__ann7", kPlainItems), DataError);
  CHECK_THROWS_AS(ItemId::parse("", kPlainItems), DataError);
}

}  // namespace
}  // namespace labelprobe
