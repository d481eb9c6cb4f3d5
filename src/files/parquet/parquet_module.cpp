#include "files/parquet/parquet_module.h"

#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <string>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/io/memory.h>
#include <arrow/status.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include "labelprobe/core/limits.h"
#include "labelprobe/files/json.h"

#include "files/parquet/parquet_cells.h"

namespace labelprobe::files {

namespace {

// A file that is not what it should be; caught in this file.
struct Fault {
  std::string text;
};

void check(const arrow::Status& status) {
  if (!status.ok()) throw Fault{status.message()};
}

int depth_of(const arrow::DataType& type) {
  int depth = 0;
  for (const auto& field : type.fields()) depth = std::max(depth, 1 + depth_of(*field->type()));
  return depth;
}

void take_schema(const arrow::Schema& schema, Table& table) {
  for (const auto& field : schema.fields()) {
    table.columns.push_back(field->name());
    if (depth_of(*field->type()) > limits::kJsonDepth) {
      throw Fault{fmt::format("column '{}': expected values at most {} levels deep, found more",
                              field->name(), limits::kJsonDepth)};
    }
  }
  if (!schema.metadata()) return;
  for (std::int64_t i = 0; i < schema.metadata()->size(); ++i) {
    table.metadata.emplace(schema.metadata()->key(i), schema.metadata()->value(i));
  }
}

// Fills the column at `column` of the rows from `first_row` on.
void take_column(const arrow::ChunkedArray& chunks,
                 std::size_t column,
                 std::size_t first_row,
                 Table& table) {
  std::size_t row = first_row;
  for (const auto& chunk : chunks.chunks()) {
    for (std::int64_t i = 0; i < chunk->length(); ++i) {
      table.rows[row++][column] = cell_of(*chunk, i);
    }
  }
}

void take_row_group(const arrow::Table& rows, int row_group, Table& table) {
  const std::size_t n_columns = table.columns.size();
  if (static_cast<std::size_t>(rows.num_columns()) != n_columns) {
    throw Fault{fmt::format("expected {} columns, found {}", n_columns, rows.num_columns())};
  }
  // What a hostile file says about offsets, indices and texts is not believed.
  check(rows.ValidateFull());
  const std::size_t first_row = table.rows.size();
  for (std::int64_t i = 0; i < rows.num_rows(); ++i) {
    table.rows.emplace_back(n_columns);
    table.places.push_back(
        fmt::format("{}: row {} (row group {})", table.name, table.places.size(), row_group));
  }
  for (std::size_t column = 0; column < n_columns; ++column) {
    take_column(*rows.column(static_cast<int>(column)), column, first_row, table);
  }
}

void read(std::string_view bytes, TableRows wanted, Table& table) {
  const auto source = std::make_shared<arrow::io::BufferReader>(
      std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                      static_cast<std::int64_t>(bytes.size())));
  parquet::arrow::FileReaderBuilder builder;
  check(builder.Open(source));
  auto built = builder.Build();
  check(built.status());
  const std::unique_ptr<parquet::arrow::FileReader> reader = std::move(built).ValueUnsafe();
  std::shared_ptr<arrow::Schema> schema;
  check(reader->GetSchema(&schema));
  take_schema(*schema, table);
  if (wanted == TableRows::None) return;
  for (int i = 0; i < reader->num_row_groups(); ++i) {
    try {
      std::shared_ptr<arrow::Table> rows;
      check(reader->RowGroup(i)->ReadTable(&rows));
      take_row_group(*rows, i, table);
    } catch (const Fault& fault) {
      throw Fault{fmt::format("row group {}: {}", i, fault.text)};
    } catch (const parquet::ParquetException& error) {
      throw Fault{fmt::format("row group {}: {}", i, error.what())};
    }
  }
}

std::string read_parquet(std::string_view bytes, TableRows rows, Table& table) {
  try {
    read(bytes, rows, table);
    return {};
  } catch (const Fault& fault) {
    return fault.text;
  } catch (const std::bad_alloc&) {
    return "memory ran out; the file may say a size that it does not have";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

}  // namespace labelprobe::files

extern "C" __attribute__((visibility("default")))
const labelprobe::files::ReadParquet labelprobe_read_parquet = labelprobe::files::read_parquet;
