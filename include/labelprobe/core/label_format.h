// How a set of labels is written into a prompt and read back from an answer. `prompt` writes,
// `readout` parses.
#pragma once

#include <string>
#include <string_view>

namespace labelprobe {

struct LabelFormat {
  enum class Kind {
    List,          // joy, admiration; an empty list is `none`; a single label is its name
    Json,          // {"label": ["joy", "admiration"]}; an empty list is ["none"]; a single label is
                   // {"label": "joy"}; everything outside of ASCII as escapes
    Polysyndeton,  // the book and the cup
  };

  Kind kind = Kind::List;
  std::string json_key = "label";  // Json only
  bool has_escapes = true;  // Json only: "\\u00dcberraschung", as published, or "Überraschung"

  // "default" or "" (List), "json", "json-KEY", "json-unescaped", "json-unescaped-KEY",
  // "polysyndeton". Throws ConfigError naming these for anything else.
  static LabelFormat parse(std::string_view name);

  // The spelling parse() accepts.
  std::string name() const;

  friend bool operator==(const LabelFormat&, const LabelFormat&) = default;
};

}  // namespace labelprobe
