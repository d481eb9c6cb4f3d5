// The labels of a data set: their names, their order and whether an example may have several.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace labelprobe {

enum class LabelKind { SingleLabel, MultiLabel };

// Position in the label set, from 0.
using LabelIndex = int;

// The labels of one example, ascending, without repeats. Multi-label: any number, none included.
// Single-label: exactly one.
using Labels = std::vector<LabelIndex>;

// The pseudo label of multi-label sets that means "no label". Never part of a LabelSet.
inline constexpr std::string_view kNoneLabel = "none";

class LabelSet {
 public:
  LabelSet() = default;

  // Lower-cases the names (ASCII). Throws DataError if a name is empty, is repeated (be it in other
  // letters, see folded()) or, in a multi-label set, is `none`.
  LabelSet(const std::vector<std::string>& names, LabelKind kind);

  const std::vector<std::string>& names() const { return names_; }
  LabelKind kind() const { return kind_; }
  bool is_multilabel() const { return kind_ == LabelKind::MultiLabel; }
  int size() const { return static_cast<int>(names_.size()); }

  // names(), followed by `none` in multi-label sets ("labels*" of the paper's breakdown prompts).
  std::vector<std::string> names_with_none() const;

  // Names are compared by what folded() makes of them.
  std::optional<LabelIndex> index_of(std::string_view name) const;

  // The names of `labels` in label-set order.
  std::vector<std::string> names_of(const Labels& labels) const;

  friend bool operator==(const LabelSet&, const LabelSet&) = default;

 private:
  std::vector<std::string> names_;
  std::vector<std::string> folded_;  // [size()], of the names
  LabelKind kind_ = LabelKind::MultiLabel;
};

}  // namespace labelprobe
