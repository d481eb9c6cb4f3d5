#include "analysis/estimate/log_items.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::analysis {

namespace {

[[noreturn]] void fail(const std::string& key, const std::string& what) {
  throw DataError("item '" + key + "': " + what);
}

// "a unary item (<id>_unary_<label>)"
std::string describe(const ItemForm& form) {
  return std::string(form.title) + " (" + form.spelling() + ")";
}

LabelIndex index_with_none(const std::string& key,
                           const std::string& name,
                           const LabelSet& label_set) {
  const std::vector<std::string> names = label_set.names_with_none();
  const auto found = std::find(names.begin(), names.end(), ascii_lower(name));
  if (found == names.end()) fail(key, unknown_choice("label", name, names));
  return static_cast<LabelIndex>(found - names.begin());
}

float value_of(const LogItem& item, const record::LabelValues& values, std::string_view name) {
  const float* value = find_value(values, name);
  if (!value) {
    fail(item.record->key, "expected a number for '" + std::string(name) + "', found " +
                               (values.empty() ? "no numbers" : "others only"));
  }
  return *value;
}

}  // namespace

std::vector<LogItem> parse_items(std::span<const record::ItemRecord> items,
                                 const ItemForm& form,
                                 const LabelSet& label_set) {
  std::vector<LogItem> parsed;
  parsed.reserve(items.size());
  std::unordered_set<std::string_view> keys;
  for (const record::ItemRecord& record : items) {
    const ItemForm& found = record.form();
    if (&found != &form) {
      fail(record.key, "expected " + describe(form) + ", found " + describe(found) +
                           "; the log is of another distribution");
    }
    if (!keys.insert(record.key).second) fail(record.key, "expected once, found twice");
    LogItem item{ItemId::parse(record.key, form), &record, {}};
    if (item.id.annotator != kAggregate) {
      fail(record.key,
           "expected an item of the aggregate, found annotator '" + item.id.annotator + "'");
    }
    for (const std::string& name : item.id.parts) {
      item.labels.push_back(index_with_none(record.key, name, label_set));
    }
    if (item.labels.size() == 2 && item.labels[0] == item.labels[1]) {
      fail(record.key, "expected two labels, found the same twice");
    }
    parsed.push_back(std::move(item));
  }
  return parsed;
}

const record::ReadoutValues* find_readout(const LogItem& item,
                                          std::string_view name,
                                          record::ReadoutPlace place) {
  for (const record::ReadoutValues& readout : item.record->readouts) {
    if (readout.name == name && readout.place == place) return &readout;
  }
  return nullptr;
}

const float* find_value(const record::LabelValues& values, std::string_view name) {
  const auto found = std::find_if(values.begin(), values.end(), [&](const auto& entry) {
    return entry.first == name || ascii_lower(entry.first) == name;
  });
  return found == values.end() ? nullptr : &found->second;
}

double prob_of(const LogItem& item, const record::LabelValues& values, std::string_view name) {
  constexpr double kRounding = 1e-5;  // of a float32 softmax, or of a log written with few digits
  const double prob = value_of(item, values, name);
  if (!(prob >= 0.0 && prob <= 1.0 + kRounding)) {
    fail(item.record->key,
         "expected a probability for '" + std::string(name) + "', found " + std::to_string(prob));
  }
  return std::min(prob, 1.0);
}

double logit_of(const LogItem& item, const record::LabelValues& values, std::string_view name) {
  const double logit = value_of(item, values, name);
  if (!std::isfinite(logit)) {
    fail(item.record->key,
         "expected a finite logit for '" + std::string(name) + "', found " + std::to_string(logit));
  }
  return logit;
}

std::string list_some(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  return names.size() <= kMost ? text
                               : text + " and " + std::to_string(names.size() - kMost) + " more";
}

}  // namespace labelprobe::analysis
