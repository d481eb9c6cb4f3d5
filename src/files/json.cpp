#include "labelprobe/files/json.h"

#include <algorithm>
#include <cmath>
#include <istream>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/core/utf8.h"

#include "files/map_file.h"

namespace labelprobe::files {

namespace {

constexpr std::size_t kMaxShownBytes = 80;

const nlohmann::json kNull;

// What a value holds, short enough for a message.
std::string shortened(const nlohmann::json& value) {
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > kMaxShownBytes ? text.substr(0, kMaxShownBytes) + "..." : text;
}

std::string name_of(const JsonSource& source) {
  return source.line == 0 ? source.name : fmt::format("{}:{}", source.name, source.line);
}

// Builds the tree while the parser reads, and refuses what must not become one.
template <class Json>
class Builder {
 public:
  Builder(std::string_view text, const JsonSource& source) : text_(text), source_(source) {}

  Json take() { return std::move(root_); }

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(typename Json::number_integer_t value) { return put(value); }
  bool number_unsigned(typename Json::number_unsigned_t value) { return put(value); }
  bool number_float(typename Json::number_float_t value, const std::string&) { return put(value); }
  bool string(std::string& value) { return put(std::move(value)); }
  bool binary(typename Json::binary_t&) { return false; }  // JSON has none
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    const auto [member, is_new] = open_.back()->emplace(name, nullptr);
    if (!is_new) {
      fail(source_.error, fmt::format("{}: key '{}' is there twice", name_of(source_), name));
    }
    member_ = &member.value();
    return true;
  }

  bool parse_error(std::size_t byte, const std::string&, const nlohmann::detail::exception& error) {
    fail(source_.error, fmt::format("{}: expected JSON, found an error at byte {}{}", line_of(byte),
                                    byte, describe(byte, error.what())));
  }

 private:
  // What people meet most, in words.
  std::string describe(std::size_t byte, std::string_view finding) const {
    const auto is_about = [&](const char* word) {
      return finding.find(word) != std::string_view::npos;
    };
    if (byte > text_.size()) {
      return ", the end of the text; it may be cut off";
    }
    if (is_about("surrogate")) {
      return ": half of a surrogate pair (\\ud800 to \\udfff), which is no character; write the "
             "whole pair, or the character itself";
    }
    if (is_about("number overflow")) {
      return ": a number too large to be one";
    }
    return "";
  }

  // "<name>:<line>"; the name alone where the whole text is one line.
  std::string line_of(std::size_t byte) const {
    if (source_.line > 0) {
      return name_of(source_);
    }
    if (text_.find('\n') == std::string_view::npos) {
      return source_.name;
    }
    const auto n_read = static_cast<std::ptrdiff_t>(std::min(byte, text_.size()));
    return fmt::format("{}:{}", source_.name,
                       1 + std::count(text_.begin(), text_.begin() + n_read, '\n'));
  }

  Json& place(Json value) {
    if (open_.empty()) {
      return root_ = std::move(value);
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return open_.back()->back();
    }
    return *member_ = std::move(value);
  }

  bool put(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json value) {
    open_.push_back(&place(std::move(value)));
    if (open_.size() > static_cast<std::size_t>(limits::kJsonDepth)) {
      fail(source_.error, fmt::format("{}: expected JSON at most {} levels deep, found more",
                                      name_of(source_), limits::kJsonDepth));
    }
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  const JsonSource& source_;
  Json root_;
  std::vector<Json*> open_;  // the objects and arrays around the place that is being read
  Json* member_ = nullptr;   // of the innermost object: what its last key stands for
};

template <class Json>
Json build(std::string_view text, const JsonSource& source) {
  Builder<Json> builder(text, source);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

void take_line(std::string_view line,
               const std::string& name,
               std::size_t number,
               const std::function<void(const JsonView&)>& take) {
  if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
    take(parse_json(line, {name, ErrorKind::Data, number}));
  }
}

}  // namespace

bool JsonView::has(std::string_view key) const {
  return !find(key).is_null();
}

JsonView JsonView::at(std::string_view key) const {
  JsonView member = find(key);
  if (member.is_null()) {
    labelprobe::fail(document_->error, member.place() + " is missing");
  }
  return member;
}

JsonView JsonView::find(std::string_view key) const {
  if (!value_->is_object()) {
    fail_expected("an object");
  }
  const auto found = value_->find(key);
  std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  return {document_, found == value_->end() ? kNull : *found, std::move(path)};
}

std::vector<JsonView> JsonView::items() const {
  if (!value_->is_array()) {
    fail_expected("a list");
  }
  std::vector<JsonView> views;
  views.reserve(value_->size());
  for (std::size_t i = 0; i < value_->size(); ++i) {
    views.push_back(JsonView(document_, (*value_)[i], fmt::format("{}[{}]", path_, i)));
  }
  return views;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  if (!value_->is_object()) {
    fail_expected("an object");
  }
  std::vector<std::pair<std::string, JsonView>> views;
  for (const auto& [key, value] : value_->items()) {
    views.emplace_back(key, find(key));
  }
  return views;
}

const std::string& JsonView::string() const {
  if (!value_->is_string()) {
    fail_expected("a string");
  }
  return value_->get_ref<const std::string&>();
}

std::int64_t JsonView::integer(std::int64_t low, std::int64_t high) const {
  // Unsigned numbers beyond the signed range would wrap into negative ones.
  const bool is_small = !value_->is_number_unsigned() || value_->get<std::uint64_t>() <= INT64_MAX;
  if (!value_->is_number_integer() || !is_small || value_->get<std::int64_t>() < low ||
      value_->get<std::int64_t>() > high) {
    fail_expected(fmt::format("an integer from {} to {}", low, high));
  }
  return value_->get<std::int64_t>();
}

double JsonView::number() const {
  if (!value_->is_number() || !std::isfinite(value_->get<double>())) {
    fail_expected("a number");
  }
  return value_->get<double>();
}

bool JsonView::boolean() const {
  if (!value_->is_boolean()) {
    fail_expected("true or false");
  }
  return value_->get<bool>();
}

bool JsonView::boolean_or(std::string_view key, bool otherwise) const {
  const JsonView member = find(key);
  return member.is_null() ? otherwise : member.boolean();
}

std::size_t JsonView::choice(std::string_view kind, std::span<const std::string> known) const {
  const auto found = std::find(known.begin(), known.end(), string());
  if (found == known.end()) {
    fail(unknown_choice(kind, string(), known));
  }
  return static_cast<std::size_t>(found - known.begin());
}

std::string JsonView::place() const {
  return path_.empty() ? document_->name : fmt::format("{}: key '{}'", document_->name, path_);
}

void JsonView::fail(const std::string& finding) const {
  labelprobe::fail(document_->error, fmt::format("{}: {}", place(), finding));
}

void JsonView::fail_expected(const std::string& expected) const {
  fail_expected(expected, shortened(*value_));
}

void JsonView::fail_expected(const std::string& expected, const std::string& found) const {
  fail(fmt::format("expected {}, found {}", expected, found));
}

JsonView parse_json(std::string_view text, const JsonSource& source) {
  auto document = std::make_shared<JsonView::Document>();
  document->root = build<nlohmann::json>(text, source);
  document->name = name_of(source);
  document->error = source.error;
  const nlohmann::json& root = document->root;
  return {std::move(document), root, ""};
}

nlohmann::ordered_json parse_json_in_order(std::string_view text, const JsonSource& source) {
  return build<nlohmann::ordered_json>(text, source);
}

JsonView load_json(const std::filesystem::path& path, ErrorKind error) {
  return parse_json(map_file(path, error).text(), {path.string(), error});
}

JsonView load_json_object(const std::filesystem::path& path, ErrorKind error) {
  JsonView root = load_json(path, error);
  if (!root.value().is_object()) {
    root.fail_expected("a JSON object");
  }
  return root;
}

void for_each_json_line(std::istream& lines,
                        const std::string& name,
                        const std::function<void(const JsonView&)>& take) {
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    take_line(line, name, number, take);
  }
}

void for_each_json_line(std::string_view text,
                        const std::string& name,
                        const std::function<void(const JsonView&)>& take) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    take_line(text.substr(0, end), name, number, take);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace labelprobe::files
