#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>
#include <utility>

#include "labelprobe/core/item_id.h"
#include "labelprobe/record/export.h"
#include "labelprobe/record/fields.h"

namespace labelprobe::record {

namespace {

using TakeRow = std::function<void(const Row&)>;

// --- Which item a row is about ---

const std::vector<Column>& item_columns() {
  static const std::vector<Column> columns = {{"run"},   {"experiment", ColumnType::Integer},
                                              {"plan"},  {"model"},
                                              {"item"},  {"example"},
                                              {"asked"}, {"annotator"}};
  return columns;
}

// `asked` is what the item's key says behind the example: "joy", "joy_fear", "0.2".
Row item_cells(const LoggedRun& run, const ItemRecord& item) {
  const ItemId id = ItemId::parse(item.key, item.form());
  std::string asked;
  for (const std::string& part : id.parts) asked += (asked.empty() ? "" : "_") + part;
  return {run.folder.string(),
          std::int64_t{run.index},
          run.plan,
          run.model,
          item.key,
          id.example_id,
          asked.empty() ? Cell() : Cell(asked),
          item.annotator};
}

std::vector<Column> behind_item(std::vector<Column> more) {
  std::vector<Column> columns = item_columns();
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

Cell number_or_none(const std::optional<float>& number) {
  return number ? Cell(*number) : Cell();
}

// --- items: the fields that are one value ---

Cell cell_of(const std::string& text) {
  return text;
}
Cell cell_of(const std::optional<std::string>& text) {
  return text ? Cell(*text) : Cell();
}
Cell cell_of(bool is_so) {
  return is_so;
}
Cell cell_of(std::int64_t number) {
  return number;
}
Cell cell_of(const std::vector<std::string>& texts) {
  return texts;
}
Cell cell_of(const TokenIds& ids) {
  return std::vector<std::int64_t>(ids.begin(), ids.end());
}
Cell cell_of(LabelKind kind) {
  return std::string(kind == LabelKind::MultiLabel ? "multi" : "single");
}
Cell cell_of(AnswerSource source) {
  return source == AnswerSource::Unknown ? Cell()
                                         : Cell(std::string(kAnswerSources.name_of(source)));
}

template <class Value>
concept OneValue = requires(const Value& value) {
  cell_of(value);
};

template <class Value>
constexpr ColumnType type_of() {
  if constexpr (std::is_same_v<Value, bool>) return ColumnType::Flag;
  if constexpr (std::is_same_v<Value, std::int64_t>) return ColumnType::Integer;
  if constexpr (std::is_same_v<Value, std::vector<std::string>>) return ColumnType::Texts;
  if constexpr (std::is_same_v<Value, TokenIds>) return ColumnType::Integers;
  return ColumnType::Text;
}

// Already among the columns that say which item a row is about.
bool is_of_item(const Field& field) {
  return std::string_view(field.name) == "key" || std::string_view(field.name) == "annotator";
}

std::vector<Column> columns_of_items() {
  std::vector<Column> columns;
  const ItemRecord item;
  visit_fields(item, [&]<class Value>(const Field& field, const Value&) {
    if constexpr (OneValue<Value>) {
      if (!is_of_item(field)) columns.push_back({field.name, type_of<Value>()});
    }
  });
  columns.push_back({"n_label_steps", ColumnType::Integer});
  return behind_item(std::move(columns));
}

void for_each_item(const LoggedRun& run, const TakeRow& take) {
  for (const ItemRecord& item : run.items) {
    Row row = item_cells(run, item);
    visit_fields(item, [&]<class Value>(const Field& field, const Value& value) {
      if constexpr (OneValue<Value>) {
        if (!is_of_item(field)) row.push_back(cell_of(value));
      }
    });
    row.emplace_back(static_cast<std::int64_t>(item.label_steps.size()));
    take(row);
  }
}

// --- steps: a row for every label of every label step ---

std::vector<Column> columns_of_steps() {
  return behind_item({{"step", ColumnType::Integer},
                      {"token_index", ColumnType::Integer},
                      {"space"},
                      {"label"},
                      {"prob", ColumnType::Number},
                      {"logit", ColumnType::Number},
                      {"other_logit", ColumnType::Number},
                      {"vocab_prob", ColumnType::Number},
                      {"is_gold", ColumnType::Flag},
                      {"is_predicted", ColumnType::Flag}});
}

std::optional<float> value_of(const LabelValues& values, const std::string& label) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const auto& value) { return value.first == label; });
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

bool is_among(const std::string& label, const std::vector<std::string>& labels) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

Cell space_of(const LabelStep& step) {
  if (!step.variant) return {};
  return std::string(*step.variant == SpaceVariant::Bare ? "bare" : "spaced");
}

void for_each_step(const LoggedRun& run, const TakeRow& take) {
  for (const ItemRecord& item : run.items) {
    const Row about = item_cells(run, item);
    const bool has_gold = item.form().words.front().empty();  // words are no labels
    std::int64_t number = 0;
    for (const LabelStep& step : item.label_steps) {
      ++number;
      for (const auto& [label, prob] : label_probs(step)) {
        const std::optional<float> logit = value_of(step.logits, label);
        Row row = about;
        row.emplace_back(number);
        row.push_back(step.index ? Cell(*step.index) : Cell());
        row.push_back(space_of(step));
        row.emplace_back(label);
        row.emplace_back(prob);
        row.push_back(number_or_none(logit));
        row.push_back(number_or_none(value_of(step.other_logits, label)));
        row.push_back(logit && step.log_sum_exp ? Cell(std::exp(*logit - *step.log_sum_exp))
                                                : Cell());
        row.push_back(has_gold ? Cell(is_among(label, item.gold)) : Cell());
        row.emplace_back(is_among(label, item.predictions));
        take(row);
      }
    }
  }
}

// --- values: every other number, one a row ---

std::vector<Column> columns_of_values() {
  return behind_item({{"field"}, {"name"}, {"measure"}, {"label"}, {"value", ColumnType::Number}});
}

class ValueRows {
 public:
  ValueRows(Row about, const TakeRow& take) : about_(std::move(about)), take_(take) {}

  template <class Value>
  void operator()(const Field& field, const Value& value) {
    if constexpr (!OneValue<Value>) {
      field_ = field.name;
      name_ = Cell();
      add(Cell(), value);
    }
  }

 private:
  template <class Value>
  void add(const Cell&, const Value&) {}  // stands in another table

  void add(const Cell& measure, const LabelValues& values) {
    for (const auto& [label, number] : values) add_row(measure, label, number);
  }
  void add(const Cell& measure, const std::optional<float>& number) {
    if (number) add_row(measure, Cell(), *number);
  }
  void add(const Cell& measure, std::int64_t number) {
    add_row(measure, Cell(), static_cast<float>(number));
  }
  void add(const Cell&, const std::optional<AnswerReading>& reading) {
    if (reading) add_fields(*reading);
  }
  void add(const Cell&, const std::vector<ReadoutValues>& readouts) {
    for (const ReadoutValues& values : readouts) {
      name_ = values.name;
      add_fields(values);
    }
  }

  template <class Record>
  void add_fields(const Record& record) {
    visit_fields(record, [&](const Field& field, const auto& value) {
      add(std::string(field.name), value);
    });
  }

  void add_row(const Cell& measure, Cell label, float number) {
    Row row = about_;
    row.emplace_back(field_);
    row.push_back(name_);
    row.push_back(measure);
    row.push_back(std::move(label));
    row.emplace_back(number);
    take_(row);
  }

  Row about_;
  const TakeRow& take_;
  std::string field_;
  Cell name_;
};

void for_each_value(const LoggedRun& run, const TakeRow& take) {
  for (const ItemRecord& item : run.items) {
    visit_fields(item, ValueRows(item_cells(run, item), take));
  }
}

}  // namespace

std::span<const ExportTable> export_tables() {
  static const std::vector<ExportTable> tables = {
      {"items", "a row for each item: text, gold labels, predictions, answer", columns_of_items(),
       for_each_item},
      {"steps", "a row for each item, label step and label: probabilities and logits",
       columns_of_steps(), for_each_step},
      {"values", "a row for each other number of an item: answer words, readouts, stated numbers",
       columns_of_values(), for_each_value}};
  return tables;
}

}  // namespace labelprobe::record
