#include "record/log/experiment_files.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/example.h"
#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/python/repr.h"

#include "record/folder/folder_name.h"
#include "record/folder/manifest.h"
#include "record/folder/params.h"
#include "record/log/aggregates.h"
#include "record/log/entry_writer.h"

namespace labelprobe::record {

using nlohmann::json;

namespace {

constexpr std::array kAggregateNames = {"aggregated_metrics.yml", "aggregated_indexed_metrics.yml",
                                        "aggregated_annotator_metrics.yml"};
constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

// The fields of an entry that are numbers; a float32 as the log spells it.
Metrics numbers_of(const files::JsonF32& entry) {
  Metrics numbers;
  for (const auto& [name, field] : entry.items()) {
    if (field.is_number_integer()) {
      numbers[name] = static_cast<double>(field.get<std::int64_t>());
    } else if (field.is_number_float()) {
      numbers[name] = std::strtod(python::repr(field.get<float>()).c_str(), nullptr);
    }
  }
  return numbers;
}

std::string yaml_text(const json& mapping) {
  std::string text;
  files::append_yaml_entries(&text, mapping, 0);
  return text;
}

}  // namespace

std::string example_of(const ItemRecord& item) {
  const std::string suffix = fmt::format("{}{}", kIdSeparator, item.annotator);
  if (!item.key.ends_with(suffix) || item.key.size() == suffix.size()) {
    throw DataError(
        fmt::format("item id '{}' cannot be logged: expected <example id>{}", item.key, suffix));
  }
  return item.key.substr(0, item.key.size() - suffix.size());
}

std::vector<std::string> ExperimentFiles::appended_names() const {
  std::vector<std::string> names = {"params.yml", "indexed_metrics.yml", "metrics.yml",
                                    described("annotator_metrics.yml")};
  if (request_.layout.sets_annotators_apart) {
    names.push_back(described("annotator_preds.yml"));
    names.emplace_back(kNumbersName);
  }
  return names;
}

std::vector<std::string> ExperimentFiles::names() const {
  std::vector<std::string> names = appended_names();
  names.insert(names.end(), {"names.txt", "steps.yml"});
  if (request_.layout.sets_annotators_apart) {
    names.insert(names.end(), kAggregateNames.begin(), kAggregateNames.end());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void ExperimentFiles::write(const ItemsByKey& items,
                            const std::optional<Metrics>& metrics,
                            const std::map<std::string, Metrics>& annotator_metrics) {
  const bool is_apart = request_.layout.sets_annotators_apart;
  ItemsByKey indexed;
  std::map<std::string, ItemsByKey> of_annotators;  // by annotator, then example id
  for (const auto& [key, item] : items) {
    if (is_apart && item->annotator != kAggregate) {
      of_annotators[item->annotator][example_of(*item)] = item;
    } else {
      indexed[key] = item;
    }
  }
  Metrics named_metrics;
  for (const auto& [name, number] : metrics.value_or(Metrics{})) {
    named_metrics[fmt::format("test_{}", name)] = number;
  }

  write_params();
  append_indexed(indexed);
  json annotators = {{kDescriptionKey, request_.description}};
  annotators.update(annotator_metrics);
  append_block(described("annotator_metrics.yml"), annotators);
  if (metrics) {
    json block = {{kDescriptionKey, request_.description}};
    block.update(named_metrics);
    append_block("metrics.yml", block);
  }
  disk_.replace(file("steps.yml"), "{}\n");
  if (is_apart) {
    append_annotators(of_annotators);
    write_aggregates(indexed, named_metrics, annotator_metrics);
  }
}

void ExperimentFiles::write_params() {
  json params = json::object();
  for (const Param& param : request_.params) {
    params[param.name] = as_json(param.value);
  }
  std::string names = fmt::format("{}:", default_name(request_));
  for (const auto& [key, param] : name_keys(request_)) {
    params[key] = params[param->name];
    names += fmt::format("\n{}", key);
  }
  append_block("params.yml", params);
  disk_.replace(file("names.txt"), names);
}

void ExperimentFiles::write_aggregates(const ItemsByKey& items,
                                       const Metrics& named_metrics,
                                       const std::map<std::string, Metrics>& annotator_metrics) {
  Numbers numbers{request_.description, named_metrics, annotator_metrics, {}};
  for (const auto& [key, item] : items) {
    numbers.items[key] = numbers_of(entry_of(*item, request_.layout));
  }
  append(kNumbersName, encode_numbers(index_, numbers));
  const Aggregates aggregates = aggregate(load_numbers(file(kNumbersName)), repetitions_);
  const json* of_file[] = {&aggregates.metrics, &aggregates.indexed_metrics,
                           &aggregates.annotator_metrics};
  for (std::size_t i = 0; i < kAggregateNames.size(); ++i) {
    disk_.replace(file(kAggregateNames[i]), yaml_text(*of_file[i]));
  }
}

std::string ExperimentFiles::described(const std::string& name) const {
  const std::string prefix = encode_in_name(request_.description);
  return (prefix.empty() ? "" : fmt::format("{}-", prefix)) + name;
}

void ExperimentFiles::append(const std::string& name, const std::string& block) {
  files::AppendFile out = disk_.open_append(file(name));
  out.append(block);
  out.sync();
}

void ExperimentFiles::append_block(const std::string& name, const json& entries) {
  append(name, yaml_text(json{{experiment_key(), entries}}));
}

// Entry by entry: an experiment of many items is never in memory as one text.
void ExperimentFiles::append_indexed(const ItemsByKey& items) {
  ItemsByKey entries = items;
  entries[kDescriptionKey] = nullptr;
  files::AppendFile out = disk_.open_append(file("indexed_metrics.yml"));
  std::string block = fmt::format("{}:\n", experiment_key());
  for (const auto& [key, item] : entries) {
    const files::JsonF32 entry =
        item ? entry_of(*item, request_.layout) : files::JsonF32(request_.description);
    files::append_yaml_entries(&block, files::JsonF32{{key, entry}}, 2);
    if (block.size() >= kBufferBytes) {
      out.append(block);
      block.clear();
    }
  }
  out.append(block);
  out.sync();
}

void ExperimentFiles::append_annotators(const std::map<std::string, ItemsByKey>& items) {
  std::map<std::string, ItemsByKey> annotators = items;
  annotators[kDescriptionKey];
  files::AppendFile out = disk_.open_append(file(described("annotator_preds.yml")));
  std::string block = fmt::format("{}:\n", experiment_key());
  for (const auto& [annotator, entries] : annotators) {
    files::JsonF32 node = files::JsonF32::object();
    for (const auto& [example, item] : entries) {
      node[example] = entry_of(*item, request_.layout);
    }
    if (annotator == kDescriptionKey) {
      node = request_.description;
    }
    files::append_yaml_entries(&block, files::JsonF32{{annotator, node}}, 2);
    if (block.size() >= kBufferBytes) {
      out.append(block);
      block.clear();
    }
  }
  out.append(block);
  out.sync();
}

}  // namespace labelprobe::record
