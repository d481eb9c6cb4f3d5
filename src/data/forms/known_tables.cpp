#include "data/forms/known_tables.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/python/text.h"

#include "data/forms/column_profile.h"
#include "data/forms/task_text.h"

namespace labelprobe::data {

namespace {

using nlohmann::json;

constexpr auto kForms = enum_names<TableForm>("form of table",
                                              {{TableForm::LeWiDi, "lewidi"},
                                               {TableForm::Brighter, "brighter"},
                                               {TableForm::Labelprobe, "labelprobe"}});

constexpr std::array<std::string_view, 7> kEmotions = {"anger",   "disgust",  "fear",   "joy",
                                                       "sadness", "surprise", "neutral"};

constexpr std::array<std::string_view, 6> kOfBrighter = {"id",       "text",     "lang",
                                                         "language", "emotions", "split"};
constexpr std::array<std::string_view, 6> kOfLabelprobe = {"id",        "text", "labels",
                                                           "annotator", "role", "shares"};

bool has(const files::Table& table, std::string_view column) {
  return std::find(table.columns.begin(), table.columns.end(), column) != table.columns.end();
}

std::vector<std::string> emotions_of(const files::Table& table) {
  std::vector<std::string> found;
  for (const std::string& column : table.columns) {
    const bool is_known = std::find(kEmotions.begin(), kEmotions.end(), column) != kEmotions.end();
    if (is_known) found.push_back(column);
  }
  return found;
}

// Whether all columns but those of emotions are among these.
bool has_only(const files::Table& table, std::span<const std::string_view> names) {
  const std::vector<std::string> emotions = emotions_of(table);
  return std::all_of(table.columns.begin(), table.columns.end(), [&](const std::string& column) {
    return std::find(names.begin(), names.end(), column) != names.end() ||
           std::find(emotions.begin(), emotions.end(), column) != emotions.end();
  });
}

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  if (python::strip(text).empty()) return parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.emplace_back(python::strip(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

// --- LeWiDi ---

// The votes of a row by annotator: a list in their order (2023) or an object (2025).
std::vector<std::string> votes_of(const json& cell,
                                  const std::vector<std::string>& annotators,
                                  const std::string& place) {
  std::vector<std::string> votes;
  if (!cell.is_object()) {
    votes = split_at_commas(cell_text(cell));
  } else {
    for (const std::string& annotator : annotators) {
      const auto found = cell.find(annotator);
      if (found != cell.end()) votes.push_back(cell_text(*found));
    }
  }
  const bool is_whole = votes.size() == annotators.size() || votes.empty();
  if (is_whole && (!cell.is_object() || cell.size() == votes.size())) return votes;
  throw DataError(fmt::format("{}: expected 'annotations' of the {} in 'annotators', found {}",
                              place, counted(annotators.size(), "annotator"),
                              cell.is_object() ? cell.size() : votes.size()));
}

void list_lewidi_votes(files::Table& table) {
  const std::size_t who = table.column("annotators");
  const std::size_t what = table.column("annotations");
  const bool has_lists = std::any_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
    return row[what].is_object() &&
           std::any_of(row[what].begin(), row[what].end(), [](const json& vote) {
             return cell_text(vote).find(',') != std::string::npos;
           });
  });
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    auto& row = table.rows[i];
    const std::vector<std::string> annotators = split_at_commas(cell_text(row[who]));
    const std::vector<std::string> votes = votes_of(row[what], annotators, table.places[i]);
    row[who] = votes.empty() ? json::array() : json(annotators);
    row[what] = json::array();
    for (const std::string& vote : votes) {
      row[what].push_back(has_lists ? json(split_at_commas(vote)) : json(vote));
    }
  }
}

// Numbers by their size, other names as they are met.
std::vector<std::string> labels_of_votes(const files::Table& table, bool& has_lists) {
  std::vector<std::string> labels;
  const auto add = [&](const json& label) {
    std::string name = cell_text(label);
    const bool is_new = std::find(labels.begin(), labels.end(), name) == labels.end();
    if (is_new && !name.empty()) labels.push_back(std::move(name));
  };
  const std::size_t what = table.column("annotations");
  for (const auto& row : table.rows) {
    for (const json& vote : row[what]) {
      has_lists = has_lists || vote.is_array();
      if (!vote.is_array()) add(vote);
      if (vote.is_array()) std::for_each(vote.begin(), vote.end(), add);
    }
  }
  const auto number = [](const std::string& text) { return std::strtod(text.c_str(), nullptr); };
  const bool are_numbers = std::all_of(labels.begin(), labels.end(), [](const std::string& text) {
    char* end = nullptr;
    std::strtod(text.c_str(), &end);
    return end != text.c_str() && *end == '\0';
  });
  if (are_numbers) {
    std::stable_sort(labels.begin(), labels.end(),
                     [&](const auto& a, const auto& b) { return number(a) < number(b); });
  } else {
    std::sort(labels.begin(), labels.end());
  }
  return labels;
}

// Texts in several parts (a post and its reply) are all kept, one a line.
std::string lewidi_text(const files::Table& table) {
  const std::size_t at = table.column("text");
  if (table.rows.empty() || !table.rows.front()[at].is_object()) return "text";
  std::string form;
  for (const auto& [part, text] : table.rows.front()[at].items()) {
    form += fmt::format("{}{{text.{}}}", form.empty() ? "" : "\n", part);
  }
  return form;
}

std::string describe_lewidi(const files::Table& table, bool has_splits) {
  bool has_lists = false;
  const std::vector<std::string> labels = labels_of_votes(table, has_lists);
  const bool says_split = has(table, "split");
  std::string task = "format: lewidi\n";
  if (!has_splits && says_split) task += "split: {column: split}\n";
  for (const std::string_view id : {"id", "key"}) {
    if (!has(table, id)) continue;
    // The ids of every file begin anew.
    task +=
        says_split ? fmt::format("id: \"{{split}}-{{{}}}\"\n", id) : fmt::format("id: {}\n", id);
    break;
  }
  task += fmt::format("text: {}\n", yaml_text(lewidi_text(table)));
  task += fmt::format("votes: {{annotator: annotators, labels: {{{}: annotations}}}}\n",
                      has_lists ? "column" : "class");
  return labels.empty() ? task : task + fmt::format("label_names: {}\n", flow_list(labels));
}

// --- BRIGHTER ---

void mark_intensities(files::Table& table) {
  for (const std::string& emotion : emotions_of(table)) {
    const std::size_t at = table.column(emotion);
    for (auto& row : table.rows) {
      const std::string text = cell_text(row[at]);
      if (text == "2" || text == "3") row[at] = 1;
      if (text == "2.0" || text == "3.0") row[at] = 1;
    }
  }
}

std::string describe_brighter(const files::Table& table) {
  return fmt::format("format: brighter\n{}text: text\nlabels: {{columns: {}}}\n",
                     has(table, "id") ? "id: id\n" : "", flow_list(emotions_of(table)));
}

// --- What `labelprobe data --out` writes ---

bool is_of_aggregate(const files::Table& table, std::size_t row) {
  const auto annotator = table.find_column("annotator");
  return !annotator || is_empty_cell(table.rows[row][*annotator]);
}

// A column for each label that has shares, called so before its name.
constexpr std::string_view kShareOf = "share of ";

// Objects label -> share become columns.
void spread_shares(files::Table& table, std::span<const json> shares_of_items) {
  std::vector<std::string> labels;
  for (const json& shares : shares_of_items) {
    for (const auto& [label, share] : shares.items()) {
      if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
    }
  }
  for (const std::string& label : labels) {
    table.columns.push_back(fmt::format("{}{}", kShareOf, label));
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      table.rows[i].push_back(shares_of_items[i].value(label, json()));
    }
  }
}

// Rows of one item become one, where its first row stands.
void gather_items(files::Table& table) {
  const std::size_t id = table.column("id");
  const std::size_t text = table.column("text");
  const std::size_t labels = table.column("labels");
  const auto role = table.find_column("role");
  const auto shares = table.find_column("shares");
  std::vector<json> shares_of_items;
  files::Table items;
  items.name = table.name;
  items.columns = {"id", "text", "labels", "annotators", "votes", "role"};
  std::unordered_map<std::string, std::size_t> position_of;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto& row = table.rows[i];
    const json role_cell = role ? row[*role] : json();
    const auto [found, is_new] =
        position_of.try_emplace(json::array({row[id], role_cell}).dump(), items.rows.size());
    if (is_new) {
      items.rows.push_back({row[id], row[text], nullptr, json::array(), json::array(), role_cell});
      items.places.push_back(table.places[i]);
      const bool has_shares = shares && row[*shares].is_object();
      shares_of_items.push_back(has_shares ? row[*shares] : json::object());
    }
    auto& item = items.rows[found->second];
    if (is_of_aggregate(table, i)) {
      item[2] = row[labels];
    } else {
      item[3].push_back(row[table.column("annotator")]);
      item[4].push_back(row[labels]);
    }
  }
  spread_shares(items, shares_of_items);
  table = std::move(items);
}

// How an item's labels follow from its shares: ", at_least: 0.5"; nothing where they do not.
std::optional<std::string> share_rule(const files::Table& table,
                                      std::span<const std::pair<std::string, std::size_t>> columns,
                                      std::size_t labels) {
  double least_had = 2.0;
  double most_not_had = -1.0;
  bool are_largest = true;
  for (const auto& row : table.rows) {
    const auto is_had = [&](const std::string& label) {
      return std::find(row[labels].begin(), row[labels].end(), label) != row[labels].end();
    };
    double largest = 0.0;
    std::string first_of_largest;
    for (const auto& [label, column] : columns) {
      if (!row[column].is_number()) return std::nullopt;
      const double share = row[column].get<double>();
      double& bound = is_had(label) ? least_had : most_not_had;
      bound = is_had(label) ? std::min(bound, share) : std::max(bound, share);
      if (share > largest) {
        largest = share;
        first_of_largest = label;
      }
    }
    are_largest = are_largest && row[labels].size() == 1 && is_had(first_of_largest);
  }
  if (are_largest) return ", largest: true";
  if (most_not_had >= least_had || least_had <= 0.0) return std::nullopt;
  if (most_not_had < 0.5 && least_had >= 0.5) return "";
  return fmt::format(", at_least: {}", std::min(least_had, 1.0));
}

// The form of labels that are columns of shares; empty where there are none, or labels are others.
std::string describe_shares(const files::Table& table) {
  std::vector<std::pair<std::string, std::size_t>> columns;
  std::vector<std::pair<std::string, std::string>> names;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& column = table.columns[i];
    if (!column.starts_with(kShareOf)) continue;
    names.emplace_back(column.substr(kShareOf.size()), column);
    columns.emplace_back(names.back().first, i);
  }
  if (columns.empty()) return "";
  const std::optional<std::string> rule = share_rule(table, columns, table.column("labels"));
  return rule ? fmt::format("labels: {{columns: {}{}}}\n", flow_map(names), *rule) : "";
}

std::string describe_labelprobe(const files::Table& table) {
  const std::size_t labels = table.column("labels");
  const std::size_t votes = table.column("votes");
  const auto is_any = [&](const auto& is_so) {
    return std::any_of(table.rows.begin(), table.rows.end(), is_so);
  };
  const auto is_several = [](const json& names) { return names.is_array() && names.size() != 1; };
  const bool is_multi_label = is_any([&](const auto& row) {
    return is_several(row[labels]) || std::any_of(row[votes].begin(), row[votes].end(), is_several);
  });
  const std::string_view key = is_multi_label ? "column" : "class";
  std::string task = "format: labelprobe\n";
  if (is_any([&](const auto& row) { return !row[5].is_null(); })) task += "split: {column: role}\n";
  task += "id: id\ntext: text\n";
  if (const std::string shares = describe_shares(table); !shares.empty()) {
    task += shares;
  } else if (is_any([&](const auto& row) { return !row[labels].is_null(); })) {
    task += fmt::format("labels: {{{}: labels}}\n", key);
  }
  if (is_any([&](const auto& row) { return !row[votes].empty(); })) {
    task += fmt::format("votes: {{annotator: annotators, labels: {{{}: votes}}}}\n", key);
  }
  return task;
}

bool is_labelprobe(const files::Table& table) {
  if (!has_only(table, kOfLabelprobe) || !has(table, "id") || !has(table, "text") ||
      !has(table, "labels")) {
    return false;
  }
  const std::size_t labels = table.column("labels");
  return std::all_of(table.rows.begin(), table.rows.end(),
                     [&](const auto& row) { return row[labels].is_array(); });
}

}  // namespace

std::vector<std::string> table_form_names() {
  return kForms.names();
}

std::optional<TableForm> find_table_form(std::string_view name) {
  return kForms.find(name);
}

std::string_view title_of(TableForm form) {
  switch (form) {
    case TableForm::LeWiDi:
      return "LeWiDi JSON";
    case TableForm::Brighter:
      return "a BRIGHTER table";
    case TableForm::Labelprobe:
      return "what labelprobe data --out writes";
    case TableForm::Plain:
      break;
  }
  return "a table";
}

TableForm form_of(const files::Table& table) {
  constexpr std::size_t kFewestEmotions = 4;
  if (has(table, "text") && has(table, "annotators") && has(table, "annotations") &&
      (has(table, "soft_label") || has(table, "number of annotations"))) {
    return TableForm::LeWiDi;
  }
  if (is_labelprobe(table)) return TableForm::Labelprobe;
  if (has(table, "text") && emotions_of(table).size() >= kFewestEmotions &&
      has_only(table, kOfBrighter)) {
    return TableForm::Brighter;
  }
  return TableForm::Plain;
}

void bring_into_form(TableForm form, files::Table& table) {
  if (form == TableForm::LeWiDi) list_lewidi_votes(table);
  if (form == TableForm::Brighter) mark_intensities(table);
  if (form == TableForm::Labelprobe) gather_items(table);
}

std::string describe(TableForm form, const files::Table& table, bool has_splits) {
  switch (form) {
    case TableForm::LeWiDi:
      return describe_lewidi(table, has_splits);
    case TableForm::Brighter:
      return describe_brighter(table);
    case TableForm::Labelprobe:
      return describe_labelprobe(table);
    case TableForm::Plain:
      break;
  }
  throw InternalError("a table of no known form is not described");
}

}  // namespace labelprobe::data
