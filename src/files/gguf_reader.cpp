#include "files/gguf_reader.h"

#include <vector>

namespace labelprobe::files {

namespace {

// Type numbers of metadata values, as they stand in the file.
enum class ValueType : std::uint32_t {
  U8 = 0,
  I8 = 1,
  U16 = 2,
  I16 = 3,
  U32 = 4,
  I32 = 5,
  F32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  U64 = 10,
  I64 = 11,
  F64 = 12,
};

template <class Stored, class Wide>
std::vector<Wide> read_numbers(GgufReader& reader, std::uint64_t count) {
  std::vector<Wide> numbers(count);
  for (Wide& number : numbers) {
    number = static_cast<Wide>(reader.read<Stored>("an array element"));
  }
  return numbers;
}

std::uint64_t min_bytes_of(ValueType type) {
  switch (type) {
    case ValueType::U8:
    case ValueType::I8:
    case ValueType::Bool:
      return 1;
    case ValueType::U16:
    case ValueType::I16:
      return 2;
    case ValueType::U32:
    case ValueType::I32:
    case ValueType::F32:
      return 4;
    default:
      return 8;
  }
}

[[noreturn]] void fail_type(const GgufReader& reader, std::size_t offset, std::uint32_t type) {
  reader.fail(offset,
              fmt::format("expected a value type 0 to 12 (arrays not nested), found {}", type));
}

GgufFile::Value read_array(GgufReader& reader) {
  const std::size_t start = reader.position();
  const auto type = reader.read<std::uint32_t>("the type of an array's elements");
  const std::size_t count_start = reader.position();
  const auto count = reader.read<std::uint64_t>("an array length");
  reader.require_room(count, min_bytes_of(static_cast<ValueType>(type)), "an array length",
                      count_start);
  switch (static_cast<ValueType>(type)) {
    case ValueType::U8:
      return read_numbers<std::uint8_t, std::uint64_t>(reader, count);
    case ValueType::U16:
      return read_numbers<std::uint16_t, std::uint64_t>(reader, count);
    case ValueType::U32:
      return read_numbers<std::uint32_t, std::uint64_t>(reader, count);
    case ValueType::U64:
      return read_numbers<std::uint64_t, std::uint64_t>(reader, count);
    case ValueType::I8:
      return read_numbers<std::int8_t, std::int64_t>(reader, count);
    case ValueType::I16:
      return read_numbers<std::int16_t, std::int64_t>(reader, count);
    case ValueType::I32:
      return read_numbers<std::int32_t, std::int64_t>(reader, count);
    case ValueType::I64:
      return read_numbers<std::int64_t, std::int64_t>(reader, count);
    case ValueType::F32:
      return read_numbers<float, double>(reader, count);
    case ValueType::F64:
      return read_numbers<double, double>(reader, count);
    case ValueType::Bool: {
      std::vector<bool> flags(count);
      for (std::uint64_t i = 0; i < count; ++i) {
        flags[i] = reader.read_bool("an array element");
      }
      return flags;
    }
    case ValueType::String: {
      std::vector<std::string> strings(count);
      for (std::string& text : strings) {
        text = reader.read_string("an array element");
      }
      return strings;
    }
    default:
      fail_type(reader, start, type);
  }
}

}  // namespace

GgufFile::Value read_gguf_value(GgufReader& reader) {
  const auto type = reader.read<std::uint32_t>("a value type");
  switch (static_cast<ValueType>(type)) {
    case ValueType::U8:
      return std::uint64_t{reader.read<std::uint8_t>("a value")};
    case ValueType::U16:
      return std::uint64_t{reader.read<std::uint16_t>("a value")};
    case ValueType::U32:
      return std::uint64_t{reader.read<std::uint32_t>("a value")};
    case ValueType::U64:
      return reader.read<std::uint64_t>("a value");
    case ValueType::I8:
      return std::int64_t{reader.read<std::int8_t>("a value")};
    case ValueType::I16:
      return std::int64_t{reader.read<std::int16_t>("a value")};
    case ValueType::I32:
      return std::int64_t{reader.read<std::int32_t>("a value")};
    case ValueType::I64:
      return reader.read<std::int64_t>("a value");
    case ValueType::F32:
      return double{reader.read<float>("a value")};
    case ValueType::F64:
      return reader.read<double>("a value");
    case ValueType::Bool:
      return reader.read_bool("a value");
    case ValueType::String:
      return std::string(reader.read_string("a text"));
    case ValueType::Array:
      return read_array(reader);
  }
  fail_type(reader, reader.position() - sizeof type, type);
}

std::string gguf_name_in_quotes(std::string_view name) {
  std::string text = "'";
  for (const char c : name.substr(0, 80)) {
    text += c >= 0x20 && c < 0x7F ? c : '?';
  }
  return text + (name.size() > 80 ? "...'" : "'");
}

}  // namespace labelprobe::files
