#include "data/reading/text_ids_file.h"

#include <optional>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <yaml.h>

#include "labelprobe/core/error.h"

#include "data/reading/records.h"
#include "data/reading/table_file.h"

namespace labelprobe::data {

namespace {

// libyaml's parser. Not yaml-cpp's, which cuts line breaks off the end of quoted texts and decodes
// two of the escapes to bytes that are no UTF-8.
class Events {
 public:
  explicit Events(const files::MappedFile& file) : path_(file.path().string()) {
    if (yaml_parser_initialize(&parser_) == 0) {
      throw InternalError("libyaml cannot be initialised");
    }
    yaml_parser_set_input_string(
        &parser_, reinterpret_cast<const unsigned char*>(file.text().data()), file.text().size());
  }
  ~Events() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // Valid until the next call.
  const yaml_event_t& next() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_) == 0) {
      const std::string problem = parser_.problem == nullptr ? "no memory" : parser_.problem;
      fail(parser_.problem_mark.line, "YAML", "an error: " + problem);
    }
    return event_;
  }

  [[noreturn]] void fail(std::size_t line, const std::string& wanted, const std::string& found) {
    throw DataError(path_ + ":" + std::to_string(line + 1) + ": expected " + wanted + ", found " +
                    found);
  }

  // Throws for the event at hand.
  [[noreturn]] void fail(const std::string& wanted) {
    fail(event_.start_mark.line, wanted,
         event_.type == YAML_SCALAR_EVENT           ? shown(scalar())
         : event_.type == YAML_SEQUENCE_START_EVENT ? "a list"
         : event_.type == YAML_MAPPING_START_EVENT  ? "a map"
         : event_.type == YAML_ALIAS_EVENT          ? "an alias"
         : event_.type == YAML_DOCUMENT_START_EVENT ? "another one"
                                                    : "the end");
  }
  [[noreturn]] void fail_again(const std::string& wanted) {
    fail(event_.start_mark.line, wanted, shown(scalar()) + " again");
  }

  // The text of the scalar at hand.
  std::string scalar() const {
    return {reinterpret_cast<const char*>(event_.data.scalar.value), event_.data.scalar.length};
  }

  void expect(yaml_event_type_t type, const std::string& wanted) {
    if (next().type != type) {
      fail(wanted);
    }
  }

  // The next scalar; nothing at the end of the map.
  std::optional<std::string> next_key(const std::string& wanted) {
    const yaml_event_t& event = next();
    if (event.type == YAML_MAPPING_END_EVENT) {
      return std::nullopt;
    }
    if (event.type != YAML_SCALAR_EVENT) {
      fail(wanted);
    }
    return scalar();
  }

 private:
  std::string path_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

TextIds read_split(Events& events) {
  TextIds texts;
  std::unordered_set<std::string> ids;
  events.expect(YAML_MAPPING_START_EVENT, "a map text -> id");
  while (std::optional<std::string> text = events.next_key("a text")) {
    if (texts.contains(*text)) {
      events.fail_again("every text once in a split");
    }
    events.expect(YAML_SCALAR_EVENT, "an id");
    if (!ids.insert(events.scalar()).second) {
      events.fail_again("every id once in a split");
    }
    if (events.scalar().empty()) {
      events.fail("an id");
    }
    texts.emplace(std::move(*text), events.scalar());
  }
  return texts;
}

}  // namespace

std::vector<TextIds> read_text_ids(const std::filesystem::path& path,
                                   std::span<const std::string> splits) {
  const files::MappedFile file = open_file(path, "a map split -> text -> id");
  check_utf8(file);
  if (file.text().empty()) {
    throw DataError(path.string() + ":1: expected a map split -> text -> id, found an empty file");
  }
  if (!file.text().ends_with('\n')) {
    throw DataError(path.string() +
                    ": expected the last line to end in a line break, found the end of the file; "
                    "it may be cut off: fetch it again, or add the line break if it is complete");
  }
  Events events(file);
  events.expect(YAML_STREAM_START_EVENT, "YAML");
  events.expect(YAML_DOCUMENT_START_EVENT, "a map split -> text -> id");
  events.expect(YAML_MAPPING_START_EVENT, "a map split -> text -> id");
  std::vector<TextIds> texts(splits.size());
  std::set<std::string> seen;
  while (const std::optional<std::string> name = events.next_key("the name of a split")) {
    if (!seen.insert(*name).second) {
      events.fail_again("every split once");
    }
    const TextIds split = read_split(events);
    for (std::size_t i = 0; i < splits.size(); ++i) {
      if (splits[i] == *name) {
        texts[i] = split;
      }
    }
  }
  events.expect(YAML_DOCUMENT_END_EVENT, "one document");
  events.expect(YAML_STREAM_END_EVENT, "one document");
  for (const std::string& split : splits) {
    if (!seen.contains(split)) {
      throw DataError(path.string() + ": expected a split '" + split + "', found none");
    }
  }
  return texts;
}

}  // namespace labelprobe::data
