#include "record/folder/folder_name.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/python/repr.h"

namespace labelprobe::record {

namespace {

// File systems take 255 bytes; the suffix "_<k>" and the endings of files need their part.
constexpr std::size_t kLongestNamePart = 240;

std::string spell(const ParamValue& value) {
  struct Speller {
    std::string operator()(std::monostate) const { return "None"; }
    std::string operator()(bool is_on) const { return is_on ? "True" : "False"; }
    std::string operator()(std::int64_t number) const { return fmt::to_string(number); }
    std::string operator()(double number) const { return python::repr(number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const std::vector<std::string>& texts) const {
      std::string joined;
      for (const std::string& text : texts) {
        joined.append(&text != texts.data() ? "+" : "").append(text);
      }
      return joined;
    }
  };
  return std::visit(Speller{}, value);
}

std::string expand(const RunRequest& request) {
  const std::string& name = request.alternative_name;
  std::string expanded;
  for (std::size_t at = 0; at < name.size();) {
    if (name[at] != '{') {
      expanded += name[at++];
      continue;
    }
    const std::size_t end = name.find('}', at);
    if (end == std::string::npos) {
      throw ConfigError(fmt::format(
          "alternative experiment name '{}': expected '}}' after the '{{' at position {}", name,
          at + 1));
    }
    const std::string wanted = name.substr(at + 1, end - at - 1);
    const auto param = std::find_if(request.params.begin(), request.params.end(),
                                    [&](const Param& p) { return p.name == wanted; });
    if (param == request.params.end()) {
      std::vector<std::string> known;
      for (const Param& p : request.params) {
        known.push_back(p.name);
      }
      throw ConfigError(fmt::format("alternative experiment name '{}': {}", name,
                                    unknown_choice("parameter", wanted, known)));
    }
    expanded += encode_in_name(param->value);
    at = end + 1;
  }
  return expanded;
}

}  // namespace

std::string encode_in_name(const ParamValue& value) {
  std::string encoded = replace_all(spell(value), "/", "--");
  encoded = replace_all(encoded, ",", "---");
  return replace_all(encoded, "=", "--eq--");
}

std::vector<std::pair<std::string, const Param*>> name_keys(const RunRequest& request) {
  std::vector<std::pair<std::string, const Param*>> keys;
  for (const Param& param : request.params) {
    if (param.name_priority) {
      LABELPROBE_CHECK(*param.name_priority >= 0);
      // "ctrain" sorts before "dev" and "test".
      keys.emplace_back(
          fmt::format("{}{}___", std::string(static_cast<std::size_t>(*param.name_priority), '_'),
                      replace_all(param.name, "train", "ctrain")),
          &param);
    }
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::string default_name(const RunRequest& request) {
  std::string name;
  bool is_first = true;
  for (const auto& [key, param] : name_keys(request)) {
    name.append(is_first ? "" : ",").append(encode_in_name(param->value));
    is_first = false;
  }
  return name;
}

std::string wanted_name(const RunRequest& request) {
  if (request.alternative_name.empty()) {
    std::string name = default_name(request);
    check_relative(name, "default experiment name");
    return name;
  }
  std::string name = expand(request);
  check_relative(name, "alternative experiment name");
  for (std::size_t part = 0; part != name.npos; part = name.find('/', part + 1)) {
    if (name[part == 0 ? 0 : part + 1] == '.') {
      throw ConfigError(
          fmt::format("alternative experiment name '{}': expected no folder name that begins with "
                      "'.', which is hidden and not searched for earlier runs",
                      name));
    }
  }
  return name;
}

void check_relative(std::string_view path, std::string_view what) {
  const std::string place = fmt::format("{} '{}': ", what, path);
  if (path.find('\0') != std::string_view::npos) {
    throw ConfigError(fmt::format("{}expected no NUL character", place));
  }
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view part = path.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") {
      throw ConfigError(
          fmt::format("{}expected folder names separated by single '/', found '{}'", place, part));
    }
    if (part.size() > kLongestNamePart) {
      throw ConfigError(
          fmt::format("{}expected at most {} bytes in a folder name, found {}; give the run a "
                      "shorter --alternative-experiment-name",
                      place, kLongestNamePart, part.size()));
    }
    start = end + 1;
  }
}

}  // namespace labelprobe::record
