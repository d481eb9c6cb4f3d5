// Means and confidence intervals over the experiments of a folder. What they need of earlier
// experiments stands in numbers.yml, one line each, so that those experiments' own files, which are
// large, need not be read again.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "labelprobe/record/run.h"

namespace labelprobe::record {

inline constexpr const char* kNumbersName = "numbers.yml";

// The numbers of one experiment, under the names its files give them.
struct Numbers {
  std::string description;
  Metrics metrics;
  std::map<std::string, Metrics> annotators;
  std::map<std::string, Metrics> items;  // by log key
};

// One line of numbers.yml, "\n" included: a YAML entry whose value is JSON.
std::string encode_numbers(std::size_t index, const Numbers& numbers);

// By index of the experiment. No file: none. Throws DataError (file:line) for anything but such
// lines.
std::map<std::size_t, Numbers> load_numbers(const std::filesystem::path& file);

// The published "mean+-interval": 1.959964 * standard deviation (of the population) / sqrt(n), both
// rounded to four decimals and spelled as Python spells them. At least one number.
std::string mean_and_interval(std::span<const double> numbers);

// What aggregated_metrics.yml, aggregated_indexed_metrics.yml and aggregated_annotator_metrics.yml
// hold: description -> metric, or item or annotator -> metric -> mean_and_interval() over the
// experiments that have it.
//   repetitions  what each experiment repeats the folder's setting with (its seeds), by index;
//                where several have the same and the same description, the last one counts
// The metrics of a description have `n` beside them: how many experiments were counted.
struct Aggregates {
  nlohmann::json metrics;
  nlohmann::json indexed_metrics;
  nlohmann::json annotator_metrics;
};
Aggregates aggregate(const std::map<std::size_t, Numbers>& experiments,
                     std::span<const std::string> repetitions);

}  // namespace labelprobe::record
