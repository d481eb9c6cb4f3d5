#include "app/terminal/profile_report.h"

#include <algorithm>
#include <cstdint>
#include <sstream>

#include <fmt/core.h>

#include "labelprobe/files/text_table.h"

namespace labelprobe::app {

namespace {

constexpr std::size_t kMostRows = 16;
constexpr std::size_t kLongestKernelName = 72;  // templates of kernels fill pages

std::string shortened(const std::string& name) {
  return name.size() <= kLongestKernelName ? name : name.substr(0, kLongestKernelName - 3) + "...";
}

double share(double seconds, const model::ProfileSummary& summary) {
  return summary.seconds > 0 ? seconds / summary.seconds : 0;
}

// Rows by time, those below the largest as one.
void add_table(const std::string& title,
               const std::vector<model::ProfileRow>& rows,
               const model::ProfileSummary& summary,
               std::vector<std::string>& lines) {
  files::TextTable table;
  table.columns = {{title, files::Align::Left}, {"seconds"}, {"share"}, {"calls"}};
  const auto add = [&](const std::string& name, double seconds, std::int64_t n_calls) {
    table.rows.push_back({name, fmt::format("{:.3f}", seconds),
                          files::percent(share(seconds, summary)),
                          n_calls > 0 ? std::to_string(n_calls) : ""});
  };
  model::ProfileRow others;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i < kMostRows) {
      add(shortened(rows[i].name), rows[i].seconds, rows[i].n_calls);
    } else {
      others.seconds += rows[i].seconds;
      others.n_calls += rows[i].n_calls;
    }
  }
  if (rows.size() > kMostRows) {
    add(fmt::format("{} others", rows.size() - kMostRows), others.seconds, others.n_calls);
  }
  if (&rows == &summary.operators) {
    add("outside of operators", summary.unnamed_seconds, 0);
  }
  std::ostringstream text;
  files::write_terminal(text, table, {.indent = "  ", .empty = ""});
  std::istringstream read(text.str());
  for (std::string line; std::getline(read, line);) {
    lines.push_back(line);
  }
}

}  // namespace

std::vector<std::string> describe_profile(const model::ProfileSummary& summary,
                                          const std::filesystem::path& trace) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format(
      "profile of {:.3f} s of the model's work{}; trace in {}", summary.seconds,
      summary.is_whole ? "" : ", its beginning: the rest was not recorded", trace.string()));
  add_table("operator, without those it called", summary.operators, summary, lines);
  if (!summary.is_gpu) {
    return lines;
  }
  if (summary.kernels.empty()) {
    lines.emplace_back(
        "the GPU's own times are missing: its driver let CUPTI, NVIDIA's tracing library, record "
        "nothing");
    return lines;
  }
  add_table("on the GPU", summary.kernels, summary, lines);
  lines.push_back(fmt::format("GPU busy {} of that time, idle {}",
                              files::percent(share(summary.gpu_busy_seconds, summary)),
                              files::percent(1 - share(summary.gpu_busy_seconds, summary))));
  return lines;
}

}  // namespace labelprobe::app
