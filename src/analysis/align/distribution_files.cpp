// Estimates and votes as files for other programs, every digit kept.
#include <map>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/analysis/scores_file.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/text_table.h"

#include "analysis/report/numbers.h"

namespace labelprobe::analysis {

namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string key_of(const EstimatedRow& row, std::size_t n_answers) {
  const bool is_one_of_several = row.answer && n_answers > 1;
  return std::string(row.estimator->name) + (is_one_of_several ? "_" + describe(row.answer) : "");
}

Json by_label(const std::vector<double>& numbers, const LabelSet& label_set) {
  Json json = Json::object();
  for (std::size_t label = 0; label < numbers.size(); ++label) {
    json[label_set.names()[label]] = numbers[label];
  }
  return json;
}

// id -> label -> probability, each line behind `indent`.
void write_yaml(std::ostream& out,
                const LabelNumbers& by_id,
                const LabelSet& label_set,
                const std::string& indent) {
  for (const auto& [id, probs] : by_id) {
    out << indent << dumped(id) << ":\n";
    for (std::size_t label = 0; label < probs.size(); ++label) {
      out << indent << "  " << dumped(label_set.names()[label]) << ": " << yaml_number(probs[label])
          << '\n';
    }
  }
}

}  // namespace

void write_scores(std::ostream& out, const Distributions& estimates, const LabelSet& label_set) {
  write_yaml(out, estimates.probs, label_set, "");
}

void write_distributions_yaml(std::ostream& out,
                              std::span<const EstimatedRow> rows,
                              const LabelSet& label_set,
                              std::size_t n_answers) {
  std::map<std::string, const EstimatedRow*> written;
  for (const EstimatedRow& row : rows) {
    if (!row.run) continue;
    const std::string key = key_of(row, n_answers);
    const auto [other, is_new] = written.emplace(key, &row);
    if (!is_new) {
      throw ConfigError(fmt::format(
          "--out: expected one run of each kind in a YAML file, found {} and {}; write .jsonl, "
          "which names the run of each line",
          describe(*other->second->run), describe(*row.run)));
    }
    out << dumped(key) << ":\n";
    write_yaml(out, row.estimates.probs, label_set, "  ");
  }
}

void write_distributions_json_lines(std::ostream& out,
                                    std::span<const EstimatedRow> rows,
                                    const LabelSet& label_set) {
  for (const EstimatedRow& row : rows) {
    if (!row.run) continue;
    for (const auto& [id, probs] : row.estimates.probs) {
      out << dumped({{"id", id},
                     {"estimator", row.estimator->name},
                     {"method", row.estimator->title},
                     {"answer", row.answer ? Json(describe(row.answer)) : Json()},
                     {"run", row.run->folder.string()},
                     {"experiment", row.run->index},
                     {"probs", by_label(probs, label_set)}})
          << '\n';
    }
  }
}

void write_distributions_csv(std::ostream& out,
                             std::span<const EstimatedRow> rows,
                             const LabelSet& label_set) {
  files::TextTable grid;
  for (const char* header :
       {"id", "estimator", "method", "answer", "run", "experiment", "label", "prob"}) {
    grid.columns.push_back({header});
  }
  for (const EstimatedRow& row : rows) {
    if (!row.run) continue;
    for (const auto& [id, probs] : row.estimates.probs) {
      for (std::size_t label = 0; label < probs.size(); ++label) {
        grid.rows.push_back({id, std::string(row.estimator->name),
                             std::string(row.estimator->title), describe(row.answer),
                             row.run->folder.string(), std::to_string(row.run->index),
                             label_set.names()[label], exact(probs[label])});
      }
    }
  }
  files::write_csv(out, grid);
}

void write_votes_json_lines(std::ostream& out, const Votes& votes, const LabelSet& label_set) {
  for (const auto& [id, of_example] : votes) {
    out << dumped({{"id", id},
                   {"shares", by_label(of_example.shares, label_set)},
                   {"gold", label_set.names_of(of_example.gold)},
                   {"n_annotators",
                    of_example.n_annotators == 0 ? Json() : Json(of_example.n_annotators)}})
        << '\n';
  }
}

}  // namespace labelprobe::analysis
