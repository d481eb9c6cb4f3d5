// The door of the loadable module liblabelprobe_parquet.so, which alone links to Apache Arrow. Both
// sides are built together, by one compiler: C++ types may pass.
#pragma once

#include <string>
#include <string_view>

#include "labelprobe/files/table.h"

namespace labelprobe::files {

inline constexpr const char* kParquetModule = "liblabelprobe_parquet.so";
inline constexpr const char* kReadParquetSymbol = "labelprobe_read_parquet";

// Appends the columns, rows and places of the Parquet file with these bytes to `table`, and its
// metadata. Returns what is wrong with the file, empty if nothing is; throws nothing.
using ReadParquet = std::string (*)(std::string_view bytes, TableRows rows, Table& table);

}  // namespace labelprobe::files
