#include "labelprobe/core/label_set.h"

#include <algorithm>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe {

LabelSet::LabelSet(const std::vector<std::string>& names, LabelKind kind) : kind_(kind) {
  for (const std::string& name : names) {
    std::string lower = ascii_lower(name);
    if (lower.empty()) {
      throw DataError("label set: expected non-empty names, found an empty one");
    }
    if (is_multilabel() && lower == kNoneLabel) {
      throw DataError("label set: 'none' is reserved for \"no label\" in multi-label sets");
    }
    if (index_of(lower)) {
      throw DataError("label set: expected distinct names, found '" + lower + "' twice");
    }
    folded_.push_back(folded(lower));
    names_.push_back(std::move(lower));
  }
}

std::vector<std::string> LabelSet::names_with_none() const {
  std::vector<std::string> names = names_;
  if (is_multilabel()) {
    names.emplace_back(kNoneLabel);
  }
  return names;
}

std::optional<LabelIndex> LabelSet::index_of(std::string_view name) const {
  auto found = std::find(folded_.begin(), folded_.end(), name);
  if (found == folded_.end()) {
    found = std::find(folded_.begin(), folded_.end(), folded(name));
  }
  if (found == folded_.end()) {
    return std::nullopt;
  }
  return static_cast<LabelIndex>(found - folded_.begin());
}

std::vector<std::string> LabelSet::names_of(const Labels& labels) const {
  std::vector<std::string> names;
  for (const LabelIndex label : labels) {
    LABELPROBE_CHECK(label >= 0 && label < size());
    names.push_back(names_[static_cast<std::size_t>(label)]);
  }
  return names;
}

}  // namespace labelprobe
