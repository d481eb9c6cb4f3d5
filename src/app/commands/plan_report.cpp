#include "app/commands/plan_report.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/experiment/run.h"
#include "labelprobe/files/text_table.h"

namespace labelprobe::app {

namespace {

std::string unless_zero(double number, double unit, int n_decimals) {
  return number == 0 ? "" : fmt::format("{:.{}f}", number / unit, n_decimals);
}

std::string in_gigabytes(double bytes) {
  return fmt::format("{:.2f}", bytes / 1e9);
}

void describe_lines(std::ostream& out, const model::Cost& cost) {
  files::TextTable table;
  table.columns = {{"phase", files::Align::Left},
                   {"work", files::Align::Left},
                   {"rows"},
                   {"TFLOP"},
                   {"GB"},
                   {"launches"},
                   {"seconds"},
                   {"bound by", files::Align::Left}};
  for (const model::CostLine& line : cost.lines) {
    table.rows.push_back({line.phase, line.work,
                          line.n_rows == 0 ? "" : files::grouped(line.n_rows),
                          unless_zero(line.flop, 1e12, 2), unless_zero(line.bytes, 1e9, 1),
                          line.n_launches == 0 ? "" : files::grouped(line.n_launches),
                          fmt::format("{:.3f}", line.seconds), line.bound});
  }
  files::write_terminal(out, table, {.empty = ""});
  out << fmt::format("\nload {:.1f} s, run {:.2f} s, {:.1f} s in all\n", cost.load_seconds,
                     cost.run_seconds, cost.load_seconds + cost.run_seconds);
}

void describe_attention(std::ostream& out, const model::Cost& cost) {
  files::TextTable table;
  table.columns = {
      {"blocks of attention", files::Align::Left}, {"of a layer and key head"}, {"keys of each"}};
  for (const model::AttentionItems& items : cost.attention) {
    if (items.n_items == 0) continue;
    table.rows.push_back({std::string(items.size), files::grouped(items.n_items),
                          files::grouped(items.n_keys / items.n_items)});
  }
  if (table.rows.empty()) return;
  out << '\n';
  files::write_terminal(out, table);
}

void describe_memory(std::ostream& out, const model::Cost& cost) {
  files::TextTable table;
  table.columns = {{"memory", files::Align::Left}, {"GB"}};
  double sum = 0;
  for (const model::MemoryLine& line : cost.memory) {
    table.rows.push_back({line.what, in_gigabytes(line.bytes)});
    sum += line.bytes;
  }
  table.rows.push_back({"all", in_gigabytes(sum)});
  if (cost.memory_bytes > 0) {
    table.rows.push_back({"there is", in_gigabytes(cost.memory_bytes)});
    table.rows.push_back({sum > cost.memory_bytes ? "too much by" : "left",
                          in_gigabytes(std::abs(cost.memory_bytes - sum))});
  }
  out << '\n';
  files::write_terminal(out, table);
  if (!cost.advice.empty()) out << cost.advice << '\n';
}

}  // namespace

model::Cost cost_of(const experiment::PreparedJob& prepared, double disk_rate, int n_processes) {
  const experiment::ModelLoading& loading = prepared.job.model;
  const experiment::ModelRequest asked = experiment::make_model_request(
      prepared.model_info, prepared.job.settings, prepared.preparation);
  model::CostQuestion question = {loading.model.string(), loading.options, disk_rate,
                                  prepared.preparation.questions.queries.size()};
  question.n_processes = n_processes;
  if (const std::int64_t n = prepared.preparation.n_readout_tokens; n > 0) {
    const experiment::Settings& settings = prepared.job.settings;
    question.reach = {settings.readouts.options.max_places, settings.max_new_tokens - 1};
    question.n_places_each = n;
  }
  return model::estimate_cost(question, asked.prompts, asked.options);
}

void describe_shares(std::ostream& out, const experiment::PreparedJob& prepared, int n_processes) {
  if (n_processes == 1) return;
  const experiment::ModelLoading& loading = prepared.job.model;
  const std::vector<model::ShareSizes> shares = model::share_sizes(
      loading.model.string(), loading.options.dtype, loading.options.quantization, n_processes);
  files::TextTable table;
  table.columns = {{"process"},
                   {"heads"},
                   {"of keys"},
                   {"weights, GB"},
                   {"KiB a token of keys and values"},
                   {"KiB a row from the others"}};
  const auto kibibytes = [](std::size_t n) { return fmt::format("{:.1f}", n / 1024.0); };
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const model::ShareSizes& share = shares[i];
    table.rows.push_back(
        {fmt::to_string(i + 1), fmt::to_string(share.n_heads), fmt::to_string(share.n_key_heads),
         fmt::format("{:.3f}", static_cast<double>(share.weight_bytes) / 1e9),
         kibibytes(share.cache_bytes_per_token), kibibytes(share.received_bytes_per_row)});
  }
  out << '\n';
  files::write_terminal(out, table);
}

void describe_cost(std::ostream& out, const model::Cost& cost) {
  describe_lines(out, cost);
  describe_attention(out, cost);
  describe_memory(out, cost);
}

}  // namespace labelprobe::app
