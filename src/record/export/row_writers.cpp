#include <array>
#include <cmath>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/files/csv.h"
#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/record/export.h"

namespace labelprobe::record {

namespace {

using Json = nlohmann::basic_json<nlohmann::ordered_map,
                                  std::vector,
                                  std::string,
                                  bool,
                                  std::int64_t,
                                  std::uint64_t,
                                  float>;

constexpr auto kTypes = enum_names<ColumnType>("column type",
                                               {{ColumnType::Text, "text"},
                                                {ColumnType::Integer, "integer"},
                                                {ColumnType::Number, "number"},
                                                {ColumnType::Flag, "flag"},
                                                {ColumnType::Texts, "texts"},
                                                {ColumnType::Integers, "integers"}});

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

template <class Value>
std::string joined(const std::vector<Value>& values) {
  std::string text;
  for (const Value& value : values) text += fmt::format("{}{}", text.empty() ? "" : ", ", value);
  return text;
}

std::string csv_cell(const Cell& cell) {
  return std::visit(
      Overloaded{
          [](std::monostate) { return std::string(); },
          [](const std::string& text) { return text.empty() ? "\"\"" : files::csv_field(text); },
          [](bool is_so) { return std::string(is_so ? "true" : "false"); },
          [](const std::vector<std::string>& texts) { return files::csv_field(joined(texts)); },
          [](const std::vector<std::int64_t>& numbers) {
            return files::csv_field(joined(numbers));
          },
          [](auto number) { return fmt::format("{}", number); }},
      cell);
}

Json json_cell(const Cell& cell) {
  return std::visit(
      Overloaded{[](std::monostate) { return Json(); },
                 [](float number) { return std::isfinite(number) ? Json(number) : Json(); },
                 [](const auto& value) { return Json(value); }},
      cell);
}

// Texts that are no UTF-8 are mended.
std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class CsvRows : public RowWriter {
 public:
  CsvRows(std::ostream& out, const std::vector<Column>& columns) : out_(out) {
    std::string line;
    for (const Column& column : columns) line += (line.empty() ? "" : ",") + column.name;
    out_ << line << '\n';
  }

  void add(const Row& row) override {
    for (std::size_t i = 0; i < row.size(); ++i) out_ << (i == 0 ? "" : ",") << csv_cell(row[i]);
    out_ << '\n';
  }

 private:
  std::ostream& out_;
};

class JsonRows : public RowWriter {
 public:
  JsonRows(std::ostream& out, std::vector<Column> columns)
      : out_(out), columns_(std::move(columns)) {}

  void add(const Row& row) override {
    Json json = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) json[columns_[i].name] = json_cell(row[i]);
    out_ << dumped(json) << '\n';
  }

 private:
  std::ostream& out_;
  std::vector<Column> columns_;
};

class Batches : public RowWriter {
 public:
  Batches(std::ostream& out, const std::vector<Column>& columns, std::size_t n_rows)
      : out_(out), n_most_(n_rows), batch_(columns.size(), Json::array()) {
    Json head = Json::array();
    for (const Column& column : columns) {
      head.push_back({column.name, std::string(kTypes.name_of(column.type))});
    }
    out_ << dumped(head) << '\n';
  }

  void add(const Row& row) override {
    for (std::size_t i = 0; i < row.size(); ++i) batch_[i].push_back(json_cell(row[i]));
    if (++n_rows_ == n_most_) finish();
  }

  void finish() override {
    if (n_rows_ == 0) return;
    out_ << dumped(Json(batch_)) << '\n';
    for (Json& column : batch_) column = Json::array();
    n_rows_ = 0;
  }

 private:
  std::ostream& out_;
  std::size_t n_most_;
  std::size_t n_rows_ = 0;
  std::vector<Json> batch_;
};

}  // namespace

std::unique_ptr<RowWriter> write_csv_rows(std::ostream& out, std::vector<Column> columns) {
  return std::make_unique<CsvRows>(out, columns);
}

std::unique_ptr<RowWriter> write_json_rows(std::ostream& out, std::vector<Column> columns) {
  return std::make_unique<JsonRows>(out, std::move(columns));
}

std::unique_ptr<RowWriter> write_batches(std::ostream& out,
                                         std::vector<Column> columns,
                                         std::size_t n_rows) {
  return std::make_unique<Batches>(out, columns, n_rows);
}

}  // namespace labelprobe::record
