#include "data/forms/guessed_task.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "data/forms/column_profile.h"
#include "data/forms/label_columns.h"
#include "data/forms/task_text.h"

namespace labelprobe::data {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 14> kTextNames = {
    "text", "tweet",   "comment", "sentence", "post",    "message",   "content",
    "body", "snippet", "review",  "question", "premise", "utterance", "document"};
constexpr std::array<std::string_view, 16> kLabelNames = {
    "labels", "label",   "emotions", "emotion",    "annotation", "annotations",
    "class",  "classes", "category", "categories", "sentiment",  "stance",
    "topic",  "topics",  "target",   "rating"};
constexpr std::array<std::string_view, 7> kSplitNames = {"split",  "fold",    "partition", "set",
                                                         "subset", "dataset", "role"};
constexpr std::array<std::string_view, 9> kRaterNames = {
    "annotator", "rater", "worker", "coder", "judge", "user", "labeler", "participant", "reader"};

// The words of a name: "Worker_ID" has worker and id.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words = {""};
  for (const char c : ascii_lower(name)) {
    const bool is_between =
        c >= ' ' && c < 0x7F && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9');
    if (is_between) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

bool has_word(const ColumnProfile& column, Names names) {
  const std::vector<std::string> words = words_of(column.name);
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return std::find(words.begin(), words.end(), name) != words.end();
  });
}

bool has_rater_name(const ColumnProfile& column) {
  return has_word(column, kRaterNames) ||
         std::any_of(kRaterNames.begin(), kRaterNames.end(), [&](std::string_view name) {
           return ascii_lower(column.name).starts_with(name);
         });
}

bool has_id_name(const ColumnProfile& column) {
  const std::string lower = ascii_lower(column.name);
  return lower == "id" || lower == "key" || lower == "idx" || lower == "index" ||
         lower.ends_with("_id") || lower.ends_with(" id") || column.name.ends_with("Id") ||
         column.name.ends_with("ID");
}

// The columns of a table in the parts that a task file gives them.
class Guess {
 public:
  explicit Guess(const files::Table& table) : table_(table), columns_(profile_columns(table)) {
    guess_split();
    guess_rater();
    guess_text();
    guess_id();
    guess_labels();
  }

  std::string text(bool has_splits) const;

 private:
  const ColumnProfile* take(const ColumnProfile* column) {
    if (column != nullptr) taken_.insert(column->name);
    return column;
  }

  bool is_free(const ColumnProfile& column) const { return !taken_.contains(column.name); }

  // The first free column that `is_wanted`, those with one of the names first, in their order.
  template <typename Wanted>
  const ColumnProfile* find(Names names, const Wanted& is_wanted) const {
    for (const std::string_view name : names) {
      const std::string_view one[] = {name};
      for (const ColumnProfile& column : columns_) {
        if (is_free(column) && has_word(column, one) && is_wanted(column)) return &column;
      }
    }
    return nullptr;
  }

  void guess_split() {
    constexpr std::size_t kMostSplits = 10;
    split_ = take(find(kSplitNames, [&](const ColumnProfile& column) {
      return column.n_empty == 0 && column.n_different >= 1 && column.n_different <= kMostSplits &&
             !column.are_lists && !column.are_objects;
    }));
  }

  void guess_rater() {
    for (const ColumnProfile& column : columns_) {
      if (is_free(column) && has_rater_name(column) && column.n_empty == 0 && !column.are_lists &&
          !column.are_objects && column.n_different < column.n_rows) {
        rater_ = take(&column);
        return;
      }
    }
  }

  void guess_text() {
    const auto is_text = [](const ColumnProfile& column) {
      return !column.are_numbers && !column.are_lists && !column.are_objects &&
             column.n_different > 1;
    };
    text_ = find(kTextNames, is_text);
    if (text_ == nullptr) {
      for (const ColumnProfile& column : columns_) {
        const bool is_longer = text_ == nullptr || column.mean_characters > text_->mean_characters;
        if (is_free(column) && is_text(column) && column.share_with_space > 0.5 && is_longer) {
          text_ = &column;
        }
      }
    }
    take(text_);
  }

  // One row is one item, or, with raters, one item's rows follow one another or not.
  void guess_id() {
    for (const ColumnProfile& column : columns_) {
      const bool can_be = rater_ == nullptr ? column.is_unique()
                                            : column.n_empty == 0 && column.n_different > 1 &&
                                                  column.n_different < column.n_rows;
      if (is_free(column) && has_id_name(column) && can_be && !column.are_lists) {
        id_ = take(&column);
        return;
      }
    }
  }

  void guess_labels() {
    if (guess_label_columns() || guess_rater_columns()) return;
    const ColumnProfile* column = find(kLabelNames, [&](const ColumnProfile& named) {
      return labels_of(table_, named).kind != Labels::Kind::None;
    });
    if (column == nullptr) column = fewest_different();
    if (column != nullptr) labels_ = labels_of(table_, *take(column));
  }

  // The column without a telling name whose few values come again and again.
  const ColumnProfile* fewest_different() const {
    const ColumnProfile* fewest = nullptr;
    for (const ColumnProfile& column : columns_) {
      const bool can_be = is_free(column) && column.n_different > 1 &&
                          column.n_different <= kMostLabels && !column.are_objects &&
                          !has_id_name(column) && 2 * column.n_different <= column.n_rows;
      if (can_be && (fewest == nullptr || column.n_different < fewest->n_different)) {
        fewest = &column;
      }
    }
    return fewest;
  }

  // Columns with the same labels: one for each rater.
  bool guess_rater_columns() {
    if (rater_ != nullptr) return false;
    Labels first;
    for (const ColumnProfile& column : columns_) {
      if (!is_free(column) || column.are_lists || has_id_name(column) ||
          has_word(column, kLabelNames)) {
        continue;
      }
      Labels labels = labels_of(table_, column);
      if (labels.kind == Labels::Kind::None) continue;
      if (!first.columns.empty() && !are_alike(first, labels)) continue;
      first.columns.push_back(column.name);
      if (first.separator.empty()) first.separator = labels.separator;
      for (const auto& [label, n] : labels.counts) add_count(label, n, first);
    }
    if (first.columns.size() < 2) return false;
    first.kind = Labels::Kind::Raters;
    labels_ = std::move(first);
    return true;
  }

  // Two columns or more of 0 and 1, or of shares.
  bool guess_label_columns() {
    for (const ColumnProfile& column : columns_) {
      if (is_free(column) && column.are_shares && column.n_empty == 0 && !has_id_name(column) &&
          !has_word(column, kLabelNames)) {
        labels_.columns.push_back(column.name);
      }
    }
    keep_binary_columns();
    if (labels_.columns.size() < 2) {
      labels_.columns.clear();
      return false;
    }
    labels_.kind = Labels::Kind::Columns;
    for (const std::string& name : labels_.columns) {
      std::size_t n = 0;
      const std::size_t at = table_.column(name);
      for (const auto& row : table_.rows) {
        const std::string text = ascii_lower(cell_text(row[at]));
        n += text == "true" || (text != "false" && std::strtod(text.c_str(), nullptr) >= 0.5);
      }
      labels_.counts.emplace_back(name, n);
    }
    return true;
  }

  // Where some columns have 0 and 1 alone, others with shares are something else, such as scores.
  void keep_binary_columns() {
    std::vector<std::string> binary;
    for (const ColumnProfile& column : columns_) {
      const bool is_label = std::find(labels_.columns.begin(), labels_.columns.end(),
                                      column.name) != labels_.columns.end();
      if (is_label && column.n_different <= 2) binary.push_back(column.name);
    }
    if (binary.size() > 1) labels_.columns = std::move(binary);
  }

  std::string labels_form() const;
  std::string counts_text() const;

  const files::Table& table_;
  std::vector<ColumnProfile> columns_;
  std::unordered_set<std::string> taken_;
  const ColumnProfile* split_ = nullptr;
  const ColumnProfile* rater_ = nullptr;
  const ColumnProfile* text_ = nullptr;
  const ColumnProfile* id_ = nullptr;
  Labels labels_;
};

std::string Guess::labels_form() const {
  switch (labels_.kind) {
    case Labels::Kind::Columns:
      return fmt::format("{{columns: {}}}", flow_list(labels_.columns));
    case Labels::Kind::JsonLists:
      return fmt::format("{{column: {}}}", yaml_text(labels_.column));
    case Labels::Kind::Separated:
      return fmt::format("{{column: {}, separator: \"{}\"}}", yaml_text(labels_.column),
                         labels_.separator);
    case Labels::Kind::Class:
      return fmt::format("{{class: {}}}", yaml_text(labels_.column));
    case Labels::Kind::Raters:
    case Labels::Kind::None:
      break;
  }
  return "";
}

// "joy 12, anger 3, ..."
std::string Guess::counts_text() const {
  constexpr std::size_t kMostShown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(kMostShown, labels_.counts.size()); ++i) {
    const auto& [label, n] = labels_.counts[i];
    text += fmt::format("{}{} {}", i > 0 ? ", " : "", yaml_text(label), n);
  }
  return labels_.counts.size() > kMostShown ? text + ", ..." : text;
}

std::string Guess::text(bool has_splits) const {
  const auto fail = [&](std::string_view what) {
    throw DataError(
        fmt::format("{}: expected a column that looks like {}, found none (columns: "
                    "{}); write the task file by hand",
                    table_.name, what, fmt::join(table_.columns, ", ")));
  };
  if (text_ == nullptr) fail("texts");
  if (labels_.kind == Labels::Kind::None) {
    fail("labels, with few different values, lists of them, or 0 and 1 in several");
  }
  std::string task;
  if (!has_splits && split_ != nullptr) {
    task += fmt::format("split: {{column: {}}}  # {}\n", yaml_text(split_->name),
                        counted(split_->n_different, "split"));
  } else if (!has_splits) {
    task +=
        "split: {train: 0.8, test: 0.2, seed: 0}  # no column says it; files: {train: A, test: B} "
        "for files of their own\n";
  }
  if (id_ != nullptr) {
    task += fmt::format(
        "id: {}  # {}\n", yaml_text(id_->name),
        rater_ == nullptr ? "another in every row" : counted(id_->n_different, "different item"));
  } else if (rater_ != nullptr) {
    task +=
        fmt::format("id: {}  # no column looks like one of ids: rows of one text are one item\n",
                    yaml_text(text_->name));
  } else {
    task += "# id: COLUMN  # without one, the row's number\n";
  }
  task += fmt::format("text: {}  # {:.0f} characters on average; a template does too: \"{{{}}}\"\n",
                      yaml_text(text_->name), text_->mean_characters, text_->name);
  if (labels_.kind == Labels::Kind::Raters) {
    const std::string separator =
        labels_.separator.empty() ? "" : fmt::format(", separator: \"{}\"", labels_.separator);
    task += fmt::format("votes: {{columns: {}{}}}  # {} with the same labels: a rater each\n",
                        flow_list(labels_.columns), separator,
                        counted(labels_.columns.size(), "column"));
  } else if (rater_ != nullptr) {
    task += fmt::format(
        "votes: {{annotator: {}, labels: {}}}  # every row is the vote of one of {}\n",
        yaml_text(rater_->name), labels_form(), counted(rater_->n_different, "annotator"));
  } else {
    task += fmt::format("labels: {}\n", labels_form());
    task +=
        "# votes: {file: raters.csv, item: ITEM, annotator: WORKER, labels: {column: LABELS}}\n";
  }
  std::vector<std::string> names;
  const bool has_none = labels_.kind != Labels::Kind::Class &&
                        (labels_.kind != Labels::Kind::Raters || !labels_.separator.empty());
  for (const auto& [label, n] : labels_.counts) {
    if (!has_none || folded(label) != "none") names.push_back(label);  // which is no label
  }
  task += fmt::format("# {}: {}\n", counted(names.size(), "label"), counts_text());
  task += fmt::format("label_names: {}  # in the order of prompts\n", flow_list(names));
  return task;
}

}  // namespace

std::string guess_task(const files::Table& table, bool has_splits) {
  return Guess(table).text(has_splits);
}

}  // namespace labelprobe::data
