// JSON and JSON lines, read with errors that say where: file, line of a broken text, path of a
// value that is not what it should be. Files come from strangers: nothing about their form is
// assumed. Non-goal: writing, which is nlohmann::json's dump().
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error_kind.h"

namespace labelprobe::files {

// Where a JSON text stands, for messages.
struct JsonSource {
  std::string name;  // opens every message, e.g. the file's path
  ErrorKind error = ErrorKind::Data;
  std::size_t line = 0;  // the line of `name` that the text is; 0: it is the whole of `name`
};

// A value of a document and its place in it. Copies are cheap and keep the whole document alive.
// Every function throws the error of the source,
//   "<name>: key '<path>': expected .., found ..", the path as in "decoder.pattern[0].String",
// where the value is not what it asks for.
class JsonView {
 public:
  bool is_null() const { return value_->is_null(); }
  const nlohmann::json& value() const { return *value_; }

  // A member that is missing and one that is null are the same: has() is false, at() throws, find()
  // returns a view of null. All three throw for anything but an object.
  bool has(std::string_view key) const;
  JsonView at(std::string_view key) const;
  JsonView find(std::string_view key) const;

  std::vector<JsonView> items() const;                            // of a list
  std::vector<std::pair<std::string, JsonView>> members() const;  // of an object, sorted by key

  const std::string& string() const;
  std::int64_t integer(std::int64_t low, std::int64_t high) const;
  double number() const;  // finite
  bool boolean() const;
  bool boolean_or(std::string_view key, bool otherwise) const;

  // The index of this string among `known`; the message lists them.
  std::size_t choice(std::string_view kind, std::span<const std::string> known) const;

  // "<name>:<line>", of a value inside "<name>: key '<path>'": what a message about it begins with.
  std::string place() const;

  [[noreturn]] void fail(const std::string& finding) const;  // "<place>: <finding>"
  [[noreturn]] void fail_expected(const std::string& expected) const;
  [[noreturn]] void fail_expected(const std::string& expected, const std::string& found) const;

 private:
  friend JsonView parse_json(std::string_view text, const JsonSource& source);

  struct Document {
    nlohmann::json root;
    std::string name;
    ErrorKind error;
  };

  JsonView(std::shared_ptr<const Document> document, const nlohmann::json& value, std::string path)
      : document_(std::move(document)), value_(&value), path_(std::move(path)) {}

  std::shared_ptr<const Document> document_;
  const nlohmann::json* value_;
  std::string path_;  // empty: the whole document
};

// Throws the error of `source`, with file and line, if the text is no JSON, is nested too deeply or
// has an object with a key twice.
JsonView parse_json(std::string_view text, const JsonSource& source);

// The same where the order of keys has a meaning; looking one up costs a pass over the object.
nlohmann::ordered_json parse_json_in_order(std::string_view text, const JsonSource& source);

// The same for a whole file. Throws `error` if it cannot be read.
JsonView load_json(const std::filesystem::path& path, ErrorKind error);

// The same for a file that has to hold an object.
JsonView load_json_object(const std::filesystem::path& path, ErrorKind error);

// Calls `take` for every line of JSON lines; blank ones are skipped. The place of its view is
// "<name>:<line>".
void for_each_json_line(std::istream& lines,
                        const std::string& name,
                        const std::function<void(const JsonView&)>& take);
void for_each_json_line(std::string_view text,
                        const std::string& name,
                        const std::function<void(const JsonView&)>& take);

}  // namespace labelprobe::files
