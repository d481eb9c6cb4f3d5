#include "files/parquet/parquet_cells.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/float16.h>
#include <arrow/util/utf8.h>
#include <arrow/visit_array_inline.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace labelprobe::files {

namespace {

using Json = nlohmann::json;
constexpr std::int64_t kNanosecondsOfSecond = 1'000'000'000;
constexpr std::int64_t kSecondsOfDay = 86'400;

Json number_of(double value) {
  return std::isnan(value) ? Json() : Json(value);
}

Json text_of(std::string_view bytes) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (arrow::util::ValidateUTF8(begin, static_cast<std::int64_t>(bytes.size()))) {
    return std::string(bytes);
  }
  return Json::binary({begin, begin + bytes.size()});
}

// Years 1 to 9999 are spelled as in Python; other days keep Arrow's spelling.
bool is_calendar_day(std::int64_t days) {
  return days >= -719'162 && days <= 2'932'896;
}

std::string iso_date(std::int64_t days) {
  const std::chrono::year_month_day day{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

// Within a day, as Python writes it: six digits behind the second, nine where they are needed,
// none where it is whole.
std::string iso_time(std::int64_t nanoseconds) {
  const std::int64_t seconds = nanoseconds / kNanosecondsOfSecond;
  const std::int64_t fraction = nanoseconds % kNanosecondsOfSecond;
  std::string time =
      fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (fraction % 1000 != 0) return time + fmt::format(".{:09}", fraction);
  return fraction == 0 ? time : time + fmt::format(".{:06}", fraction / 1000);
}

std::int64_t nanoseconds_of(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return kNanosecondsOfSecond;
    case arrow::TimeUnit::MILLI:
      return 1'000'000;
    case arrow::TimeUnit::MICRO:
      return 1'000;
    case arrow::TimeUnit::NANO:
      return 1;
  }
  return 1;
}

Json spelled(const arrow::Array& array, std::int64_t row) {
  const auto scalar = array.GetScalar(row);
  return scalar.ok() ? Json((*scalar)->ToString()) : Json();
}

Json date_of(const arrow::Array& array, std::int64_t row, std::int64_t days) {
  return is_calendar_day(days) ? Json(iso_date(days)) : spelled(array, row);
}

// Rounds down, unlike division.
std::int64_t floor_of(std::int64_t value, std::int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

Json timestamp_of(const arrow::Array& array, std::int64_t row) {
  const auto& type = static_cast<const arrow::TimestampType&>(*array.type());
  const std::int64_t value = static_cast<const arrow::TimestampArray&>(array).Value(row);
  const std::int64_t unit = nanoseconds_of(type.unit());
  const std::int64_t n_units = kNanosecondsOfSecond / unit;
  const std::int64_t seconds = floor_of(value, n_units);
  const std::int64_t days = floor_of(seconds, kSecondsOfDay);
  if (!is_calendar_day(days)) return spelled(array, row);
  const std::int64_t of_day =
      (seconds - days * kSecondsOfDay) * kNanosecondsOfSecond + (value - seconds * n_units) * unit;
  return fmt::format("{}T{}{}", iso_date(days), iso_time(of_day),
                     type.timezone().empty() ? "" : "+00:00");
}

template <class Times>
Json time_of(const arrow::Array& array, std::int64_t row) {
  const auto& type = static_cast<const arrow::TimeType&>(*array.type());
  const auto value = static_cast<std::int64_t>(static_cast<const Times&>(array).Value(row));
  const std::int64_t unit = nanoseconds_of(type.unit());
  return value >= 0 && value < kSecondsOfDay * (kNanosecondsOfSecond / unit)
             ? Json(iso_time(value * unit))
             : spelled(array, row);
}

Json list_of(const arrow::Array& values, std::int64_t begin, std::int64_t n) {
  Json list = Json::array();
  for (std::int64_t i = 0; i < n; ++i) list.push_back(cell_of(values, begin + i));
  return list;
}

template <class Lists>
Json list_at(const arrow::Array& array, std::int64_t row) {
  const auto& lists = static_cast<const Lists&>(array);
  return list_of(*lists.values(), lists.value_offset(row), lists.value_length(row));
}

Json object_of(const arrow::StructArray& structs, std::int64_t row) {
  Json object = Json::object();
  for (int i = 0; i < structs.num_fields(); ++i) {
    object[structs.struct_type()->field(i)->name()] = cell_of(*structs.field(i), row);
  }
  return object;
}

Json pairs_of(const arrow::MapArray& maps, std::int64_t row) {
  Json pairs = Json::array();
  for (std::int64_t i = 0; i < maps.value_length(row); ++i) {
    const std::int64_t at = maps.value_offset(row) + i;
    pairs.push_back(Json::array({cell_of(*maps.keys(), at), cell_of(*maps.items(), at)}));
  }
  return pairs;
}

// Types whose values stand in the array one beside the other.
struct PlainCell {
  std::int64_t row;
  Json cell;

  template <class Array>
  arrow::Status Visit(const Array& array) {
    using Type = typename Array::TypeClass;
    if constexpr (std::is_same_v<Type, arrow::HalfFloatType>) {
      cell = number_of(arrow::util::Float16::FromBits(array.Value(row)).ToFloat());
    } else if constexpr (arrow::is_floating_type<Type>::value) {
      cell = number_of(static_cast<double>(array.Value(row)));
    } else if constexpr (arrow::is_integer_type<Type>::value ||
                         arrow::is_boolean_type<Type>::value) {
      cell = array.Value(row);
    } else if constexpr (arrow::is_base_binary_type<Type>::value ||
                         arrow::is_binary_view_like_type<Type>::value ||
                         std::is_same_v<Type, arrow::FixedSizeBinaryType>) {
      cell = text_of(array.GetView(row));
    } else if constexpr (arrow::is_decimal_type<Type>::value) {
      cell = number_of(std::strtod(array.FormatValue(row).c_str(), nullptr));
    } else {
      cell = spelled(array, row);
    }
    return arrow::Status::OK();
  }
};

Json plain_cell(const arrow::Array& array, std::int64_t row) {
  PlainCell plain{row, {}};
  const arrow::Status status = arrow::VisitArrayInline(array, &plain);
  return status.ok() ? std::move(plain.cell) : Json();
}

}  // namespace

nlohmann::json cell_of(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::DATE32:
      return date_of(array, row, static_cast<const arrow::Date32Array&>(array).Value(row));
    case arrow::Type::DATE64:
      return date_of(array, row,
                     static_cast<const arrow::Date64Array&>(array).Value(row) / 86'400'000);
    case arrow::Type::TIMESTAMP:
      return timestamp_of(array, row);
    case arrow::Type::TIME32:
      return time_of<arrow::Time32Array>(array, row);
    case arrow::Type::TIME64:
      return time_of<arrow::Time64Array>(array, row);
    case arrow::Type::LIST:
      return list_at<arrow::ListArray>(array, row);
    case arrow::Type::LARGE_LIST:
      return list_at<arrow::LargeListArray>(array, row);
    case arrow::Type::FIXED_SIZE_LIST:
      return list_at<arrow::FixedSizeListArray>(array, row);
    case arrow::Type::MAP:
      return pairs_of(static_cast<const arrow::MapArray&>(array), row);
    case arrow::Type::STRUCT:
      return object_of(static_cast<const arrow::StructArray&>(array), row);
    case arrow::Type::DICTIONARY: {
      const auto& words = static_cast<const arrow::DictionaryArray&>(array);
      return cell_of(*words.dictionary(), words.GetValueIndex(row));
    }
    case arrow::Type::EXTENSION:
      return cell_of(*static_cast<const arrow::ExtensionArray&>(array).storage(), row);
    default:
      return plain_cell(array, row);
  }
}

}  // namespace labelprobe::files
