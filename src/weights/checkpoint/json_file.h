// JSON of a checkpoint, read with messages that name file and key. Files come from strangers:
// nothing about their form is assumed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace labelprobe::weights {

// Parses one JSON object. `place` opens every message, e.g. the file's path. Throws ModelError for
// anything but an object, for a key that an object has twice and for nesting beyond any
// checkpoint's.
nlohmann::json parse_object(std::string_view text, const std::string& place);

// The same for a file of at most 64 MiB.
nlohmann::json load_object(const std::filesystem::path& path);

// Typed access to one object. A key that is missing and a key that is null are the same.
// Every function throws ModelError "<place>: key '<key>': expected .., found ..".
class JsonReader {
 public:
  // `object` and everything in it must outlive the reader.
  JsonReader(const nlohmann::json& object, std::string place, std::string prefix = "");

  bool has(std::string_view key) const;
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) const;
  double number(std::string_view key) const;  // finite
  bool boolean_or(std::string_view key, bool otherwise) const;
  const std::string& string(std::string_view key) const;
  JsonReader object(std::string_view key) const;
  const nlohmann::json& at(std::string_view key) const;

  [[noreturn]] void fail(std::string_view key,
                         const std::string& expected,
                         const std::string& found) const;
  // As above, the finding being what the key holds.
  [[noreturn]] void fail(std::string_view key, const std::string& expected) const;

 private:
  const nlohmann::json* object_;
  std::string place_;
  std::string prefix_;
};

}  // namespace labelprobe::weights
