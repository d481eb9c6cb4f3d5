#include <algorithm>
#include <map>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/files/json.h"
#include "labelprobe/files/text_table.h"

#include "app/commands/guard_files.h"

namespace labelprobe::app {

namespace {

using analysis::ListingMetrics;
using analysis::ScoredItem;
using analysis::SetMetrics;
using nlohmann::json;
using nlohmann::ordered_json;

// What a row measures of the items.
struct Scores {
  std::vector<ScoredItem> items;
  bool has_threshold = true;  // false: its scores are 0 and 1
};

// Rows in the order in which they are to be shown.
class Collector {
 public:
  explicit Collector(std::span<const std::string> codes) : codes_(codes) {}

  void add(const json& line, const Labels& gold, int fold) {
    of("verdict").items.push_back(
        {gold.empty() ? Labels{} : Labels{0}, {line.at("p_unsafe").get<double>()}, fold});
    ScoredItem answer{gold, std::vector<double>(codes_.size(), 0.0), fold};
    if (!line.at("labels").is_null()) {
      for (const auto& label : line.at("labels")) answer.scores[index_of(label)] = 1.0;
    }
    of("answer").items.push_back(std::move(answer));
    of("answer").has_threshold = false;
    for (const auto& readout : line.at("readouts")) {
      ScoredItem item{gold, std::vector<double>(codes_.size(), 0.0), fold};
      for (const auto& [label, prob] : readout.at("probs").items()) {
        item.scores[index_of(label)] = prob;
      }
      of(readout.at("name")).items.push_back(std::move(item));
    }
  }

  const std::vector<std::pair<std::string, Scores>>& rows() const { return rows_; }

 private:
  Scores& of(const std::string& name) {
    const auto found = std::find_if(rows_.begin(), rows_.end(),
                                    [&](const auto& row) { return row.first == name; });
    return found != rows_.end() ? found->second : rows_.emplace_back(name, Scores()).second;
  }

  std::size_t index_of(const std::string& code) const {
    return static_cast<std::size_t>(std::find(codes_.begin(), codes_.end(), code) - codes_.begin());
  }

  std::span<const std::string> codes_;
  std::vector<std::pair<std::string, Scores>> rows_;
};

std::string shown(const std::optional<double>& number) {
  return number ? fmt::format("{:.4f}", *number) : "undefined";
}

void add_numbers(std::vector<std::string>& row, const SetMetrics& metrics) {
  row.push_back(shown(metrics.micro_f1));
  row.push_back(shown(metrics.macro_f1));
  row.push_back(shown(metrics.hamming_loss));
}

std::string shown_thresholds(const std::vector<double>& thresholds) {
  const auto [low, high] = std::minmax_element(thresholds.begin(), thresholds.end());
  return fmt::format("{:.4g} to {:.4g}", *low, *high);
}

ordered_json number_json(const std::optional<double>& number) {
  return number ? ordered_json(*number) : ordered_json();
}

ordered_json set_json(const SetMetrics& metrics) {
  return {{"micro_f1", number_json(metrics.micro_f1)},
          {"macro_f1", number_json(metrics.macro_f1)},
          {"hamming_loss", number_json(metrics.hamming_loss)}};
}

}  // namespace

GuardMetrics measure_guard(std::span<const std::string> ids,
                           std::span<const std::string> lines,
                           std::span<const std::optional<Labels>> gold,
                           std::span<const std::string> codes,
                           const analysis::ThresholdOptions& thresholds,
                           std::int64_t seed) {
  GuardMetrics measured;
  std::vector<std::pair<json, Labels>> items;
  std::vector<std::string> item_ids;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!gold[i]) continue;
    ++measured.n_items;
    json line = json::parse(lines[i]);
    if (line.contains("failure")) {
      ++measured.n_failed;
      continue;
    }
    items.emplace_back(std::move(line), *gold[i]);
    item_ids.push_back(ids[i]);
  }
  const std::vector<int> folds =
      analysis::folds_of(item_ids, std::max(thresholds.n_folds, 1), seed);
  Collector collector(codes);
  for (std::size_t i = 0; i < items.size(); ++i) {
    collector.add(items[i].first, items[i].second, folds[i]);
  }
  for (const auto& [name, scores] : collector.rows()) {
    analysis::ThresholdOptions options = thresholds;
    if (!scores.has_threshold) options = {0.5, 0};
    const int n_labels = name == "verdict" ? 1 : static_cast<int>(codes.size());
    measured.rows.push_back({name, analysis::listing_metrics(scores.items, n_labels, options)});
  }
  return measured;
}

void write_guard_metrics(std::ostream& out,
                         const GuardMetrics& metrics,
                         std::span<const std::string> codes,
                         const analysis::ThresholdOptions& thresholds) {
  files::TextTable table;
  table.columns = {
      {"", files::Align::Left}, {"at", files::Align::Left}, {"micro F1"},     {"macro F1"},
      {"Hamming loss"},         {"micro ROC-AUC"},          {"macro ROC-AUC"}};
  int n_two_class = 0;
  std::string why_not;
  for (const GuardMetrics::Row& row : metrics.rows) {
    const ListingMetrics& of = row.metrics;
    if (row.name == "answer") n_two_class = of.n_two_class;
    if (!of.why_not_fitted.empty()) why_not = of.why_not_fitted;
    const bool has_threshold = row.name != "answer";
    std::vector<std::string> texts = {
        row.name, has_threshold ? fmt::format("{:.4g}", of.threshold) : "as listed"};
    add_numbers(texts, of.at_threshold);
    texts.push_back(shown(of.micro_auc));
    texts.push_back(shown(of.macro_auc));
    table.rows.push_back(std::move(texts));
    if (!of.at_fitted) continue;
    std::vector<std::string> fitted = {"", shown_thresholds(of.fitted_thresholds)};
    add_numbers(fitted, *of.at_fitted);
    fitted.insert(fitted.end(), 2, " ");
    table.rows.push_back(std::move(fitted));
  }
  files::write_terminal(out, table, {.empty = ""});
  out << fmt::format(
      "{} conversations with gold labels{}; macro numbers are of the {} of {} codes that some of "
      "them have and others have not\n",
      metrics.n_items,
      metrics.n_failed > 0 ? fmt::format(", {} of which failed and are left out", metrics.n_failed)
                           : "",
      n_two_class, codes.size());
  if (thresholds.n_folds > 0) {
    out << (why_not.empty()
                ? fmt::format("ranges are of thresholds fitted on {} folds, each measured on the "
                              "fold that it has not seen\n",
                              thresholds.n_folds)
                : fmt::format("thresholds were not fitted: {}\n", why_not));
  }
  out.flush();
}

ordered_json guard_metrics_json(const GuardMetrics& metrics) {
  ordered_json all = {{"n_items", metrics.n_items},
                      {"n_failed", metrics.n_failed},
                      {"rows", ordered_json::array()}};
  for (const GuardMetrics::Row& row : metrics.rows) {
    const ListingMetrics& of = row.metrics;
    ordered_json made = {{"name", row.name},
                         {"n_labels", of.n_labels},
                         {"n_two_class", of.n_two_class},
                         {"micro_auc", number_json(of.micro_auc)},
                         {"macro_auc", number_json(of.macro_auc)},
                         {"threshold", of.threshold},
                         {"at_threshold", set_json(of.at_threshold)}};
    if (of.at_fitted) {
      made["fitted_thresholds"] = of.fitted_thresholds;
      made["at_fitted"] = set_json(*of.at_fitted);
    } else if (!of.why_not_fitted.empty()) {
      made["why_not_fitted"] = of.why_not_fitted;
    }
    all["rows"].push_back(std::move(made));
  }
  return all;
}

}  // namespace labelprobe::app
