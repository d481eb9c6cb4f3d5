// What one item of a log is about, and its spelling in prompts' ids and log files. The one place
// where `de0__aggregate_unary_joy` is put together and taken apart.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/example.h"

namespace labelprobe {

// What the items of a way of asking look like. Ways that ask about the example as a whole share
// one form, the plain one.
struct ItemForm {
  std::string_view name;       // stands in ids as _<name>_; empty: the item is the example itself
  std::string_view title;      // for people: "a unary item"
  std::string_view part;       // what follows in ids: "label" or "share"; empty: nothing does
  int n_parts = 0;             // how many of them, joined by underscores
  std::string_view plan = {};  // the plan that asks so, where the log does not tell
  // The answers of items that are answered by one word; the first one speaks for the label, or for
  // the first label. Empty: other answers.
  std::array<std::string_view, 2> words = {};

  // "<id>_binary_<label>_<label>"
  std::string spelling() const;
  bool asks_about_labels() const { return part == "label"; }
};

inline constexpr ItemForm kPlainItems{
    .name = "", .title = "an example's own item", .part = "", .plan = "baseline"};
inline constexpr ItemForm kUnaryItems{.name = "unary",
                                      .title = "a unary item",
                                      .part = "label",
                                      .n_parts = 1,
                                      .plan = "unary",
                                      .words = {"reasonable", "unreasonable"}};
inline constexpr ItemForm kBinaryItems{.name = "binary",
                                       .title = "a binary item",
                                       .part = "label",
                                       .n_parts = 2,
                                       .plan = "binary",
                                       .words = {"a", "b"}};
// The example under demonstrations of which a share has several labels: "0.0", "0.2", ... "1.0".
inline constexpr ItemForm kRatioItems{.name = "ratio",
                                      .title = "an item of a demonstration ratio",
                                      .part = "share",
                                      .n_parts = 1,
                                      .plan = "multilabel_ICL"};

// The form of a plan's items; null for a name that none has, as plans whose items are plain.
const ItemForm* named_form_of_plan(std::string_view plan);

// The form that a log key looks like, for logs that do not tell: ids may look like another one's.
const ItemForm& item_form_of(std::string_view log_key);

struct ItemId {
  std::string example_id;
  std::string annotator = std::string(kAggregate);
  const ItemForm* form = &kPlainItems;
  std::vector<std::string> parts = {};  // [form->n_parts]; labels in the order shown

  // "de0__aggregate", "de0__aggregate_unary_joy", "de0__aggregate_binary_joy_fear",
  // "de0__aggregate_ratio_0.2"
  std::string id() const;
  // The key in indexed_metrics.yml: id() without "__aggregate", e.g. "de0_unary_joy", "de0",
  // "de0__ann7".
  std::string log_key() const;
  // What the published logs call the annotator of such an item: "aggregate_unary_joy".
  std::string pseudo_annotator() const;

  // Takes a log key apart, from the right, for example ids may contain '_' and labels may not.
  // Throws DataError naming the key and the form expected.
  static ItemId parse(std::string_view log_key, const ItemForm& form);

  friend bool operator==(const ItemId&, const ItemId&) = default;
};

}  // namespace labelprobe
