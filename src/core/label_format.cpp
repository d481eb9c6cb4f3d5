#include "labelprobe/core/label_format.h"

#include "labelprobe/core/error.h"

namespace labelprobe {

namespace {

constexpr std::string_view kJson = "json";
constexpr std::string_view kUnescaped = "json-unescaped";

}  // namespace

LabelFormat LabelFormat::parse(std::string_view name) {
  if (name.empty() || name == "default") {
    return {};
  }
  for (const std::string_view json : {kUnescaped, kJson}) {
    const bool has_escapes = json == kJson;
    if (name == json) {
      return {Kind::Json, "label", has_escapes};
    }
    if (name.starts_with(json) && name[json.size()] == '-' && name.size() > json.size() + 1) {
      return {Kind::Json, std::string(name.substr(json.size() + 1)), has_escapes};
    }
  }
  if (name == "polysyndeton") {
    return {Kind::Polysyndeton, "label"};
  }
  const std::string known[] = {
      "default", "json", "json-KEY", "json-unescaped", "json-unescaped-KEY", "polysyndeton"};
  throw ConfigError(unknown_choice("label format", name, known));
}

std::string LabelFormat::name() const {
  switch (kind) {
    case Kind::List:
      return "default";
    case Kind::Json:
      return std::string(has_escapes ? kJson : kUnescaped) +
             (json_key == "label" ? "" : "-" + json_key);
    case Kind::Polysyndeton:
      return "polysyndeton";
  }
  throw InternalError("label format without a name");
}

}  // namespace labelprobe
