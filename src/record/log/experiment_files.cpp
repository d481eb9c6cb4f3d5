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
#include "record/log/scored_entries.h"

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

std::string example_of(const std::string& key, const std::string& annotator) {
  const std::string suffix = fmt::format("{}{}", kIdSeparator, annotator);
  if (!key.ends_with(suffix) || key.size() == suffix.size()) {
    throw DataError(
        fmt::format("item id '{}' cannot be logged: expected <example id>{}", key, suffix));
  }
  return key.substr(0, key.size() - suffix.size());
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
  const LogLayout layout = request_.layout;
  Content content;
  for (const auto& [key, item] : items) {
    const auto make_entry = [item = item, layout] { return entry_of(*item, layout); };
    if (layout.sets_annotators_apart && item->annotator != kAggregate) {
      content.of_annotators[item->annotator][example_of(item->key, item->annotator)] = make_entry;
    } else {
      content.items[key] = make_entry;
    }
  }
  for (const auto& [name, number] : metrics.value_or(Metrics{})) {
    content.means_of[fmt::format("test_{}", name)] = number;
  }
  if (metrics) {
    content.metrics = json(content.means_of);
  }
  content.annotator_metrics = annotator_metrics;
  write(content);
}

void ExperimentFiles::write(const TrainingLog& log) {
  Content content;
  for (const ScoredItem& item : log.items) {
    Entries& entries =
        item.annotator == kAggregate ? content.items : content.of_annotators[item.annotator];
    const std::string key =
        item.annotator == kAggregate ? item.key : example_of(item.key, item.annotator);
    entries[key] = [&item, &log] { return entry_of(item, log); };
  }
  for (const auto& [name, number] : log.test_metrics) {
    content.means_of[fmt::format("test_{}", name)] = number;
  }
  content.metrics = metrics_of(log);
  content.annotator_metrics = log.annotator_metrics;
  content.steps = steps_of(log);
  write(content);
}

void ExperimentFiles::write(const Content& content) {
  write_params();
  append_indexed(content.items);
  json annotators = {{kDescriptionKey, request_.description}};
  annotators.update(content.annotator_metrics);
  append_block(described("annotator_metrics.yml"), annotators);
  if (content.metrics) {
    json block = {{kDescriptionKey, request_.description}};
    block.update(*content.metrics);
    append_block("metrics.yml", block);
  }
  disk_.replace(file("steps.yml"),
                content.steps.empty() ? std::string("{}\n") : yaml_text(content.steps));
  if (request_.layout.sets_annotators_apart) {
    append_annotators(content.of_annotators);
    write_aggregates(content);
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

void ExperimentFiles::write_aggregates(const Content& content) {
  Numbers numbers{request_.description, content.means_of, content.annotator_metrics, {}};
  for (const auto& [key, make_entry] : content.items) {
    numbers.items[key] = numbers_of(make_entry());
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
void ExperimentFiles::append_indexed(const Entries& items) {
  Entries entries = items;
  entries[kDescriptionKey] = [this] { return files::JsonF32(request_.description); };
  files::AppendFile out = disk_.open_append(file("indexed_metrics.yml"));
  std::string block = fmt::format("{}:\n", experiment_key());
  for (const auto& [key, make_entry] : entries) {
    files::append_yaml_entries(&block, files::JsonF32{{key, make_entry()}}, 2);
    if (block.size() >= kBufferBytes) {
      out.append(block);
      block.clear();
    }
  }
  out.append(block);
  out.sync();
}

void ExperimentFiles::append_annotators(const std::map<std::string, Entries>& items) {
  std::map<std::string, Entries> annotators = items;
  annotators[kDescriptionKey];
  files::AppendFile out = disk_.open_append(file(described("annotator_preds.yml")));
  std::string block = fmt::format("{}:\n", experiment_key());
  for (const auto& [annotator, entries] : annotators) {
    files::JsonF32 node = files::JsonF32::object();
    for (const auto& [example, make_entry] : entries) {
      node[example] = make_entry();
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
