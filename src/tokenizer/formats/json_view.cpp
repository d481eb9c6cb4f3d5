#include "tokenizer/formats/json_view.h"

#include "labelprobe/core/error.h"
#include "labelprobe/files/mapped_file.h"

namespace labelprobe::tokenizer {

namespace {

const nlohmann::json kNull;

std::string shortened(const nlohmann::json& value) {
  if (value.is_structured()) {
    return value.is_array() ? "an array" : "an object";
  }
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > 80 ? text.substr(0, 77) + "..." : text;
}

}  // namespace

JsonView JsonView::at(std::string_view key) const {
  JsonView member = find(key);
  if (member.value_ == &kNull) {
    member.fail("expected a member of this name, found none");
  }
  return member;
}

JsonView JsonView::find(std::string_view key) const {
  if (!value_->is_object()) {
    fail_expected("an object");
  }
  const auto found = value_->find(key);
  const std::string path = path_ + (path_.empty() ? "" : ".") + std::string(key);
  return {found == value_->end() ? kNull : *found, *this, path};
}

std::vector<JsonView> JsonView::items() const {
  if (!value_->is_array()) {
    fail_expected("an array");
  }
  std::vector<JsonView> views;
  for (std::size_t i = 0; i < value_->size(); ++i) {
    views.push_back(JsonView((*value_)[i], *this, path_ + "[" + std::to_string(i) + "]"));
  }
  return views;
}

const std::string& JsonView::string() const {
  if (!value_->is_string()) {
    fail_expected("a text");
  }
  return value_->get_ref<const std::string&>();
}

std::int64_t JsonView::integer(std::int64_t low, std::int64_t high) const {
  const bool is_too_large = value_->is_number_unsigned() &&
                            value_->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  if (!value_->is_number_integer() || is_too_large || value_->get<std::int64_t>() < low ||
      value_->get<std::int64_t>() > high) {
    fail_expected("an integer from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return value_->get<std::int64_t>();
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
  const std::string& given = string();
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i] == given) {
      return i;
    }
  }
  fail(unknown_choice(kind, given, known));
}

void JsonView::fail(const std::string& message) const {
  throw ModelError(file_->string() + ": " + (path_.empty() ? "" : path_ + ": ") + message);
}

void JsonView::fail_expected(const std::string& expected) const {
  fail("expected " + expected + ", found " + shortened(*value_));
}

nlohmann::json read_json(const std::filesystem::path& file) {
  try {
    const files::MappedFile mapped(file);
    nlohmann::json document = nlohmann::json::parse(mapped.text());
    if (!document.is_object()) {
      throw ModelError(file.string() + ": expected a JSON object");
    }
    return document;
  } catch (const DataError& error) {
    throw ModelError(error.what());
  } catch (const nlohmann::json::parse_error& error) {
    throw ModelError(file.string() + ": byte " + std::to_string(error.byte) +
                     ": expected JSON: " + error.what());
  }
}

}  // namespace labelprobe::tokenizer
