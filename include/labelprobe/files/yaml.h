// YAML, read as PyYAML's safe_load reads it: YAML 1.1, one document, merged maps. Files come from
// strangers: nothing about their form is assumed. yaml-cpp is not used for this: it cuts line
// breaks off the end of quoted texts and decodes two of the escapes to bytes that are no UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "labelprobe/core/error_kind.h"
#include "labelprobe/files/yaml_events.h"

namespace labelprobe::files {

// A value of a document and its place in it. Copies are cheap and keep the whole document alive.
class YamlView {
 public:
  bool is_null() const;  // "null", "~" or nothing, without quotes
  bool is_scalar() const { return node_->kind == Kind::Scalar; }  // null is one too
  bool is_list() const { return node_->kind == Kind::List; }
  bool is_map() const { return node_->kind == Kind::Map; }

  // Throw "<place>: expected .., found .." where the value is something else.
  const std::string& text() const;  // of a scalar, whatever its type
  std::vector<YamlView> items() const;
  std::vector<std::pair<YamlView, YamlView>> members() const;  // in the order of the file

  // What the map has under a key; nothing if the key is missing or this is no map.
  std::optional<YamlView> find(std::string_view key) const;

  // What a scalar says; nothing if it is none or says something else. More spellings of numbers are
  // taken than by YAML 1.1, which needs a dot in "1.0e-07".
  std::optional<bool> boolean() const;  // true, yes and on without quotes, in three cases each
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<float> float32() const;  // the nearest one, rounded once

  // "<name>:<line>", what a message about it begins with; "a list", "'joy'", what it says it found.
  std::string place() const;
  std::string shown() const;
  [[noreturn]] void fail(const std::string& finding) const;  // "<place>: <finding>"
  [[noreturn]] void fail_expected(const std::string& expected) const;

 private:
  friend class YamlBuilder;

  enum class Kind { Scalar, List, Map };

  struct Node {
    Kind kind = Kind::Scalar;
    bool is_plain = false;     // a scalar without quotes and without a tag that makes it a text
    std::size_t line = 0;      // from 1
    std::string text;          // of a scalar
    std::size_t n_values = 1;  // itself and all below, as often as aliases repeat them
    std::vector<const Node*> values;  // of a list; of a map key, value, key, value
  };

  struct Document;

  YamlView(std::shared_ptr<const Document> document, const Node* node)
      : document_(std::move(document)), node_(node) {}

  std::shared_ptr<const Document> document_;
  const Node* node_;
};

// Throws the error of `source`, with its line, if the text is no YAML, is nested too deeply or
// holds several documents. An empty text is null.
YamlView parse_yaml(std::string_view text, const YamlSource& source);

// The same for a whole file. Throws `error` if it cannot be read.
YamlView load_yaml(const std::filesystem::path& path, ErrorKind error);

}  // namespace labelprobe::files
