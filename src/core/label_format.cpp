#include "labelprobe/core/label_format.h"

#include "labelprobe/core/error.h"

namespace labelprobe {

LabelFormat LabelFormat::parse(std::string_view name) {
  if (name.empty() || name == "default") {
    return {};
  }
  if (name == "json") {
    return {Kind::Json, "label"};
  }
  if (name.starts_with("json-") && name.size() > 5) {
    return {Kind::Json, std::string(name.substr(5))};
  }
  if (name == "polysyndeton") {
    return {Kind::Polysyndeton, "label"};
  }
  const std::string known[] = {"default", "json", "json-KEY", "polysyndeton"};
  throw ConfigError(unknown_choice("label format", name, known));
}

std::string LabelFormat::name() const {
  switch (kind) {
    case Kind::List:
      return "default";
    case Kind::Json:
      return json_key == "label" ? "json" : "json-" + json_key;
    case Kind::Polysyndeton:
      return "polysyndeton";
  }
  throw InternalError("label format without a name");
}

}  // namespace labelprobe
