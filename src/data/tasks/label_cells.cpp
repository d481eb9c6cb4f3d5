#include "data/tasks/label_cells.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

#include "data/reading/records.h"

namespace labelprobe::data {

namespace {

using nlohmann::json;

std::string key_of(std::string_view name) {
  return folded(python::strip(name));
}

// The columns of labels that name the labels where nothing else does.
const LabelForm* columns_of(const TaskFile& task) {
  const LabelForm& form = task.labels ? *task.labels : task.votes->labels;
  return form.columns.empty() ? nullptr : &form;
}

// The names in a cell, as the data have them.
std::vector<std::string> names_in(const json& cell,
                                  const LabelForm& form,
                                  const std::string& place) {
  std::vector<std::string> names;
  if (const json list = list_in(cell); !list.is_null()) {
    for (const json& item : list) names.push_back(text_of(item, place));
    return names;
  }
  const std::string text = text_of(cell, place);
  if (python::strip(text).empty()) return names;
  if (form.separator.empty()) {
    throw DataError(fmt::format(
        "{}: expected a JSON list of labels, found {}; labels of another form need a separator, or "
        "class where there is one ({})",
        place, files::shown(text), form.place));
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(form.separator, begin), text.size());
    names.emplace_back(python::strip(std::string_view(text).substr(begin, end - begin)));
    begin = end + form.separator.size();
  }
  return names;
}

// 0, 1, a share between, true or false.
double share_of(const json& cell, const std::string& place) {
  double share = -1.0;
  if (cell.is_boolean()) {
    share = cell.get<bool>() ? 1.0 : 0.0;
  } else if (cell.is_number()) {
    share = cell.get<double>();
  } else if (cell.is_string()) {
    const std::string text = ascii_lower(python::strip(cell.get_ref<const std::string&>()));
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    const bool is_number = !text.empty() && *end == '\0';
    share = text == "true" ? 1.0 : text == "false" ? 0.0 : is_number ? number : -1.0;
  }
  if (!(share >= 0.0 && share <= 1.0)) {
    throw DataError(fmt::format("{}: expected 0, 1 or a share between, found {}", place,
                                cell.is_string() ? files::shown(cell.get_ref<const std::string&>())
                                                 : files::printable(cell.dump())));
  }
  return share;
}

}  // namespace

LabelNames::LabelNames(const TaskFile& task) : task_(task) {
  const LabelForm* const columns = columns_of(task);
  std::vector<std::string> labels = task.label_names;
  if (labels.empty()) {
    for (const auto& [label, called] : task.label_map) labels.push_back(label);
  }
  if (labels.empty() && columns) {
    for (const auto& [label, column] : columns->columns) {
      if (!is_none(label)) labels.push_back(label);
    }
  }
  are_as_met_ = labels.empty();
  for (const std::string& label : labels) add(label);
  const auto check = [&](const std::string& label, const char* key) {
    if (std::find(labels.begin(), labels.end(), label) == labels.end()) {
      throw ConfigError(fmt::format("{}: {}: {}", task.path.string(), key,
                                    unknown_choice("label", label, labels)));
    }
  };
  for (const auto& [label, called] : task.label_map) check(label, "label_map");
  for (const auto& [label, shown] : task.shown_as) {
    if (!are_as_met_) check(label, "shown_as");
  }
  for (const auto& [name, meant] : meant_by_) {
    if (task.kind() == LabelKind::SingleLabel && meant.size() > 1) {
      throw ConfigError(fmt::format(
          "{}: label_map: expected '{}' below one label, as items have one label; found it twice",
          task.path.string(), name));
    }
  }
}

void LabelNames::add(const std::string& label) {
  const auto index = static_cast<LabelIndex>(labels_.size());
  labels_.push_back(label);
  const auto mapped = std::find_if(task_.label_map.begin(), task_.label_map.end(),
                                   [&](const auto& entry) { return entry.first == label; });
  if (mapped == task_.label_map.end()) {
    meant_by_[key_of(label)].push_back(index);
    return;
  }
  for (const std::string& called : mapped->second) meant_by_[key_of(called)].push_back(index);
}

bool LabelNames::is_none(const std::string& name) const {
  // Sets of one label have no word for none: there it is a label as others.
  return task_.kind() == LabelKind::MultiLabel &&
         std::any_of(task_.none_words.begin(), task_.none_words.end(),
                     [&](const std::string& word) { return key_of(word) == key_of(name); });
}

std::vector<LabelIndex> LabelNames::find(const std::string& name, const std::string& place) {
  const auto found = meant_by_.find(key_of(name));
  if (found != meant_by_.end()) return found->second;
  if (is_none(name)) return {};
  if (python::strip(name).empty()) {
    throw DataError(place + ": expected the name of a label, found nothing");
  }
  if (!are_as_met_ && task_.skips_unknown_labels) {
    left_out_.emplace_back(python::strip(name));
    return {};
  }
  if (!are_as_met_) {
    std::vector<std::string> known = labels_;
    if (!task_.label_map.empty()) {
      known.clear();
      for (const auto& [label, called] : task_.label_map) {
        known.insert(known.end(), called.begin(), called.end());
      }
    }
    if (task_.kind() == LabelKind::MultiLabel) {
      known.insert(known.end(), task_.none_words.begin(), task_.none_words.end());
    }
    throw DataError(
        fmt::format("{}: {}", place, unknown_choice("label", files::printable(name), known)));
  }
  add(std::string(python::strip(name)));
  return {static_cast<LabelIndex>(labels_.size()) - 1};
}

LabelSet LabelNames::label_set() const {
  if (labels_.empty()) {
    throw DataError(task_.path.string() + ": expected labels in the data, found none");
  }
  std::vector<std::string> shown;
  for (const std::string& label : labels_) {
    const auto found = std::find_if(task_.shown_as.begin(), task_.shown_as.end(),
                                    [&](const auto& entry) { return entry.first == label; });
    shown.push_back(found == task_.shown_as.end() ? label : found->second);
  }
  try {
    return LabelSet(shown, task_.kind());
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}: {}", task_.path.string(), error.what()));
  }
}

CellLabels labels_in(const json& cell,
                     const LabelForm& form,
                     LabelNames& names,
                     const std::string& place) {
  CellLabels found;
  if (form.kind == LabelForm::Kind::Class) {
    const std::string name = text_of(cell, place);
    found.is_empty = python::strip(name).empty();
    if (!found.is_empty) found.labels = names.find(name, place);
    found.is_empty = found.labels.empty();
    return found;
  }
  bool has_none = false;
  const std::vector<std::string> called = names_in(cell, form, place);
  for (const std::string& name : called) {
    const std::vector<LabelIndex> meant = names.find(name, place);
    has_none = has_none || names.is_none(name);
    found.labels.insert(found.labels.end(), meant.begin(), meant.end());
  }
  found.is_contradictory = has_none && called.size() > 1;
  found.labels = sorted_labels(std::move(found.labels));
  return found;
}

LabelReader::LabelReader(const files::Table& table, const LabelForm& form, LabelNames& names)
    : table_(table), form_(form), names_(names) {
  if (form.kind != LabelForm::Kind::Columns) {
    column_.emplace(table, form.column);
    return;
  }
  for (const auto& [label, column] : form.columns) share_columns_.emplace_back(table, column);
}

CellLabels LabelReader::at(std::size_t row) const {
  if (!column_) return from_shares(row);
  return labels_in(column_->at(row), form_, names_,
                   fmt::format("{}: column '{}'", table_.places[row], column_->name()));
}

CellLabels LabelReader::from_shares(std::size_t row) const {
  CellLabels found;
  for (std::size_t i = 0; i < share_columns_.size(); ++i) {
    const std::string place =
        fmt::format("{}: column '{}'", table_.places[row], share_columns_[i].name());
    const double share = share_of(share_columns_[i].at(row), place);
    for (const LabelIndex label : names_.find(form_.columns[i].first, place)) {
      found.shares.emplace_back(label, share);
    }
  }
  found.labels = labels_of_shares(found.shares, form_);
  found.is_empty = form_.takes_one && found.labels.empty();
  return found;
}

Labels labels_of_shares(const LabelShareList& shares, const LabelForm& form) {
  Labels labels;
  double largest = 0.0;
  for (const auto& [label, share] : shares) {
    if (form.takes_one && share > largest) {
      largest = share;
      labels = {label};
    } else if (!form.takes_one && form.has_enough(share)) {
      labels.push_back(label);
    }
  }
  return sorted_labels(std::move(labels));
}

}  // namespace labelprobe::data
