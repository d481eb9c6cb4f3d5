#include "weights/checkpoint/json_file.h"

#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/files/mapped_file.h"

namespace labelprobe::weights {
namespace {

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxShownBytes = 80;

// What a key holds, short enough for a message.
std::string describe(const nlohmann::json& held) {
  std::string text = held.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > kMaxShownBytes ? text.substr(0, kMaxShownBytes) + "..." : text;
}

}  // namespace

nlohmann::json parse_object(std::string_view text, const std::string& place) {
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> seen_keys;
  const auto watch = [&](int depth, Event event, nlohmann::json& parsed) {
    if (depth > kMaxDepth) {
      throw ModelError(place + ": expected JSON at most " + std::to_string(kMaxDepth) +
                       " levels deep, found more");
    }
    if (event == Event::object_start) {
      seen_keys.emplace_back();
    } else if (event == Event::object_end) {
      seen_keys.pop_back();
    } else if (event == Event::key &&
               !seen_keys.back().insert(parsed.get_ref<const std::string&>()).second) {
      throw ModelError(place + ": key '" + parsed.get<std::string>() + "' is there twice");
    }
    return true;
  };
  nlohmann::json object;
  try {
    object = nlohmann::json::parse(text.begin(), text.end(), watch);
  } catch (const nlohmann::json::parse_error& error) {
    throw ModelError(place + ": expected JSON; broken at byte " + std::to_string(error.byte) +
                     " of " + std::to_string(text.size()));
  } catch (const nlohmann::json::exception&) {
    throw ModelError(place + ": expected JSON, found numbers out of range");
  }
  if (!object.is_object()) {
    throw ModelError(place + ": expected a JSON object, found " + object.type_name());
  }
  return object;
}

nlohmann::json load_object(const std::filesystem::path& path) {
  try {
    const files::MappedFile file(path);
    if (file.bytes().size() > kMaxFileBytes) {
      throw ModelError(path.string() + ": expected at most " + std::to_string(kMaxFileBytes) +
                       " bytes of JSON, found " + std::to_string(file.bytes().size()));
    }
    return parse_object(file.text(), path.string());
  } catch (const DataError& error) {
    throw ModelError(error.what());
  }
}

JsonReader::JsonReader(const nlohmann::json& object, std::string place, std::string prefix)
    : object_(&object), place_(std::move(place)), prefix_(std::move(prefix)) {}

bool JsonReader::has(std::string_view key) const {
  const auto found = object_->find(std::string(key));
  return found != object_->end() && !found->is_null();
}

const nlohmann::json& JsonReader::at(std::string_view key) const {
  if (!has(key)) {
    throw ModelError(place_ + ": key '" + prefix_ + std::string(key) + "' is missing");
  }
  return *object_->find(std::string(key));
}

std::int64_t JsonReader::integer(std::string_view key, std::int64_t low, std::int64_t high) const {
  const nlohmann::json& held = at(key);
  // Unsigned numbers beyond the signed range would wrap into negative ones.
  const bool is_small = !held.is_number_unsigned() || held.get<std::uint64_t>() <= INT64_MAX;
  if (!held.is_number_integer() || !is_small || held.get<std::int64_t>() < low ||
      held.get<std::int64_t>() > high) {
    fail(key, "an integer from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return held.get<std::int64_t>();
}

double JsonReader::number(std::string_view key) const {
  const nlohmann::json& held = at(key);
  if (!held.is_number() || !std::isfinite(held.get<double>())) {
    fail(key, "a number");
  }
  return held.get<double>();
}

bool JsonReader::boolean_or(std::string_view key, bool otherwise) const {
  if (!has(key)) {
    return otherwise;
  }
  if (!at(key).is_boolean()) {
    fail(key, "true or false");
  }
  return at(key).get<bool>();
}

const std::string& JsonReader::string(std::string_view key) const {
  if (!at(key).is_string()) {
    fail(key, "a string");
  }
  return at(key).get_ref<const std::string&>();
}

JsonReader JsonReader::object(std::string_view key) const {
  if (!at(key).is_object()) {
    fail(key, "an object");
  }
  return JsonReader(at(key), place_, prefix_ + std::string(key) + ".");
}

void JsonReader::fail(std::string_view key,
                      const std::string& expected,
                      const std::string& found) const {
  throw ModelError(place_ + ": key '" + prefix_ + std::string(key) + "': expected " + expected +
                   ", found " + found);
}

void JsonReader::fail(std::string_view key, const std::string& expected) const {
  fail(key, expected, describe(at(key)));
}

}  // namespace labelprobe::weights
