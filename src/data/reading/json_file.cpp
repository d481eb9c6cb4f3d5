#include "data/reading/json_file.h"

#include <algorithm>
#include <unordered_set>

#include "labelprobe/core/error.h"
#include "labelprobe/python/text.h"

#include "data/reading/table_file.h"

namespace labelprobe::data {

namespace {

// First pass: decides whether the text may be turned into a tree at all.
class Checker : public nlohmann::json_sax<nlohmann::json> {
 public:
  Checker(const std::filesystem::path& path, std::string_view text, std::size_t first_line)
      : path_(path), text_(text), first_line_(first_line) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }

  bool key(string_t& name) override {
    if (depth_ == 1 && !keys_.insert(name).second) {
      throw DataError(path_.string() + ": expected distinct keys, found '" + name + "' again");
    }
    return true;
  }

  bool parse_error(std::size_t byte,
                   const std::string&,
                   const nlohmann::json::exception&) override {
    const std::size_t n_read = std::min(byte, text_.size());
    const std::string_view read = text_.substr(0, n_read);
    const auto n_breaks = static_cast<std::size_t>(std::count(read.begin(), read.end(), '\n'));
    throw DataError(path_.string() + ":" + std::to_string(first_line_ + n_breaks) +
                    ": expected JSON, found an error at byte " + std::to_string(byte) +
                    (byte > text_.size() ? ", the end of the text; it may be cut off" : ""));
  }

 private:
  bool enter() {
    if (++depth_ > kMaxJsonDepth) {
      throw DataError(path_.string() + ": expected at most " + std::to_string(kMaxJsonDepth) +
                      " levels of nesting, found more");
    }
    return true;
  }

  bool leave() {
    --depth_;
    return true;
  }

  const std::filesystem::path& path_;
  std::string_view text_;
  std::size_t first_line_;
  int depth_ = 0;
  std::unordered_set<std::string> keys_;  // of the outermost object
};

template <typename Json>
Json parse(const std::filesystem::path& path, std::string_view text, std::size_t first_line) {
  Checker checker(path, text, first_line);
  nlohmann::json::sax_parse(text.begin(), text.end(), &checker);
  return Json::parse(text.begin(), text.end());
}

}  // namespace

nlohmann::json parse_json(const std::filesystem::path& path,
                          std::string_view text,
                          std::size_t first_line) {
  return parse<nlohmann::json>(path, text, first_line);
}

nlohmann::ordered_json parse_json_in_order(const std::filesystem::path& path,
                                           std::string_view text) {
  return parse<nlohmann::ordered_json>(path, text, 1);
}

void for_each_json_line(
    const std::filesystem::path& path,
    const std::function<void(const nlohmann::json&, const std::string& place)>& take) {
  const files::MappedFile file = open_file(path, kDataFile);
  std::size_t line = 0;
  for (const std::string& text : read_lines(file)) {
    ++line;
    if (!python::strip(text).empty()) {
      take(parse_json(path, text, line), path.string() + ":" + std::to_string(line));
    }
  }
}

const nlohmann::json& member_of(const nlohmann::json& object,
                                const char* key,
                                const std::string& place) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) {
    throw DataError(place + ": expected an object with the key '" + key + "', found none");
  }
  return *found;
}

std::string string_at(const nlohmann::json& object, const char* key, const std::string& place) {
  const nlohmann::json& found = member_of(object, key, place);
  if (!found.is_string()) {
    throw DataError(place + ": expected a string under '" + key + "', found " + found.type_name());
  }
  return found.get<std::string>();
}

std::string id_at(const nlohmann::json& object, const char* key, const std::string& place) {
  const nlohmann::json& id = member_of(object, key, place);
  if (!id.is_number_integer() && !id.is_string()) {
    throw DataError(place + ": expected a number or string under '" + key + "', found " +
                    id.type_name());
  }
  return id.is_string() ? id.get<std::string>() : id.dump();
}

}  // namespace labelprobe::data
