// What one item of a log is about, and its spelling in prompts' ids and log files. The one place
// where `de0__aggregate_unary_joy` is put together and taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/example.h"

namespace labelprobe {

struct ItemId {
  enum class Kind {
    Example,  // the example itself
    Unary,    // one label of it: "is this label reasonable?"
    Binary,   // two labels of it: "which is better?"
    Ratio,    // the example under demonstrations of which a share has several labels
  };

  Kind kind = Kind::Example;
  std::string example_id;
  std::string annotator = std::string(kAggregate);
  std::vector<std::string> labels = {};  // Unary: one; Binary: two, in the order shown
  std::string ratio = {};                // Ratio: "0.0", "0.2", ... "1.0"

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
  static ItemId parse(std::string_view log_key, Kind kind);

  // The kind the key looks like.
  static Kind kind_of(std::string_view log_key);

  friend bool operator==(const ItemId&, const ItemId&) = default;
};

// The distribution that asks items of this kind, as --distribution names it: "baseline" (examples
// themselves, which the other plain ways of prompting ask too), "unary", "binary",
// "multilabel_ICL".
std::string_view distribution_name(ItemId::Kind kind);

}  // namespace labelprobe
