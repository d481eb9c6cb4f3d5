// The files of `labelprobe guard`: conversations and categories in, readings and metrics out.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/analysis/listing_metrics.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/experiment/guard.h"
#include "labelprobe/prompt/guard.h"

namespace labelprobe::app {

// One conversation of the conversations file.
struct GuardLine {
  std::string id;
  std::vector<prompt::Message> messages;           // a user's first, then in turns
  std::optional<std::vector<std::string>> labels;  // gold codes; unset: unknown
  std::string place;                               // "<file>:<line>"
};

// Reads {"id", "messages": [{"role", "content"}, ...]} or {"id", "prompt", "response"}, with
// "labels" if they are known; blank lines are skipped. `name` stands in messages. Throws DataError
// with name:line, expected and found; for equal ids too.
std::vector<GuardLine> read_guard_lines(std::istream& in, const std::string& name);

// Reads a list of {"name", "code", "description"}, of which the name alone is needed: codes are
// otherwise these letters and the place in the list from 1. Throws ConfigError with its place.
std::vector<prompt::GuardCategory> read_guard_categories(const std::filesystem::path& path,
                                                         std::string_view code_letters);

// The gold codes of a line, by their place among all; unset if it has none. Throws DataError for a
// code that is not among them.
std::optional<Labels> gold_of(const GuardLine& line, std::span<const std::string> codes);

// The line of a conversation's reading, without a line break.
std::string guard_line(const std::string& id,
                       const experiment::GuardTask& task,
                       const experiment::GuardReading& reading);

// What is measured: "verdict" (the probability of an unsafe one), "answer" (the codes that the
// greedy answers list) and every readout.
struct GuardMetrics {
  struct Row {
    std::string name;
    analysis::ListingMetrics metrics;
  };
  std::size_t n_items = 0;   // with gold labels
  std::size_t n_failed = 0;  // of them; left out
  std::vector<Row> rows;
};

// By the lines of guard_line() and their gold codes. An answer without a verdict lists nothing.
//   seed  of the folds
GuardMetrics measure_guard(std::span<const std::string> ids,
                           std::span<const std::string> lines,
                           std::span<const std::optional<Labels>> gold,
                           std::span<const std::string> codes,
                           const analysis::ThresholdOptions& thresholds,
                           std::int64_t seed);

// A table for people, and what its numbers are; "undefined" stands for numbers that are.
void write_guard_metrics(std::ostream& out,
                         const GuardMetrics& metrics,
                         std::span<const std::string> codes,
                         const analysis::ThresholdOptions& thresholds);

// The same for programs; undefined numbers are null.
nlohmann::ordered_json guard_metrics_json(const GuardMetrics& metrics);

}  // namespace labelprobe::app
