#include "labelprobe/files/yaml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <deque>
#include <limits>
#include <map>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/files/text_file.h"

#include "files/map_file.h"

namespace labelprobe::files {

namespace {

constexpr std::string_view kMergeKey = "<<";

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& known) {
  return std::find(known.begin(), known.end(), text) != known.end();
}

// Not a number in YAML's spelling, nor one that std::from_chars() knows: nothing.
template <typename Number>
std::optional<Number> named_number(std::string_view text) {
  static_assert(std::numeric_limits<Number>::has_infinity);
  constexpr Number kInfinity = std::numeric_limits<Number>::infinity();
  if (is_one_of<6>(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) return kInfinity;
  if (is_one_of<3>(text, {"-.inf", "-.Inf", "-.INF"})) return -kInfinity;
  if (is_one_of<3>(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<Number>::quiet_NaN();
  return std::nullopt;
}

template <typename Number>
std::optional<Number> to_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = end == text.data() + text.size();
  return error == std::errc() && is_whole ? std::optional(number) : std::nullopt;
}

std::string text_of(const unsigned char* bytes) {
  return bytes == nullptr ? "" : reinterpret_cast<const char*>(bytes);
}

}  // namespace

struct YamlView::Document {
  YamlSource source;
  std::deque<Node> nodes;  // where each stays
};

// Builds the tree of a document from its events.
class YamlBuilder {
 public:
  YamlBuilder(std::string_view text, const YamlSource& source)
      : events_(text, source), document_(std::make_shared<Document>()) {
    document_->source = source;
  }

  YamlView build() {
    events_.expect(YAML_STREAM_START_EVENT, "YAML");
    const Node* root = nullptr;
    if (events_.next().type == YAML_STREAM_END_EVENT) {
      root = &add(YamlView::Kind::Scalar);
      document_->nodes.back().is_plain = true;
    } else {
      events_.next();
      root = read_node(1);
      events_.expect(YAML_DOCUMENT_END_EVENT, "one document");
      events_.expect(YAML_STREAM_END_EVENT, "one document");
    }
    return {document_, root};
  }

 private:
  using Document = YamlView::Document;
  using Node = YamlView::Node;

  Node& add(YamlView::Kind kind) {
    Node& node = document_->nodes.emplace_back();
    node.kind = kind;
    node.line = events_.line();
    return node;
  }

  // The node that begins with the event at hand.
  const Node* read_node(int depth) {
    if (depth > limits::kYamlDepth) {
      events_.fail(fmt::format("YAML at most {} levels deep", limits::kYamlDepth));
    }
    const yaml_event_t& event = events_.current();
    switch (event.type) {
      case YAML_ALIAS_EVENT: {
        const auto found = anchors_.find(text_of(event.data.alias.anchor));
        if (found == anchors_.end()) {
          events_.fail("an anchor before its alias");
        }
        return found->second;
      }
      case YAML_SCALAR_EVENT: {
        Node& node = add(YamlView::Kind::Scalar);
        node.text = events_.scalar();
        node.is_plain = event.data.scalar.plain_implicit != 0;
        keep_anchor(text_of(event.data.scalar.anchor), node);
        return &node;
      }
      case YAML_SEQUENCE_START_EVENT: {
        Node& node = add(YamlView::Kind::List);
        const std::string anchor = text_of(event.data.sequence_start.anchor);
        while (events_.next().type != YAML_SEQUENCE_END_EVENT) take_value(node, depth);
        keep_anchor(anchor, node);
        return &node;
      }
      case YAML_MAPPING_START_EVENT: {
        Node& node = add(YamlView::Kind::Map);
        const std::string anchor = text_of(event.data.mapping_start.anchor);
        while (events_.next().type != YAML_MAPPING_END_EVENT) {
          take_value(node, depth);
          events_.next();
          take_value(node, depth);
        }
        merge(node);
        keep_anchor(anchor, node);
        return &node;
      }
      default:
        events_.fail("a value");
    }
  }

  // Takes the value that begins with the event at hand.
  void take_value(Node& node, int depth) {
    const Node* value = read_node(depth + 1);
    node.values.push_back(value);
    node.n_values += value->n_values;
    if (node.n_values > limits::kYamlValues) {
      events_.fail(
          fmt::format("at most {} values, those behind aliases counted", limits::kYamlValues));
    }
  }

  // A node is known by its anchor once it is whole, so that none is part of itself.
  void keep_anchor(const std::string& name, const Node& node) {
    if (!name.empty()) anchors_[name] = &node;
  }

  static bool has_key(const Node& map, const Node& key) {
    for (std::size_t i = 0; i < map.values.size(); i += 2) {
      const Node& known = *map.values[i];
      if (known.kind == YamlView::Kind::Scalar && key.kind == YamlView::Kind::Scalar &&
          known.text == key.text) {
        return true;
      }
    }
    return false;
  }

  // Adds the keys of `from` that the map does not have.
  void add_missing(Node& map, const Node& from) {
    if (from.kind == YamlView::Kind::List) {
      for (const Node* each : from.values) add_missing(map, *each);
      return;
    }
    if (from.kind != YamlView::Kind::Map) {
      YamlView(document_, &from).fail_expected("a map, or a list of maps, to merge");
    }
    for (std::size_t i = 0; i < from.values.size(); i += 2) {
      if (!has_key(map, *from.values[i])) {
        map.values.push_back(from.values[i]);
        map.values.push_back(from.values[i + 1]);
      }
    }
  }

  // Takes the maps that stand under "<<" into the map itself.
  void merge(Node& map) {
    std::vector<const Node*> merged;
    for (std::size_t i = 0; i < map.values.size();) {
      const Node& key = *map.values[i];
      if (key.kind == YamlView::Kind::Scalar && key.is_plain && key.text == kMergeKey) {
        merged.push_back(map.values[i + 1]);
        const auto at = map.values.begin() + static_cast<std::ptrdiff_t>(i);
        map.values.erase(at, at + 2);
      } else {
        i += 2;
      }
    }
    for (const Node* from : merged) add_missing(map, *from);
  }

  YamlEvents events_;
  std::shared_ptr<Document> document_;
  std::map<std::string, const Node*> anchors_;
};

bool YamlView::is_null() const {
  return is_scalar() && node_->is_plain &&
         is_one_of<5>(node_->text, {"", "~", "null", "Null", "NULL"});
}

const std::string& YamlView::text() const {
  if (!is_scalar()) fail_expected("a single value");
  return node_->text;
}

std::vector<YamlView> YamlView::items() const {
  if (!is_list()) fail_expected("a list");
  std::vector<YamlView> items;
  items.reserve(node_->values.size());
  for (const Node* value : node_->values) items.push_back({document_, value});
  return items;
}

std::vector<std::pair<YamlView, YamlView>> YamlView::members() const {
  if (!is_map()) fail_expected("a map");
  std::vector<std::pair<YamlView, YamlView>> members;
  members.reserve(node_->values.size() / 2);
  for (std::size_t i = 0; i < node_->values.size(); i += 2) {
    members.emplace_back(YamlView(document_, node_->values[i]),
                         YamlView(document_, node_->values[i + 1]));
  }
  return members;
}

std::optional<YamlView> YamlView::find(std::string_view key) const {
  // The last of equal keys counts, as in PyYAML.
  for (std::size_t i = is_map() ? node_->values.size() : 0; i > 0; i -= 2) {
    const Node& known = *node_->values[i - 2];
    if (known.kind == Kind::Scalar && known.text == key) {
      return YamlView(document_, node_->values[i - 1]);
    }
  }
  return std::nullopt;
}

std::optional<bool> YamlView::boolean() const {
  if (!is_scalar() || !node_->is_plain) return std::nullopt;
  static constexpr std::array<std::string_view, 9> kTrue = {"true", "True", "TRUE", "yes", "Yes",
                                                            "YES",  "on",   "On",   "ON"};
  static constexpr std::array<std::string_view, 9> kFalse = {"false", "False", "FALSE", "no", "No",
                                                             "NO",    "off",   "Off",   "OFF"};
  if (is_one_of(node_->text, kTrue)) return true;
  if (is_one_of(node_->text, kFalse)) return false;
  return std::nullopt;
}

std::optional<std::int64_t> YamlView::integer() const {
  return is_scalar() ? to_number<std::int64_t>(node_->text) : std::nullopt;
}

std::optional<double> YamlView::number() const {
  if (!is_scalar()) return std::nullopt;
  const auto named = named_number<double>(node_->text);
  return named ? named : to_number<double>(node_->text);
}

std::optional<float> YamlView::float32() const {
  if (!is_scalar()) return std::nullopt;
  const auto named = named_number<float>(node_->text);
  return named ? named : to_number<float>(node_->text);
}

std::string YamlView::place() const {
  return fmt::format("{}:{}", document_->source.name, node_->line);
}

std::string YamlView::shown() const {
  if (is_list()) return "a list";
  if (is_map()) return "a map";
  return is_null() ? "nothing" : files::shown(node_->text);
}

void YamlView::fail(const std::string& finding) const {
  labelprobe::fail(document_->source.error, fmt::format("{}: {}", place(), finding));
}

void YamlView::fail_expected(const std::string& expected) const {
  fail(fmt::format("expected {}, found {}", expected, shown()));
}

YamlView parse_yaml(std::string_view text, const YamlSource& source) {
  return YamlBuilder(text, source).build();
}

YamlView load_yaml(const std::filesystem::path& path, ErrorKind error) {
  const MappedFile file = map_file(path, error);
  return parse_yaml(file.text(), {path.string(), error});
}

}  // namespace labelprobe::files
