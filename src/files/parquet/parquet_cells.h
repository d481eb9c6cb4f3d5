// Values of Arrow as JSON: integers, floats and booleans as they are, decimals as floats, not a
// number and null as null, dates and times in the spelling of ISO 8601 (with a zone: in UTC), lists
// as lists, structs as objects, maps as lists of pairs, dictionaries as what they stand for, bytes
// as a string where they are UTF-8. Types without a counterpart become Arrow's own spelling.
#pragma once

#include <cstdint>

#include <arrow/type_fwd.h>
#include <nlohmann/json_fwd.hpp>

namespace labelprobe::files {

// `row` is below the array's length.
nlohmann::json cell_of(const arrow::Array& array, std::int64_t row);

}  // namespace labelprobe::files
