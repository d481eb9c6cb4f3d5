#include "json_file.h"

#include <algorithm>
#include <unordered_set>

#include "labelprobe/core/error.h"

namespace labelprobe::data {

namespace {

template <typename Json>
Json parse(const std::filesystem::path& path,
           std::string_view text,
           std::size_t first_line,
           std::string_view skipped_key) {
  std::unordered_set<std::string> keys;
  const auto check = [&](int depth, typename Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxJsonDepth) {
      throw DataError(path.string() + ": expected at most " + std::to_string(kMaxJsonDepth) +
                      " levels of nesting, found more");
    }
    if (event != Json::parse_event_t::key) {
      return true;
    }
    const auto& key = parsed.template get_ref<const std::string&>();
    if (depth == 1 && !keys.insert(key).second) {
      throw DataError(path.string() + ": expected distinct keys, found '" + key + "' again");
    }
    return skipped_key.empty() || key != skipped_key;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const typename Json::parse_error& error) {
    const std::size_t n_read = std::min(error.byte, text.size());
    const auto n_breaks = std::count(text.begin(), text.begin() + static_cast<long>(n_read), '\n');
    throw DataError(path.string() + ":" +
                    std::to_string(first_line + static_cast<std::size_t>(n_breaks)) +
                    ": expected JSON, found an error at byte " + std::to_string(error.byte) +
                    (n_read == text.size() ? ", the end of the text; it may be cut off" : ""));
  }
}

}  // namespace

nlohmann::json parse_json(const std::filesystem::path& path,
                          std::string_view text,
                          std::size_t first_line,
                          std::string_view skipped_key) {
  return parse<nlohmann::json>(path, text, first_line, skipped_key);
}

nlohmann::ordered_json parse_json_in_order(const std::filesystem::path& path,
                                           std::string_view text) {
  return parse<nlohmann::ordered_json>(path, text, 1, "");
}

}  // namespace labelprobe::data
