#include "labelprobe/experiment/role_data.h"

#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "labelprobe/data/task_file.h"
#include "labelprobe/files/text_table.h"

namespace labelprobe::experiment {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostAnnotators = 5;  // that people want to see named

std::string share_text(std::size_t part, std::size_t whole) {
  return whole == 0 ? "-" : files::percent(static_cast<double>(part) / static_cast<double>(whole));
}

// The mean share of each label over the examples with soft labels, of which there is one at least.
std::vector<double> mean_shares(const RoleData& data) {
  std::vector<double> means(data.dataset.label_set.names().size());
  for (const auto& [example_id, shares] : data.shares) {
    for (std::size_t label = 0; label < means.size(); ++label) means[label] += shares[label];
  }
  for (double& mean : means) mean /= static_cast<double>(data.shares.size());
  return means;
}

// A count with its share; for the annotators' items the same once more.
std::vector<std::string> label_row(const RoleData& data,
                                   const std::string& name,
                                   std::size_t n_aggregate,
                                   std::size_t n_annotated) {
  std::vector<std::string> row = {name};
  const auto add = [&](const data::LabelCounts& counts, std::size_t n) {
    if (counts.n_items > 0) {
      row.push_back(fmt::to_string(n));
      row.push_back(share_text(n, counts.n_items));
    }
  };
  add(data.summary.aggregate, n_aggregate);
  add(data.summary.annotated, n_annotated);
  return row;
}

void print_labels(std::ostream& out, const RoleData& data) {
  const data::LabelCounts& aggregate = data.summary.aggregate;
  const data::LabelCounts& annotated = data.summary.annotated;
  const LabelSet& label_set = data.dataset.label_set;
  const auto& agreement = data.summary.agreement;
  files::TextTable table;
  table.columns = {{"label", files::Align::Left}};
  if (aggregate.n_items > 0) {
    table.columns.insert(table.columns.end(), {{"items"}, {"share"}});
  }
  if (annotated.n_items > 0) {
    table.columns.insert(table.columns.end(), {{"votes"}, {"share"}});
  }
  if (agreement) {
    table.columns.push_back({"agreement"});
  }
  std::vector<double> means;
  if (!data.shares.empty()) {
    means = mean_shares(data);
    table.columns.push_back({"soft label"});
  }
  auto& rows = table.rows;
  for (std::size_t i = 0; i < label_set.names().size(); ++i) {
    rows.push_back(label_row(data, label_set.names()[i], aggregate.n_with[i], annotated.n_with[i]));
    if (agreement) {
      rows.back().push_back(files::percent(agreement->same_on_label[i]));
    }
    if (!means.empty()) rows.back().push_back(files::percent(means[i]));
  }
  if (label_set.is_multilabel()) {
    rows.push_back(label_row(data, "(no label)", aggregate.n_without, annotated.n_without));
    rows.push_back(label_row(data, "(several)", aggregate.n_several, annotated.n_several));
    rows.push_back({"(per item)"});
    for (const data::LabelCounts* counts : {&aggregate, &annotated}) {
      if (counts->n_items > 0) {
        rows.back().push_back(fmt::format("{:.2f}", counts->mean_labels));
        rows.back().emplace_back();
      }
    }
  }
  files::write_terminal(out, table, {.indent = "  ", .empty = ""});
}

void print_splits(std::ostream& out, const RoleData& data) {
  files::TextTable table;
  table.columns = {{"split", files::Align::Left}, {"read"}, {"kept"}};
  for (const data::SplitCount& split : data.dataset.notes.splits) {
    table.rows.push_back({split.split, fmt::to_string(split.n_read), fmt::to_string(split.n_kept)});
  }
  files::write_terminal(out, table, {.indent = "  "});
  for (const data::DroppedExamples& dropped : data.dataset.notes.dropped) {
    out << "  dropped: " << dropped.n_examples << ", " << dropped.reason << '\n';
  }
}

bool reads_annotators(const RoleData& data) {
  return data.options.annotation_mode != data::AnnotationMode::Aggregate;
}

void print_annotators(std::ostream& out, const RoleData& data) {
  if (!data.has_annotators) {
    return;
  }
  if (!reads_annotators(data)) {
    out << "  annotators: not read (--annotation-mode both reads them)\n";
    return;
  }
  const auto& annotators = data.summary.annotators;
  out << "  annotators: " << annotators.size() << " with " << data.summary.annotated.n_items
      << " items in all; the most productive:";
  for (std::size_t i = 0; i < std::min(annotators.size(), kMostAnnotators); ++i) {
    out << (i > 0 ? ", " : " ") << annotators[i].annotator << " (" << annotators[i].n_items << ")";
  }
  out << '\n';
  if (const auto& agreement = data.summary.agreement) {
    out << "  agreement: of " << agreement->n_examples << " examples with two annotators or more, "
        << agreement->n_disputed << " (" << share_text(agreement->n_disputed, agreement->n_examples)
        << ") are disputed; " << files::percent(agreement->same_labels)
        << " of the pairs of annotators chose the same labels\n"
        << "    (in the table: pairs that both chose the label or both did not; means over "
           "examples)\n";
  } else {
    out << "  agreement: no example has two annotators\n";
  }
}

void print_soft_labels(std::ostream& out, const RoleData& data) {
  if (data.shares.empty()) return;
  out << fmt::format(
      "  soft labels: {} of {} examples have shares in place of votes (in the table: their "
      "means)\n",
      data.shares.size(), data.summary.n_examples);
}

Json describe_counts(const data::LabelCounts& counts, const LabelSet& label_set) {
  Json json = {{"n_items", counts.n_items}, {"labels", Json::object()}};
  for (std::size_t i = 0; i < counts.n_with.size(); ++i) {
    json["labels"][label_set.names()[i]] = counts.n_with[i];
  }
  json["n_without_label"] = counts.n_without;
  json["n_with_several"] = counts.n_several;
  json["labels_per_item"] = counts.mean_labels;
  return json;
}

Json by_label(const std::vector<double>& numbers, const LabelSet& label_set) {
  Json json = Json::object();
  for (std::size_t i = 0; i < numbers.size(); ++i) json[label_set.names()[i]] = numbers[i];
  return json;
}

Json describe_agreement(const data::Agreement& agreement, const LabelSet& label_set) {
  Json json = {{"n_examples", agreement.n_examples},
               {"n_disputed", agreement.n_disputed},
               {"pairs_with_same_labels", agreement.same_labels},
               {"pairs_agreeing_on_label", Json::object()}};
  for (std::size_t i = 0; i < agreement.same_on_label.size(); ++i) {
    json["pairs_agreeing_on_label"][label_set.names()[i]] = agreement.same_on_label[i];
  }
  return json;
}

}  // namespace

RoleData load_role(const std::string& task, const std::string& role, data::DatasetOptions options) {
  data::TaskInfo info = data::task_info(task);
  RoleData data{role, std::move(options), info.has_annotators, {}, {}, std::move(info.none_words),
                {}};
  if (data::may_have_shares(task)) {
    data::SoftSet soft = data::load_soft(task, data.options);
    data.dataset = std::move(soft.dataset);
    data.shares = std::move(soft.shares);
  } else {
    data.dataset = data::load(task, data.options);
  }
  data.summary = data::summarize(data.dataset);
  return data;
}

void print_role(std::ostream& out, const RoleData& data) {
  const LabelSet& label_set = data.dataset.label_set;
  out << data.dataset.name << ", " << data.role << ": " << data.dataset.examples.size()
      << " items of " << data.summary.n_examples << " examples, " << label_set.size() << " labels ("
      << (label_set.is_multilabel() ? "multi-label" : "single-label") << ")\n";
  print_splits(out, data);
  out << '\n';
  print_labels(out, data);
  out << '\n';
  print_annotators(out, data);
  print_soft_labels(out, data);
  if (!data.none_words.empty()) {
    out << fmt::format("  no label: the data say '{}'; prompts, answers and logs say '{}'\n",
                       fmt::join(data.none_words, "' or '"), kNoneLabel);
  }
  for (const std::string& warning : data.dataset.notes.warnings) {
    out << "  note: " << warning << '\n';
  }
}

std::string describe_shares(const RoleData& data, const std::string& example_id) {
  const auto found = data.shares.find(example_id);
  if (found == data.shares.end()) return "";
  std::string text;
  for (std::size_t label = 0; label < found->second.size(); ++label) {
    if (found->second[label] == 0.0) continue;
    text += fmt::format("{}{} {:.2f}", text.empty() ? "" : ", ",
                        data.dataset.label_set.names()[label], found->second[label]);
  }
  return text.empty() ? "no label has a share" : text;
}

Json describe_item(const Example& example, const RoleData& data) {
  const LabelSet& label_set = data.dataset.label_set;
  Json json = {{"id", example.example_id},
               {"text", example.text},
               {"labels", label_set.names_of(example.labels)}};
  if (example.annotator != kAggregate) {
    json["annotator"] = example.annotator;
  }
  const auto shares = data.shares.find(example.example_id);
  if (shares != data.shares.end()) json["shares"] = by_label(shares->second, label_set);
  return json;
}

Json describe_role(const RoleData& data, std::size_t n_shown) {
  const data::DatasetNotes& notes = data.dataset.notes;
  const LabelSet& label_set = data.dataset.label_set;
  Json json = {{"role", data.role},
               {"is_multilabel", label_set.is_multilabel()},
               {"labels", label_set.names()},
               {"n_items", data.dataset.examples.size()},
               {"n_examples", data.summary.n_examples},
               {"splits", Json::array()},
               {"dropped", Json::array()},
               {"aggregate", describe_counts(data.summary.aggregate, label_set)},
               {"annotated", nullptr},
               {"annotators", Json::object()},
               {"agreement", nullptr},
               {"soft_labels", nullptr},
               {"none_words", data.none_words},
               {"notes", notes.warnings}};
  for (const data::SplitCount& split : notes.splits) {
    json["splits"].push_back(
        {{"split", split.split}, {"n_read", split.n_read}, {"n_kept", split.n_kept}});
  }
  for (const data::DroppedExamples& dropped : notes.dropped) {
    json["dropped"].push_back({{"reason", dropped.reason}, {"n_examples", dropped.n_examples}});
  }
  if (reads_annotators(data)) {
    json["annotated"] = describe_counts(data.summary.annotated, label_set);
  }
  for (const data::AnnotatorCount& annotator : data.summary.annotators) {
    json["annotators"][annotator.annotator] = annotator.n_items;
  }
  if (data.summary.agreement) {
    json["agreement"] = describe_agreement(*data.summary.agreement, label_set);
  }
  if (!data.shares.empty()) {
    json["soft_labels"] = {{"n_examples", data.shares.size()},
                           {"mean_shares", by_label(mean_shares(data), label_set)}};
  }
  if (n_shown > 0) {
    json["items"] = Json::array();
    for (std::size_t i = 0; i < std::min(n_shown, data.dataset.examples.size()); ++i) {
      const Example& example = data.dataset.examples[i];
      json["items"].push_back(describe_item(example, data));
    }
  }
  return json;
}

}  // namespace labelprobe::experiment
