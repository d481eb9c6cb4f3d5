#include "record/log/experiment_files.h"

#include <algorithm>
#include <array>
#include <functional>
#include <future>
#include <thread>

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

// The lines of an experiment in a file that grows.
class BlockWriter {
 public:
  BlockWriter(files::AppendFile file, const std::string& experiment)
      : file_(std::move(file)), lines_(fmt::format("{}:\n", experiment)) {}

  void add(const files::JsonF32& entries, int indent) {
    std::string lines;
    files::append_yaml_entries(&lines, entries, indent);
    add(lines);
  }
  void add(std::string_view lines) {
    lines_ += lines;
    if (lines_.size() < kBufferBytes) return;
    file_.append(lines_);
    lines_.clear();
  }
  void finish() {
    file_.append(lines_);
    file_.sync();
  }

 private:
  files::AppendFile file_;
  std::string lines_;
};

// The texts of entries 0 to n, written in that order; several threads make them, a few at a time.
void write_in_order(std::size_t n,
                    BlockWriter& out,
                    const std::function<std::string(std::size_t)>& make_text) {
  constexpr std::size_t kPerThread = 64;
  constexpr unsigned kMostThreads = 8;
  const std::size_t n_threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
  for (std::size_t first = 0; first < n;) {
    std::vector<std::future<std::string>> parts;
    for (std::size_t i = 0; i < n_threads && first < n; ++i) {
      const std::size_t end = std::min(n, first + kPerThread);
      const auto make_part = [&make_text, first, end] {
        std::string texts;
        for (std::size_t k = first; k < end; ++k) texts += make_text(k);
        return texts;
      };
      // Few entries are not worth a thread.
      parts.push_back(
          std::async(n > kPerThread ? std::launch::async : std::launch::deferred, make_part));
      first = end;
    }
    for (std::future<std::string>& part : parts) out.add(part.get());
  }
}

}  // namespace

std::string_view example_of(std::string_view key, const std::string& annotator) {
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

void ExperimentFiles::write(const ItemStore& items,
                            std::span<const std::string> keys,
                            const std::optional<Metrics>& metrics,
                            const std::map<std::string, Metrics>& annotator_metrics) {
  const LogLayout layout = request_.layout;
  Content content;
  content.make_entry = [&](std::size_t i) { return entry_of(items.at(keys[i]), layout); };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string annotator =
        layout.sets_annotators_apart ? items.at(keys[i]).annotator : std::string(kAggregate);
    if (annotator == kAggregate) {
      content.items.push_back({keys[i], i});
    } else {
      content.of_annotators[annotator].push_back({example_of(keys[i], annotator), i});
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
  content.make_entry = [&](std::size_t i) { return entry_of(log.items[i], log); };
  for (std::size_t i = 0; i < log.items.size(); ++i) {
    const ScoredItem& item = log.items[i];
    if (item.annotator == kAggregate) {
      content.items.push_back({item.key, i});
    } else {
      content.of_annotators[item.annotator].push_back({example_of(item.key, item.annotator), i});
    }
  }
  for (const auto& [name, number] : log.test_metrics) {
    content.means_of[fmt::format("test_{}", name)] = number;
  }
  content.metrics = metrics_of(log);
  content.annotator_metrics = log.annotator_metrics;
  content.steps = steps_of(log);
  write(content);
}

// By name; of entries of one name the last one stays.
void ExperimentFiles::sort(Entries& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.name < b.name; });
  const auto same = std::unique(entries.rbegin(), entries.rend(),
                                [](const Entry& a, const Entry& b) { return a.name == b.name; });
  entries.erase(entries.begin(), same.base());
}

void ExperimentFiles::write(Content content) {
  sort(content.items);
  for (auto& [annotator, entries] : content.of_annotators) sort(entries);
  write_params();
  append_indexed(content);
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
    append_annotators(content);
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
  for (const Entry& entry : content.items) {
    numbers.items[std::string(entry.name)] = numbers_of(content.make_entry(entry.item));
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
void ExperimentFiles::append_indexed(const Content& content) {
  BlockWriter out(disk_.open_append(file("indexed_metrics.yml")), experiment_key());
  const auto end = content.items.end();
  const auto behind = std::find_if(content.items.begin(), end, [](const Entry& entry) {
    return entry.name > std::string_view(kDescriptionKey);
  });
  const auto write = [&](auto first, auto last) {
    write_in_order(static_cast<std::size_t>(last - first), out, [&, first](std::size_t i) {
      const Entry& entry = first[static_cast<std::ptrdiff_t>(i)];
      std::string lines;
      files::append_yaml_entries(
          &lines, files::JsonF32{{std::string(entry.name), content.make_entry(entry.item)}}, 2);
      return lines;
    });
  };
  write(content.items.begin(), behind);
  out.add(files::JsonF32{{kDescriptionKey, request_.description}}, 2);
  write(behind, end);
  out.finish();
}

void ExperimentFiles::append_annotators(const Content& content) {
  std::map<std::string, Entries> annotators = content.of_annotators;
  annotators[kDescriptionKey];
  BlockWriter out(disk_.open_append(file(described("annotator_preds.yml"))), experiment_key());
  for (const auto& [annotator, entries] : annotators) {
    if (annotator == kDescriptionKey) {
      out.add(files::JsonF32{{annotator, request_.description}}, 2);
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
      files::JsonF32 entry = {{std::string(entries[i].name), content.make_entry(entries[i].item)}};
      // The others follow the first one under their annotator's name.
      if (i == 0) {
        out.add(files::JsonF32{{annotator, std::move(entry)}}, 2);
      } else {
        out.add(entry, 4);
      }
    }
  }
  out.finish();
}

}  // namespace labelprobe::record
