// A JSON value and where it stands, so that what is wrong with it can be told.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace labelprobe::tokenizer {

// Points into a document that outlives it. Errors are ModelErrors that name file, JSON path, what
// was expected and what was found.
class JsonView {
 public:
  JsonView(const nlohmann::json& document, const std::filesystem::path& file)
      : value_(&document), file_(&file) {}

  bool is_null() const { return value_->is_null(); }
  const nlohmann::json& value() const { return *value_; }
  const std::string& path() const { return path_; }

  JsonView at(std::string_view key) const;    // the member must exist
  JsonView find(std::string_view key) const;  // null if there is no such member
  std::vector<JsonView> items() const;        // of an array

  const std::string& string() const;
  std::int64_t integer(std::int64_t low, std::int64_t high) const;
  bool boolean() const;
  bool boolean_or(std::string_view key, bool otherwise) const;

  // The index of this text among `known`.
  std::size_t choice(std::string_view kind, std::span<const std::string> known) const;

  [[noreturn]] void fail(const std::string& message) const;
  [[noreturn]] void fail_expected(const std::string& expected) const;

 private:
  JsonView(const nlohmann::json& value, const JsonView& parent, std::string path)
      : value_(&value), file_(parent.file_), path_(std::move(path)) {}

  const nlohmann::json* value_;
  const std::filesystem::path* file_;
  std::string path_;
};

// The whole file. Throws ModelError naming file and byte if it cannot be read or is no JSON object.
nlohmann::json read_json(const std::filesystem::path& file);

}  // namespace labelprobe::tokenizer
