#include "record/log/aggregates.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/python/repr.h"

namespace labelprobe::record {

using nlohmann::json;

namespace {

constexpr std::string_view kAggregatePrefix = "experiment_";
constexpr std::string_view kSeparator = ": ";
constexpr double kNormalQuantile = 1.959964;  // 0.975, as the published logger spells it

// JSON has no spelling for infinities and NaN.
json encode_number(double number) {
  return std::isfinite(number) ? json(number) : json(python::repr(number));
}

double decode_number(const json& node) {
  return node.is_string() ? std::strtod(node.get_ref<const std::string&>().c_str(), nullptr)
                          : node.get<double>();
}

json encode_metrics(const Metrics& metrics) {
  json object = json::object();
  for (const auto& [name, number] : metrics) {
    object[name] = encode_number(number);
  }
  return object;
}

Metrics decode_metrics(const json& object) {
  Metrics metrics;
  for (const auto& [name, number] : object.get_ref<const json::object_t&>()) {
    metrics[name] = decode_number(number);
  }
  return metrics;
}

json encode_table(const std::map<std::string, Metrics>& table) {
  json object = json::object();
  for (const auto& [name, metrics] : table) {
    object[name] = encode_metrics(metrics);
  }
  return object;
}

std::map<std::string, Metrics> decode_table(const json& object) {
  std::map<std::string, Metrics> table;
  for (const auto& [name, metrics] : object.get_ref<const json::object_t&>()) {
    table[name] = decode_metrics(metrics);
  }
  return table;
}

// The index and the numbers of a line without its end.
std::pair<std::size_t, Numbers> decode_line(std::string_view line, const std::string& place) {
  std::size_t index = 0;
  const char* end = line.data() + line.size();
  const char* digits =
      line.starts_with(kAggregatePrefix) ? line.data() + kAggregatePrefix.size() : end;
  const auto [stop, error] = std::from_chars(digits, end, index);
  const std::string_view rest(stop, static_cast<std::size_t>(end - stop));
  if (error != std::errc() || !rest.starts_with(kSeparator)) {
    throw DataError(fmt::format("{}: expected experiment_<number>: and its numbers", place));
  }
  try {
    const json node = json::parse(rest.substr(kSeparator.size()));
    return {index,
            {node.at("description").get<std::string>(), decode_metrics(node.at("metrics")),
             decode_table(node.at("annotators")), decode_table(node.at("items"))}};
  } catch (const json::exception& problem) {
    throw DataError(
        fmt::format("{}: not the numbers of an experiment ({})", place, problem.what()));
  }
}

std::string rounded(double number) {
  if (!std::isfinite(number)) {
    return python::repr(number);
  }
  std::array<char, 400> text{};  // the largest double has 309 digits before the point
  std::snprintf(text.data(), text.size(), "%.4f", number);
  return python::repr(std::strtod(text.data(), nullptr));
}

// Metric -> its numbers, one per experiment that has it.
using Columns = std::map<std::string, std::vector<double>>;

void add(Columns* columns, const Metrics& metrics) {
  for (const auto& [name, number] : metrics) {
    (*columns)[name].push_back(number);
  }
}

void add(std::map<std::string, Columns>* columns, const std::map<std::string, Metrics>& table) {
  for (const auto& [name, metrics] : table) {
    add(&(*columns)[name], metrics);
  }
}

json summary(const Columns& columns) {
  json object = json::object();
  for (const auto& [name, numbers] : columns) {
    object[name] = mean_and_interval(numbers);
  }
  return object;
}

json summary(const std::map<std::string, Columns>& table) {
  json object = json::object();
  for (const auto& [name, columns] : table) {
    object[name] = summary(columns);
  }
  return object;
}

}  // namespace

std::string encode_numbers(std::size_t index, const Numbers& numbers) {
  const json node = {{"description", numbers.description},
                     {"metrics", encode_metrics(numbers.metrics)},
                     {"annotators", encode_table(numbers.annotators)},
                     {"items", encode_table(numbers.items)}};
  // Escaped down to ASCII: some characters that JSON takes as they are YAML does not.
  return fmt::format("{}{}{}{}\n", kAggregatePrefix, index, kSeparator,
                     node.dump(-1, ' ', /*ensure_ascii=*/true));
}

std::map<std::size_t, Numbers> load_numbers(const std::filesystem::path& file) {
  std::map<std::size_t, Numbers> experiments;
  if (!files::size_of(file)) {
    return experiments;
  }
  const files::MappedFile mapped(file);
  std::string_view text = mapped.text();
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string place = fmt::format("{}:{}", file.string(), line_number);
    auto [index, numbers] = decode_line(text.substr(0, end), place);
    experiments.insert_or_assign(index, std::move(numbers));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return experiments;
}

std::string mean_and_interval(std::span<const double> numbers) {
  LABELPROBE_CHECK(!numbers.empty());
  const auto n = static_cast<double>(numbers.size());
  double sum = 0;
  for (const double number : numbers) {
    sum += number;
  }
  const double mean = sum / n;
  double squares = 0;
  for (const double number : numbers) {
    squares += (number - mean) * (number - mean);
  }
  const double deviation = std::sqrt(squares / n);
  return fmt::format("{}+-{}", rounded(mean), rounded(kNormalQuantile * deviation / std::sqrt(n)));
}

Aggregates aggregate(const std::map<std::size_t, Numbers>& experiments,
                     std::span<const std::string> repetitions) {
  struct Group {
    std::size_t n = 0;
    Columns metrics;
    std::map<std::string, Columns> items;
    std::map<std::string, Columns> annotators;
  };
  // Lines of experiments that the folder does not know are repetitions of their own.
  const auto repetition = [&](std::size_t index) {
    return index < repetitions.size() ? repetitions[index] : fmt::to_string(index);
  };
  std::map<std::pair<std::string, std::string>, std::size_t> last;  // by description, repetition
  for (const auto& [index, numbers] : experiments) {
    last[{numbers.description, repetition(index)}] = index;
  }
  std::map<std::string, Group> groups;  // by description
  for (const auto& [index, numbers] : experiments) {
    if (last.at({numbers.description, repetition(index)}) != index) {
      continue;
    }
    Group& group = groups[numbers.description];
    group.n += 1;
    add(&group.metrics, numbers.metrics);
    add(&group.items, numbers.items);
    add(&group.annotators, numbers.annotators);
  }
  Aggregates aggregates{json::object(), json::object(), json::object()};
  for (const auto& [description, group] : groups) {
    aggregates.metrics[description] = summary(group.metrics);
    aggregates.metrics[description]["n"] = group.n;
    aggregates.indexed_metrics[description] = summary(group.items);
    aggregates.annotator_metrics[description] = summary(group.annotators);
  }
  return aggregates;
}

}  // namespace labelprobe::record
